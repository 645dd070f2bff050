"""Tests of the levels: silence is told from music, and how loud a recording is does not matter."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicnet_build.audio.loudness import REFERENCE_RMS, active_span, level_dbfs, levelled
from musicnet_build.errors import AudioError
from musicnet_build.notes import SAMPLE_RATE

BLOCK = 1024


def tone(seconds: float, amplitude: float = 0.3) -> NDArray[np.float32]:
    return (amplitude * np.sin(np.arange(round(seconds * SAMPLE_RATE)) * 0.06)).astype(np.float32)


def hiss(seconds: float, amplitude: float = 1e-4) -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    return (amplitude * random.standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def test_the_music_is_found_between_hiss() -> None:
    start, end = active_span(np.concatenate([hiss(2.0), tone(3.0), hiss(1.0)]))
    assert abs(start - 2.0 * SAMPLE_RATE) <= BLOCK
    assert abs(end - 5.0 * SAMPLE_RATE) <= BLOCK


def test_a_soft_ending_belongs_to_the_music() -> None:
    _, end = active_span(np.concatenate([tone(3.0), tone(2.0, 0.02), hiss(1.0)]))
    assert abs(end - 5.0 * SAMPLE_RATE) <= BLOCK


def test_one_word_in_a_long_silence_is_found() -> None:
    audio = np.zeros(30 * SAMPLE_RATE, np.float32)
    audio[10 * SAMPLE_RATE : 11 * SAMPLE_RATE] = tone(1.0)
    start, end = active_span(audio)
    assert abs(start - 10 * SAMPLE_RATE) <= BLOCK
    assert abs(end - 11 * SAMPLE_RATE) <= BLOCK


@pytest.mark.parametrize("audio", [np.zeros(SAMPLE_RATE, np.float32), tone(0.02)], ids=["silent", "20 ms"])
def test_nothing_to_hear_is_a_plain_error(audio: NDArray[np.float32]) -> None:
    with pytest.raises(AudioError, match="nothing to align"):
        levelled(audio)


@pytest.mark.parametrize("gain", [0.001, 1.0, 3.0])
def test_any_recording_is_brought_to_one_level_whatever_silence_is_around_it(gain: float) -> None:
    music = np.float32(gain) * tone(2.0)
    padded = np.concatenate([np.zeros(5 * SAMPLE_RATE, np.float32), music])
    for audio in (music, padded):
        rms = np.sqrt(np.mean(np.square(levelled(audio)[-len(music) :])))
        assert rms == pytest.approx(REFERENCE_RMS, rel=0.02)


def test_levels_are_root_mean_squares() -> None:
    assert level_dbfs(np.full(100, 0.1)) == pytest.approx(-20)
    assert level_dbfs(np.zeros(10)) == pytest.approx(-200)
