"""``musicnet-build pack frames``: spectra and frame-wise targets."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import LABELLINGS
from musicnet_build.cli import pack_options, parameters

if TYPE_CHECKING:
    from musicnet_build.packing.sources import Packed


@click.command(name="frames")
@pack_options.recordings_options("MUS")
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
@click.option(
    "--keep-short/--drop-short", default=True, help="Keep notes shorter than a frame as one; they are counted."
)
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Pack the recordings of FOLDER (MAPS, MAESTRO or MusicNet in layout) with targets for every frame."""
    from musicnet_build.packing.frames import FramesSettings, pack_frames

    settings = FramesSettings(**chosen)
    pack_options.run_packer(
        pack_frames, folder, output, settings, workers=workers, verbose=verbose, as_json=as_json, shown=_shown
    )


def _shown(packed: "Packed") -> pack_options.Shown:
    folds = list(dict.fromkeys(part.rpartition("/")[0] for part in packed.parts))
    splits = dict.fromkeys(fold.partition("/")[0] for fold in folds)
    return pack_options.Shown({"splits": folds}, f"{packed.recordings} recordings, splits {', '.join(splits)}")
