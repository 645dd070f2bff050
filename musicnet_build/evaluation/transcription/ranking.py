"""The scores of a transcription, ranked: over all frames, and over those with one note and with three.

What precision over recall is, and its area, is computed by :mod:`musicnet_build.evaluation.framewise`. Here scores are
sorted into kinds of frames, and pitches that have no score are counted as never found.

References
----------
Thickstun, Harchaoui and Kakade, "Learning features of music from scratch", ICLR 2017, figure 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicnet_build._typing import Bools, Float32s
from musicnet_build.evaluation.framewise import PrecisionRecall, precision_recall

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


def curve(ranking: Ranking) -> PrecisionRecall | None:
    """Return precision and recall at each score that there is; None where there is none, or no pitch is true.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build.evaluation.transcription.ranking import Ranking, curve
    >>> found = curve(Ranking(np.float32([0.9, 0.8, 0.7]), np.array([True, False, True]), unscored=2))
    >>> found.precision.round(2).tolist(), found.recall.tolist()
    ([1.0, 0.5, 0.67], [0.25, 0.25, 0.5])
    """
    scored = int(ranking.true.sum())
    if not scored:
        return None
    found = precision_recall(ranking.true, ranking.scores)
    return replace(found, recall=found.recall * (scored / (scored + ranking.unscored)))


def thinned(found: PrecisionRecall, points: int = 200) -> PrecisionRecall:
    """Return a curve of at most so many points, evenly spread over the recall, for pictures and tables."""
    if len(found.recall) <= points:
        return found
    wanted = np.linspace(0.0, found.recall[-1], points)
    places = np.unique(np.searchsorted(found.recall, wanted).clip(max=len(found.recall) - 1))
    return PrecisionRecall(found.threshold[places], found.precision[places], found.recall[places])


def _ranking(truth: Bools, scores: Float32s, rows: Bools) -> Ranking:
    """The scores of chosen frames; what has none is counted where it is true."""
    scored = rows[: len(scores)]
    values, true = scores[scored].ravel(), truth[: len(scores)][scored].ravel()
    ranked = np.isfinite(values)
    return Ranking(values[ranked], true[ranked], int(truth[rows].sum()) - int(true[ranked].sum()))
