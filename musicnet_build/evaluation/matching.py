"""Which label belongs to which true note."""

from collections.abc import Iterator

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.errors import LabelError
from musicnet_build.notes import NoteTable

BEAT_TOLERANCE = 0.06
"""Beats that a label's place in the score may be from the true note's: less than any grace note or tuplet is away."""

FARTHEST_S = 5.0
"""Where beats are not known, a label further away than this belongs to another note."""

# Costs of a match in seconds, so that the order of what decides is: beat, program, time. Among matches that are equally
# far apart in sum the square prefers those that keep the order in time.
_BEAT_COST_S, _PROGRAM_COST_S, _SQUARE_COST, _NO_MATCH_S = 1e4, 10.0, 1e-3, 1e7
_MOST_ALIKE = 4_000


def match_notes(truth: NoteTable, labels: NoteTable) -> tuple[Int64s, Int64s]:
    """Find which label belongs to which true note, one to one.

    Where both know beats: the same pitch, and beats within 0.06; among several the nearest beat, then (where both know
    instruments) the same program, then the nearest time. Elsewhere: the same pitch, and onsets within 5 s. As many
    notes as can be are matched, and among those matchings the one with the least sum of differences is taken.

    True notes in unison (one pitch, beat and time) that are left without a label then share one, because a list of
    labels holds only one of them where the instrument is the same, too.

    Parameters
    ----------
    truth, labels : NoteTable

    Returns
    -------
    true, label : ndarray of int64 [shape=(k,)]
        Places of the notes that belong together, sorted by ``true``, each of which is there once.

    Raises
    ------
    LabelError
        When thousands of notes of one pitch cannot be told apart.

    Examples
    --------
    >>> from musicnet_build import read_labels
    >>> from musicnet_build.evaluation.matching import match_notes
    >>> truth = read_labels("labels.csv")
    >>> of_truth, of_labels = match_notes(truth, truth[::-1])
    >>> len(of_truth) == len(truth)
    True
    """
    from scipy.optimize import linear_sum_assignment

    by_beat = beats_known(truth) and beats_known(labels)
    field, reach = ("onset_beats", BEAT_TOLERANCE) if by_beat else ("onset_s", FARTHEST_S)
    by_program = bool(truth["program"].any() and labels["program"].any())
    matches = [np.zeros((2, 0), dtype=np.int64)]
    for true, label in groups_alike(truth, labels, field, reach):
        cost = _match_cost(truth[true], labels[label], by_beat=by_beat, by_program=by_program)
        cost[np.abs(np.subtract.outer(truth[field][true], labels[field][label])) > reach] = _NO_MATCH_S
        row, column = linear_sum_assignment(cost)
        found = cost[row, column] < _NO_MATCH_S
        matches.append(np.stack([true[row[found]], label[column[found]]]))
    true, label = np.concatenate(matches, axis=1)
    label_of = np.full(len(truth), -1)
    label_of[true] = label
    label_of = _shared_in_unison(truth, label_of)
    true = np.flatnonzero(label_of >= 0)
    return true, label_of[true]


def beats_known(notes: NoteTable) -> bool:
    """Return whether every note has a beat."""
    return bool(np.isfinite(notes["onset_beats"]).all())


def groups_alike(truth: NoteTable, labels: NoteTable, field: str, reach: float) -> Iterator[tuple[Int64s, Int64s]]:
    """Yield groups of true notes and labels, as places, outside of which nothing can match.

    In a group, all have one pitch, and no step from one to the next in ``field`` is larger than ``reach``.
    """
    pitch = np.concatenate([truth["pitch"], labels["pitch"]])
    position = np.concatenate([truth[field], labels[field]])
    order = np.lexsort((position, pitch))
    apart = (np.diff(pitch[order]) != 0) | (np.diff(position[order]) > reach)
    for group in np.split(order, np.flatnonzero(apart) + 1):
        true, label = group[group < len(truth)], group[group >= len(truth)] - len(truth)
        if len(true) * len(label) > _MOST_ALIKE**2:
            raise LabelError(f"more than {_MOST_ALIKE} notes of one pitch follow each other too closely to be matched.")
        if len(true) and len(label):
            yield true, label


def _match_cost(truth: NoteTable, labels: NoteTable, *, by_beat: bool, by_program: bool) -> Float64s:
    apart_s = np.abs(np.subtract.outer(truth["onset_s"], labels["onset_s"]))
    cost: Float64s = apart_s + _SQUARE_COST * apart_s**2
    if by_program:
        cost += _PROGRAM_COST_S * (truth["program"][:, None] != labels["program"])
    if by_beat:
        cost += _BEAT_COST_S * np.abs(np.subtract.outer(truth["onset_beats"], labels["onset_beats"]))
    return cost


def _shared_in_unison(truth: NoteTable, label_of: Int64s) -> Int64s:
    """Give notes without a label (-1) that of a note with the same pitch, beat and time, if one has any."""
    keys = np.stack([truth["pitch"], np.nan_to_num(truth["onset_beats"]), truth["onset_s"]], axis=1)
    _, unison = np.unique(keys, axis=0, return_inverse=True)
    any_label = np.full(len(truth), -1)
    np.maximum.at(any_label, unison.ravel(), label_of)
    return np.where(label_of >= 0, label_of, any_label[unison.ravel()])
