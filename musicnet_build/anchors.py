"""Anchors: places of a score whose time in the recording a person has heard.

An anchor is written ``12.5=33:1``: at 12.5 s of the recording, measure 33 is at its first beat. Here anchors are read,
and found in a score as it is played. What an alignment makes of them is in
:mod:`musicnet_build.sync.passes`.
"""

import csv
import io
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Float64s
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.errors import AlignmentError
from musicnet_build.files import read_bounded, write_text
from musicnet_build.score.beats import TOLERANCE_BEATS, beat_length, measures_of, signature_at
from musicnet_build.score.model import Measures, Score

COLUMNS = ("recording_s", "measure", "beat")
MAX_ANCHORS = 10_000
_MAX_FILE_BYTES = 2**20
_ANCHOR = re.compile(r"(\d+(?:\.\d+)?)=([^\s:=,]+?)(?::(\d+(?:\.\d+)?))?")


class Anchor(NamedTuple):
    """At ``recording_s`` seconds of the recording the music is at this beat (from 1) of this measure, as printed."""

    recording_s: float
    measure: str
    beat: float

    def __str__(self) -> str:
        return f"{self.recording_s:.10g}={self.measure}:{self.beat:.10g}"


class Place(NamedTuple):
    """An anchor found in a score: recording seconds, and the score seconds of all times its place is in the score."""

    recording_s: float
    score_s: Float64s


class Pins(NamedTuple):
    """Anchors found in a score: score seconds, as it is played, and recording seconds, both ascending."""

    score_s: Float64s
    recording_s: Float64s


def parse_anchors(text: str) -> tuple[Anchor, ...]:
    """Read anchors that a user wrote.

    Parameters
    ----------
    text : str
        Such as ``12.5=33:1,60=40``; without a beat the first one is meant.

    Returns
    -------
    tuple of Anchor
        In the order of their recording times.

    Raises
    ------
    AlignmentError
        When the text holds something else, or two anchors have one time.

    Examples
    --------
    >>> from musicnet_build.anchors import parse_anchors
    >>> parse_anchors("60=40, 12.5=33:2")
    (Anchor(recording_s=12.5, measure='33', beat=2.0), Anchor(recording_s=60.0, measure='40', beat=1.0))
    """
    return _in_order(_anchor(piece.strip()) for piece in text.split(",") if piece.strip())


def _anchor(text: str) -> Anchor:
    match = _ANCHOR.fullmatch(text)
    if match is None or float(match[3] or 1) < 1:
        raise AlignmentError(f"{text!r} is no anchor: write recording seconds and a place, as in 12.5=33:1.")
    return Anchor(float(match[1]), match[2], float(match[3] or 1))


def read_anchors(path: str | os.PathLike[str]) -> tuple[Anchor, ...]:
    """Read a CSV file of anchors, with the columns ``recording_s``, ``measure`` and perhaps ``beat``.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    tuple of Anchor
        In the order of their recording times.

    Raises
    ------
    AlignmentError
        When it is no such file; the message names the line.
    """
    data = read_bounded(path, _MAX_FILE_BYTES, what="anchors", error=AlignmentError)
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    if not set(COLUMNS[:2]) <= set(rows.fieldnames or ()):
        raise AlignmentError(f"{path}: line 1: the header does not name recording_s and measure.")
    anchors = []
    for row in rows:
        try:
            anchors.append(_anchor(f"{row['recording_s']}={row['measure']}:{row.get('beat') or 1}"))
        except AlignmentError as error:
            raise AlignmentError(f"{path}: line {rows.line_num}: {error}") from error
    return _in_order(anchors)


def write_anchors(path: str | os.PathLike[str], anchors: Iterable[Anchor]) -> None:
    """Write anchors as ``read_anchors`` reads them.

    Parameters
    ----------
    path : str or PathLike
        Its folder is made where it is missing.
    anchors : iterable of Anchor
    """
    rows = [f"{anchor.recording_s:.10g},{anchor.measure},{anchor.beat:.10g}\n" for anchor in anchors]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, ",".join(COLUMNS) + "\n" + "".join(rows))


def _in_order(anchors: Iterable[Anchor]) -> tuple[Anchor, ...]:
    found = tuple(sorted(anchors, key=lambda anchor: anchor.recording_s))
    if len(found) > MAX_ANCHORS:
        raise AlignmentError(f"there are {len(found)} anchors; more than {MAX_ANCHORS} are not supported.")
    for before, after in itertools.pairwise(found):
        if before.recording_s == after.recording_s:
            raise AlignmentError(f"the anchors {before} and {after} are at one time of the recording.")
    return found


