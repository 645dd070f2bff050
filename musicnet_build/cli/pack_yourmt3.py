"""``musicnet-build pack yourmt3``: folders and index files of YourMT3."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import pack_options


@click.command(name="yourmt3")
@pack_options.folders_options("MUS")
@click.option("--name", default="dataset", show_default=True, help="What a preset of YourMT3 calls the dataset.")
@pack_options.sustain_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the recordings of FOLDER at 16 kHz, their notes and index files into the folder data of YourMT3."""
    from musicnet_build.packing.peers.yourmt3 import YourMt3Settings, pack_yourmt3

    pack_options.run_packer(
        pack_yourmt3, folder, output, YourMt3Settings(**chosen), workers=workers, verbose=verbose, as_json=as_json
    )
