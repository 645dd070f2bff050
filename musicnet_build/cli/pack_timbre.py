"""``musicnet-build pack timbre``: pictures of short frames, labelled with what each instrument plays."""

import time
from pathlib import Path
from typing import Literal

import click

from musicnet_build.choices import TIMBRE_FRAME_LENGTHS, TIMBRE_HOPS, TIMBRE_SPECTROGRAMS, TIMBRE_STORAGES
from musicnet_build.cli import console, pack_options, parameters


@click.command(name="timbre")
@pack_options.folder_argument
@pack_options.output_option
@click.option("--frame", "frame_length", type=click.Choice(TIMBRE_FRAME_LENGTHS), default=8192, show_default=True,
              help="Samples a frame, at 32,768 Hz.")  # fmt: skip
@click.option("--spectrogram", type=click.Choice(TIMBRE_SPECTROGRAMS), default="log", show_default=True)
@click.option("--hop", type=click.Choice(TIMBRE_HOPS), default=32, show_default=True,
              help="Samples between columns, before they are resized to 512.")  # fmt: skip
@click.option("--storage", type=click.Choice(TIMBRE_STORAGES), default="colour", show_default=True,
              help="Three channels of uint8, or one of float32.")  # fmt: skip
@click.option("--single", "instrument", metavar="NAME", help="Label this instrument only, not each.")
@click.option("--split-notes", is_flag=True, help="Let frames of one note fall into different folds.")
@pack_options.seed_option
@click.option("--preview", type=parameters.OutputFolder(), help="Folder for a contact sheet and a few sounds.")
@pack_options.run_options
def command(
    folder: Path,
    output: Path,
    frame_length: int,
    spectrogram: Literal["log", "mel", "cqt"],
    hop: int,
    storage: Literal["colour", "float"],
    instrument: str | None,
    split_notes: bool,
    seed: int,
    preview: Path | None,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Pack a set made by `generate ascension` or `generate timbre-test` into one HDF5 file, with subsets and folds."""
    from musicnet_build.corpora.timbre_set import read_set
    from musicnet_build.packing.timbre import PackSettings, pack_timbre
    from musicnet_build.packing.timbre_images import ImageSettings
    from musicnet_build.packing.timbre_preview import write_preview

    started = time.monotonic()
    settings = PackSettings(ImageSettings(spectrogram, frame_length, hop), storage, instrument, seed, split_notes)
    with console.progress_bar(verbose) as progress:
        progress("packing", 0.0)
        on_done = console.counting(progress, "packing", len(read_set(folder).pieces))
        packed = pack_timbre(folder, output, settings, workers=workers, on_done=on_done)
        shown = write_preview(preview, output, folder) if preview else []
    values = {
        "output": str(output),
        "frames": packed.frames,
        "subsets": packed.subsets,
        "bytes": packed.size_bytes,
        "preview": [str(path) for path in shown],
        "seconds": round(time.monotonic() - started, 3),
    }
    lines = [f"{output}: {packed.frames} frames, {packed.size_bytes / 1e6:.1f} MB, in {values['seconds']:.1f} s"]
    lines += [f"{name:24} {count:6} frames" for name, count in packed.subsets.items()]
    lines += [f"{path}" for path in shown]
    console.report(values, lines, as_json)
