"""What a reviewer can hear: from trials in which the tone was moved by a known time, without the reviewer knowing.

A rate that was judged by ear is too low by the errors that the ear misses and too high by those that it imagines; both
are measured by such trials and corrected as Rogan and Gladen (1978) do for a diagnostic test.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import beta

from musicnet_build._typing import Bools, Float64s
from musicnet_build.listening.rating.intervals import DRAWS, Rate, share_of

SHIFTS_MS = (0, -30, 30, -60, 60, -120, 120)
"""Times by which the tone of a trial is moved; the label itself is one that we are sure of."""

WRONG_FROM_MS = 50.0
"""A label that is this far from its onset counts as wrong."""

_ABOUT_TIME = ("tone_early", "tone_late")
_LEAST_SKILL = 0.1


@dataclass(frozen=True)
class Listener:
    """What trials say of one reviewer.

    Attributes
    ----------
    trials : int
    threshold_ms : tuple of float
        The shift that is called early or late in half of the trials, and its 95 % interval.
    heard : Rate
        Of trials with a wrong tone, those that were called wrong.
    imagined : Rate
        Of trials with a right tone, those that were called wrong.
    """

    trials: int
    threshold_ms: tuple[float, float, float]
    heard: Rate
    imagined: Rate


def trials_of(events: Iterable[Mapping[str, Any]], reviewer: str) -> tuple[Float64s, Bools]:
    """Return the shifts of a reviewer's trials, and whether each was called early or late.

    Parameters
    ----------
    events : iterable of Event
        Standing ones.
    reviewer : str

    Returns
    -------
    shift_ms : ndarray of float64 [shape=(n,)]
    called : ndarray of bool [shape=(n,)]
    """
    own: dict[object, tuple[float, bool]] = {}
    for number, event in enumerate(events):
        shift = event.get("shift_ms")
        mine = event.get("kind") == "sham" and event.get("reviewer") == reviewer
        if mine and isinstance(shift, int | float) and abs(shift) <= max(SHIFTS_MS):
            # Of a trial that was judged again the last judgement counts.
            own[event.get("trial", number)] = (float(shift), event.get("value") in _ABOUT_TIME)
    return np.array([shift for shift, _ in own.values()], np.float64), np.array(
        [called for _, called in own.values()], np.bool_
    )


def measured_listener(shift_ms: Float64s, called: Bools) -> Listener:
    """Find what a reviewer can hear.

    Parameters
    ----------
    shift_ms : ndarray of float64 [shape=(n,)]
    called : ndarray of bool [shape=(n,)]

    Returns
    -------
    Listener
    """
    wrong = np.abs(shift_ms) >= WRONG_FROM_MS
    heard, imagined = (share_of(int(called[which].sum()), int(which.sum())) for which in (wrong, ~wrong))
    return Listener(len(called), _threshold(np.abs(shift_ms), called), heard, imagined)


def corrected(posterior: Float64s, listener: Listener) -> tuple[float, float, float] | None:
    """Correct a rate for errors that were missed and for errors that were imagined.

    Parameters
    ----------
    posterior : ndarray of float64 [shape=(DRAWS,)]
        Equally likely values of the rate as it was judged.
    listener : Listener

    Returns
    -------
    tuple of float or None
        Median and 95 % interval; None where the trials do not show that the reviewer hears anything.
    """
    if not (listener.heard.notes and listener.imagined.notes):
        return None
    random = np.random.default_rng(0)
    heard, imagined = (
        beta.ppf(random.permutation((np.arange(DRAWS) + 0.5) / DRAWS), rate.wrong + 0.5, rate.notes - rate.wrong + 0.5)
        for rate in (listener.heard, listener.imagined)
    )
    skill = heard - imagined
    if np.quantile(skill, 0.025) < _LEAST_SKILL:
        return None
    values = np.clip((random.permutation(posterior) - imagined) / skill, 0.0, 1.0)
    low, middle, high = (float(q) for q in np.quantile(values, [0.025, 0.5, 0.975]))
    return middle, low, high


def _threshold(shift_ms: Float64s, called: Bools) -> tuple[float, float, float]:
    """Median and 95 % interval of a logistic curve's middle, all middles and slopes of a grid being equally likely."""
    middle, width = np.meshgrid(np.geomspace(5.0, 300.0, 120), np.geomspace(2.0, 60.0, 30), indexing="ij")
    log = np.zeros_like(middle)
    for shift, was_called in zip(shift_ms, called, strict=True):
        # One trial in fifty says nothing: a wrong key.
        chance = 0.01 + 0.98 * expit((shift - middle) / width)
        log += np.log(chance if was_called else 1 - chance)
    weight = np.exp(log - log.max()).sum(axis=1)
    total = np.cumsum(weight) / weight.sum()
    low, median, high = (float(middle[np.searchsorted(total, q), 0]) for q in (0.025, 0.5, 0.975))
    return median, low, high
