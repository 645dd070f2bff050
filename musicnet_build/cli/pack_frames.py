"""``musicnet-build pack frames``: spectra and frame-wise targets."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicnet_build.choices import LABELLINGS
from musicnet_build.cli import console, pack_options, parameters

if TYPE_CHECKING:
    from musicnet_build.corpora.folds import Fold
    from musicnet_build.corpora.recordings import Recording


@click.command(name="frames")
@pack_options.recordings_options("MUS")
@pack_options.a_maps_option
@click.option(
    "--folds", multiple=True, type=parameters.existing_folder,
    help="Folder of fold files, stored as the split of the folder's name. May be given several times.",
)  # fmt: skip
@pack_options.test_bank_option
@click.option(
    "--labelling", "labellings", type=click.Choice(LABELLINGS), multiple=True, default=LABELLINGS,
    help="Labelling function to store targets of; all by default.",
)  # fmt: skip
@pack_options.sustain_option
@click.option("--drop-short", is_flag=True, help="Leave out notes shorter than a frame; they are counted either way.")
@pack_options.seed_option
@pack_options.run_options
def command(
    folder: Path,
    output: Path,
    categories: tuple[str, ...],
    a_maps: Path | None,
    folds: tuple[Path, ...],
    test_banks: tuple[str, ...],
    labellings: tuple[str, ...],
    sustain: bool,
    drop_short: bool,
    seed: int,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Pack the recordings of FOLDER (MAPS, MAESTRO or MusicNet in layout) with targets for every frame."""
    from musicnet_build.corpora.folds import read_folds
    from musicnet_build.corpora.recordings import find_recordings
    from musicnet_build.packing.frames import pack_frames

    started = time.monotonic()
    recordings = find_recordings(folder, categories=categories, a_maps=a_maps)
    splits = _splits(recordings, seed, test_banks)
    splits |= {place.resolve().name: read_folds(place, recordings) for place in folds}
    with console.progress_bar(verbose) as progress:
        packed = pack_frames(
            output,
            recordings,
            splits,
            labellings=labellings,
            seed=seed,
            sustain=sustain,
            keep_short=not drop_short,
            workers=workers,
            progress=progress,
        )
    short = sum(packed.counts.values())
    if short:
        fate = "left out" if drop_short else "kept as one frame"
        console.warn(
            [f"notes without a frame of their own were {fate}, {short} in all; --json counts them by function."]
        )
    values = {
        "output": str(output),
        "recordings": packed.recordings,
        "made": packed.made,
        "splits": [f"{name}/{fold}" for name, split in splits.items() for fold in split],
        "counts": packed.counts,
        "seconds": round(time.monotonic() - started, 3),
    }
    console.report(values, [f"{output}: {packed.recordings} recordings, splits {', '.join(splits)}"], as_json)


def _splits(recordings: "list[Recording]", seed: int, test_banks: tuple[str, ...]) -> "dict[str, dict[str, Fold]]":
    """Draw what can be drawn: Configuration II needs two banks."""
    from musicnet_build.corpora.folds import configuration_1, configuration_2, given_split

    splits = {"configuration_1": configuration_1(recordings, seed)}
    if test_banks or len({recording.bank for recording in recordings}) > 1:
        splits["configuration_2"] = configuration_2(recordings, seed, test_banks)
    given = given_split(recordings)
    if given.train or given.test:
        splits["given"] = {"fold_1": given}
    return splits
