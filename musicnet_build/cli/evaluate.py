"""``musicnet-build evaluate``: predictions against the truth."""

import click

from musicnet_build.cli.lazy_group import LazyGroup

SUBCOMMANDS = {
    "alignment": "Labels of recordings, compared with the true note times.",
    "transcription": "Frames and notes of transcriptions, compared with the true notes.",
    "timbre": "Notes of several instruments, compared on piano rolls.",
}


@click.group(name="evaluate", cls=LazyGroup, subcommands=SUBCOMMANDS)
def command() -> None:
    """Compare predictions with the truth. Every kind takes --help and --json."""
