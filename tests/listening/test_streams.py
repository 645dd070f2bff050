"""Tests of the stereo stream: recording and labels on the same samples, at any speed, wherever one jumps."""

import numpy as np
import pytest

from musicnet_build.audio.io import write_audio
from musicnet_build.listening.overlay import overlay
from musicnet_build.listening.sound import Sound
from musicnet_build.listening.streams import STREAM_GAIN, Request, Stream
from musicnet_build.notes import SAMPLE_RATE, empty_notes

CLICKS = np.array([20_000, 51_234, 77_777, 120_001])


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    """Four clicks in faint noise."""
    audio = np.random.default_rng(0).normal(0, 1e-3, 4 * SAMPLE_RATE)
    audio[CLICKS] = 0.8
    return audio.astype(np.float32)


@pytest.fixture(scope="module")
def stream(recording: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """Labels on the clicks, violin and cello in turn."""
    path = tmp_path_factory.mktemp("stream") / "clicks.wav"
    write_audio(path, recording)
    return Stream(Sound(path), clicks_as_notes())


def clicks_as_notes() -> np.ndarray:
    notes = empty_notes(4)
    notes["onset_s"], notes["offset_s"] = CLICKS / SAMPLE_RATE, CLICKS / SAMPLE_RATE + 0.5
    notes["pitch"] = [69, 72, 76, 81]
    notes["program"] = [40, 42, 40, 42]
    return notes


def test_at_full_speed_it_is_the_overlay_to_the_sample(stream: Stream, recording: np.ndarray) -> None:
    whole = overlay(recording, clicks_as_notes(), split=True)
    chunk = stream.chunk(Request(0, len(recording)))
    np.testing.assert_array_equal(chunk, np.rint(np.float32(STREAM_GAIN) * whole * 32767).astype(np.int16))


@pytest.mark.parametrize("slowdown", [1, 2, 4])
def test_fifty_jumps_give_what_the_whole_has_there(stream: Stream, slowdown: int) -> None:
    whole = stream.chunk(Request(0, 4 * SAMPLE_RATE, slowdown))
    random = np.random.default_rng(1)
    for begin in random.integers(0, 3.5 * SAMPLE_RATE, 50).tolist():
        frames = int(random.integers(1, 20_000))
        chunk = stream.chunk(Request(begin, frames, slowdown))
        np.testing.assert_array_equal(chunk, whole[begin * slowdown : (begin + frames) * slowdown])


def test_a_tone_begins_on_the_sample_of_its_click(stream: Stream) -> None:
    chunk = stream.chunk(Request(0, 4 * SAMPLE_RATE)).astype(np.int64)
    for click in CLICKS:
        assert chunk[click, 0] > 10_000
        assert chunk[click, 1] == 0  # a sine starts at zero
        assert not chunk[click - 1_000 : click, 1].any()
        assert chunk[click + 1 : click + 132, 1].any()


@pytest.mark.parametrize("slowdown", [2, 4])
def test_slowed_tones_begin_on_their_sample_and_are_not_stretched(stream: Stream, slowdown: int) -> None:
    slow = stream.chunk(Request(0, 4 * SAMPLE_RATE, slowdown))[:, 1]
    full = stream.chunk(Request(0, 4 * SAMPLE_RATE))[:, 1]
    length = round(0.25 * SAMPLE_RATE)
    for click in CLICKS:
        np.testing.assert_array_equal(slow[click * slowdown :][:length], full[click:][:length])


@pytest.mark.parametrize("slowdown", [2, 4])
def test_slowed_clicks_lie_within_five_milliseconds_of_music_of_their_tones(stream: Stream, slowdown: int) -> None:
    slow = np.abs(stream.chunk(Request(0, 4 * SAMPLE_RATE, slowdown))[:, 0].astype(np.float64))
    reach = round(0.1 * SAMPLE_RATE) * slowdown
    for click in CLICKS:
        near = slow[click * slowdown - reach : click * slowdown + reach]
        middle = np.sum(near * np.arange(-reach, reach)) / near.sum()
        assert abs(middle) / slowdown / SAMPLE_RATE < 0.005


def test_only_the_instruments_asked_for_are_heard(stream: Stream) -> None:
    violin = stream.chunk(Request(0, 4 * SAMPLE_RATE, instruments=frozenset({40})))[:, 1]
    assert violin[CLICKS[0] : CLICKS[0] + 500].any()
    assert not violin[CLICKS[3] : CLICKS[3] + 500].any()
    nobody = stream.chunk(Request(0, 4 * SAMPLE_RATE, instruments=frozenset()))
    assert not nobody[:, 1].any()
    assert nobody[:, 0].any()


def test_the_recording_may_be_heard_alone(stream: Stream) -> None:
    assert not stream.chunk(Request(0, SAMPLE_RATE, voice="none"))[:, 1].any()


def test_beyond_the_end_there_is_silence(stream: Stream) -> None:
    for slowdown in (1, 2, 4):
        assert not stream.chunk(Request(6 * SAMPLE_RATE, 1_000, slowdown)).any()


@pytest.mark.parametrize(
    "request_",
    [
        Request(0, 0),
        Request(0, 10 * SAMPLE_RATE + 1),
        Request(2**50, 10),
        Request(-(2**30), 10),
        Request(0, 10, 3),
        Request(0, 10, voice="organ"),
    ],
)
def test_requests_are_bounded(request_: Request) -> None:
    assert request_.fault()


def test_a_sensible_request_has_no_fault() -> None:
    assert Request(5, 10, 4, "score", frozenset({1})).fault() is None
