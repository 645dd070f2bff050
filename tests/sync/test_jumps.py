"""The search for the playing order: on features made of noise, and on the demo's canon as it sounds."""

import dataclasses

import numpy as np
import pytest
from made_score import made_score
from scipy.ndimage import gaussian_filter1d

from musicnet_build.anchors import Place
from musicnet_build.errors import AlignmentError
from musicnet_build.generation.demo import SEED, perform, stand_in_recording, write_canon
from musicnet_build.score.order import PlayingOrder, Span, describe
from musicnet_build.score.reader import Score, read_score
from musicnet_build.score.unfold import score_in_order
from musicnet_build.sync.jumps import PRICES, find_playing_order
from musicnet_build.sync.passes import COARSE_HOP, coarse_features, coarse_frames_s, semitone_spectra
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

MEASURES = 40
FRAME_S = 0.05


def spans_of(order: PlayingOrder) -> list[tuple[float, float]]:
    return [(span.start_beats, span.end_beats) for span in order.spans]


class Music:
    """A score whose beats sound like nothing but themselves, played in any order, with noise and at any tempo."""

    def __init__(self, pitches: list[int] | None = None) -> None:
        random = np.random.default_rng(8)
        self.pitches = pitches or [int(p) for p in random.integers(1, 127, 4 * MEASURES)]
        self.score = made_score(self.pitches)
        self.sounds = np.abs(random.standard_normal((128, 60))).astype(np.float32)
        self.random = random

    def features(self, spans: list[tuple[float, float]], *, tempo: float = 1.0, noise: float = 0.3):
        beats = np.concatenate([np.arange(a, b, FRAME_S * 2 * tempo) for a, b in spans])
        sounds = self.sounds[np.array(self.pitches)[np.minimum(beats.astype(int), len(self.pitches) - 1)]]
        played = sounds + noise * self.random.standard_normal(sounds.shape)
        played /= np.linalg.norm(played, axis=1, keepdims=True)
        return played.astype(np.float32), np.arange(len(played)) * FRAME_S

    def found(self, spans: list[tuple[float, float]], **how) -> PlayingOrder:
        rendered, rendered_s = self.features([(0.0, 160.0)], noise=0.0)
        return find_playing_order(self.score, rendered, rendered_s, *self.features(spans, **how)).order


@pytest.fixture(scope="module")
def noise() -> Music:
    return Music()


@pytest.mark.parametrize("tempo", [0.6, 1.0, 1.5])
def test_a_score_played_as_written_is_left_alone_at_any_tempo(noise: Music, tempo: float) -> None:
    order = noise.found([(0.0, 160.0)], tempo=tempo)
    assert spans_of(order) == [(0.0, 160.0)]
    assert order.margin_s == 0.0


@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("spans", [[(0.0, 40.0), (64.0, 160.0)], [(0.0, 80.0), (56.0, 160.0)]])
def test_a_cut_and_a_passage_played_again_are_found_to_the_beat(
    noise: Music, spans: list[tuple[float, float]], tempo: float
) -> None:
    order = noise.found(spans, tempo=tempo)
    assert spans_of(order) == spans
    assert order.spans[1].recording_start_s == pytest.approx(spans[0][1] * 0.5 / tempo, abs=0.2)
    assert order.margin_s > 3


def test_several_jumps_are_found_together(noise: Music) -> None:
    spans = [(0.0, 48.0), (24.0, 96.0), (72.0, 104.0), (128.0, 160.0)]
    assert spans_of(noise.found(spans)) == spans


