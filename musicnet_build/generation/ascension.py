"""Instrument ascensions: every note of an instrument, and every pair of notes of two, each a quarter note at 120.

A piece ascends through the range of one instrument, from its lowest to its highest note. For a pair, the second
instrument ascends too, a number of notes ahead that grows from piece to piece, beginning again at its lowest note after
its highest; the pieces together hold every combination of one note each, once.

How the set is balanced. With ``a`` and ``b`` notes in two ranges, a pair needs ``a * b`` quarter notes. Each
instrument gets as many alone: the first ascends ``b`` times, the second ``a`` times, and where a number does not come
out even the last piece skips notes evenly. So each part of the set has the same number of quarter notes. The
repetitions are no copies: soundfonts, programs and velocities change from piece to piece, in a shuffled order in which
each combination comes up equally often.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.corpora.timbre_set import DEFAULT_INSTRUMENTS, Instrument, TimbreSet, check_instruments
from musicnet_build.errors import DatasetError
from musicnet_build.generation.preset_check import UsablePreset, all_presets, preset_that_plays, usable_presets
from musicnet_build.generation.rendering import PlannedPiece, SetPlan, Stem, WrittenNote, render_set
from musicnet_build.jobs.local import Outcome
from musicnet_build.synthesis.soundfonts import Soundfont, find_soundfonts

MAX_QUARTER_NOTES = 200_000
DEFAULT_SOUNDFONTS = 2


@dataclass(frozen=True)
class AscensionSettings:
    """What is generated.

    Attributes
    ----------
    instruments : tuple of Instrument
    velocities : tuple of int
        Of the notes, 1 to 127.
    passes : int
        How often each pair of notes is played; with one instrument, how often each note in each variation.
    rest_beats : float
        Rest after each quarter note.
    seed : int
        Orders the variations.
    check_presets : bool
        Leave out presets and notes that are silent, end early or sound at another pitch than written.
    """

    instruments: tuple[Instrument, ...] = DEFAULT_INSTRUMENTS
    velocities: tuple[int, ...] = (64, 90, 116)
    passes: int = 1
    rest_beats: float = 0.0
    seed: int = 0
    check_presets: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that make no set."""
        check_instruments(self.instruments)
        if not self.velocities or not all(1 <= velocity <= 127 for velocity in self.velocities):
            raise DatasetError(f"Velocities lie between 1 and 127: {list(self.velocities)} do not.")
        if self.passes < 1 or not 0 <= self.rest_beats <= 16:
            raise DatasetError("An ascension needs one pass or more, and rests of 0 to 16 beats.")
        if self.quarter_notes > MAX_QUARTER_NOTES:
            raise DatasetError(
                f"This makes {self.quarter_notes:,} quarter notes in every part of the set; at most "
                f"{MAX_QUARTER_NOTES:,} are made: choose smaller ranges or fewer passes."
            )

    @property
    def quarter_notes(self) -> int:
        """How many each part of the set is given; with one instrument, for each variation."""
        sizes = [len(instrument.pitches) for instrument in self.instruments]
        return self.passes * max((a * b for a, b in itertools.combinations(sizes, 2)), default=sizes[0])

    @property
    def pieces(self) -> int:
        """How many pieces that makes, about: one instrument's variations are known once presets are checked."""
        groups = [(each,) for each in self.instruments] + list(itertools.combinations(self.instruments, 2))
        return sum(-(-self.quarter_notes // len(group[0].pitches)) for group in groups)


def generate_ascension(
    folder: str | Path,
    soundfonts: Sequence[Soundfont],
    settings: AscensionSettings | None = None,
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> TimbreSet:
    """Write an ascension set to a folder.

    Parameters
    ----------
    folder : str or Path
        What an interrupted run left there is used.
    soundfonts : sequence of Soundfont
        One or more; keep another one for the tests.
    settings : AscensionSettings, optional
    workers : int
        Processes; they do not change the bytes.
    on_done : callable, optional
        Told the outcome of every piece.

    Returns
    -------
    TimbreSet

    Raises
    ------
    DatasetError
        When no preset plays a note that is wanted, or a piece cannot be rendered.
    SoundfontError
        When a soundfont cannot be used.

    Examples
    --------
    >>> from musicnet_build import choose_soundfont
    >>> from musicnet_build.corpora.timbre_set import Instrument
    >>> from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
    >>> settings = AscensionSettings((Instrument("trumpet", (56,), 60, 62),), velocities=(90,))
    >>> made = generate_ascension("trumpet", [choose_soundfont("TimGM6mb")], settings)
    >>> [piece.name for piece in made.pieces]
    ['trumpet-alone-0000']
    """
    plan = plan_ascension(soundfonts, settings or AscensionSettings())
    return render_set(folder, plan, workers=workers, on_done=on_done)


def plan_ascension(soundfonts: Sequence[Soundfont], settings: AscensionSettings) -> SetPlan:
    """Check the presets of the soundfonts, and decide what is played in which piece with which of them.

    Parameters and errors are those of :func:`generate_ascension`.

    Returns
    -------
    SetPlan
    """
    warnings: list[str] = []
    softest = min(settings.velocities)
    presets = {
        each.name: usable_presets(each, soundfonts, softest, warnings)
        if settings.check_presets
        else all_presets(each, soundfonts)
        for each in settings.instruments
    }
    pieces = tuple(plan_pieces(settings, presets))
    return SetPlan("training", settings.instruments, pieces, _told(settings), tuple(warnings))


def default_soundfonts() -> list[Soundfont]:
    """Return the soundfonts to generate with where none is named: the two best, but never the last, kept for tests.

    Returns
    -------
    list of Soundfont
        Empty where there is none.
    """
    found = find_soundfonts()
    return found[: max(1, min(DEFAULT_SOUNDFONTS, len(found) - 1))]


def plan_pieces(settings: AscensionSettings, presets: dict[str, list[UsablePreset]]) -> list[PlannedPiece]:
    """Return the pieces of a set: each instrument alone, then each pair.

    Parameters
    ----------
    settings : AscensionSettings
    presets : dict of str to list of UsablePreset
        What each instrument may be played with; together they must play every pitch of its range.

    Returns
    -------
    list of PlannedPiece
    """
    quarter_notes = settings.quarter_notes
    if len(settings.instruments) == 1:
        quarter_notes *= len(presets[settings.instruments[0].name]) * len(settings.velocities)
    groups = [(each,) for each in settings.instruments] + list(itertools.combinations(settings.instruments, 2))
    planned: list[PlannedPiece] = []
    for place, group in enumerate(groups):
        orders = [_variations(settings, presets[each.name], (place, part)) for part, each in enumerate(group)]
        subset = subset_name([each.name for each in group])
        for number, chords in enumerate(ascensions([each.pitches for each in group], quarter_notes)):
            stems = _stems(settings, presets, group, orders, number, chords)
            planned.append(PlannedPiece(f"{subset.replace('_', '-')}-{number:04d}", subset, stems))
    return planned


def subset_name(instruments: Sequence[str]) -> str:
    """Return the name of the part of a set in which just these instruments play."""
    return f"{instruments[0]}_alone" if len(instruments) == 1 else "_and_".join(instruments)


def ascensions(ranges: Sequence[Sequence[int]], count: int) -> Iterator[list[tuple[int, ...]]]:
    """Yield the chords of one piece after another, until ``count`` chords are reached.

    Parameters
    ----------
    ranges : sequence of one or two sequences of int
        Pitches of each instrument, ascending.
    count : int
        Chords in all pieces together. ``len(ranges[0]) * len(ranges[1])`` of them hold every pair once.

    Yields
    ------
    list of tuple of int
        The pitches of each chord, one per instrument.
    """
    leader, *others = ranges
    for number in itertools.count():
        left = count - number * len(leader)
        if left <= 0:
            return
        # The last piece may have to be shorter: it skips notes evenly.
        steps = np.arange(len(leader)) if left >= len(leader) else np.arange(left) * len(leader) // left
        yield [(leader[step], *(other[(step + number) % len(other)] for other in others)) for step in steps.tolist()]


def _variations(
    settings: AscensionSettings, presets: list[UsablePreset], place: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return (index of preset, velocity), all combinations in an order of their own for each part of the set."""
    combinations = list(itertools.product(range(len(presets)), settings.velocities))
    order = np.random.default_rng([settings.seed, *place]).permutation(len(combinations))
    return [combinations[i] for i in order]


def _stems(
    settings: AscensionSettings,
    presets: dict[str, list[UsablePreset]],
    group: Sequence[Instrument],
    orders: Sequence[list[tuple[int, int]]],
    number: int,
    chords: list[tuple[int, ...]],
) -> tuple[Stem, ...]:
    """Return what each instrument of a group plays in a piece, in a stem for each soundfont."""
    stems: dict[tuple[str, str], list[WrittenNote]] = {}
    fonts: dict[str, Soundfont] = {}
    beats = 1.0 + settings.rest_beats
    for voice, instrument in enumerate(group):
        choice, velocity = orders[voice][number % len(orders[voice])]
        for step, chord in enumerate(chords):
            preset = preset_that_plays(chord[voice], presets[instrument.name], choice)
            digest = preset.soundfont.sha256()
            fonts[digest] = preset.soundfont
            note = WrittenNote(step * beats, 1.0, chord[voice], velocity, preset.program)
            stems.setdefault((instrument.name, digest), []).append(note)
    return tuple(Stem(name, str(fonts[digest].path), digest, tuple(notes)) for (name, digest), notes in stems.items())


def _told(settings: AscensionSettings) -> dict[str, Any]:
    """What of the settings is not said elsewhere in the description of the set."""
    return {
        "velocities": list(settings.velocities),
        "passes": settings.passes,
        "rest_beats": settings.rest_beats,
        "seed": settings.seed,
        "check_presets": settings.check_presets,
    }
