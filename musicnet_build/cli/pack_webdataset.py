"""``musicnet-build pack webdataset``: tar files of FLAC and JSON, for trainings that stream them."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import pack_options


@click.command(name="webdataset")
@pack_options.folders_options("MUS")
@pack_options.sustain_option
@pack_options.shard_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the recordings of FOLDER as tar files of FLAC and JSON, for trainings that stream them."""
    from musicnet_build.packing.peers.rows import RowsSettings
    from musicnet_build.packing.peers.webdataset import pack_webdataset

    pack_options.run_packer(
        pack_webdataset, folder, output, RowsSettings(**chosen), workers=workers, verbose=verbose, as_json=as_json
    )
