"""What is wrong with labels, a row each."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.checking.clock import Clock
from musicnet_build.checking.evidence import Evidence
from musicnet_build.checking.hearing import Hearing
from musicnet_build.checking.passages import Passage
from musicnet_build.checking.thresholds import CheckThresholds
from musicnet_build.notes import NoteTable, pitch_name

OFFSET, DRIFT, TRANSPOSED = "offset", "drift", "transposed"
OTHER_RECORDING, OTHER_MUSIC, SHIFTED = "other_recording", "other_music", "shifted_passage"
BEFORE, BEHIND, DUPLICATE = "before_sound", "behind_sound", "duplicate"
MOVED, OCTAVE, NOT_HEARD = "moved", "wrong_octave", "not_heard"
MISSING, SURPLUS = "missing", "surplus"

MESSAGES = {
    OFFSET: "all labels are late, or early",
    DRIFT: "the labels' clock runs fast, or slow",
    TRANSPOSED: "all labels are transposed",
    OTHER_RECORDING: "the labels do not belong to this recording",
    OTHER_MUSIC: "the labels of a passage are not heard there: other music, or far off",
    SHIFTED: "the labels of a passage are late, or early",
    BEFORE: "the label is before the first sound",
    BEHIND: "the label is behind the last sound",
    DUPLICATE: "the note is labelled twice",
    MOVED: "the note is heard elsewhere nearby",
    OCTAVE: "the note is heard an octave higher, or lower",
    NOT_HEARD: "the note is not heard there",
    MISSING: "the score has a note that has no label",
    SURPLUS: "the score has no such note",
}
"""What each kind of erratum is called where people read it."""


@dataclass(frozen=True)
class Erratum:
    """Something that is wrong with labels.

    Attributes
    ----------
    what : str
        A key of ``MESSAGES``.
    message : str
        The same in words, with figures.
    start_s, end_s : float
        Where, on the clock of the labels: a note's onset twice, the onsets of a passage's first and last note.
    note : int or None
        Number of the label, in the order of the onsets from 1; None where it is about several.
    pitch : int or None
        MIDI number.
    by : float or None
        By how much: label minus what is heard, so that late is positive and too high is positive.
    unit : {"s", "ppm", "semitones", ""}
        Of ``by``.
    sure : float
        How probable it is.
    """

    what: str
    message: str
    start_s: float
    end_s: float
    note: int | None = None
    pitch: int | None = None
    by: float | None = None
    unit: str = ""
    sure: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, seconds to the microsecond and probabilities to three digits."""
        values = asdict(self)
        for name in ("start_s", "end_s", "by"):
            values[name] = None if values[name] is None else round(values[name], 6)
        return values | {"sure": round(self.sure, 3)}


def clock_errata(clock: Clock, notes: NoteTable, thresholds: CheckThresholds) -> Iterator[Erratum]:
    """Tell of a constant offset and a drift that are there beyond their intervals and the thresholds."""
    span_s = _span_s(notes)
    if abs(clock.offset_s) >= thresholds.offset_s and _excludes_zero(clock.offset_interval_s):
        low, high = sorted(abs(1000 * end) for end in clock.offset_interval_s)
        text = f"all labels are {abs(clock.offset_s) * 1000:.0f} ms {_late(clock.offset_s)} ({low:.0f} to {high:.0f})"
        yield Erratum(OFFSET, text, *span_s, by=clock.offset_s, unit="s", sure=_beyond(clock.offset_interval_s))
    length_s = span_s[1] - span_s[0]
    apart_s = abs(clock.drift_ppm) * length_s / 1e6
    matters = length_s >= thresholds.drift_span_s or apart_s >= thresholds.drift_apart_s
    if abs(clock.drift_ppm) >= thresholds.drift_ppm and matters and _excludes_zero(clock.drift_interval_ppm):
        low, high = sorted(map(abs, clock.drift_interval_ppm))
        text = (
            f"the labels' clock runs {abs(clock.drift_ppm):.0f} ppm {'slow' if clock.drift_ppm > 0 else 'fast'} "
            f"({low:.0f} to {high:.0f}): {apart_s * 1000:.0f} ms from the first label to the last"
        )
        yield Erratum(DRIFT, text, *span_s, by=clock.drift_ppm, unit="ppm", sure=_beyond(clock.drift_interval_ppm))


def transposed_erratum(notes: NoteTable, semitones: int) -> Erratum:
    """Tell that all labels are too high by some semitones."""
    text = f"all labels are {_semitones(semitones)} too {'high' if semitones > 0 else 'low'}"
    return Erratum(TRANSPOSED, text, *_span_s(notes), by=float(semitones), unit="semitones", sure=1.0)


def other_recording_erratum(notes: NoteTable) -> Erratum:
    """Tell that labels are of another recording."""
    return Erratum(OTHER_RECORDING, MESSAGES[OTHER_RECORDING], *_span_s(notes))


