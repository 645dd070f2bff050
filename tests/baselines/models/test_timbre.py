"""Who plays what: colours become values, epochs and folds, and what is learned of two instruments."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.baselines.models.timbre import (  # noqa: E402
    PRESETS,
    Settings,
    TimbrePitches,
    network,
    pictures_of,
    predicted,
    steps_in,
    task,
    values_of,
)
from musicnet_build.baselines.training import learn  # noqa: E402
from musicnet_build.packing.timbre.frames import ABSENT  # noqa: E402
from musicnet_build.packing.timbre.images import colour_table, coloured  # noqa: E402
from musicnet_build.packing.timbre.reader import TimbreFrames  # noqa: E402

SMALL: Settings = replace(PRESETS["timbre"]["small"], steps=40, learning_rate=5e-3)


def trained(package: Path, settings: Settings) -> torch.nn.Module:
    torch.manual_seed(0)
    model = network(settings)
    training = task(model, package, settings, 0)
    for step in range(settings.steps):
        learn(model, training, step, training.batch(step), 0)
    assert training.validate(model.eval())["accuracy"] > 0.5
    return model


def test_colours_become_values_again() -> None:
    values = np.random.default_rng(0).random((3, 128, 8), dtype=np.float32)
    found = values_of(coloured(values, colour_table()), colour_table())
    np.testing.assert_allclose(found, values, atol=0.5 / 255 + 1e-6)


def test_an_epoch_has_each_frame_once_and_none_of_the_fold_that_is_held_out(timbre_package: Path) -> None:
    frames = TimbrePitches(timbre_package, SMALL, 1)
    steps = steps_in(timbre_package, SMALL, 1)
    drawn = [np.concatenate([frames.drawn(e * steps + k, 32, 0)[0] for k in range(steps)]) for e in range(2)]
    for epoch in drawn:
        assert sorted(epoch.tolist()) == frames.learned.tolist()
    assert drawn[0].tolist() != drawn[1].tolist()
    assert not set(frames.learned.tolist()) & set(frames.held_out.tolist())


@pytest.mark.parametrize("name", PRESETS)
def test_each_instrument_is_given_129_scores(name: str) -> None:
    model = network(PRESETS[name]["small"])
    assert model(torch.zeros(2, 1, 128, 8)).shape == (2, 2, 129)


def test_pictures_are_made_louder_and_softer_but_silence_stays_silent(timbre_package: Path) -> None:
    training = task(network(SMALL), timbre_package, SMALL, 0)
    pictures, pitches = training.batch(0)
    frames, _ = TimbrePitches(timbre_package, SMALL, 0).drawn(0, SMALL.batch_size, 0)
    stored = pictures_of(timbre_package)[frames]
    assert not np.array_equal(pictures[:, 0].numpy(), stored)
    assert np.all(pictures[:, 0].numpy()[stored == 0] == 0)
    assert pitches.shape == (32, 2)


def test_a_network_learns_a_small_set_and_one_without_trumpet_never_hears_one(timbre_package: Path) -> None:
    truth = TimbreFrames(timbre_package).pitches()
    balanced = predicted(trained(timbre_package, replace(SMALL, steps=80)), timbre_package)
    assert np.mean(balanced == truth) > 0.9
    alone = predicted(trained(timbre_package, replace(SMALL, subset="guitar_alone")), timbre_package)
    assert np.all(alone[:, 1] == ABSENT)
    assert np.all(alone[truth[:, 0] == ABSENT, 0] != ABSENT)


def test_a_network_of_single_labels_names_one_instrument(timbre_package: Path) -> None:
    settings = replace(SMALL, instruments=(1,))
    assert predicted(trained(timbre_package, settings), timbre_package).shape == (len(TimbreFrames(timbre_package)), 1)
