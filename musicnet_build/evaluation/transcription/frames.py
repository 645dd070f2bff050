"""How well the frames of a transcription agree with the true ones, as functions of counts.

Metrics
-------
Those of :mod:`mir_eval.multipitch`, on piano rolls. Of all frames together, a pitch counts as found where it is
predicted and true. precision = found / predicted, recall = found / true, F1 = their harmonic mean, accuracy = found /
(predicted + true − found). The errors are shares of the true pitches, and count in each frame:

* Esub: pitches predicted in place of true ones;
* Emiss: true pitches beyond the number of predicted ones;
* Efa: pitches predicted beyond the number of true ones;
* Etot: their sum. It may be more than 1.

References
----------
Poliner and Ellis, "A discriminative model for polyphonic piano transcription", 2007; Bay, Ehmann and Downie,
"Evaluation of multiple-F0 estimation and tracking systems", ISMIR 2009.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Int64s
from musicnet_build.errors import LabelError


@dataclass(frozen=True)
class FrameMatch:
    """How well frames agree; all are shares."""

    precision: float
    recall: float
    f1: float
    accuracy: float
    e_tot: float
    e_sub: float
    e_miss: float
    e_fa: float


@dataclass(frozen=True, eq=False)
class FrameCounts:
    """Pitches in each frame.

    Attributes
    ----------
    true, predicted, found : ndarray of int64 [shape=(frames,)]
        Pitches that are true, that are predicted, and that are both.
    """

    true: Int64s
    predicted: Int64s
    found: Int64s


def frame_counts(blocks: Iterable[tuple[Bools, ...]]) -> FrameCounts:
    """Count the pitches of piano rolls.

    Parameters
    ----------
    blocks : iterable of (ndarray of bool, ndarray of bool) [shape=(frames, pitches)]
        True and predicted rolls, one block of frames after another.

    Returns
    -------
    FrameCounts
    """
    rows = [np.stack([true.sum(1), predicted.sum(1), (true & predicted).sum(1)]) for true, predicted in blocks]
    return FrameCounts(*np.concatenate(rows, axis=1))


def frame_match(counts: FrameCounts) -> FrameMatch:
    """Return how well frames agree.

    Parameters
    ----------
    counts : FrameCounts

    Returns
    -------
    FrameMatch
        Where nothing is predicted, the precision is 0.

    Raises
    ------
    LabelError
        When no true pitch sounds in any frame: there is nothing to be found.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.evaluation.transcription.frames import frame_counts, frame_match
    >>> true, predicted = np.zeros((2, 4, 128), dtype=bool)
    >>> true[:, 60] = predicted[:3, 60] = predicted[3, 62] = True
    >>> found = frame_match(frame_counts([(true, predicted)]))
    >>> found.f1, found.e_tot, found.e_sub
    (0.75, 0.25, 0.25)
    """
    from mir_eval.multipitch import compute_accuracy, compute_err_score

    if not counts.true.any():
        raise LabelError("no true note sounds in any frame.")
    predicts = counts.predicted.any()
    # mir_eval warns of what is empty, and then says the same.
    precision, recall, accuracy = (
        compute_accuracy(counts.found, counts.true, counts.predicted) if predicts else (0.0, 0.0, 0.0)
    )
    e_sub, e_miss, e_fa, e_tot = compute_err_score(counts.found, counts.true, counts.predicted)
    f1 = 2 * counts.found.sum() / (counts.true.sum() + counts.predicted.sum())
    values = (precision, recall, f1, accuracy, e_tot, e_sub, e_miss, e_fa)
    return FrameMatch(*map(float, values))