def test_rests_before_the_first_note_are_no_cut(noise: Music) -> None:
    score = noise.score
    notes, rest_beats = score.notes.copy(), 3.0
    notes["onset_beats"] += rest_beats
    notes["onset_s"] += rest_beats * 0.5
    notes["offset_s"] += rest_beats * 0.5
    later = dataclasses.replace(score, notes=notes)
    rendered, frames_s = noise.features([(0.0, 160.0)], noise=0.0)
    recording = noise.features([(0.0, 80.0), (104.0, 160.0)])
    order = find_playing_order(later, rendered, frames_s + rest_beats * 0.5, *recording).order
    assert np.allclose(spans_of(order), [(0.0, 83.0), (107.0, 163.0)], atol=1.0)  # downbeats attract


def test_missing_ends_are_found(noise: Music) -> None:
    assert spans_of(noise.found([(24.0, 132.0)])) == [(24.0, 132.0)]


def test_a_repeat_of_seven_seconds_is_found_because_the_score_has_it() -> None:
    random = np.random.default_rng(3)
    passage = [int(p) for p in random.integers(1, 127, 14)]
    rest = [int(p) for p in random.integers(1, 127, 160 - 16 - 28)]
    music = Music([*range(60, 76), *passage, *passage, *rest])
    order = music.found([(0.0, 30.0), (44.0, 160.0)])
    assert spans_of(order) == [(0.0, 16.0), (30.0, 160.0)] or spans_of(order) == [(0.0, 30.0), (44.0, 160.0)]
    assert "the repeat of" in describe(order, music.score)[0]


def test_a_jump_inside_a_repeat_is_moved_to_where_the_repeat_begins() -> None:
    random = np.random.default_rng(4)
    passage, head, tail = ([int(p) for p in random.integers(1, 127, n)] for n in (48, 32, 32))
    music = Music([*head, *passage, *passage, *tail])
    assert spans_of(music.found([(0.0, 45.0), (93.0, 160.0)])) == [(0.0, 32.0), (80.0, 160.0)]


def test_a_passage_played_three_times_as_fast_is_no_cut(noise: Music) -> None:
    played, _ = noise.features([(0.0, 160.0)])
    hurried = np.concatenate([played[:600], played[600:1000:3], played[1000:]])
    rendered = noise.features([(0.0, 160.0)], noise=0.0)
    order = find_playing_order(noise.score, *rendered, hurried, np.arange(len(hurried)) * FRAME_S).order
    assert spans_of(order) == [(0.0, 160.0)]


def test_the_less_a_change_of_tempo_costs_the_nearer_playing_straight_through_comes_to_a_cut(noise: Music) -> None:
    drifting = gaussian_filter1d(np.random.default_rng(7).standard_normal((1600, 60)), 1.0, axis=0)
    rendered = (drifting / np.linalg.norm(drifting, axis=1, keepdims=True)).astype(np.float32)
    played = np.concatenate([np.repeat(rendered[:400], 3, axis=0), rendered[400:900], rendered[1200:]])
    frames_s = np.arange(len(played)) * FRAME_S
    orders = [
        find_playing_order(noise.score, rendered, frames_s[:1600], played, frames_s, prices=prices).order
        for prices in (dataclasses.replace(PRICES, tempo_change_s=price_s) for price_s in (0.0, 1.0, 100.0))
    ]
    assert [spans_of(order) for order in orders] == [[(0.0, 90.0), (120.0, 160.0)]] * 3
    assert 3 < orders[0].margin_s < orders[1].margin_s <= orders[2].margin_s


def test_where_a_twin_of_a_passage_sounds_a_little_more_alike_no_jump_leads_there_and_back() -> None:
    random = np.random.default_rng(5)
    passage, head, middle, tail = ([int(p) for p in random.integers(1, 127, n)] for n in (32, 32, 32, 32))
    music = Music([*head, *passage, *middle, *passage, *tail])
    rendered, rendered_s = music.features([(0.0, 160.0)], noise=0.0)
    played, played_s = music.features([(0.0, 160.0)], noise=0.0)
    first, second = slice(32 * 10, 64 * 10), slice(96 * 10, 128 * 10)
    rendered[second] += 0.2 * np.abs(random.standard_normal(rendered[second].shape))  # louder, as written
    played[second] = rendered[first]
    assert spans_of(find_playing_order(music.score, rendered, rendered_s, played, played_s).order) == [(0.0, 160.0)]


