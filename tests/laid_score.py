"""A score laid over a recording by a known map, for tests of what is written of an alignment."""

import numpy as np

from musicnet_build.alignment import Alignment, mapped_notes
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.notes import pitched
from musicnet_build.score.model import Score
from musicnet_build.score.order import PlayingOrder, parse_order
from musicnet_build.score.unfold import unfold_score
from musicnet_build.sync.result import SyncResult


def laid(score: Score, *, slower: float = 1.5, starts_s: float = 0.7, order: str = "", map_: TimeMap | None = None):
    """An alignment: the music begins at ``starts_s`` and lasts ``slower`` times as written, unless ``map_`` says."""
    played_order: PlayingOrder | None = parse_order(order, score) if order else None
    played = unfold_score(score, played_order)[0] if played_order else score
    end_s = played.duration_s
    time_map = map_ or TimeMap(np.array([0.0, end_s]), np.array([starts_s, starts_s + slower * end_s]))
    no_frames = np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32), np.arange(2.0), np.arange(2.0)
    sync = SyncResult(played, played_order, time_map, *no_frames, warnings=())
    notes = pitched(played.notes)
    labels = mapped_notes(notes, time_map, float(time_map.recording_s[-1]) + 1)
    return Alignment(sync, labels, notes, 0, starts_s, 1 / slower, None, ())
