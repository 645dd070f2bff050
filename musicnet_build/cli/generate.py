"""``musicnet-build generate``: datasets made of scores and soundfonts."""

import click

from musicnet_build.cli.lazy_group import LazyGroup

SUBCOMMANDS = {
    "maps": "Isolated notes, chords and pieces in several instruments and rooms, as in MAPS.",
    "ascension": "Every note of some instruments, alone and in pairs, balanced.",
    "performances": "Scores, recordings played as people play, and the true times.",
    "timbre-test": "Test sets from MIDI files that have the instruments.",
}


@click.group(name="generate", cls=LazyGroup, subcommands=SUBCOMMANDS)
def command() -> None:
    """Generate exactly labelled music from soundfonts. Every kind takes --help and --json."""
