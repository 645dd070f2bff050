"""What is in a dataset: the first table of the MusicNet paper, and more, for any folder in MusicNet's layout.

References
----------
Thickstun, Harchaoui, Kakade: Learning Features of Music from Scratch. ICLR 2017, section 3 and table 1.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.audio.io import audio_info
from musicnet_build.corpora.musicnet import read_dataset
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import NoteTable
from musicnet_build.score.programs import PROGRAM_NAMES
from musicnet_build.score.reader import note_value_name

UNKNOWN = "not stated"


@dataclass(frozen=True)
class Group:
    """A line of a table.

    Attributes
    ----------
    recordings : int
    minutes : float
        Length of these recordings; for an instrument, of all recordings in which it plays.
    labels : int
    distinct_notes : int
        Different pitches, whatever the instrument.
    """

    recordings: int
    minutes: float
    labels: int
    distinct_notes: int


@dataclass(frozen=True)
class Statistics:
    """What is in a dataset.

    Attributes
    ----------
    total : Group
    splits, composers, ensembles, instruments : mapping of str to Group
        Ordered by minutes, the longest first.
    label_classes : int
        Different pairs of instrument and pitch.
    note_values : mapping of str to int
        Labels by note value, the most frequent first.
    polyphony : mapping of int to float
        Share of time in which this many notes sound.
    mean_polyphony : float
        Over the time in which anything sounds.
    """

    total: Group
    splits: Mapping[str, Group]
    composers: Mapping[str, Group]
    ensembles: Mapping[str, Group]
    instruments: Mapping[str, Group]
    label_classes: int
    note_values: Mapping[str, int]
    polyphony: Mapping[int, float]
    mean_polyphony: float

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as values that can be written as JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Counted:
    """One recording's share."""

    recording: Recording
    seconds: float
    programs: Int64s
    pitches: Int64s
    note_values: "Counter[str]"
    sounding_s: Float64s  # time in which k notes sound, at index k


def dataset_statistics(folder: str | os.PathLike[str]) -> Statistics:
    """Count what is in a dataset.

    Parameters
    ----------
    folder : str or PathLike
        In MusicNet's layout.

    Returns
    -------
    Statistics

    Raises
    ------
    MusicnetBuildError
        When the folder, a recording or a label file cannot be read.

    Examples
    --------
    >>> from musicnet_build.datasets.statistics import dataset_statistics
    >>> found = dataset_statistics("dataset")
    >>> found.total.recordings, found.total.labels
    (3, 36)
    """
    counted = [_count(recording) for recording in read_dataset(folder)]
    programs = sorted({int(program) for one in counted for program in np.unique(one.programs)})
    note_values = sum((one.note_values for one in counted), Counter[str]())
    classes = {pair for one in counted for pair in zip(one.programs.tolist(), one.pitches.tolist(), strict=True)}
    sounding_s = _summed([one.sounding_s for one in counted])
    return Statistics(
        total=_group(counted),
        splits=_groups(counted, lambda recording: recording.split),
        composers=_groups(counted, lambda recording: recording.metadata.get("composer", "")),
        ensembles=_groups(counted, lambda recording: recording.metadata.get("ensemble", "")),
        instruments=_longest_first({PROGRAM_NAMES[program]: _group(counted, program) for program in programs}),
        label_classes=len(classes),
        note_values=dict(note_values.most_common()),
        polyphony={notes: float(share) for notes, share in enumerate(sounding_s / max(sounding_s.sum(), 1e-9))},
        mean_polyphony=_mean_polyphony(sounding_s),
    )


def sounding_time_s(notes: NoteTable, duration_s: float) -> Float64s:
    """Return for how long 0, 1, 2, ... notes sound together.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.
    duration_s : float
        Of the recording.

    Returns
    -------
    ndarray of float64 [shape=(most notes at once + 1,)]
        Seconds; they sum to the duration.
    """
    times = np.concatenate([[0.0], notes["onset_s"], notes["offset_s"], [duration_s]])
    changes = np.concatenate([[0], np.ones(len(notes), int), -np.ones(len(notes), int), [0]])
    order = np.argsort(times, kind="stable")
    sounding = np.cumsum(changes[order])[:-1]
    lengths = np.diff(times[order])
    # Between events of one moment the count may pass through other values, for no time.
    lasting = lengths > 0
    return np.bincount(sounding[lasting], weights=lengths[lasting], minlength=1).astype(np.float64)


def text_tables(found: Statistics) -> list[str]:
    """Return lines for people."""
    total = found.total
    lines = [
        f"recordings              {total.recordings}",
        f"minutes                 {total.minutes:.1f}",
        f"labels                  {total.labels}",
        f"instrument-pitch pairs  {found.label_classes}",
        f"mean polyphony          {found.mean_polyphony:.2f}",
    ]
    tables = {"set": found.splits, "composer": found.composers, "ensemble": found.ensembles}
    for title, groups in (tables | {"instrument": found.instruments}).items():
        lines += ["", f"{title:<32}{'recordings':>11}{'minutes':>10}{'labels':>10}{'pitches':>9}"]
        lines += [
            f"{name[:31]:<32}{one.recordings:>11}{one.minutes:>10.1f}{one.labels:>10}{one.distinct_notes:>9}"
            for name, one in groups.items()
        ]
    lines += ["", f"{'note value':<32}{'labels':>11}"]
    lines += [f"{name:<32}{count:>11}" for name, count in found.note_values.items()]
    lines += ["", f"{'notes at once':<32}{'of the time':>11}"]
    return lines + [f"{notes:<32}{share:>11.1%}" for notes, share in found.polyphony.items()]


def _count(recording: Recording) -> _Counted:
    seconds = audio_info(recording.audio).duration_s
    if seconds is None:
        raise DatasetError(f"{recording.audio} does not state its length.")
    notes = read_labels(recording.labels)
    return _Counted(
        recording,
        seconds,
        notes["program"].astype(np.int64),
        notes["pitch"].astype(np.int64),
        Counter(note_value_name(notes["duration_beats"]).tolist()),
        sounding_time_s(notes, max(seconds, float(notes["offset_s"].max(initial=0.0)))),
    )


def _group(counted: Sequence[_Counted], program: int | None = None) -> Group:
    """Count these recordings, or of them only those with this instrument, and its notes."""
    chosen = [one for one in counted if program is None or (one.programs == program).any()]
    pitches = [one.pitches if program is None else one.pitches[one.programs == program] for one in chosen]
    together = np.concatenate(pitches) if pitches else np.zeros(0, np.int64)
    minutes = sum(one.seconds for one in chosen) / 60
    return Group(len(chosen), minutes, len(together), len(np.unique(together)))


def _groups(counted: Sequence[_Counted], key: Any) -> dict[str, Group]:
    by_name = defaultdict(list)
    for one in counted:
        by_name[key(one.recording).strip() or UNKNOWN].append(one)
    return _longest_first({name: _group(group) for name, group in by_name.items()})


def _longest_first(groups: Mapping[str, Group]) -> dict[str, Group]:
    return dict(sorted(groups.items(), key=lambda item: (-item[1].minutes, item[0])))


def _summed(histograms: Iterable[Float64s]) -> Float64s:
    histograms = list(histograms)
    total = np.zeros(max(map(len, histograms)))
    for one in histograms:
        total[: len(one)] += one
    return total


def _mean_polyphony(sounding_s: Float64s) -> float:
    heard_s = sounding_s[1:].sum()
    return float((np.arange(len(sounding_s)) * sounding_s).sum() / heard_s) if heard_s else 0.0
