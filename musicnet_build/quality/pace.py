"""How evenly a score passes in a recording: how much its tempo varies, where it hurries, where it stands still.

Performers hurry and linger. Where music is missing on one side, a time map does so more than any of them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Features, Float64s
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.notes import pitched
from musicnet_build.sync.result import SyncResult

HURRY_S = 1.0
"""Seconds at the mean tempo in which haste is told: where some seconds are missing, a time map runs through a part of
them in no time and spreads the rest."""

STANDSTILL_S = 3.0
"""The same for a standstill, on a clock that runs as fast as what is heard changes. Both are less than what the search
for the playing order finds."""

_SPREAD_S = 2.0
_RISE_FRAMES = 4  # over about 0.1 s: a note that fades does not rise, however its harmonics waver
_WINDOW_PARTS = 32  # windows begin so many times in their length
_LEAST_PASSED_S = 0.01  # nothing passes faster: what is infinitely fast is told as a hundred times


class Extreme(NamedTuple):
    """How many times as fast or as slowly as on the whole a score passes, and when, in recording seconds."""

    times: float
    start_s: float
    end_s: float


EVEN = Extreme(1.0, 0.0, 0.0)
"""Of music too short to tell."""


@dataclass(frozen=True)
class Course:
    """A score's way through a recording, from its first onset to its last.

    Attributes
    ----------
    time_map : TimeMap
        Score seconds to recording seconds.
    first_s, last_s : float
        Score seconds of its first and last onset of a pitch.
    recording_s : float
        Length of the recording: what the map puts outside, is played in no time at its ends.
    """

    time_map: TimeMap
    first_s: float
    last_s: float
    recording_s: float

    def recording_at(self, score_s: Float64s) -> Float64s:
        """Return the recording time in seconds of each score time, inside the recording."""
        inside: Float64s = np.clip(self.time_map.recording_at(score_s), 0.0, self.recording_s)
        return inside

    def score_at(self, recording_s: Float64s) -> Float64s:
        """Return the score time in seconds of each recording time, from the first onset to the last."""
        inside: Float64s = np.clip(self.time_map.score_at(recording_s), self.first_s, self.last_s)
        return inside

    @property
    def span_s(self) -> tuple[float, float]:
        """Recording seconds of the first onset and the last."""
        begins_s, ends_s = self.recording_at(np.array([self.first_s, self.last_s]))
        return float(begins_s), float(ends_s)

    @property
    def pace(self) -> float:
        """Score seconds that pass in a second of the recording, on the whole."""
        begins_s, ends_s = self.span_s
        return (self.last_s - self.first_s) / max(ends_s - begins_s, _LEAST_PASSED_S)


def course_of(sync: SyncResult, recording_s: float) -> Course:
    """Return a score's way through a recording of this length in seconds."""
    onset_s = pitched(sync.score.notes)["onset_s"]
    return Course(sync.time_map, float(onset_s.min()), float(onset_s.max()), recording_s)


def tempo_spread(time_map: TimeMap, first_s: float, last_s: float) -> float:
    """Return the standard deviation of log2 of the local tempo, in windows of 2 s between two score times."""
    edges_s = np.arange(first_s, last_s, _SPREAD_S)
    if len(edges_s) < 3:
        return 0.0
    slope = np.diff(time_map.recording_at(edges_s)) / _SPREAD_S
    return float(np.std(np.log2(np.maximum(slope, 1e-3))))


def hurry(course: Course) -> Extreme:
    """Return where the score passes fastest: ``HURRY_S`` of it at the mean tempo.

    Parameters
    ----------
    course : Course

    Returns
    -------
    Extreme
    """
    begins_s, ends_s = course.span_s
    if ends_s - begins_s < 2 * HURRY_S:
        return EVEN
    width_s = HURRY_S * course.pace
    starts_s = _starts(course.first_s, course.last_s, width_s)
    from_s, to_s = course.recording_at(starts_s), course.recording_at(starts_s + width_s)
    at = int(np.argmin(to_s - from_s))
    took_s = max(float(to_s[at] - from_s[at]), _LEAST_PASSED_S)
    return Extreme(HURRY_S / took_s, float(from_s[at]), float(to_s[at]))


def standstill(course: Course, heard: Features, frames_s: Float64s) -> Extreme:
    """Return where the score passes most slowly although things happen.

    A fermata is no standstill: time is told by a clock that runs as fast as the spectrum rises, and with that of the
    recording on the whole.

    Parameters
    ----------
    course : Course
    heard : ndarray of float32 [shape=(frames, d)]
        Spectra of the recording.
    frames_s : ndarray of float64 [shape=(frames,)]
        Recording seconds of each.

    Returns
    -------
    Extreme
    """
    begins_s, ends_s = course.span_s
    inside = (frames_s >= begins_s) & (frames_s < ends_s)
    times_s, rise = frames_s[inside], _rise(heard)[inside]
    if ends_s - begins_s < 2 * STANDSTILL_S or not rise.sum() > 0:
        return EVEN
    clock_s = np.cumsum(rise) * (ends_s - begins_s) / rise.sum()
    passed_s = course.score_at(times_s) / course.pace
    starts_s = _starts(0.0, float(clock_s[-1]), STANDSTILL_S)
    went_s = np.interp(starts_s + STANDSTILL_S, clock_s, passed_s) - np.interp(starts_s, clock_s, passed_s)
    at = int(np.argmin(went_s))
    from_s, to_s = np.interp([starts_s[at], starts_s[at] + STANDSTILL_S], clock_s, times_s)
    return Extreme(STANDSTILL_S / max(float(went_s[at]), _LEAST_PASSED_S), float(from_s), float(to_s))


def _starts(first_s: float, last_s: float, width_s: float) -> Float64s:
    """Where windows of a width begin, the last one so that it ends at the end."""
    return np.append(np.arange(first_s, last_s - width_s, width_s / _WINDOW_PARTS), last_s - width_s)


def _rise(spectra: Features) -> Float64s:
    """How much each frame has more, summed over its bands, than the one about 0.1 s before."""
    rise = np.zeros(len(spectra))
    later, earlier = spectra[_RISE_FRAMES:], spectra[:-_RISE_FRAMES]
    rise[_RISE_FRAMES:] = np.maximum(later - earlier, 0.0).sum(axis=1, dtype=np.float64)
    return rise
