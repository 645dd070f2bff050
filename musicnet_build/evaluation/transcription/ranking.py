"""What the scores of a transcription are worth, whatever threshold is taken: precision over recall.

Each pitch in each frame has a score; from the highest score down, precision and recall are those of all pitches so far
(micro average). Average precision is the area below, as the sum of precision times the recall gained at each score; as
scikit-learn's ``average_precision_score``, nothing is interpolated.

References
----------
Thickstun, Harchaoui and Kakade, "Learning features of music from scratch", ICLR 2017, which compares models by it: over
all frames, and over frames with one note and with three notes (their figure 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Bools, Float32s, Float64s

POLYPHONIES = {"all": None, "one_note": 1, "three_notes": 3}
"""Kinds of frames, and how many true pitches sound in them; None stands for any number."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores, and which of them are of true pitches.

    Attributes
    ----------
    scores : ndarray of float32 [shape=(n,)]
    true : ndarray of bool [shape=(n,)]
    unscored : int
        True pitches that have no score: they are never found.
    """

    scores: Float32s
    true: Bools
    unscored: int = 0


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall by threshold.

    Attributes
    ----------
    threshold, precision, recall : ndarray of float64 [shape=(k,)]
        Of all scores of ``threshold`` and above, from the highest threshold down.
    """

    threshold: Float64s
    precision: Float64s
    recall: Float64s

    @property
    def average_precision(self) -> float:
        """The area below the curve."""
        return float(np.sum(np.diff(self.recall, prepend=0.0) * self.precision))

    @property
    def best(self) -> tuple[float, float]:
        """The threshold with the highest F1, and that F1."""
        f1 = 2 * self.precision * self.recall / np.maximum(self.precision + self.recall, np.finfo(np.float64).tiny)
        place = int(f1.argmax())
        return float(self.threshold[place]), float(f1[place])


def rankings(truth: Bools, scores: Float32s) -> dict[str, Ranking]:
    """Return the scores of each kind of frames.

    Parameters
    ----------
    truth : ndarray of bool [shape=(frames, pitches)]
        May have more frames than there are scores.
    scores : ndarray of float32 [shape=(k, pitches)]
        ``-inf`` for a pitch that is never predicted.

    Returns
    -------
    dict of str to Ranking
        By the names of ``POLYPHONIES``.
    """
    polyphony = truth.sum(axis=1)
    chosen = {
        name: polyphony == count if count is not None else np.ones(len(truth), dtype=bool)
        for name, count in POLYPHONIES.items()
    }
    return {name: _ranking(truth, scores, rows) for name, rows in chosen.items()}


def pooled(parts: Sequence[Ranking]) -> Ranking:
    """Return several rankings as one."""
    scores, true = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "true"))
    return Ranking(scores, true, sum(part.unscored for part in parts))


def curve(ranking: Ranking) -> Curve | None:
    """Return precision and recall at each score that there is; None where no pitch is true.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.evaluation.transcription.ranking import Ranking, curve
    >>> found = curve(Ranking(np.float32([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])))
    >>> round(found.average_precision, 4)
    0.8333
    >>> found.precision.round(2).tolist(), found.recall.tolist()
    ([1.0, 0.5, 0.67, 0.5], [0.5, 0.5, 1.0, 1.0])
    """
    total = int(ranking.true.sum()) + ranking.unscored
    if not total:
        return None
    order = np.argsort(-ranking.scores, kind="stable")
    ordered = ranking.scores[order]
    # Pitches of one score are above a threshold together, or not at all.
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True)) if len(ordered) else np.zeros(0, np.int64)
    found = np.cumsum(ranking.true[order])[last]
    return Curve(ordered[last].astype(np.float64), found / (last + 1), found / total)


def thinned(found: Curve, points: int = 200) -> Curve:
    """Return a curve of at most so many points, evenly spread over the recall, for pictures and tables."""
    if len(found.recall) <= points:
        return found
    wanted = np.linspace(0.0, found.recall[-1], points)
    places = np.unique(np.searchsorted(found.recall, wanted).clip(max=len(found.recall) - 1))
    return Curve(found.threshold[places], found.precision[places], found.recall[places])


def _ranking(truth: Bools, scores: Float32s, rows: Bools) -> Ranking:
    """The scores of chosen frames; what has none is counted where it is true."""
    scored = rows[: len(scores)]
    values, true = scores[scored].ravel(), truth[: len(scores)][scored].ravel()
    ranked = np.isfinite(values)
    return Ranking(values[ranked], true[ranked], int(truth[rows].sum()) - int(true[ranked].sum()))