def test_noise_before_and_behind_forces_no_jump(noise: Music) -> None:
    rendered, rendered_s = noise.features([(0.0, 160.0)], noise=0.0)
    played, _ = noise.features([(0.0, 160.0)])
    claps = np.abs(noise.random.standard_normal((300, 60))).astype(np.float32)
    claps /= np.linalg.norm(claps, axis=1, keepdims=True)
    recording = np.concatenate([claps, played, claps])
    order = find_playing_order(
        noise.score, rendered, rendered_s, recording, np.arange(len(recording)) * FRAME_S, prices=PRICES
    ).order
    assert spans_of(order) == [(0.0, 160.0)]
    assert order.spans[0].recording_start_s == pytest.approx(15.0, abs=0.5)


def test_silence_is_no_evidence(noise: Music) -> None:
    rendered, rendered_s = noise.features([(0.0, 160.0)], noise=0.0)
    played, _ = noise.features([(0.0, 160.0)])
    silence = np.zeros((200, 60), dtype=np.float32)
    recording = np.concatenate([silence, played, silence])
    order = find_playing_order(noise.score, rendered, rendered_s, recording, np.arange(len(recording)) * FRAME_S).order
    assert spans_of(order) == [(0.0, 160.0)]


def test_the_same_input_gives_the_same_order_whatever_the_threads(noise: Music) -> None:
    rendered = noise.features([(0.0, 160.0)], noise=0.0)
    recording = noise.features([(0.0, 40.0), (64.0, 160.0)])
    assert find_playing_order(noise.score, *rendered, *recording) == find_playing_order(
        noise.score, *rendered, *recording
    )


def test_a_recording_far_too_short_or_empty_of_sound_still_gives_an_order(noise: Music) -> None:
    rendered = noise.features([(0.0, 160.0)], noise=0.0)
    short = noise.features([(0.0, 2.0)])
    assert find_playing_order(noise.score, *rendered, *short).order.spans
    nothing = np.zeros((500, 60), dtype=np.float32), np.arange(500) * FRAME_S
    assert find_playing_order(noise.score, *rendered, *nothing).order.spans


@pytest.mark.parametrize(
    ("features", "times"),
    [
        (np.full((10, 60), np.nan), np.arange(10.0)),
        (np.ones((10, 60)), np.arange(9.0)),
        (np.ones((10, 3)), np.arange(10.0)),
        (np.ones((10, 60)), np.zeros(10)),
        (np.ones((1, 60)), np.zeros(1)),
    ],
)
def test_features_that_cannot_be_searched_are_refused(noise: Music, features: np.ndarray, times: np.ndarray) -> None:
    rendered = noise.features([(0.0, 160.0)], noise=0.0)
    with pytest.raises(AlignmentError):
        find_playing_order(noise.score, *rendered, features.astype(np.float32), times)


def test_a_score_without_measures_is_searched_by_its_beats(noise: Music) -> None:
    score = dataclasses.replace(noise.score, time_signatures=())
    rendered = noise.features([(0.0, 160.0)], noise=0.0)
    order = find_playing_order(score, *rendered, *noise.features([(0.0, 41.0), (66.0, 160.0)])).order
    assert spans_of(order) == [(0.0, 41.0), (66.0, 160.0)]


# --- as it sounds -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def canon(tmp_path_factory: pytest.TempPathFactory) -> tuple[Score, np.ndarray]:
    path = tmp_path_factory.mktemp("canon") / "canon.mid"
    write_canon(path)
    score = read_score(path)
    return score, coarse_features(semitone_spectra(synthesize(score, choose_soundfont()).audio, COARSE_HOP))


