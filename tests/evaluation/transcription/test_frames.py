"""Frames compared: mir_eval itself is the reference."""

import mir_eval
import numpy as np
import pytest

from musicnet_build._typing import Bools
from musicnet_build.errors import LabelError
from musicnet_build.evaluation.transcription.frames import frame_counts, frame_match


def by_mir_eval(true: Bools, predicted: Bools) -> list[float]:
    times = np.arange(len(true)) * 0.01
    hertz = [[mir_eval.util.midi_to_hz(np.flatnonzero(row)) for row in roll] for roll in (true, predicted)]
    return list(mir_eval.multipitch.metrics(times, hertz[0], times, hertz[1]))[:7]


def test_figures_are_those_of_mir_eval_in_one_block_or_several() -> None:
    random = np.random.default_rng(1)
    true = random.random((300, 128)) < 0.03
    true[:, :21] = true[:, 109:] = False  # mir_eval takes no pitch below 20 or above 5,000 Hz
    predicted = true & (random.random(true.shape) < 0.7)
    predicted[:, 21:109] |= random.random((300, 88)) < 0.01
    precision, recall, accuracy, e_sub, e_miss, e_fa, e_tot = by_mir_eval(true, predicted)
    for blocks in ([(true, predicted)], [(true[:100], predicted[:100]), (true[100:], predicted[100:])]):
        found = frame_match(frame_counts(blocks))
        shares = (found.precision, found.recall, found.accuracy, found.e_sub, found.e_miss, found.e_fa, found.e_tot)
        assert shares == pytest.approx((precision, recall, accuracy, e_sub, e_miss, e_fa, e_tot))
        assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_silence_finds_nothing_and_where_nothing_is_true_nothing_can_be_said() -> None:
    true, silent = np.zeros((2, 10, 128), dtype=bool)
    true[2:5, 60] = True
    found = frame_match(frame_counts([(true, silent)]))
    assert (found.precision, found.recall, found.f1, found.accuracy) == (0, 0, 0, 0)
    assert (found.e_tot, found.e_miss, found.e_sub, found.e_fa) == (1, 1, 0, 0)
    with pytest.raises(LabelError, match="no true note"):
        frame_match(frame_counts([(silent, true)]))
