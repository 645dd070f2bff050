"""``musicnet-build pack transcription``: the files of piano transcription."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import pack_options


@click.command(name="transcription")
@pack_options.folders_options("MUS")
@pack_options.sustain_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the recordings of FOLDER as the files of piano transcription: 16 kHz FLAC with TSV, and HDF5."""
    from musicnet_build.packing.peers.transcription import TranscriptionSettings, pack_transcription

    settings = TranscriptionSettings(**chosen)
    pack_options.run_packer(
        pack_transcription, folder, output, settings, workers=workers, verbose=verbose, as_json=as_json
    )
