"""What the commands for timbre sets share."""

from typing import TYPE_CHECKING

import click

from musicnet_build.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from musicnet_build.datasets.jobs import Outcome
    from musicnet_build.datasets.timbre_set import Instrument, TimbreSet

instrument_option = click.option(
    "--instrument", "instruments", metavar="NAME=PROGRAMS:LOWEST-HIGHEST", multiple=True,
    help="An instrument: General MIDI programs (0 to 127) and range. May be given several times. Default: "
    "guitar=26-31:E2-D6 and trumpet=56:E3-D6.",
)  # fmt: skip
soundfonts_option = click.option(
    "--soundfont", "soundfonts", metavar="NAME|FILE", multiple=True, help="May be given several times."
)
workers_option = click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")


def instruments_of(texts: "Sequence[str]") -> "tuple[Instrument, ...]":
    """Return the instruments that were asked for, or the default ones."""
    from musicnet_build.datasets.timbre_set import DEFAULT_INSTRUMENTS, parse_instrument

    return tuple(parse_instrument(text) for text in texts) or DEFAULT_INSTRUMENTS


def counting(progress: console.Advance, stage: str, total: int) -> "Callable[[Outcome], None]":
    """Return what moves a progress bar by one job at a time."""
    done = 0

    def on_done(outcome: "Outcome") -> None:
        nonlocal done
        done += 1
        progress(stage, done / max(total, done))

    return on_done


def crotchets_of(made: "TimbreSet") -> dict[str, int]:
    """Return how many notes, or chords, each part of a set has."""
    counts: dict[str, int] = {}
    for piece in made.pieces:
        counts[piece.subset] = counts.get(piece.subset, 0) + max(piece.notes.values())
    return counts
