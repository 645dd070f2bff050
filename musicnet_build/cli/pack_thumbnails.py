"""``musicnet-build pack thumbnails``: small pictures of single notes."""

import time
from pathlib import Path
from typing import Literal

import click

from musicnet_build.choices import THUMBNAIL_SIZES, THUMBNAIL_SPECTRA
from musicnet_build.cli import console, pack_options, parameters


@click.command(name="thumbnails")
@pack_options.recordings_options("ISOL")
@click.option(
    "--size",
    type=click.Choice(THUMBNAIL_SIZES),
    default=32,
    show_default=True,
    help="Rows and columns.",
)
@click.option("--spectrum", type=click.Choice(THUMBNAIL_SPECTRA), default="cqt", show_default=True)
@click.option("--step", "step_frames", type=click.IntRange(1, 1000), default=1, show_default=True,
              help="One picture every so many frames of 32 ms.")  # fmt: skip
@click.option("--preview", type=parameters.OutputFile(".png"), help="Also draw a contact sheet (PNG).")
@pack_options.seed_option
@pack_options.run_options
def command(
    folder: Path,
    output: Path,
    categories: tuple[str, ...],
    size: int,
    spectrum: Literal["cqt", "stft"],
    step_frames: int,
    preview: Path | None,
    seed: int,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Pack pictures of the spectrum wherever a single note sounds in the recordings of FOLDER."""
    from musicnet_build.corpora.folds import four_to_one
    from musicnet_build.corpora.recordings import find_recordings
    from musicnet_build.packing.thumbnails import contact_sheet, pack_thumbnails

    started = time.monotonic()
    recordings = find_recordings(folder, categories=categories)
    fold = four_to_one([recording.name for recording in recordings], seed)
    with console.progress_bar(verbose) as progress:
        packed = pack_thumbnails(
            output,
            recordings,
            fold,
            size=size,
            spectrum=spectrum,
            step_frames=step_frames,
            workers=workers,
            progress=progress,
        )
        if preview:
            progress("drawing", 0.0)
            contact_sheet(preview, output)
    values = {
        "output": str(output),
        "preview": str(preview) if preview else None,
        "recordings": packed.recordings,
        "pictures": packed.pictures,
        "made": packed.made,
        "seconds": round(time.monotonic() - started, 3),
    }
    lines = [f"{path}" for path in (preview,) if path]
    shown = f"{output}: {packed.pictures} pictures of {size} × {size} from {packed.recordings} recordings"
    console.report(values, [shown, *lines], as_json)
