"""``musicnet-build pack musicnet``: the layout of MusicNet's first release."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.choices import SAMPLE_FORMATS
from musicnet_build.cli import pack_options


@click.command(name="musicnet")
@pack_options.source_options
@pack_options.output_option
@click.option(
    "--samples", "sample_format", type=click.Choice(SAMPLE_FORMATS), default="float32", show_default=True,
    help="Format of the audio. No public loader knows the scale of int16: read it as samples / 32,768.",
)  # fmt: skip
@click.option("--gzip", "compress", is_flag=True, help="Compress: about a third of the size, slower to read.")
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the dataset in FOLDER as one HDF5 file in the layout of MusicNet's first release."""
    from musicnet_build.packing.musicnet_h5 import MusicNetSettings, pack_musicnet

    settings = MusicNetSettings(**chosen)
    pack_options.run_packer(pack_musicnet, folder, output, settings, workers=workers, verbose=verbose, as_json=as_json)
