"""``musicnet-build pack maestro``: the layout of MAESTRO, which most transcription code reads."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import pack_options


@click.command(name="maestro")
@pack_options.folders_options("MUS")
@click.option("--flac", is_flag=True, help="Also write 16 kHz FLAC beside the WAV, as onsets-and-frames reads it.")
@pack_options.sustain_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the recordings of FOLDER in MAESTRO's layout: WAV and MIDI of one piano, and tables with the split."""
    from musicnet_build.packing.peers.maestro import MaestroSettings, pack_maestro

    pack_options.run_packer(
        pack_maestro, folder, output, MaestroSettings(**chosen), workers=workers, verbose=verbose, as_json=as_json
    )
