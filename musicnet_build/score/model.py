"""What a score is: notes in score seconds and beats, controls, parts, a tempo map, and what reading it cost.

What belongs here: the arrays and small records that every room shares, and what follows from them alone. What does
not: the files that they come from (:mod:`musicnet_build.score.reader`), measures and beats
(:mod:`musicnet_build.score.beats`), and playing orders (:mod:`musicnet_build.score.order`).
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from musicnet_build._typing import Float64s, Indices, Int64s, Records
from musicnet_build.notes import NoteTable, sorted_by_onset

PITCH_BEND = 128
"""``number`` of a pitch bend among the controls; its value is -8192 to 8191, 0 at rest."""

CONTROL_DTYPE = np.dtype(
    [
        ("time_s", np.float64),
        ("beats", np.float64),  # quarter notes from the start of the score
        ("part", np.int16),  # index into the parts of the score
        ("number", np.int16),  # 0 to 127: MIDI controller; PITCH_BEND
        ("value", np.int16),
    ]
)
"""One row per controller change or pitch bend."""


PARAMETER_CONTROLS = (6, 38, 96, 97, 98, 99, 100, 101)
"""Controllers that set registered and other parameters, several in a row: the last four name one, the others set it."""

BEND_LIMIT = 8192
"""A pitch bend reaches from minus this to one less."""

BEND_RANGE_CENTS = 200
"""How far a bend of ``BEND_LIMIT`` goes, unless the score sets another range: two semitones."""

MAX_DURATION_S = 24 * 3600
"""Scores that play for longer are refused."""


@dataclasses.dataclass(frozen=True)
class Part:
    """What plays a group of notes: one track, channel and program of the file.

    Attributes
    ----------
    name : str
        Name of the track, else its instrument name, else empty.
    program : int
        General MIDI program, 0 to 127.
    is_drum : bool
        Whether the part plays on the percussion channel.
    """

    name: str
    program: int
    is_drum: bool


@dataclasses.dataclass(frozen=True, eq=False)
class TempoMap:
    """Piecewise constant tempo: from ``beats[i]`` (at ``seconds[i]``) on, a beat lasts ``seconds_per_beat[i]``.

    Attributes
    ----------
    beats, seconds, seconds_per_beat : ndarray of float64 [shape=(k,)]
        Both clocks start at 0 and increase; every ``seconds_per_beat`` is positive.
    """

    beats: Float64s
    seconds: Float64s
    seconds_per_beat: Float64s

    def seconds_at(self, beats: ArrayLike) -> Float64s:
        """Return the score seconds at ``beats`` (any shape); the first and last tempo hold beyond the ends."""
        wanted = np.asarray(beats, dtype=np.float64)
        i = _segment(self.beats, wanted)
        return self.seconds[i] + (wanted - self.beats[i]) * self.seconds_per_beat[i]

    def beats_at(self, seconds: ArrayLike) -> Float64s:
        """Return the beats at ``seconds`` (any shape); the first and last tempo hold beyond the ends."""
        wanted = np.asarray(seconds, dtype=np.float64)
        i = _segment(self.seconds, wanted)
        return self.beats[i] + (wanted - self.seconds[i]) / self.seconds_per_beat[i]


@dataclasses.dataclass(frozen=True)
class TimeSignature:
    """``numerator``/``denominator`` from ``beats`` quarter notes after the start of the score on."""

    beats: float
    numerator: int
    denominator: int


@dataclasses.dataclass(frozen=True, eq=False)
class Measures:
    """The measures of a score in the order in which they are played as written, repeats and jumps followed.

    Attributes
    ----------
    starts_beats : ndarray of float64 [shape=(m,)]
        Ascending.
    numbers : tuple of str
        As printed: measures of a repeat have the same numbers both times; an upbeat is often "0", and "12a" is one.
    written : ndarray of int64 [shape=(m,)]
        Place of each among the measures as written: 1 more than the one before where the two follow each other there.
    """

    starts_beats: Float64s
    numbers: tuple[str, ...]
    written: Int64s


@dataclasses.dataclass(frozen=True)
class LostNotes:
    """Strikes of the file that are no note of the score, counted by reason.

    Attributes
    ----------
    no_offset : int
        Nothing ends them before their track does, and it ends as they begin.
    zero_length : int
        Note-on and note-off at the same tick.
    doubled : int
        The same key of the same track struck twice at one tick; the other strike is kept.
    out_of_range : int
        A shift of keys takes them out of the range of MIDI.
    """

    no_offset: int = 0
    zero_length: int = 0
    doubled: int = 0
    out_of_range: int = 0

    @property
    def total(self) -> int:
        """How many strikes were lost in all."""
        return self.no_offset + self.zero_length + self.doubled + self.out_of_range


@dataclasses.dataclass(frozen=True)
class GuessedOffsets:
    """Notes of the score whose end the file leaves open, counted by reason.

    Attributes
    ----------
    held : int
        Without a note-off: they end with their track.
    cut : int
        Struck again before a note-off that may belong to either strike: they end at the new strike.
    """

    held: int = 0
    cut: int = 0

    @property
    def total(self) -> int:
        """How many ends were guessed in all."""
        return self.held + self.cut


@dataclasses.dataclass(frozen=True, eq=False)
class Score:
    """A score as arrays, in the order in which it is played as written.

    Attributes
    ----------
    notes : NoteTable [shape=(n,)]
        Sorted by onset, at least one. Times are score seconds; the sustain pedal is *not* applied to the offsets.
    controls : ndarray of CONTROL_DTYPE [shape=(c,)]
        Controller changes (sustain pedal 64, volume 7, expression 11 and all others) and pitch bends in time order.
        An event of a channel stands once for every part on that channel.
    parts : tuple of Part
        In the order of their first notes.
    tempo_map : TempoMap
        From the tempo events of all tracks. Untouched by ``retimed``.
    time_signatures : tuple of TimeSignature
        As the file states them; empty where it states none.
    lost : LostNotes
        Strikes that are not among the notes.
    name : str
        Name of the first track, else the stem of the file name.
    warnings : tuple of str
        One sentence each: notes lost, damage mended.
    guessed : GuessedOffsets
        Notes whose end the file leaves open.
    measures : Measures or None
        As printed; None where the file does not tell them, as MIDI files do not.
    note_ids : tuple of str
        Ids of the notation file, which ``score_note`` of a note points into; empty where there are none.

    Examples
    --------
    >>> from musicnet_build import read_score
    >>> score = read_score("score.mid")
    >>> half_as_fast = score.retimed(lambda score_s: 2 * score_s)
    >>> round(half_as_fast.duration_s / score.duration_s)
    2
    """

    notes: NoteTable
    controls: Records
    parts: tuple[Part, ...]
    tempo_map: TempoMap
    time_signatures: tuple[TimeSignature, ...]
    lost: LostNotes
    name: str
    warnings: tuple[str, ...]
    guessed: GuessedOffsets = GuessedOffsets()
    measures: Measures | None = None
    note_ids: tuple[str, ...] = ()

    @property
    def strikes(self) -> int:
        """How many notes the file strikes, those lost in reading included."""
        return len(self.notes) + self.lost.total

    @property
    def uncertain_share(self) -> float:
        """Share of the strikes that were lost, but for doubled ones, or whose end was guessed."""
        return (self.lost.total - self.lost.doubled + self.guessed.total) / max(self.strikes, 1)

    @property
    def duration_s(self) -> float:
        """Time of the last note offset in seconds."""
        return float(self.notes["offset_s"].max())

    def retimed(self, to_seconds: Callable[[Float64s], ArrayLike]) -> "Score":
        """Return the score with all note and control times sent through ``to_seconds``; beats stay as they are.

        Parameters
        ----------
        to_seconds : callable
            Increasing map of an array of seconds to an array of seconds of the same shape.

        Returns
        -------
        Score
        """
        notes, controls = self.notes.copy(), self.controls.copy()
        notes["onset_s"] = to_seconds(self.notes["onset_s"])
        notes["offset_s"] = to_seconds(self.notes["offset_s"])
        controls["time_s"] = to_seconds(self.controls["time_s"])
        return dataclasses.replace(self, notes=sorted_by_onset(notes), controls=controls)

    def detuned(self, cents: float | Float64s) -> "Score":
        """Return the score tuned higher by pitch bends: one in each part at the start, and all others with it.

        Parameters
        ----------
        cents : float or ndarray of float64 [shape=(parts,)]
            How much, for all parts or for each. A bend spans two semitones; what does not fit in it is cut off.

        Returns
        -------
        Score
            This one where ``cents`` is 0 throughout.
        """
        offsets = np.rint(np.broadcast_to(cents, len(self.parts)) * (BEND_LIMIT / BEND_RANGE_CENTS)).astype(np.int64)
        if not offsets.any():
            return self
        start = np.zeros(len(self.parts), dtype=CONTROL_DTYPE)
        start["part"], start["number"] = np.arange(len(self.parts)), PITCH_BEND
        controls = np.concatenate([start, self.controls])
        bends = controls["number"] == PITCH_BEND
        raised = controls["value"][bends] + offsets[controls["part"][bends]]
        controls["value"][bends] = np.clip(raised, -BEND_LIMIT, BEND_LIMIT - 1)
        return dataclasses.replace(self, controls=controls)


def _segment(starts: Float64s, wanted: Float64s) -> Indices:
    return np.maximum(np.searchsorted(starts, wanted, side="right") - 1, 0)
