"""``musicnet-build pack parquet``: Parquet files that Hugging Face datasets opens without code."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import pack_options


@click.command(name="parquet")
@pack_options.folders_options("MUS")
@pack_options.sustain_option
@pack_options.shard_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the recordings of FOLDER as Parquet files that Hugging Face datasets opens without code."""
    from musicnet_build.packing.peers.parquet import pack_parquet
    from musicnet_build.packing.peers.rows import RowsSettings

    pack_options.run_packer(
        pack_parquet, folder, output, RowsSettings(**chosen), workers=workers, verbose=verbose, as_json=as_json
    )