def check_anchors(anchors: tuple[Anchor, ...], duration_s: float) -> None:
    """Raise an ``AlignmentError`` where an anchor is behind the end of the recording."""
    if anchors and anchors[-1].recording_s > duration_s:
        raise AlignmentError(
            f"the anchor {anchors[-1]} is behind the end of the recording, which lasts {duration_s:.1f} s."
        )


def pins_finder(
    anchors: tuple[Anchor, ...], played: Score, measures: Measures, stretch: float
) -> Callable[[TimeMap], Pins] | None:
    """Return what finds anchors in a rendering of the score that is ``stretch`` times as long; None without anchors.

    Parameters
    ----------
    anchors, played, measures
        As for ``pinned``.
    stretch : float
        Seconds of the rendering per score second.

    Returns
    -------
    callable or None
        Takes a map of the rendering to the recording; its pins are in seconds of the rendering.
    """

    def found(free: TimeMap) -> Pins:
        pins = pinned(anchors, played, measures, TimeMap(free.score_s / stretch, free.recording_s))
        return Pins(pins.score_s * stretch, pins.recording_s)

    return found if anchors else None


def pinned(anchors: tuple[Anchor, ...], played: Score, measures: Measures, guess: TimeMap) -> Pins:
    """Find anchors in a score as it is played.

    Parameters
    ----------
    anchors : tuple of Anchor
        In the order of their recording times.
    played : Score
    measures : Measures
        Of the same score, on the beats as played.
    guess : TimeMap
        Score seconds to recording seconds, roughly: it decides which time a repeated measure is meant.

    Returns
    -------
    Pins

    Raises
    ------
    AlignmentError
        When the score does not play a measure, or the anchors contradict each other.
    """
    score_s: list[float] = []
    for anchor, before, place in zip(anchors, (None, *anchors), found_places(anchors, played, measures), strict=False):
        possible = place.score_s[place.score_s > score_s[-1]] if score_s else place.score_s
        if not len(possible):
            raise AlignmentError(
                f"the anchors {before} and {anchor} contradict each other: the score does not play measure "
                f"{anchor.measure} behind measure {before.measure if before else ''}."
            )
        score_s.append(float(possible[np.abs(guess.recording_at(possible) - anchor.recording_s).argmin()]))
    return Pins(np.array(score_s), np.array([anchor.recording_s for anchor in anchors]))


def found_places(anchors: tuple[Anchor, ...], score: Score, measures: Measures) -> list[Place]:
    """Find the places of anchors in a score, each as often as it is there.

    Parameters
    ----------
    anchors : tuple of Anchor
    score : Score
    measures : Measures
        Of the same score.

    Returns
    -------
    list of Place
        In the same order.

    Raises
    ------
    AlignmentError
        When the score has no such measure.
    """
    return [
        Place(anchor.recording_s, score.tempo_map.seconds_at(list(_places(anchor, score, measures))))
        for anchor in anchors
    ]


def place_of(beats: float, score: Score) -> str:
    """Return the place of a note as an anchor names it.

    Parameters
    ----------
    beats : float
        Quarter notes from the start of the score as it is written.
    score : Score

    Returns
    -------
    str
        Measure and beat, such as ``33:1.5``.

    Raises
    ------
    AlignmentError
        When the score has no measures.
    """
    measures = measures_of(score)
    if not measures.numbers:
        raise AlignmentError(f"{score.name} states no time signature: its places have no measures.")
    at = max(int(np.searchsorted(measures.starts_beats, beats + TOLERANCE_BEATS, side="right")) - 1, 0)
    start = float(measures.starts_beats[at])
    beat = 1 + max(beats - start, 0.0) / beat_length(signature_at(score, start))
    return f"{measures.numbers[at]}:{beat:.6g}"


def _places(anchor: Anchor, played: Score, measures: Measures) -> Iterator[float]:
    """Beats, as played, at which an anchor's place is played."""
    if not measures.numbers:
        raise AlignmentError(f"the anchor {anchor} names a measure, and the score states no time signature.")
    stops = np.append(measures.starts_beats[1:], np.inf)
    found = [i for i, number in enumerate(measures.numbers) if number == anchor.measure]
    if not found:
        raise AlignmentError(
            f"the anchor {anchor}: the score as it is played has no measure {anchor.measure}, but measures "
            f"{measures.numbers[0]} to {measures.numbers[-1]}. Where that is wrong, give the right order (--order)."
        )
    for i in found:
        start = float(measures.starts_beats[i])
        beats = start + (anchor.beat - 1) * beat_length(signature_at(played, start))
        if beats >= stops[i]:
            raise AlignmentError(f"the anchor {anchor}: measure {anchor.measure} has no beat {anchor.beat:g}.")
        yield beats
