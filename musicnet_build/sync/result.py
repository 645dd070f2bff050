"""What a recipe of alignment gives, and what it may ask of its caller."""

from dataclasses import dataclass, field

import numpy as np

from musicnet_build._typing import Features, Float64s, Indices
from musicnet_build.anchors import Anchor
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.features.onset_training import Example
from musicnet_build.features.onsets import OnsetModel
from musicnet_build.labels.witness import Witness
from musicnet_build.score.order import PlayingOrder
from musicnet_build.score.reader import Score
from musicnet_build.sync.refinement import Refinement
from musicnet_build.sync.witness.agreement import Agreement

MEMORY_BYTES = 2**30
"""Default memory budget of the dynamic time warping."""

_WORTH_SAYING_S = 20.0


def with_estimate(stage: str, seconds: float) -> str:
    """Return the name of a stage, with the time that it will take where that is long.

    Parameters
    ----------
    stage : str
    seconds : float
        An estimate.

    Returns
    -------
    str
        Such as ``aligning, about 5 min``.
    """
    if seconds < _WORTH_SAYING_S:
        return stage
    return f"{stage}, about {seconds:.0f} s" if seconds < 90 else f"{stage}, about {seconds / 60:.0f} min"


@dataclass(frozen=True)
class Options:
    """What a caller may ask of a recipe.

    Attributes
    ----------
    strict : bool
        Fail where the soundfont lacks a preset that the score asks for.
    search_order : bool
        Find out whether passages of the score were left out or played again, where the recipe can.
    memory_bytes : int
        Budget of the dynamic time warping.
    tuning_cents : float, optional
        How far above A4 = 440 Hz the recording is tuned, up to half a semitone, where the caller knows it; it is
        measured otherwise.
    anchors : tuple of Anchor
        Places of the score whose time is known, where the recipe can keep to them.
    witness : Witness, optional
        What a transcriber heard in the recording, for recipes that place notes one by one.
    witness_offsets : bool
        Let piano notes end where the witness hears them end.
    network : OnsetModel, optional
        An onset network that knows recordings of this kind: it takes the place of what a recording teaches by itself.
    examples : bool
        Return what the recording teaches.
    """

    strict: bool = False
    search_order: bool = True
    memory_bytes: int = MEMORY_BYTES
    tuning_cents: float | None = None
    anchors: tuple[Anchor, ...] = ()
    witness: Witness | None = None
    witness_offsets: bool = False
    network: OnsetModel | None = None
    examples: bool = False


@dataclass(frozen=True, eq=False)
class SyncResult:
    """A time map, with the features of score and recording on which it was found.

    Attributes
    ----------
    score : Score
        As it is played: in the order of ``order``, where that departs from what is written.
    order : PlayingOrder or None
        The order of its passages, where they are not played as written.
    time_map : TimeMap
        Seconds of ``score`` to recording seconds.
    score_features, recording_features : ndarray of float32 [shape=(frames, d)]
        What the alignment compared, or the part of it that says how alike two moments sound.
    score_frames_s : ndarray of float64 [shape=(frames of the score,)]
        Score seconds of each row of ``score_features``.
    recording_frames_s : ndarray of float64 [shape=(frames of the recording,)]
        Recording seconds of each row of ``recording_features``.
    warnings : tuple of str
        What a user should know, in plain sentences.
    refinement : Refinement, optional
        Times of the pitched notes of ``score``, where the recipe gives notes times of their own.
    tuning_cents : float
        How far above A4 = 440 Hz the recording is tuned, where the recipe measures it.
    agreement : Agreement, optional
        How far the witness was believed, where there was one.
    falls : dict of ndarray of float32 [shape=(frames,)]
        By pitch, by how much its level falls at each frame, where the recipe ends notes by that: see
        ``ends.level_falls``.
    examples : tuple of Example
        What the sure notes teach the onset network, where that was asked for and enough of them are sure.
    """

    score: Score
    order: PlayingOrder | None
    time_map: TimeMap
    score_features: Features
    recording_features: Features
    score_frames_s: Float64s
    recording_frames_s: Float64s
    warnings: tuple[str, ...]
    refinement: Refinement | None = None
    tuning_cents: float = 0.0
    agreement: Agreement | None = None
    falls: dict[int, Features] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()


def cost_along(sync: SyncResult) -> Float64s:
    """Return the distance of the features at each point of the time map, taken at the nearest frames.

    Returns
    -------
    ndarray of float64 [shape=(points of the time map,)]
    """
    rows = _nearest(sync.score_frames_s, sync.time_map.score_s)
    columns = _nearest(sync.recording_frames_s, sync.time_map.recording_s)
    difference = sync.score_features[rows] - sync.recording_features[columns]
    distances: Float64s = np.linalg.norm(difference, axis=1).astype(np.float64)
    return distances


def _nearest(frames_s: Float64s, times_s: Float64s) -> Indices:
    middles_s = (frames_s[1:] + frames_s[:-1]) / 2
    return np.searchsorted(middles_s, times_s)
