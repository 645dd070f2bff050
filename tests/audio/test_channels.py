"""Tests of the mix: channels are averaged unless they cancel each other."""

import numpy as np
import pytest
from numpy.typing import NDArray

from musicnet_build.audio.channels import CANCELLED_TIME, ChannelMix

RATE = 8_000


def mixed(*channels: NDArray[np.float32], block: int = 1000) -> tuple[NDArray[np.float32], ChannelMix]:
    sound = np.stack(channels, axis=1).astype(np.float32)
    mix = ChannelMix(RATE)
    blocks = (sound[at : at + block] for at in range(0, len(sound), block))
    return np.concatenate(list(mix.mono(blocks))), mix


def noise(seed: int, seconds: float = 10.0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def test_channels_are_averaged() -> None:
    mono, mix = mixed(noise(0), 0.5 * noise(0))
    assert np.allclose(mono, 0.75 * noise(0))
    assert mix.cancelled_share() == 0.0


@pytest.mark.parametrize("block", [100, 1000, 80_000])
def test_the_share_does_not_depend_on_how_the_sound_comes_in(block: int) -> None:
    half = np.concatenate([noise(0, 5.0), -noise(1, 5.0)])
    _, mix = mixed(np.concatenate([noise(0, 5.0), noise(1, 5.0)]), half, block=block)
    assert mix.cancelled_share() == pytest.approx(0.5)


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_independent_channels_do_not_cancel(channels: int) -> None:
    _, mix = mixed(*(noise(seed) for seed in range(channels)))
    assert mix.cancelled_share() == 0.0


def test_one_voice_among_silent_channels_does_not_cancel() -> None:
    _, mix = mixed(*(np.zeros_like(noise(0)) for _ in range(5)), noise(0))
    assert mix.cancelled_share() == 0.0


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_a_channel_the_wrong_way_round_cancels_and_the_louder_one_is_named(gain: float) -> None:
    floor = 0.01 * noise(7)
    _, mix = mixed(noise(0) + floor, floor - gain * noise(0))
    assert mix.cancelled_share() > CANCELLED_TIME
    assert mix.loudest() == (1 if gain == 2.0 else 0)


def test_what_cancels_in_the_silence_between_does_not_count() -> None:
    hiss = 1e-3 * noise(3, 8.0)
    _, mix = mixed(np.concatenate([noise(0, 2.0), hiss]), np.concatenate([noise(1, 2.0), -hiss]))
    assert mix.cancelled_share() == 0.0


def test_silence_cancels_nothing() -> None:
    _, mix = mixed(np.zeros(RATE, np.float32), np.zeros(RATE, np.float32))
    assert mix.cancelled_share() == 0.0
    assert ChannelMix(RATE).cancelled_share() == 0.0
