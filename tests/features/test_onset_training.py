"""Tests of the training of the onset network: it learns what it is shown, always the same, and spoils nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from musicnet_build.features.onset_training import (
    MARGIN_FRAMES,
    SPAN_FRAMES,
    Example,
    Training,
    _gradients,
    fine_tuned,
    onset_example,
)
from musicnet_build.features.onsets import CHANNELS, onset_model


def examples(count: int = 40) -> list[Example]:
    """Notes that begin where the energy of all channels rises, three frames late for what the network is used to."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(count):
        true = random.uniform(150, 200)
        channels = random.uniform(0.0, 0.2, (350, CHANNELS)).astype(np.float32)
        channels[round(true) + 3 :] += 1.5
        example = onset_example(channels, true, np.array([]), round(true + random.uniform(-20, 20)), 2.0)
        assert example
        found.append(example)
    return found


def loss(model, shown: list[Example]) -> float:
    total = 0.0
    for seen, target, allowed in shown:
        logits = np.where(allowed, model(seen)[MARGIN_FRAMES - SPAN_FRAMES : SPAN_FRAMES - MARGIN_FRAMES], -1e9)
        shifted = logits - logits.max()
        total -= float(np.sum(target * (shifted - np.log(np.exp(shifted).sum()))))
    return total / len(shown)


def test_what_is_learnt_from_some_notes_holds_for_others() -> None:
    shown = examples()
    model = fine_tuned(onset_model(), shown[:30], Training(steps=30))
    assert loss(model, shown[30:]) < loss(onset_model(), shown[30:]) - 0.2


def test_the_same_examples_give_the_same_weights_and_the_network_of_the_package_stays_as_it_is() -> None:
    before = {name: value.tobytes() for name, value in onset_model().weights().items()}
    first, second = (fine_tuned(onset_model(), examples(), Training(steps=5)).weights() for _ in range(2))
    assert {name: value.tobytes() for name, value in first.items()} == {n: v.tobytes() for n, v in second.items()}
    assert {name: value.tobytes() for name, value in onset_model().weights().items()} == before


def test_the_number_of_threads_changes_no_byte() -> None:
    program = (
        "import hashlib, test_onset_training as t\n"
        "m = t.fine_tuned(t.onset_model(), t.examples(), t.Training(steps=3)).weights()\n"
        "print(hashlib.sha256(b''.join(m[name].tobytes() for name in sorted(m))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    shown = examples(4)
    weights = {name: value.astype(np.float64) for name, value in onset_model().weights().items()}
    columns = [np.stack(column).astype(np.float64) for column in zip(*shown, strict=True)]
    columns[2] = columns[2].astype(bool)
    gradients = _gradients(weights, *columns)
    random = np.random.default_rng(1)
    for name, value in weights.items():
        at = tuple(random.integers(size) for size in value.shape)
        losses = []
        for step in (1e-4, -1e-4):
            moved = {**weights, name: value.copy()}
            moved[name][at] += step
            losses.append(loss(type(onset_model())(**moved), [Example(*row) for row in zip(*columns, strict=True)]))
        assert gradients[name][at] == pytest.approx((losses[0] - losses[1]) / 2e-4, abs=2e-3)


@pytest.mark.parametrize(
    ("others", "centre"), [([108.0], 100), ([], MARGIN_FRAMES - 1), ([], 300 - MARGIN_FRAMES)], ids=str
)
def test_notes_near_each_other_or_the_edge_are_no_examples(others: list[float], centre: int) -> None:
    assert onset_example(np.zeros((300, CHANNELS), np.float32), 100.0, np.array(others), centre, 1.0) is None


def test_the_target_stays_out_of_the_frames_of_another_onset() -> None:
    example = onset_example(np.zeros((300, CHANNELS), np.float32), 150.0, np.array([170.0]), 150, 2.0)
    assert example
    at = np.arange(150 - SPAN_FRAMES, 150 + SPAN_FRAMES + 1)
    assert np.all(example.allowed == (at <= 160))
    assert example.target.sum() == pytest.approx(1.0)
    assert at[np.argmax(example.target)] == 150
