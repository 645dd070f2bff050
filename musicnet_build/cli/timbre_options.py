"""What the commands for timbre sets share."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from musicnet_build.corpora.timbre_set import Instrument, TimbreSet


def _instruments(
    context: click.Context, parameter: click.Parameter, texts: "Sequence[str]"
) -> "tuple[Instrument, ...]":
    from musicnet_build.corpora.timbre_set import DEFAULT_INSTRUMENTS, check_instruments, parse_instrument
    from musicnet_build.errors import DatasetError

    try:
        instruments = tuple(parse_instrument(text) for text in texts) or DEFAULT_INSTRUMENTS
        check_instruments(instruments)
    except DatasetError as error:
        raise click.BadParameter(str(error)) from error
    return instruments


instrument_option = click.option(
    "--instrument", "instruments", metavar="NAME=PROGRAMS:LOWEST-HIGHEST", multiple=True, callback=_instruments,
    help="An instrument: General MIDI programs (0 to 127) and range. May be given several times. Default: "
    "guitar=26-31:E2-D6 and trumpet=56:E3-D6.",
)  # fmt: skip
soundfonts_option = click.option(
    "--soundfont", "soundfonts", metavar="NAME|FILE", multiple=True, help="May be given several times."
)


def notes_by_part(made: "TimbreSet") -> dict[str, int]:
    """Return how many notes each part of a set has, those of all instruments together."""
    counts: dict[str, int] = {}
    for piece in made.pieces:
        counts[piece.subset] = counts.get(piece.subset, 0) + sum(piece.notes.values())
    return counts


def quarter_notes_by_part(made: "TimbreSet") -> dict[str, int]:
    """Return how many quarter notes of sound each part of an ascension has: two notes that sound together are one."""
    counts: dict[str, int] = {}
    for piece in made.pieces:
        counts[piece.subset] = counts.get(piece.subset, 0) + max(piece.notes.values())
    return counts
