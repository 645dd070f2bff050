"""Tests of slow listening: onsets where they belong, pitch as it was, and the same sound whatever is asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicnet_build.listening.stretch import BLOCK, stretch, stretched_span
from musicnet_build.notes import SAMPLE_RATE

ONSET = round(0.512 * SAMPLE_RATE)


def note(hz: float, attack_s: float, decay_per_s: float) -> NDArray[np.float32]:
    """Two seconds: silence, then a note of three partials from ``ONSET`` on."""
    clock = np.arange(2 * SAMPLE_RATE - ONSET) / SAMPLE_RATE
    partials = sum(np.sin(2 * np.pi * hz * k * clock) / k for k in (1, 2, 3))
    rise = np.minimum(clock / attack_s, 1.0) if attack_s else 1.0
    sound = np.random.default_rng(0).normal(0, 1e-4, 2 * SAMPLE_RATE)
    sound[ONSET:] += 0.3 * partials * rise * np.exp(-decay_per_s * clock)
    return sound.astype(np.float32)


def half_rise_s(sound: NDArray[np.float32], around: int, slowdown: int) -> float:
    """When the sound's level reaches half of its peak near an onset, in seconds of the output."""
    level = np.sqrt(np.convolve(sound.astype(np.float64) ** 2, np.full(441, 1 / 441), "same"))
    reach = round(0.1 * SAMPLE_RATE) * slowdown
    near = level[around - reach : around + reach]
    return (around - reach + np.flatnonzero(near > 0.5 * near.max())[0]) / SAMPLE_RATE


def reader(sound: NDArray[np.float32]):
    padded = np.pad(sound, 4 * SAMPLE_RATE)
    return lambda begin, end: padded[begin + 4 * SAMPLE_RATE : end + 4 * SAMPLE_RATE]


@pytest.mark.parametrize("slowdown", [2, 4])
@pytest.mark.parametrize(
    ("hz", "attack_s", "decay_per_s"),
    [(110, 0, 30), (110, 0.004, 2), (440, 0.004, 2), (1760, 0.004, 2), (110, 0.06, 0), (220, 0.06, 0), (880, 0.06, 0)],
    ids=["click", "piano A2", "piano A4", "piano A6", "bowed A2", "bowed A3", "bowed A5"],
)
def test_an_onset_is_within_five_milliseconds_of_music(
    slowdown: int, hz: float, attack_s: float, decay_per_s: float
) -> None:
    sound = note(hz, attack_s, decay_per_s)
    slow = stretched_span(reader(sound), 0, slowdown * len(sound), slowdown)
    error_s = half_rise_s(slow, ONSET * slowdown, slowdown) / slowdown - half_rise_s(sound, ONSET, 1)
    assert abs(error_s) < 0.005


@pytest.mark.parametrize("slowdown", [2, 4])
@pytest.mark.parametrize("hz", [110.0, 440.0, 1760.0])
def test_the_pitch_and_the_level_stay(slowdown: int, hz: float) -> None:
    clock = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    slow = stretch((0.5 * np.sin(2 * np.pi * hz * clock)).astype(np.float32), slowdown)
    inside = slow[SAMPLE_RATE : SAMPLE_RATE * (3 * slowdown - 1)]
    spectrum = np.abs(np.fft.rfft(inside * np.hanning(len(inside))))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(inside) == pytest.approx(hz, rel=0.003)
    assert np.sqrt(np.mean(inside**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


@given(first=st.integers(-5_000, 3 * BLOCK), length=st.integers(1, 30_000))
@settings(max_examples=8, deadline=None)
def test_a_part_is_the_same_as_within_the_whole(first: int, length: int) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    whole = stretched_span(reader(sound), -5_000, 3 * BLOCK + 30_000, 2)
    part = stretched_span(reader(sound), first, first + length, 2)
    np.testing.assert_array_equal(part, whole[first + 5_000 : first + 5_000 + length])


def test_at_full_speed_nothing_is_changed() -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, 5_000).astype(np.float32)
    assert stretch(sound, 1) is sound
    np.testing.assert_array_equal(stretched_span(reader(sound), 100, 900, 1), sound[100:900])


def test_blocks_join_without_a_step_or_a_gap() -> None:
    clock = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    sound = (0.5 * np.sin(2 * np.pi * 440 * clock)).astype(np.float32)
    slow = stretched_span(reader(sound), 0, 6 * SAMPLE_RATE, 2)
    seam = slow[2 * BLOCK - 4_000 : 2 * BLOCK + 4_000]
    steepest = 2 * np.pi * 440 / SAMPLE_RATE * 0.5 * np.sqrt(2)
    assert np.abs(np.diff(seam)).max() < 1.2 * steepest


def test_silence_stays_silent() -> None:
    assert not stretch(np.zeros(10_000, np.float32), 4).any()
