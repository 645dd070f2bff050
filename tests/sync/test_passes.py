"""What the passes compare; that coarse ones go through what is pinned, and say where that cannot be."""

import numpy as np
import pytest

from musicnet_build.anchors import Pins
from musicnet_build.errors import AlignmentError
from musicnet_build.sync.passes import (
    COARSE_HOP,
    FINE_HOP,
    PADDING_S,
    PIN_SLACK_S,
    coarse_band,
    coarse_maps,
    semitone_spectra,
)

HOP_S = COARSE_HOP / 44100


def test_a_signal_at_half_the_rate_has_the_same_spectra() -> None:
    def chord(rate: int) -> np.ndarray:
        times_s = np.arange(2 * rate) / rate
        tones = [np.sin(2 * np.pi * hz * times_s) * (times_s > 0.5 * k) for k, hz in enumerate((110, 466, 3520))]
        return (0.1 * np.sum(tones, axis=0)).astype(np.float32)

    whole, half = (semitone_spectra(chord(rate), FINE_HOP, rate) for rate in (44_100, 22_050))
    for name in ("onset_window", "pitch_window"):
        expected, found = getattr(whole, name), getattr(half, name)
        assert found.shape == expected.shape
        assert np.quantile(np.abs(found - expected), 0.99) < 0.01 * expected.max()


LONG = 200


def coarse_sides(score: list[int], recording: list[int]):
    """Features of two sequences of states, each frame of one of them."""
    return tuple(np.eye(8, dtype=np.float32)[states] for states in (score, recording))


def pin(score_frame: float, recording_frame: float) -> Pins:
    return Pins(np.array([score_frame * HOP_S - PADDING_S]), np.array([recording_frame * HOP_S - PADDING_S]))


def test_where_nothing_else_decides_a_pin_does() -> None:
    ostinato = [0] * 20 + [1] * LONG + [2] * 20
    sides = coarse_sides(ostinato, ostinato)
    pinned = pin(100, 130)
    band = coarse_band(sides, lambda free: pinned, 2**30)
    for time_map in coarse_maps(*sides, (1.25, 1.0), 2**30, band):
        assert abs(float(time_map.recording_at(pinned.score_s)[0]) - pinned.recording_s[0]) < PIN_SLACK_S + HOP_S
    for time_map in coarse_maps(*sides, (1.25, 1.0), 2**30, coarse_band(sides, None, 2**30)):
        assert abs(float(time_map.recording_at(pinned.score_s)[0]) - pinned.score_s[0]) < HOP_S


def test_a_pin_that_the_recording_contradicts_is_named_with_what_is_heard() -> None:
    states = [int(state) for state in np.random.default_rng(1).integers(0, 8, 60) for _ in range(4)]
    sides = coarse_sides(states, states)
    right, wrong = pin(60, 60), pin(120, 160)
    both = Pins(*(np.concatenate(pair) for pair in zip(right, wrong, strict=True)))
    said, heard = (f"{(frame * HOP_S - PADDING_S):.1f}" for frame in (160, 120))
    with pytest.raises(AlignmentError, match=rf"anchor at {said[:3]}.*heard at {heard} s"):
        coarse_band(sides, lambda free: both, 2**30)
    assert coarse_band(sides, lambda free: right, 2**30) is not None
