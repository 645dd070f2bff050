"""``musicnet-build pack notesequence``: TFRecord files, as MT3 and Magenta read them."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.choices import NOTESEQUENCE_AUDIO
from musicnet_build.cli import pack_options


@click.command(name="notesequence")
@pack_options.folders_options("MUS")
@click.option(
    "--audio", type=click.Choice(NOTESEQUENCE_AUDIO), default=NOTESEQUENCE_AUDIO[0], show_default=True,
    help="Floating-point samples, as MT3 reads MusicNet, or WAV, as it reads MAESTRO and Onsets and Frames all.",
)  # fmt: skip
@pack_options.sustain_option
@pack_options.shard_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Write the recordings of FOLDER at 16 kHz with their notes as NoteSequences, in TFRecord files."""
    from musicnet_build.packing.peers.notesequence import NoteSequenceSettings, pack_notesequence

    settings = NoteSequenceSettings(**chosen)
    pack_options.run_packer(
        pack_notesequence, folder, output, settings, workers=workers, verbose=verbose, as_json=as_json
    )
