"""Tests of the effects: what is heard changes, when it is heard does not."""

import numpy as np
import pytest

from musicnet_build.audio.effects import apply_reverb, impulse_response, noise_floor, simulate_guitar_amp
from musicnet_build.audio.loudness import level_dbfs
from musicnet_build.notes import SAMPLE_RATE


def test_a_room_leaves_the_direct_sound_in_its_place_and_adds_its_energy_behind() -> None:
    click = np.zeros(1000, np.float32)
    click[100] = 0.5
    response = impulse_response(0.4, -3.0, np.random.default_rng(1))
    wet = apply_reverb(click, response)
    assert len(wet) == len(click) + len(response) - 1
    assert int(np.abs(wet).argmax()) == 100
    assert wet[100] == pytest.approx(0.5, abs=1e-6)
    behind = wet[101 : 100 + round(0.008 * SAMPLE_RATE) - 1]
    assert np.abs(behind).max() < 1e-6
    assert np.sum(np.square(response[1:], dtype=np.float64)) == pytest.approx(10**-0.3, rel=1e-5)


def test_noise_has_the_level_that_is_asked_for() -> None:
    assert level_dbfs(noise_floor(SAMPLE_RATE, -60.0, np.random.default_rng(2))) == pytest.approx(-60.0, abs=1e-4)


def test_the_amplifier_adds_harmonics_keeps_the_loudness_and_leaves_silence_alone() -> None:
    time_s = np.arange(44_100) / 44_100
    tone = (0.2 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    driven = simulate_guitar_amp(tone, 44_100)
    spectrum = np.abs(np.fft.rfft(driven))
    assert spectrum[1320] > 0.05 * spectrum[440]  # tanh makes odd harmonics
    assert np.abs(np.fft.rfft(tone))[1320] < 1e-3 * spectrum[440]
    assert np.sqrt(np.mean(driven**2)) == pytest.approx(np.sqrt(np.mean(tone**2)), rel=1e-3)
    assert not simulate_guitar_amp(np.zeros(1000, np.float32), 44_100).any()
