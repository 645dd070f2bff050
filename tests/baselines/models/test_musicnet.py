"""The models of Thickstun et al.: what goes in, what comes out, and of what size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from made_package import SPLITS, sines, tune, write_package  # noqa: E402

from musicnet_build.baselines.models import musicnet  # noqa: E402
from musicnet_build.errors import TrainingError  # noqa: E402
from musicnet_build.notes import SAMPLE_RATE  # noqa: E402

PAPER = {name: model.presets["paper"] for name, model in musicnet.MODELS.items()}
SMALL = {name: model.presets["small"] for name, model in musicnet.MODELS.items()}


def parameters(name: str) -> int:
    return sum(parameter.numel() for parameter in musicnet.network(PAPER[name]).parameters())


def test_the_papers_models_have_the_papers_sizes() -> None:
    assert parameters("musicnet-linear") == 128 * 1025 + 128
    assert parameters("musicnet-mlp") == 500 * 2048 + 128 * 500 + 128
    # 225 places of a filter, in pools of 16 that are 8 apart: 27 of them.
    assert parameters("musicnet-cnn") == 500 * 2048 + 128 * 500 * 27 + 128


@pytest.mark.parametrize("name", SMALL)
def test_windows_become_numbers_for_128_notes_whatever_their_level(name: str) -> None:
    settings = SMALL[name]
    network = musicnet.network(settings).eval()
    windows = torch.randn(3, settings.window_samples)
    said = network(windows)
    assert said.shape == (3, 128)
    assert torch.allclose(said, network(0.1 * windows), atol=0.02)
    assert torch.isfinite(network(torch.zeros(1, settings.window_samples))).all()


def test_the_spectrum_of_a_sine_peaks_at_its_frequency() -> None:
    sine = torch.sin(2 * torch.pi * 100 * torch.arange(2048) / 2048)[None]
    for log in (False, True):
        assert int(musicnet.Spectrum(2048, log)(sine).argmax()) == 100


def test_log_relugrams_are_not_learned_and_hear_every_phase() -> None:
    layer = musicnet.sinusoids(512)
    assert not any(parameter.requires_grad for parameter in layer.parameters())
    time = torch.arange(512) / 512
    for phase in (0.0, 1.0, 2.5, 4.0):
        heard = torch.relu(layer(torch.sin(2 * torch.pi * 20 * time + phase)))
        assert int(heard.argmax()) % 127 == 19  # the 20th frequency, among 127 of four kinds


def test_features_that_do_not_exist_are_refused() -> None:
    with pytest.raises(TrainingError, match="no features 'wavelets'"):
        musicnet.network(replace(SMALL["musicnet-linear"], features="wavelets"))


def test_a_package_without_recordings_for_validation_is_refused(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p.h5", seconds=1.0, splits={"1": "train", "4": "test"})
    settings = SMALL["musicnet-linear"]
    with pytest.raises(TrainingError, match="--validation-share"):
        musicnet.task(musicnet.network(settings), package, settings, 0)


def test_the_test_takes_the_papers_windows(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p.h5", seconds=3.0)
    settings = SMALL["musicnet-linear"]
    network = musicnet.network(settings).eval()
    ((name, scores, truth),) = musicnet.on_test_recordings(network, package, settings, every=2)
    assert SPLITS[name] == "test"
    # Middles every 1,024 samples from the first second to half a window before the end.
    assert len(truth) == 1 + (3 * SAMPLE_RATE - 1024 - SAMPLE_RATE) // 1024
    assert scores.shape == truth.shape
    assert truth.any()


def test_a_recording_is_heard_from_its_first_sample_to_its_last() -> None:
    settings = SMALL["musicnet-linear"]
    audio = sines(tune(1, 1.0), 1.0)
    said = musicnet.activations(musicnet.network(settings).eval(), audio, settings)
    assert said.frame.shape == (1 + len(audio) // 512, 128)
    assert said.frame_length_s == 512 / SAMPLE_RATE
    assert np.isfinite(said.frame).all()
