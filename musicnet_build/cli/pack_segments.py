"""``musicnet-build pack segments``: audio, rolls and spectra."""

import time
from pathlib import Path

import click

from musicnet_build.cli import console, pack_options


@click.command(name="segments")
@pack_options.recordings_options("MUS")
@pack_options.a_maps_option
@pack_options.test_bank_option
@click.option("--without-spectra", is_flag=True, help="Let the reader compute mel and constant-Q spectra.")
@click.option("--keep-test-pieces", is_flag=True, help="Train on pieces that are also in the test set.")
@pack_options.sustain_option
@pack_options.seed_option
@pack_options.run_options
def command(
    folder: Path,
    output: Path,
    categories: tuple[str, ...],
    a_maps: Path | None,
    test_banks: tuple[str, ...],
    without_spectra: bool,
    keep_test_pieces: bool,
    sustain: bool,
    seed: int,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Pack the recordings of FOLDER (MAPS, MAESTRO or MusicNet in layout) at 16 kHz, with rolls and spectra."""
    from musicnet_build.corpora.folds import train_and_test, without_test_pieces
    from musicnet_build.corpora.recordings import find_recordings
    from musicnet_build.packing.segments import pack_segments

    started = time.monotonic()
    recordings = find_recordings(folder, categories=categories, a_maps=a_maps)
    fold, removed = train_and_test(recordings, seed, test_banks), 0
    if not keep_test_pieces:
        fold, removed = without_test_pieces(recordings, fold)
    if not fold.train:
        console.warn([f"nothing is left to train on: {removed} recordings are of pieces that are in the test set."])
    with console.progress_bar(verbose) as progress:
        packed = pack_segments(
            output,
            recordings,
            fold,
            store_spectra=not without_spectra,
            sustain=sustain,
            workers=workers,
            progress=progress,
        )
    sizes = {part: len(getattr(fold, part)) for part in ("train", "valid", "test")}
    values = {
        "output": str(output),
        "recordings": packed.recordings,
        "made": packed.made,
        **sizes,
        "removed_test_pieces": removed,
        "counts": packed.counts,
        "seconds": round(time.monotonic() - started, 3),
    }
    shown = ", ".join(f"{count} {part}" for part, count in sizes.items())
    lines = [f"{output}: {packed.recordings} recordings ({shown}); {removed} left out, their pieces being tested on"]
    console.report(values, lines, as_json)