def passage_errata(passages: Sequence[Passage], notes: NoteTable) -> Iterator[Erratum]:
    """Tell of passages that are of other music, or all late or early."""
    for passage in passages:
        span_s = float(notes["onset_s"][passage.first]), float(notes["onset_s"][passage.last])
        where = f"{span_s[0]:.1f} to {span_s[1]:.1f} s"
        sure = 1.0 / (1.0 + np.exp(-passage.nats))
        if passage.late_s is None:
            yield Erratum(
                OTHER_MUSIC,
                f"the labels from {where} are not heard there: other music, or far off",
                *span_s,
                sure=float(sure),
            )
        else:
            text = f"the labels from {where} are {abs(passage.late_s) * 1000:.0f} ms {_late(passage.late_s)}"
            yield Erratum(SHIFTED, text, *span_s, by=passage.late_s, unit="s", sure=float(sure))


def outside_errata(evidence: Evidence, notes: NoteTable, thresholds: CheckThresholds) -> Iterator[Erratum]:
    """Tell of labels before the first sound and behind the last."""
    first_s, last_s = evidence.sound_s
    for row in np.flatnonzero(notes["onset_s"] < first_s - thresholds.outside_s):
        by_s = float(notes["onset_s"][row]) - first_s
        yield _of_note(notes, int(row), BEFORE, f"{-by_s:.2f} s before the first sound", by_s, "s", 1.0)
    for row in np.flatnonzero(notes["onset_s"] > last_s + thresholds.outside_s):
        by_s = float(notes["onset_s"][row]) - last_s
        yield _of_note(notes, int(row), BEHIND, f"{by_s:.2f} s behind the last sound", by_s, "s", 1.0)


def duplicate_errata(notes: NoteTable, thresholds: CheckThresholds) -> Iterator[Erratum]:
    """Tell of notes of one pitch, instrument and part that begin together."""
    order = np.lexsort((notes["onset_s"], notes["part"], notes["program"], notes["pitch"]))
    same = np.all([np.diff(notes[field][order]) == 0 for field in ("pitch", "program", "part")], axis=0)
    together = np.diff(notes["onset_s"][order]) <= thresholds.duplicate_s
    for place in np.flatnonzero(same & together):
        row, first = int(order[place + 1]), int(order[place])
        by_s = float(notes["onset_s"][row] - notes["onset_s"][first])
        yield _of_note(notes, row, DUPLICATE, f"labelled already as note {first + 1}", by_s, "s", 1.0)


def note_errata(
    hearing: Hearing, notes: NoteTable, late_s: Float64s, excused: set[int], thresholds: CheckThresholds
) -> Iterator[Erratum]:
    """Tell of notes that are not heard where they are labelled, but for those of which something else is told.

    Parameters
    ----------
    hearing : Hearing
        Of all labels where the clock puts them.
    notes : NoteTable [shape=(n,)]
    late_s : ndarray of float64 [shape=(n,)]
        How late the clock says that each label is: a note's own fault is what remains.
    excused : set of int
        Labels to say nothing of.
    thresholds : CheckThresholds

    Yields
    ------
    Erratum
    """
    wrong = 1.0 - hearing.of("right")
    kind = 1 + np.argmax(hearing.probability[:, 1:], axis=1)
    for row in np.flatnonzero(wrong >= thresholds.sure).tolist():
        if row in excused:
            continue
        sure = float(wrong[row])
        if kind[row] == 1:
            by_s = float(hearing.elsewhere_s[row] + late_s[row])
            text = f"heard {abs(by_s) * 1000:.0f} ms {'earlier' if by_s > 0 else 'later'}"
            yield _of_note(notes, row, MOVED, text, by_s, "s", sure)
        elif kind[row] == 2:
            semitones = -int(hearing.octave[row])
            text = f"heard an octave {'lower' if semitones > 0 else 'higher'}"
            yield _of_note(notes, row, OCTAVE, text, float(semitones), "semitones", sure)
        else:
            yield _of_note(notes, row, NOT_HEARD, "not heard there", None, "", sure)


def _of_note(notes: NoteTable, row: int, what: str, text: str, by: float | None, unit: str, sure: float) -> Erratum:
    onset_s, pitch = float(notes["onset_s"][row]), int(notes["pitch"][row])
    message = f"{pitch_name(pitch)} at {onset_s:.2f} s: {text}"
    return Erratum(what, message, onset_s, onset_s, row + 1, pitch, by, unit, sure)


def _span_s(notes: NoteTable) -> tuple[float, float]:
    return float(notes["onset_s"].min()), float(notes["onset_s"].max())


def _late(by_s: float) -> str:
    return "late" if by_s > 0 else "early"


def _semitones(count: int) -> str:
    return "1 semitone" if abs(count) == 1 else f"{abs(count)} semitones"


def _excludes_zero(interval: tuple[float, float]) -> bool:
    return interval[0] > 0 or interval[1] < 0


def _beyond(interval: tuple[float, float]) -> float:
    """How probable a value is on the side of zero where its 95 % interval lies, were it normally distributed."""
    from scipy.stats import norm

    deviation = max((interval[1] - interval[0]) / (2 * 1.96), 1e-12)
    return float(norm.cdf(abs(interval[0] + interval[1]) / 2 / deviation))
