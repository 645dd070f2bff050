"""One transcription against the true notes: all its figures."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Bools
from musicnet_build.errors import LabelError
from musicnet_build.evaluation.framewise import average_precision
from musicnet_build.evaluation.metrics import ONSET_TOLERANCE_S, NoteMatch, note_match
from musicnet_build.evaluation.rolls import MAX_DURATION_S, roll_blocks
from musicnet_build.evaluation.transcription.frames import FrameMatch, frame_counts, frame_match
from musicnet_build.evaluation.transcription.ranking import Ranking, curve, rankings
from musicnet_build.labels.posteriorgram import Posteriorgram
from musicnet_build.notes import NoteTable

FRAME_RATE_HZ = 100.0
"""Of the piano rolls on which notes are compared with notes."""


@dataclass(frozen=True, eq=False)
class Measures:
    """How good a transcription is.

    Attributes
    ----------
    true_notes, predicted_notes : int
    frame : FrameMatch
    note, note_with_offset : NoteMatch
    rankings : dict of str to Ranking, or None
        By the kinds of frames; None where the transcription has no scores.
    """

    true_notes: int
    predicted_notes: int
    frame: FrameMatch
    note: NoteMatch
    note_with_offset: NoteMatch
    rankings: dict[str, Ranking] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values; the average precision is None where there are no such frames."""
        values = {name: asdict(getattr(self, name)) for name in ("frame", "note", "note_with_offset")}
        counts = {"true_notes": self.true_notes, "predicted_notes": self.predicted_notes}
        return counts | values | {"average_precision": average_precisions(self.rankings)}


def average_precisions(found: dict[str, Ranking] | None) -> dict[str, float | None] | None:
    """Return the average precision of each kind of frames, None where no note is in any such frame."""
    if found is None:
        return None
    curves = {name: curve(ranking) for name, ranking in found.items()}
    return {name: None if each is None else average_precision(each) for name, each in curves.items()}


def measures(
    truth: NoteTable, predicted: NoteTable | Posteriorgram, *, tolerance_s: float = ONSET_TOLERANCE_S
) -> Measures:
    """Compare a transcription with the true notes.

    Parameters
    ----------
    truth : NoteTable
    predicted : NoteTable or Posteriorgram
        Notes are compared on frames of 10 ms, scores on their own frames; there, notes are the runs of frames in which
        a pitch sounds. What sounds beyond the frames or the pitches of a posteriorgram is missed.
    tolerance_s : float
        How far the onset of a note may be off.

    Returns
    -------
    Measures

    Raises
    ------
    LabelError
        When there is nothing to be found, the end of a note is not known, or notes last longer than six hours.

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.evaluation.transcription.measures import measures
    >>> truth = read_labels("labels.csv")
    >>> found = measures(truth, truth[8:])
    >>> found.note.precision, round(found.note.recall, 3), round(found.frame.f1, 2)
    (1.0, 0.902, 0.96)
    """
    if not np.isfinite(truth["offset_s"]).all():
        raise LabelError("not every true note has an end, so frames cannot be compared.")
    if isinstance(predicted, Posteriorgram):
        return _of_scores(truth, predicted, tolerance_s)
    return _measures(truth, predicted, tolerance_s, roll_blocks((truth, predicted), 1.0 / FRAME_RATE_HZ), None)


def _of_scores(truth: NoteTable, predicted: Posteriorgram, tolerance_s: float) -> Measures:
    scores = predicted.over_all_pitches()
    frame_s = 1.0 / predicted.frame_rate_hz
    true_roll = np.concatenate([roll for (roll,) in roll_blocks((truth,), frame_s)])
    lasts_s = len(scores) * frame_s
    if lasts_s > MAX_DURATION_S:
        raise LabelError(f"The scores reach to {lasts_s:.0f} s; no more than {MAX_DURATION_S} s are compared.")
    frames = max(len(true_roll), len(scores))
    true_roll = np.pad(true_roll, ((0, frames - len(true_roll)), (0, 0)))
    sounding = np.pad(scores >= predicted.threshold, ((0, frames - len(scores)), (0, 0)))
    found = rankings(true_roll, scores)
    return _measures(truth, predicted.notes(), tolerance_s, iter([(true_roll, sounding)]), found)


def _measures(
    truth: NoteTable,
    predicted: NoteTable,
    tolerance_s: float,
    blocks: Iterator[tuple[Bools, ...]],
    found: dict[str, Ranking] | None,
) -> Measures:
    return Measures(
        len(truth),
        len(predicted),
        frame_match(frame_counts(blocks)),
        note_match(truth, predicted, with_offsets=False, tolerance_s=tolerance_s),
        note_match(truth, predicted, with_offsets=True, tolerance_s=tolerance_s),
        found,
    )
