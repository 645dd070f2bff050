"""``musicnet-build pack thumbnails``: small pictures of single notes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from musicnet_build.choices import THUMBNAIL_SIZES, THUMBNAIL_SPECTRA
from musicnet_build.cli import pack_options, parameters


@click.command(name="thumbnails")
@pack_options.recordings_options("ISOL")
@click.option("--size", type=click.Choice(THUMBNAIL_SIZES), default=32, show_default=True, help="Rows and columns.")
@click.option("--spectrum", type=click.Choice(THUMBNAIL_SPECTRA), default="cqt", show_default=True)
@click.option("--step", "step_frames", type=click.IntRange(1, 1000), default=1, show_default=True,
              help="One picture every so many frames of 32 ms.")  # fmt: skip
@click.option("--preview", type=parameters.OutputFile(".png"), help="Also draw a contact sheet (PNG).")
@pack_options.run_options
def command(
    folder: Path, output: Path, preview: Path | None, workers: int, verbose: bool, as_json: bool, **chosen: Any
) -> None:
    """Pack pictures of the spectrum wherever a single note sounds in the recordings of FOLDER."""
    from musicnet_build.packing.thumbnails import ThumbnailsSettings, pack_thumbnails

    settings = ThumbnailsSettings(**chosen)

    def draw() -> Sequence[Path]:
        if preview is None:
            return ()
        from musicnet_build.plots.contact_sheets import plot_thumbnails

        plot_thumbnails(preview, output)
        return (preview,)

    pack_options.run_packer(
        pack_thumbnails,
        folder,
        output,
        settings,
        workers=workers,
        verbose=verbose,
        as_json=as_json,
        preview=draw,
        shown=lambda packed: pack_options.Shown(
            {"pictures": packed.counts["pictures"]},
            f"{packed.counts['pictures']} pictures of {settings.size} × {settings.size} from {packed.recordings} "
            f"recordings ({', '.join(f'{count} {part}' for part, count in packed.parts.items())})",
        ),
    )
