"""Test sets for timbre out of real MIDI files: a melody for each instrument, rendered together and alone.

How a piece becomes a test. Of the parts whose programs belong to an instrument, the one that sounds longest is taken,
and reduced to a melody (see :func:`melody`). Notes outside the instrument's range are left out. Beats are played at 120
a minute, whatever the file's tempo; silence before the first note is cut. Velocities below ``SOFTEST`` are raised to
it, so that what is labelled is heard, and a program that the soundfont plays at another pitch than written is replaced
by another one of the instrument.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build.corpora.timbre_set import (
    DEFAULT_INSTRUMENTS,
    Instrument,
    TimbreSet,
    check_instruments,
    read_set,
    safe_name,
)
from musicnet_build.errors import DatasetError, ScoreError
from musicnet_build.generation.preset_check import UsablePreset, preset_that_plays, usable_presets
from musicnet_build.generation.rendering import PlannedPiece, SetPlan, Stem, WrittenNote, render_set
from musicnet_build.jobs.local import Outcome
from musicnet_build.notes import NoteTable
from musicnet_build.score.reader import Score, read_score
from musicnet_build.synthesis.soundfonts import Soundfont, find_soundfonts

COMBINED = "combined"
LEAST_NOTES = 8
"""A melody of fewer notes is no test."""

SOFTEST = 64
TOGETHER_BEATS = 1 / 16
"""Notes that start within a sixty-fourth note of each other start together; shorter notes are left out."""

GUITAR_PROGRAMS = range(24, 32)
"""What the amplifier is for."""


_IDENTITIES = ("sha256", "name")


@dataclass(frozen=True)
class TimbreTestSettings:
    """How pieces become tests.

    Attributes
    ----------
    instruments : tuple of Instrument
    amplifier : bool
        Send guitars (programs 24 to 31) through :func:`musicnet_build.audio.effects.simulate_guitar_amp`.
    """

    instruments: tuple[Instrument, ...] = DEFAULT_INSTRUMENTS
    amplifier: bool = False

    def __post_init__(self) -> None:
        """Refuse instruments that cannot be told apart."""
        check_instruments(self.instruments)


@dataclass(frozen=True)
class Refused:
    """A file that makes no test, and why."""

    path: Path
    reason: str


def generate_timbre_test(
    folder: str | os.PathLike[str],
    scores: Sequence[Path],
    soundfonts: Sequence[Soundfont],
    settings: TimbreTestSettings | None = None,
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> tuple[TimbreSet, list[Refused]]:
    """Render MIDI files as a test set: every piece with all instruments together, and with each alone.

    Parameters
    ----------
    folder : str or PathLike
    scores : sequence of Path
        MIDI files.
    soundfonts : sequence of Soundfont
        The pieces take them in turn. None of them should have played in the training set
        (see :func:`unused_soundfonts`).
    settings : TimbreTestSettings, optional
    workers : int
        Processes; they do not change the bytes.
    on_done : callable, optional
        Told the outcome of every piece.

    Returns
    -------
    TimbreSet
    list of Refused
        The files that do not fit.

    Raises
    ------
    DatasetError
        When no file fits, or rendering fails.

    Examples
    --------
    >>> from pathlib import Path
    >>> from musicnet_build import choose_soundfont
    >>> from musicnet_build.corpora.timbre_set import Instrument
    >>> from musicnet_build.generation.melodies import TimbreTestSettings, generate_timbre_test
    >>> pair = (Instrument("violin", (40,), 55, 100), Instrument("flute", (73,), 55, 100))
    >>> settings = TimbreTestSettings(pair)
    >>> made, refused = generate_timbre_test("duets", [Path("score.mid")], [choose_soundfont("TimGM6mb")], settings)
    >>> sorted({piece.subset for piece in made.pieces}), refused
    (['combined', 'flute_alone', 'violin_alone'], [])
    """
    settings = settings or TimbreTestSettings()
    fitting, refused = _fitting(scores, settings.instruments)
    if not fitting:
        raise DatasetError(f"None of {len(scores)} pieces fits; {refused[0].path}: {refused[0].reason}")
    warnings: list[str] = []
    presets = [
        {each.name: usable_presets(each, [soundfont], SOFTEST, warnings) for each in settings.instruments}
        for soundfont in soundfonts
    ]
    planned: list[PlannedPiece] = []
    for number, (path, melodies) in enumerate(fitting):
        planned += _planned(_new_name(path, planned), melodies, presets[number % len(presets)], settings.amplifier)
    told = {"amplifier": settings.amplifier, "scores": [path.name for path in scores]}
    warnings += [f"{each.path}: {each.reason}" for each in refused]
    plan = SetPlan("test", settings.instruments, tuple(planned), told, tuple(warnings))
    return render_set(folder, plan, workers=workers, on_done=on_done), refused


def _fitting(
    scores: Sequence[Path], instruments: Sequence[Instrument]
) -> tuple[list[tuple[Path, dict[str, NoteTable]]], list[Refused]]:
    """Read MIDI files; return those that fit with their melodies, and the others."""
    fitting, refused = [], []
    for path in scores:
        try:
            fitting.append((path, melodies_of(read_score(path), instruments)))
        except (ScoreError, DatasetError) as error:
            refused.append(Refused(path, str(error)))
    return fitting, refused


def unused_soundfonts(training: Sequence[str | os.PathLike[str]], wanted: Sequence[Soundfont] = ()) -> list[Soundfont]:
    """Return soundfonts that played in none of the training sets.

    Parameters
    ----------
    training : sequence of str or PathLike
        Folders of training sets.
    wanted : sequence of Soundfont
        To be checked; without them, the best unused one that is found. Soundfonts are told apart by bytes and by name.

    Returns
    -------
    list of Soundfont
        At least one.

    Raises
    ------
    DatasetError
        When a soundfont that is wanted was used, or none is left.
    """
    # By name, too: another version of a soundfont has other bytes and the same instruments.
    used = {font[key]: folder for folder in training for font in read_set(folder).soundfonts for key in _IDENTITIES}
    for soundfont in wanted:
        folder = used.get(soundfont.sha256(), used.get(soundfont.name))
        if folder is not None:
            raise DatasetError(f"{soundfont.name} plays in {folder} already: test with another one.")
    unused = list(wanted) or [font for font in find_soundfonts() if not {font.name, font.sha256()} & set(used)][:1]
    if not unused:
        raise DatasetError("Every soundfont found here plays in the training sets: install one more for the tests.")
    return unused


def melodies_of(score: Score, instruments: Sequence[Instrument]) -> dict[str, NoteTable]:
    """Return the melody of each instrument, in beats from the first note of them all.

    Parameters
    ----------
    score : Score
    instruments : sequence of Instrument

    Returns
    -------
    dict of str to NoteTable
        ``onset_beats`` and ``duration_beats`` hold; the seconds do not.

    Raises
    ------
    DatasetError
        When an instrument has no part, or too few notes in its range, or the instruments never play together.
    """
    melodies = {each.name: _melody_of(score, each) for each in instruments}
    first_beat = min(float(notes["onset_beats"][0]) for notes in melodies.values())
    for notes in melodies.values():
        notes["onset_beats"] -= first_beat
    if not _overlap(list(melodies.values())):
        raise DatasetError("its instruments never play together.")
    return melodies


def melody(notes: NoteTable) -> NoteTable:
    """Reduce notes to one at a time.

    Of notes that start together (within a sixteenth of a beat) the highest is kept. A note that starts while a higher
    one sounds is left out; any other ends the note before it. What is then shorter than a sixteenth of a beat is left
    out too.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        Goes by ``onset_beats`` and ``duration_beats``.

    Returns
    -------
    NoteTable [shape=(m,)]
        In order, none overlapping the next.
    """
    kept: list[np.void] = []
    for note in notes[np.lexsort((-notes["pitch"], notes["onset_beats"]))].copy():
        if kept and note["onset_beats"] < kept[-1]["onset_beats"] + TOGETHER_BEATS:
            if note["pitch"] > kept[-1]["pitch"]:
                kept[-1] = note
            continue
        if kept:
            last_end = kept[-1]["onset_beats"] + kept[-1]["duration_beats"]
            if note["onset_beats"] < last_end - TOGETHER_BEATS and note["pitch"] < kept[-1]["pitch"]:
                continue
            kept[-1]["duration_beats"] = min(last_end, note["onset_beats"]) - kept[-1]["onset_beats"]
        kept.append(note)
    lines = np.array(kept, dtype=notes.dtype) if kept else notes[:0].copy()
    return lines[lines["duration_beats"] >= TOGETHER_BEATS]


def _melody_of(score: Score, instrument: Instrument) -> NoteTable:
    parts = [i for i, part in enumerate(score.parts) if part.program in instrument.programs and not part.is_drum]
    if not parts:
        programs = ", ".join(map(str, instrument.programs))
        raise DatasetError(f"it has no {instrument.name} (program {programs}).")
    own = [score.notes[score.notes["part"] == part] for part in parts]
    longest = max(own, key=lambda notes: float(notes["duration_beats"].sum()))
    in_range = longest[(longest["pitch"] >= instrument.lowest) & (longest["pitch"] <= instrument.highest)]
    line = melody(in_range)
    if len(line) < LEAST_NOTES:
        raise DatasetError(
            f"its {instrument.name} plays a melody of {len(line)} notes between MIDI {instrument.lowest} and "
            f"{instrument.highest}; a test needs {LEAST_NOTES}."
        )
    return line


def _overlap(melodies: Sequence[NoteTable]) -> bool:
    """Whether notes of two melodies sound together anywhere."""
    for i, one in enumerate(melodies):
        for other in melodies[i + 1 :]:
            ends = other["onset_beats"] + other["duration_beats"]
            # The first note of the other that ends after a note begins: does it begin before that note ends?
            place = np.searchsorted(ends, one["onset_beats"], side="right")
            found = place < len(other)
            starts = other["onset_beats"][place[found]]
            if np.any(starts < (one["onset_beats"] + one["duration_beats"])[found]):
                return True
    return len(melodies) == 1


def _planned(
    name: str, melodies: dict[str, NoteTable], presets: dict[str, list[UsablePreset]], amplifier: bool
) -> list[PlannedPiece]:
    stems = [_stem(instrument, notes, presets[instrument], amplifier) for instrument, notes in melodies.items()]
    whole = PlannedPiece(f"{name}-{COMBINED}", COMBINED, tuple(stems))
    alone = [PlannedPiece(f"{name}-{stem.instrument}-alone", f"{stem.instrument}_alone", (stem,)) for stem in stems]
    return [whole, *alone]


def _stem(instrument: str, notes: NoteTable, presets: list[UsablePreset], amplifier: bool) -> Stem:
    programs = [preset.program for preset in presets]
    written = tuple(
        WrittenNote(
            float(note["onset_beats"]),
            float(note["duration_beats"]),
            int(note["pitch"]),
            max(int(note["velocity"]), SOFTEST),
            preset_that_plays(
                int(note["pitch"]), presets, programs.index(note["program"]) if note["program"] in programs else 0
            ).program,
        )
        for note in notes
    )
    amplified = amplifier and all(note.program in GUITAR_PROGRAMS for note in written)
    soundfont = presets[0].soundfont
    return Stem(instrument, str(soundfont.path), soundfont.sha256(), written, amplified)


def _new_name(path: Path, planned: Sequence[PlannedPiece]) -> str:
    """Return a name for a piece that no other one has."""
    taken = {piece.name for piece in planned}
    base = safe_name(path.stem)
    names = (base, *(f"{base}-{number}" for number in range(2, len(planned) + 3)))
    return next(name for name in names if f"{name}-{COMBINED}" not in taken)
