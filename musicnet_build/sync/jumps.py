"""In which order was the score played? Features of a recording and a score in, a playing order out.

Performers leave out a repeat, add one, or begin after the introduction, and an aligner that knows no jumps smears a
minute of notes over a second. Here a Viterbi search on a coarse grid walks through the score as the recording goes
on; it may advance the score by nothing to three frames at a time, and, at a price, leave it at any beat and go on at
any other. The same search finds where the music begins and ends. docs/algorithms.md explains it, its prices, and what
each of them is worth. Where somebody has heard a place of the score, the search has to pass through it.

Measures, beats and playing orders in words are in :mod:`musicnet_build.score.order`, the score in its new order in
:mod:`musicnet_build.score.unfold`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicnet_build._typing import Features, Float64s
from musicnet_build.anchors import Place
from musicnet_build.errors import AlignmentError
from musicnet_build.features.tonality import Tonality, level_db, tonal_contrast
from musicnet_build.score.beats import end_beats
from musicnet_build.score.order import PlayingOrder
from musicnet_build.score.reader import Score
from musicnet_build.sync import jump_kernels as kernels
from musicnet_build.sync.jump_costs import (
    BLOCK_ROWS,
    REST_LEVEL_DB,
    TONAL_CONTRAST,
    Grid,
    Prices,
    pooled_share,
    recording_grid,
    reduced,
)
from musicnet_build.sync.jump_search import ASTRAY_S, Attempt, Layout, Music, Pair, settled
from musicnet_build.sync.passes import PIANO_BANDS, SemitoneSpectra, coarse_features, coarse_frames_s

PRICES = Prices()

LEAST_SHARE = 0.25
"""Share of a score that a playing order must have at least."""

SHORTEST_HEARD_S = 1.0
"""Where places were heard, somebody doubts the order: jumps over this much are then considered, by whatever margin."""

MOST_DEARER_S = 4.0
"""An order that passes through all places that were heard may cost this much more than the cheapest; the way to a wrong
place and back is two jumps, and costs more."""

MUSICAL_CONTRAST = (0.09, 0.18)
"""Tonal contrast up to which leaving a frame out costs ``outside``, and from which it costs ``outside_music``."""


@dataclass(frozen=True)
class JumpSearch:
    """What the search found.

    Attributes
    ----------
    order : PlayingOrder
        One span from the first beat to the last where the score is played as written.
    music_s : (float, float) or None
        Recording seconds between which the score is played; None where that is not sure.
    """

    order: PlayingOrder
    music_s: tuple[float, float] | None


def search_playing_order(
    score: Score, rendered: SemitoneSpectra, stretch: float, heard: SemitoneSpectra, places: Sequence[Place] = ()
) -> JumpSearch:
    """Find the order in which a score is played, and where, from what the coarse passes compare.

    A scrap of the score found in a recording is no playing order but a sign of a wrong score, which ``quality`` finds.

    Parameters
    ----------
    score : Score
    rendered, heard : SemitoneSpectra
        Coarse, of the score as synthesized and of the recording, both padded.
    stretch : float
        Seconds of the rendering per score second.
    places : sequence of Place
        What somebody has heard when.

    Returns
    -------
    JumpSearch
    """
    score_features, recording_features = coarse_features(rendered), coarse_features(heard)
    frames_s = coarse_frames_s(len(recording_features))
    contrast = tonal_contrast(recording_features[:, :PIANO_BANDS], frames_s)
    tonality = Tonality(contrast, level_db(heard.pitch_window))
    score_frames_s = coarse_frames_s(len(score_features)) / stretch
    found = find_playing_order(
        score, score_features, score_frames_s, recording_features, frames_s, tonality, places=places
    )
    kept_beats = sum(span.end_beats - span.start_beats for span in found.order.spans)
    if kept_beats < LEAST_SHARE * end_beats(score):
        whole = replace(found.order.spans[0], start_beats=0.0, end_beats=end_beats(score))
        return JumpSearch(PlayingOrder((whole,), 0.0), None)
    return found


def find_playing_order(
    score: Score,
    score_features: Features,
    score_frames_s: Float64s,
    recording_features: Features,
    recording_frames_s: Float64s,
    tonality: Tonality | None = None,
    prices: Prices = PRICES,
    places: Sequence[Place] = (),
) -> JumpSearch:
    """Find the order in which the passages of a score are played in a recording, and where the music is.

    Parameters
    ----------
    score : Score
        For its beats, measures and repeats. As read: its seconds are those of its tempo map.
    score_features : ndarray of float32 [shape=(frames of the score, d)]
        Of the score as rendered; silence has a norm near 0, full sound one near 1 or more.
    score_frames_s : ndarray of float64 [shape=(frames of the score,)]
        Score seconds on which these frames are centred, evenly spaced.
    recording_features : ndarray of float32 [shape=(frames of the recording, d)]
    recording_frames_s : ndarray of float64 [shape=(frames of the recording,)]
        Recording seconds on which they are centred, evenly spaced.
    tonality : Tonality, optional
        Of the recording; without it, nothing counts as a rest, and leaving something out at the ends costs little.
    prices : Prices
        What the search charges.
    places : sequence of Place
        What is heard when: the order passes through all of it, unless the recording clearly contradicts that.

    Returns
    -------
    JumpSearch

    Raises
    ------
    AlignmentError
        When features and times do not fit together.
    """
    _check(score_features, score_frames_s, "score")
    _check(recording_features, recording_frames_s, "recording")
    if score_features.shape[1] != recording_features.shape[1]:
        raise AlignmentError(
            f"the score has {score_features.shape[1]} features a frame and the recording "
            f"{recording_features.shape[1]}; both must agree."
        )
    rendered, recorded = reduced(score_features, recording_features)
    grid = recording_grid(recorded, recording_frames_s)
    music = Music.of(score)
    musical = np.zeros(len(grid.features))
    if tonality is not None:
        musical = pooled_share(tonality.contrast, recording_frames_s, grid, MUSICAL_CONTRAST)
        grid = _with_rests(grid, tonality, recording_frames_s)
    pair = Pair(music, rendered, score_frames_s, grid, _price_outside(musical, prices))

    def attempts(pair: Pair) -> list[Attempt]:
        return [Attempt(pair, tempo, prices) for tempo in prices.tempi]

    if not places:
        return _chosen(pair, attempts(pair), prices)
    prices = replace(prices, shortest_s=SHORTEST_HEARD_S, least_margin_s=0.0)
    through = _through(pair, places)
    free, held = attempts(pair), attempts(through)
    dearer = min(attempt.cost for attempt in held) - min(attempt.cost for attempt in free)
    if dearer * grid.hop_s <= MOST_DEARER_S:
        return _chosen(through, held, prices, places)
    return _chosen(pair, free, prices)


def _through(pair: Pair, places: Sequence[Place]) -> Pair:
    """The same pair, with what was heard when: neither passed elsewhere nor left out."""
    grid = pair.recording
    heard: dict[int, Float64s] = {}
    for place in places:
        row = int(np.clip((place.recording_s - grid.start_s) / grid.hop_s, 0, len(grid.features) - 1))
        heard[row] = np.append(heard.get(row, []), place.score_s)
    left_out = np.searchsorted(np.sort(list(heard)), np.arange(len(pair.outside)), side="left")
    return replace(pair, heard=heard, outside=pair.outside + left_out * ASTRAY_S / grid.hop_s)


def _chosen(pair: Pair, attempts: list[Attempt], prices: Prices, places: Sequence[Place] = ()) -> JumpSearch:
    """The cheapest attempt's order, if it beats playing straight through clearly enough."""
    music, grid = pair.music, pair.recording
    best = min(attempts, key=lambda attempt: attempt.cost)
    passages = best.passages()
    spans = settled(music, passages, places)
    music_s = float(passages[0].recording_s[0]), float(passages[-1].recording_s[-1]) + grid.hop_s
    whole = replace(spans[0], start_beats=0.0, end_beats=float(music.grid.beats[-1]))
    if spans == (whole,):
        return JumpSearch(PlayingOrder(spans, 0.0), music_s)
    # Where the score has another tempo than the performance, a jump costs less than minutes of staying or skipping.
    margin_s = (_straight_cost(pair, prices) - best.cost) * grid.hop_s
    if margin_s < prices.least_margin_s:
        return JumpSearch(PlayingOrder((whole,), 0.0), None)
    return JumpSearch(PlayingOrder(spans, margin_s), music_s)