def recorded(score: Score, spans: list[tuple[float, float]]) -> np.ndarray:
    """Features of a stand-in recording of the canon in some order."""
    played, _ = score_in_order(score, PlayingOrder(tuple(Span(*span) for span in spans)))
    audio = stand_in_recording(perform(played, SEED), choose_soundfont(), SEED)
    return coarse_features(semitone_spectra(audio, COARSE_HOP))


def heard(canon: tuple[Score, np.ndarray], recording: np.ndarray, *anchors: tuple[float, float]) -> PlayingOrder:
    """The order found in a recording of the canon, with score beats that somebody heard at some seconds."""
    score, rendered = canon
    frames_s = coarse_frames_s(len(rendered)), coarse_frames_s(len(recording))
    places = [Place(recording_s, score.tempo_map.seconds_at([beat])) for recording_s, beat in anchors]
    return find_playing_order(score, rendered, frames_s[0], recording, frames_s[1], places=places).order


def test_the_canon_played_as_written_has_no_jump(canon: tuple[Score, np.ndarray]) -> None:
    assert spans_of(heard(canon, recorded(canon[0], [(0.0, 84.0)]))) == [(0.0, 84.0)]


@pytest.mark.parametrize("spans", [[(0.0, 32.0), (48.0, 84.0)], [(0.0, 56.0), (40.0, 84.0)]])
def test_a_cut_and_a_repeat_in_the_canon_are_found(
    canon: tuple[Score, np.ndarray], spans: list[tuple[float, float]]
) -> None:
    found = spans_of(heard(canon, recorded(canon[0], spans)))
    assert len(found) == 2
    assert np.allclose(found, spans, atol=1.0)


def held(music: Music, spans: list[tuple[float, float]], *anchors: tuple[float, list[float]]) -> PlayingOrder:
    """The order found where score beats, of which one is heard, are known for some recording seconds."""
    whole, recording = music.features([(0.0, 160.0)], noise=0.0), music.features(spans)
    places = [Place(recording_s, np.array(beats) * 0.5) for recording_s, beats in anchors]
    return find_playing_order(music.score, *whole, *recording, places=places).order


def test_a_cut_too_short_for_the_search_is_found_where_somebody_says_what_is_heard_behind_it(noise: Music) -> None:
    cut = [(0.0, 60.0), (66.0, 160.0)]
    assert spans_of(held(noise, cut)) == [(0.0, 160.0)]
    assert spans_of(held(noise, cut, (31.0, [68.0]))) == cut


def test_what_is_heard_decides_between_two_orders_that_sound_the_same() -> None:
    random = np.random.default_rng(4)
    theme = [int(pitch) for pitch in random.integers(1, 127, 40)]
    rest = [int(pitch) for pitch in random.integers(1, 127, 80)]
    music = Music(theme + rest[:20] + theme + rest[20:])
    recording = [(60.0, 160.0)]
    assert spans_of(held(music, recording, (10.0, [80.0]))) == [(60.0, 160.0)]
    assert spans_of(held(music, recording, (10.0, [20.0]))) == [(0.0, 24.0), (84.0, 160.0)]


def test_places_that_the_recording_contradicts_change_nothing(noise: Music) -> None:
    played = [(0.0, 160.0)]
    assert spans_of(held(noise, played, (30.0, [76.0]))) == played
    assert spans_of(held(noise, played, (30.0, [60.0]), (50.0, [40.0, 100.0]))) == played
    assert spans_of(held(noise, played, (30.0, [60.0]), (30.05, [120.0]))) == played


def test_a_short_cut_in_the_canon_is_found_where_an_anchor_stands_behind_it(canon: tuple[Score, np.ndarray]) -> None:
    cut = [(0.0, 36.0), (39.0, 84.0)]
    recording = recorded(canon[0], cut)
    assert spans_of(heard(canon, recording)) == [(0.0, 84.0)]
    assert spans_of(heard(canon, recording, (41.4, 43.0))) == cut
