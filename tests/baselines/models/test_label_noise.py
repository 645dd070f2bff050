"""The networks of Kelz and Widmer: sizes, what they hear, and how they are judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from frames_package import write_frames  # noqa: E402

from musicnet_build.baselines.models import label_noise  # noqa: E402
from musicnet_build.errors import TrainingError  # noqa: E402
from musicnet_build.packing.frames import FramesReader  # noqa: E402

SMALL = replace(label_noise.MODELS["label-noise"].presets["small"], fold="given/fold_1")


def test_the_papers_networks_have_the_sizes_of_the_published_code() -> None:
    def dense_inputs(name: str) -> int:
        network = label_noise.network(label_noise.MODELS[name].presets["paper"])
        return next(layer for layer in network if isinstance(layer, torch.nn.Linear)).in_features

    # 64 maps of 1 x 55 left of 5 x 229; 128 maps of 1 x 24 left of 17 x 229.
    assert dense_inputs("label-noise") == 64 * 55
    assert dense_inputs("label-noise-100") == 128 * 24


@pytest.mark.parametrize("name", label_noise.MODELS)
def test_windows_become_numbers_for_88_keys(name: str) -> None:
    settings = label_noise.MODELS[name].presets["small"]
    network = label_noise.network(settings).eval()
    said = label_noise.predicted(network, np.zeros((3, settings.context, 229), np.float32))
    assert said.shape == (3, 88)
    assert ((said > 0) & (said < 1)).all()


def test_windows_of_a_recording_are_those_of_the_reader(frames_package: Path) -> None:
    reader = FramesReader(frames_package, "given/fold_1/test", context=5)
    (name,) = reader.names
    windows = label_noise.windows_of(reader.recording(name)[0], 5)
    assert len(windows) == len(reader)
    for frame in (0, 1, 20, len(reader) - 1):
        assert np.array_equal(windows[frame], reader[frame][0])


def test_low_rates_are_interpolated_between_their_frames() -> None:
    said = np.arange(4, dtype=np.float32)[:, None].repeat(88, axis=1)
    at_100 = label_noise.upsampled(said, 31.25, 12)
    # A frame of 10 ms is 0.3125 frames of 32 ms; nothing is known behind the last.
    assert at_100[:, 0] == pytest.approx(np.minimum(0.3125 * np.arange(12), 3))
    assert np.array_equal(label_noise.upsampled(said, 100.0, 4), said)


def test_a_recording_is_judged_on_the_frames_of_the_reference(frames_package: Path) -> None:
    network = label_noise.network(SMALL).eval()
    reader = label_noise.reader_of_test(frames_package, SMALL)
    said, reference = label_noise.judged(network, reader, reader.names[0], SMALL)
    assert said.shape == reference.shape
    assert reference.any()


def test_the_rate_of_learning_falls_in_steps() -> None:
    settings = replace(SMALL, steps=100, learning_rate=0.8)
    rates = [label_noise._rate(settings, step) for step in (0, 19, 20, 40, 99)]
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.2, 0.05])


def test_the_batch_of_a_step_is_always_the_same(frames_package: Path) -> None:
    task = label_noise.task(label_noise.network(SMALL), frames_package, SMALL, seed=3)
    first, again, other = task.batch(5), task.batch(5), task.batch(6)
    assert first[0].shape == (SMALL.batch_size, 5, 229)
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_fold_without_recordings_is_refused(tmp_path: Path) -> None:
    package = write_frames(tmp_path, splits=("train", "train", "train", "train", "train", "test"))
    with pytest.raises(TrainingError, match="has no recordings in given/fold_1/valid"):
        label_noise.task(label_noise.network(SMALL), package, SMALL, seed=0)
