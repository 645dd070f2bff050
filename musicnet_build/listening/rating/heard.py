"""What was judged of a draw: one line per label and reviewer, and what the reviewers come to together."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.listening.judgements import Event, Judgements, found_row, judgements_of, reviewers_of, rows_by_place
from musicnet_build.listening.label_set import LabelSet
from musicnet_build.listening.rating.intervals import Judged
from musicnet_build.listening.rating.sample_file import Sample, Unit
from musicnet_build.listening.rating.sampling import STRATA
from musicnet_build.notes import SAMPLE_RATE

FINE = "fine"
KINDS = ("tone_early", "tone_late", "wrong_pitch", "not_played")
"""What can be wrong with a label."""

Finding = dict[int, str]
"""Row of the label file to ``FINE`` or a kind of error, of all labels of one unit."""


@dataclass(frozen=True)
class Heard:
    """The judgements about a draw.

    Attributes
    ----------
    sample : Sample
    labels : dict
        Recording to its labels as they are now.
    findings : dict
        Reviewer to unit's number to what was found.
    missing : dict
        Unit's number to how many notes without a label were found in it: the most that one reviewer found. Of clips
        alone; around single notes nobody looks for them.
    stale : int
        Judgements about units that no longer apply.
    """

    sample: Sample
    labels: Mapping[str, LabelSet]
    findings: dict[str, dict[int, Finding]]
    missing: dict[int, int]
    stale: int

    def together(self) -> "Findings":
        """Return what each reviewer found of each unit that anybody judged."""
        units = sorted({unit for found in self.findings.values() for unit in found})
        return {unit: [found[unit] for found in self.findings.values() if unit in found] for unit in units}

    def of(self, reviewer: str) -> "Findings":
        """Return what one reviewer found."""
        return {unit: [finding] for unit, finding in self.findings[reviewer].items()}

    def judged(self, findings: "Findings", counts: "Counts") -> Judged:
        """Return units as an estimate needs them; of several reviewers the mean counts.

        Parameters
        ----------
        findings : mapping
            Of one reviewer, or of all together.
        counts : callable
            Labels that are counted, and those of them that are wrong, of one unit.

        Returns
        -------
        Judged
            Without units of which no label is counted.
        """
        units = sorted(findings)
        stratum = np.array([STRATA.index(self.sample.units[unit].stratum) for unit in units], np.int64)
        sizes = np.array([self._size(name) for name in STRATA], np.float64)
        weight = (sizes / np.maximum(np.bincount(stratum, minlength=len(STRATA)), 1))[stratum]
        numbers = [
            np.mean([counts(self.sample.units[unit], finding) for finding in findings[unit]], axis=0) for unit in units
        ]
        notes, wrong = (np.array([pair[i] for pair in numbers], np.float64) for i in (0, 1))
        return Judged(stratum, self.clusters(units), wrong, notes, weight).where(notes > 0)

    def clusters(self, units: Sequence[int]) -> "np.typing.NDArray[np.int64]":
        """Return what was drawn independently: single notes; of clips, which say much of each other, recordings."""
        if self.sample.unit == "note":
            return np.array(units, np.int64)
        names = [self.sample.units[unit].recording for unit in units]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def unjudged(self, findings: "Findings") -> Float64s:
        """Return the labels in each stratum of which nothing was judged."""
        known = {self.sample.units[unit].stratum for unit in findings}
        return np.array([one.notes for name, one in self.sample.strata.items() if name not in known], np.float64)

    def _size(self, stratum: str) -> int:
        return self.sample.strata[stratum].units if stratum in self.sample.strata else 0


Findings = Mapping[int, Sequence[Finding]]
"""Number of a unit to what each reviewer found of it."""

Counts = Callable[[Unit, Finding], tuple[int, int]]


def heard_of(sample: Sample, events: Sequence[Event], labels: Mapping[str, LabelSet]) -> Heard:
    """Find what people said about a draw.

    Parameters
    ----------
    sample : Sample
    events : sequence of Event
        Standing ones.
    labels : mapping
        Recording to its labels as they are now.

    Returns
    -------
    Heard
    """
    findings: dict[str, dict[int, Finding]] = {}
    missing: Counter[int] = Counter()
    stale = 0
    by_recording: dict[str, list[int]] = {}
    for number, unit in enumerate(sample.units):
        by_recording.setdefault(unit.recording, []).append(number)
    for reviewer in reviewers_of(events):
        found: dict[int, Finding] = {}
        for recording in by_recording.keys() & labels.keys():
            own = _Recording(events, reviewer, recording, labels[recording])
            for number in by_recording[recording]:
                finding = own.finding(sample.units[number])
                if finding is not None:
                    found[number] = finding
                    missing[number] = max(missing[number], own.missing_in(sample.units[number]))
            stale += own.stale
        if found:
            findings[reviewer] = dict(sorted(found.items()))
    return Heard(sample, labels, findings, dict(missing), stale)


class _Recording:
    """One reviewer's judgements about one recording."""

    def __init__(self, events: Sequence[Event], reviewer: str, recording: str, labels: LabelSet) -> None:
        self.labels = labels
        self.rows = rows_by_place(labels.notes)
        self.said: Judgements = judgements_of(events, reviewer, recording, labels.notes, labels.sha256)
        self.clips = heard_clips(events, reviewer, recording, labels.sha256)
        every = heard_clips(events, reviewer, recording, None)
        self.stale = len(self.said.stale) + len(every - self.clips)

    def finding(self, unit: Unit) -> Finding | None:
        if unit.note is None:
            return self._clip(unit) if (unit.start_sample, unit.end_sample) in self.clips else None
        row = found_row(unit.note.model_dump(), self.rows, self.labels.notes)
        return {row: self._value(row)} if row is not None and row in self.said.notes else None

    def missing_in(self, unit: Unit) -> int:
        if unit.start_sample is None or unit.end_sample is None:
            return 0
        return sum(unit.start_sample <= event["at_sample"] < unit.end_sample for event in self.said.missing)

    def _clip(self, unit: Unit) -> Finding:
        """All labels of a clip that was heard to its end: what was not marked is fine."""
        onset = np.rint(self.labels.notes["onset_s"] * SAMPLE_RATE)
        rows = np.flatnonzero((onset >= unit.start_sample) & (onset < unit.end_sample))
        return {row: self._value(row) if row in self.said.notes else FINE for row in rows.tolist()}

    def _value(self, row: int) -> str:
        value = str(self.said.notes[row]["value"])
        return value if value in KINDS else FINE


def heard_clips(events: Iterable[Event], reviewer: str, recording: str, labels_sha256: str | None) -> set[object]:
    """Return first and last sample of the clips that a reviewer heard to the end.

    Parameters
    ----------
    events : iterable of Event
        Standing ones.
    reviewer, recording : str
    labels_sha256 : str or None
        Of the labels that were heard; None for any.

    Returns
    -------
    set
    """
    return {
        (event.get("start_sample"), event.get("end_sample"))
        for event in events
        if (event.get("kind"), event.get("reviewer"), event.get("recording")) == ("clip", reviewer, recording)
        if labels_sha256 in (None, event.get("labels"))
    }
