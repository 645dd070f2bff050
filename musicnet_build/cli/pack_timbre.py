"""``musicnet-build pack timbre``: pictures of short frames, labelled with what each instrument plays."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from musicnet_build.choices import TIMBRE_FRAME_LENGTHS, TIMBRE_HOPS, TIMBRE_SPECTROGRAMS, TIMBRE_STORAGES
from musicnet_build.cli import pack_options, parameters

if TYPE_CHECKING:
    from musicnet_build.packing.sources import Packed


@click.command(name="timbre")
@pack_options.folder_argument
@pack_options.output_option
@click.option("--frame", "frame_length", type=click.Choice(TIMBRE_FRAME_LENGTHS), default=8192, show_default=True,
              help="Samples per frame, at 32,768 Hz.")  # fmt: skip
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
    preview: Path | None,
    workers: int,
    verbose: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Pack a set made by `generate ascension` or `generate timbre-test` into one HDF5 file, with subsets and folds."""
    from musicnet_build.packing.timbre.images import ImageSettings
    from musicnet_build.packing.timbre.package import PackSettings, pack_timbre
    from musicnet_build.packing.timbre.preview import write_excerpts
    from musicnet_build.packing.timbre.reader import TimbreFrames

    settings = PackSettings(images=ImageSettings(spectrogram, frame_length, hop), **chosen)

    def write() -> Sequence[Path]:
        if preview is None:
            return ()
        from musicnet_build.plots.contact_sheets import plot_timbre_frames

        sheet = preview / "contact_sheet.png"
        plot_timbre_frames(sheet, TimbreFrames(output))
        return [sheet, *write_excerpts(preview, folder)]

    pack_options.run_packer(
        pack_timbre,
        folder,
        output,
        settings,
        workers=workers,
        verbose=verbose,
        as_json=as_json,
        preview=write,
        shown=_shown,
    )


def _shown(packed: "Packed") -> pack_options.Shown:
    frames = packed.counts["frames"]
    line = f"{frames} frames ({', '.join(f'{size} {subset}' for subset, size in packed.parts.items())})"
    return pack_options.Shown({"frames": frames, "subsets": dict(packed.parts)}, line)
