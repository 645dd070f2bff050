"""The error rate of a dataset: of its labels as they were judged, with all that is needed to trust it or not."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.listening.catalogue import Catalogue
from musicnet_build.listening.judgements import Event, Journal, standing
from musicnet_build.listening.label_set import read_label_set
from musicnet_build.listening.rating import agreement, intervals, planning
from musicnet_build.listening.rating.heard import FINE, KINDS, Counts, Finding, Findings, Heard, heard_of
from musicnet_build.listening.rating.intervals import Rate, bootstrap, rate_of
from musicnet_build.listening.rating.listener import Listener, corrected, measured_listener, trials_of
from musicnet_build.listening.rating.sample_file import Unit, read_sample
from musicnet_build.listening.rating.sampling import STRATA
from musicnet_build.score.programs import PROGRAM_NAMES

BANDS = (0.0, 0.5, 0.8, 0.9, 0.95, 1.0)
"""Edges of the bands of confidence in which it is compared with the judgements."""


def error_rate(heard: Heard, events: Sequence[Event], accept_below: float | None = None) -> dict[str, Any]:
    """Compute all figures about a draw that was judged.

    Parameters
    ----------
    heard : Heard
    events : sequence of Event
        Standing ones, for the trials of the listeners.
    accept_below : float, optional
        Share of wrong labels below which the dataset is to be accepted.

    Returns
    -------
    dict
        As ``audit report --json`` prints it; shares are 0 to 1, None where nothing is known.
    """
    found = heard.together()
    judged = heard.judged(found, _all)
    rate, posterior = rate_of(judged, heard.unjudged(found))
    listeners = {one: measured_listener(*trials_of(events, one)) for one in heard.findings}
    report = {
        "unit": heard.sample.unit,
        "seconds": heard.sample.seconds,
        "drawn": len(heard.sample.units),
        "judged": len(found),
        "recordings": len({heard.sample.units[unit].recording for unit in found}),
        "stale": heard.stale,
        "rate": _rate(rate),
        "bootstrap": [*map(_rounded, bootstrap(judged))],
        "corrected": _corrected(posterior, listeners),
        "pessimistic": _pessimistic(heard),
        "strata": _strata(heard, found),
        "by_reviewer": {one: _rate(_of(heard, heard.of(one), _all)) for one in heard.findings},
        "by_kind": {kind: _rate(_of(heard, found, _kind(kind))) for kind in KINDS},
        "by_instrument": _by_instrument(heard, found),
        "by_confidence": _by_confidence(heard, found),
        "missing": _missing(heard, found),
        "agreement": _agreement(heard),
        "listeners": {one: _listener(listener) for one, listener in listeners.items() if listener.trials},
        "to_halve": _to_halve(heard, found),
    }
    if accept_below is not None:
        report["acceptance"] = _acceptance(accept_below, posterior)
    return report


def audited(catalogue: Catalogue, accept_below: float | None = None) -> dict[str, Any]:
    """Compute the error rate of a dataset from the judgements beside it.

    Parameters
    ----------
    catalogue : Catalogue
    accept_below : float, optional

    Returns
    -------
    dict
        As ``error_rate`` returns it.

    Raises
    ------
    MusicnetBuildError
        When nothing was drawn, or the draw, labels or judgements cannot be read.
    """
    sample = read_sample(catalogue.judgements)
    wanted = {unit.recording for unit in sample.units}
    labels = {item.id: read_label_set(item, 0) for item in catalogue.items if item.id in wanted}
    events = standing(Journal(catalogue.judgements).read())
    return error_rate(heard_of(sample, events, labels), events, accept_below)


def _all(unit: Unit, finding: Finding) -> tuple[int, int]:
    return len(finding), sum(value != FINE for value in finding.values())


def _kind(kind: str) -> Counts:
    return lambda unit, finding: (len(finding), sum(value == kind for value in finding.values()))


def _of(heard: Heard, findings: Findings, counts: Counts) -> Rate:
    """The rate of some labels: strata of which none of them was judged are left out."""
    return rate_of(heard.judged(findings, counts))[0]


def _where(heard: Heard, field: str, low: float, high: float) -> Counts:
    """Count labels of which a field of the note table is at least ``low`` and below ``high``."""

    def counts(unit: Unit, finding: Finding) -> tuple[int, int]:
        column = heard.labels[unit.recording].notes[field]
        values = [value for row, value in finding.items() if low <= column[row] < high]
        return len(values), sum(value != FINE for value in values)

    return counts


def _by_instrument(heard: Heard, found: Findings) -> dict[str, Any]:
    programs = sorted({int(_notes(heard, unit)["program"][row]) for unit, rows in found.items() for row in rows[0]})
    rates = {program: _of(heard, found, _where(heard, "program", program, program + 1)) for program in programs}
    return {PROGRAM_NAMES[program]: _rate(rate) for program, rate in rates.items()}


def _by_confidence(heard: Heard, found: Findings) -> list[dict[str, Any]]:
    rows = []
    for low, high in itertools.pairwise(BANDS):
        above = np.inf if high == BANDS[-1] else high
        rate = _of(heard, found, _where(heard, "confidence", low, above))
        known = np.array([_notes(heard, unit)["confidence"][row] for unit, own in found.items() for row in own[0]])
        inside = known[(known >= low) & (known < above)]
        if rate.notes:
            rows.append({"from": low, "to": high, "confidence": _rounded(float(inside.mean())), **_rate(rate)})
    return rows


def _notes(heard: Heard, unit: int) -> "np.typing.NDArray[np.void]":
    return heard.labels[heard.sample.units[unit].recording].notes


def _pessimistic(heard: Heard) -> dict[str, Any] | None:
    """The figure of the reviewer who found most wrong, as the MusicNet paper quotes it."""
    rates = {one: _of(heard, heard.of(one), _all) for one in heard.findings}
    if not rates:
        return None
    worst = max(rates, key=lambda one: rates[one].value)
    return {"reviewer": worst, **_rate(rates[worst])}


def _strata(heard: Heard, found: Findings) -> dict[str, Any]:
    result = {}
    for name, stratum in heard.sample.strata.items():
        own = {unit: finding for unit, finding in found.items() if heard.sample.units[unit].stratum == name}
        rate = _of(heard, own, _all)
        result[name] = {**stratum.model_dump(), "judged": len(own), **_rate(rate)}
    return result


def _missing(heard: Heard, found: Findings) -> dict[str, Any] | None:
    """Notes that sound and have no label, per labelled note: of clips, which are listened to for them."""
    if heard.sample.unit == "note" or not found:
        return None
    judged = heard.judged(found, lambda unit, finding: (len(finding), 0))
    counted = [heard.missing.get(unit, 0) for unit in sorted(found) if found[unit][0]]
    missing = np.array(counted, np.float64)
    with_missing = intervals.Judged(judged.stratum, judged.cluster, missing, judged.notes + missing, judged.weight)
    return _rate(rate_of(with_missing)[0])


def _agreement(heard: Heard) -> list[dict[str, Any]]:
    result = []
    for first, second in itertools.combinations(sorted(heard.findings), 2):
        own, other = heard.findings[first], heard.findings[second]
        units = sorted(own.keys() & other.keys())
        if units:
            counts = np.array([_both(own[unit], other[unit]) for unit in units], np.float64)
            measures = agreement.agreement(counts, heard.clusters(units))
            values = {name: [*map(_rounded, (one.value, one.low, one.high))] for name, one in measures.items()}
            result.append({"reviewers": [first, second], "notes": int(counts.sum()), **values})
    return result


def _both(first: Finding, second: Finding) -> list[int]:
    pairs = [(first[row] != FINE, second[row] != FINE) for row in first.keys() & second.keys()]
    return [pairs.count(one) for one in ((True, True), (True, False), (False, True), (False, False))]


def _listener(listener: Listener) -> dict[str, Any]:
    return {
        "trials": listener.trials,
        "threshold_ms": [round(one, 1) for one in listener.threshold_ms],
        "heard": _rate(listener.heard),
        "imagined": _rate(listener.imagined),
    }


def _corrected(posterior: Float64s, listeners: dict[str, Listener]) -> dict[str, Any] | None:
    """The rate without what the ear misses or imagines; of one reviewer: several are no single instrument."""
    if len(listeners) != 1:
        return None
    (listener,) = listeners.values()
    values = corrected(posterior, listener)
    return None if values is None else dict(zip(("value", "low", "high"), map(_rounded, values), strict=True))


def _to_halve(heard: Heard, found: Findings) -> dict[str, int]:
    names = list(heard.sample.strata)
    weight = np.array([heard.sample.strata[name].notes for name in names], np.float64)
    judged = heard.judged(found, _all)
    own = [judged.where(judged.stratum == STRATA.index(name)) for name in names]
    mean = np.array([(one.wrong.sum() + 0.5) / (one.notes.sum() + 1) for one in own])
    counts, sizes = (
        np.array(values, np.int64)
        for values in ([len(one.notes) for one in own], [heard.sample.strata[name].units for name in names])
    )
    more = planning.to_halve(weight / weight.sum(), mean, counts, sizes)
    return dict(zip(names, more.tolist(), strict=True))


def _acceptance(limit: float, posterior: Float64s) -> dict[str, Any]:
    shown = float((posterior < limit).mean())
    return {
        "below": limit,
        "probability": _rounded(shown),
        "accepted": shown >= planning.CONFIDENCE,
        "notes_needed": planning.acceptance_plan(limit),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {name: _rounded(value) if isinstance(value, float) else value for name, value in asdict(rate).items()}


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 5)
