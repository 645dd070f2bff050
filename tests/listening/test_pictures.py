"""Tests of what is drawn: a note is seen at its pitch and its time."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicnet_build.listening.pictures import (
    BINS_PER_SEMITONE,
    COLUMNS,
    HIGHEST_PITCH,
    HOP,
    LEVELS,
    ROWS,
    pitch_envelope,
    tile,
)
from musicnet_build.notes import SAMPLE_RATE


def reader(sound: NDArray[np.float32]):
    def read(begin: int, end: int) -> NDArray[np.float32]:
        result = np.zeros(end - begin, np.float32)
        first, last = max(begin, 0), min(end, len(sound))
        if first < last:
            result[first - begin : last - begin] = sound[first:last]
        return result

    return read


def sine(pitch: int, start_s: float, end_s: float, duration_s: float) -> NDArray[np.float32]:
    clock = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    return (0.5 * np.sin(2 * np.pi * hz * clock) * (clock >= start_s) * (clock < end_s)).astype(np.float32)


@pytest.mark.parametrize("pitch", [36, 48, 60, 69, 84, 100])
def test_a_note_is_seen_at_its_pitch_and_its_time(pitch: int) -> None:
    picture = tile(reader(sine(pitch, 1.0, 3.0, 5.2)), 1, 0)
    assert picture.shape == (ROWS, COLUMNS)
    row = BINS_PER_SEMITONE * (HIGHEST_PITCH - pitch) + 1
    assert abs(int(picture[:, 200].argmax()) - row) <= (1 if pitch < 45 else 0)
    sounding = np.flatnonzero(picture[row] > 0.9 * picture.max())
    assert abs(int(sounding[0]) - 100) < 10
    assert abs(int(sounding[-1]) - 300) < 10


def test_levels_are_decibels_below_full_scale() -> None:
    picture = tile(reader(sine(69, 0, 5, 5)), 1, 0)
    assert picture[:, 200].max() == pytest.approx(255 * (1 - 6.02 / 100), abs=2)


@pytest.mark.parametrize("level", LEVELS[1:3])
def test_coarser_levels_keep_the_loudest(level: int) -> None:
    read = reader(sine(60, 1.0, 1.1, 60.0))
    coarse = tile(read, level, 0)
    fine = np.concatenate([tile(read, 1, column) for column in range(level)], axis=1)
    np.testing.assert_array_equal(coarse, fine.reshape(ROWS, COLUMNS, level).max(axis=2))


def test_tiles_join() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 12 * SAMPLE_RATE).astype(np.float32)
    shifted = tile(reader(sound[100 * HOP :]), 1, 0)
    joined = np.concatenate([tile(reader(sound), 1, 0), tile(reader(sound), 1, 1)], axis=1)
    np.testing.assert_array_equal(shifted[:, 30:-30], joined[:, 130 : 100 + COLUMNS - 30])


@pytest.mark.parametrize("pitch", [45, 60, 76, 100])
def test_the_rise_of_a_pitch_is_seen_where_it_is(pitch: int) -> None:
    onset = round(0.7 * SAMPLE_RATE)
    envelope = pitch_envelope(reader(sine(pitch, 0.7, 2.0, 2.0)), onset, pitch)
    assert len(envelope) == 301
    half = int(np.flatnonzero(envelope > 0.5 * envelope[-1])[0])
    assert abs(half - 150) <= 2
    assert envelope[:90].max() < 0.05 * envelope[-1]


def test_another_pitch_is_hardly_seen() -> None:
    read = reader(sine(60, 0.0, 2.0, 2.0))
    assert pitch_envelope(read, SAMPLE_RATE, 74).max() < 0.1 * pitch_envelope(read, SAMPLE_RATE, 60).max()