def _straight_cost(pair: Pair, prices: Prices) -> float:
    """What playing straight through costs at tempi that may change, in frames of the recording."""
    layouts = [Layout.at(pair, tempo, prices) for tempo in prices.straight_tempi]
    tempi = kernels.Tempi(
        states=np.array([layout.frames for layout in layouts]),
        last_states=np.array([layout.last_state for layout in layouts]),
        hops_s=np.array([layout.hop_s for layout in layouts]),
        stay=float(prices.stay),
        change=prices.tempo_change_s / pair.recording.hop_s,
        outside=pair.outside,
    )
    most, best_end = int(tempi.states.max()), np.inf
    totals = np.full((len(layouts), most), np.inf)
    costs, charges = (np.zeros((len(layouts), BLOCK_ROWS, most), dtype=np.float32) for _ in range(2))
    for first in range(0, len(pair.recording.features), BLOCK_ROWS):
        for k, layout in enumerate(layouts):
            cost, charge, silent = layout.block(first)
            costs[k, : len(cost), : layout.frames], charges[k, : len(cost), : layout.frames] = cost, charge
        best_end = kernels.sweep_straight(costs, charges, silent, first, totals, tempi, best_end)
    return float(best_end)


def _price_outside(musical: Float64s, prices: Prices) -> Float64s:
    """What leaving out the first k frames of the grid costs, for every k: little for noise, more for music."""
    each = prices.outside + (prices.outside_music - prices.outside) * musical
    return np.concatenate([[0.0], np.cumsum(each)])


def _with_rests(grid: Grid, tonality: Tonality, frames_s: Float64s) -> Grid:
    """Silence what is soft and has no tones: the noise floor in a rest, which is brought to the norm of music."""
    tonal = pooled_share(tonality.contrast, frames_s, grid, TONAL_CONTRAST)
    loud = pooled_share(tonality.level_db, frames_s, grid, REST_LEVEL_DB)
    return replace(grid, features=grid.features * np.maximum(tonal, loud)[:, None].astype(np.float32))


def _check(features: Features, frames_s: Float64s, name: str) -> None:
    if features.ndim != 2 or len(features) != len(frames_s) or len(features) < 2:
        raise AlignmentError(f"the {name} needs features of two dimensions and a time for each of its frames.")
    if not np.isfinite(features).all():
        raise AlignmentError(f"the features of the {name} hold values that are not finite.")
    if not np.isfinite(frames_s).all() or np.any(np.diff(frames_s) <= 0):
        raise AlignmentError(f"the frames of the {name} must be in the order of their times.")
