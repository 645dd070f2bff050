"""``musicnet-build pack musicnet``: the layouts of MusicNet's first release."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from musicnet_build.choices import SAMPLE_FORMATS
from musicnet_build.cli import pack_options, parameters


@click.command(name="musicnet")
@pack_options.source_options
@click.option(
    "-o", "--output", type=parameters.OutputFile(".h5", ".hdf5", ".npz", remote=True), required=True,
    help="HDF5 file to write, or .npz with interval trees; or its URL.",
)  # fmt: skip
@click.option(
    "--samples", "sample_format", type=click.Choice(SAMPLE_FORMATS), default="float32", show_default=True,
    help="Format of the audio. No public loader knows the scale of int16: read it as samples / 32,768.",
)  # fmt: skip
@click.option("--gzip", "compress", is_flag=True, help="Compress: about a third of the size, slower to read.")
@click.option("--em", is_flag=True, help="Also write musicnet_em/ID.mid and *_labels_midi/ID.mid beside the output.")
@pack_options.run_options
def command(folder: Path, output: Path, em: bool, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the dataset in FOLDER as one file in a layout of MusicNet's first release."""
    from musicnet_build.packing.musicnet_h5 import MusicNetSettings, pack_musicnet
    from musicnet_build.packing.peers.musicnet_em import write_em
    from musicnet_build.packing.peers.npz import pack_npz
    from musicnet_build.packing.sources import recordings_of

    settings = MusicNetSettings(**chosen)

    def write_midi() -> Sequence[Path]:
        return write_em(recordings_of(folder, settings), output.parent) if em else ()

    pack_options.run_packer(
        pack_npz if output.suffix == ".npz" else pack_musicnet,
        folder,
        output,
        settings,
        workers=workers,
        verbose=verbose,
        as_json=as_json,
        preview=write_midi,
    )
