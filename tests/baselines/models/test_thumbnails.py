"""The pitch of a picture: shapes, distortion, learning, and a recording of a scale."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from small_corpus import played, sound, write_sound  # noqa: E402

from musicnet_build.baselines.decoding import notes_in  # noqa: E402
from musicnet_build.baselines.models.thumbnails import PRESETS, Settings, accuracy, activations, network, task  # noqa: E402
from musicnet_build.baselines.training import learn  # noqa: E402
from musicnet_build.corpora import maps  # noqa: E402
from musicnet_build.packing.thumbnails import ThumbnailsReader, pack_thumbnails  # noqa: E402

PITCHES = range(48, 84, 6)
SMALL: Settings = replace(
    PRESETS["thumbnails"]["small"], steps=120, filters=(4, 8), hidden=32, learning_rate=1e-2, batch_size=32
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("thumbnails")
    for bank in ("SynSinAa", "SynSinBb", "SynSinCc"):
        for pitch in PITCHES:
            notes = played([(0.3, 1.0, pitch)])
            write_sound(folder / "corpus", maps.isolated_stem("NO", "F", False, pitch, bank), notes)
    pack_thumbnails(folder / "corpus", folder / "thumbnails.h5")
    return folder / "thumbnails.h5"


@pytest.fixture(scope="module")
def trained(package: Path) -> torch.nn.Module:
    torch.manual_seed(0)
    model = network(SMALL)
    training = task(model, package, SMALL, 0)
    for step in range(SMALL.steps):
        learn(model, training, step, training.batch(step), 0)
    return model.eval()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("points", [24, 32])
def test_pictures_of_any_size_are_given_128_scores(name: str, points: int) -> None:
    model = network(replace(PRESETS[name]["small"], points=points))
    assert model(torch.zeros(3, 1, points, points)).shape == (3, 128)


def test_pictures_are_distorted_while_the_network_learns_and_only_then(package: Path) -> None:
    stored = {picture.tobytes() for picture in ThumbnailsReader(package, "train").pictures()}
    for distorted in (True, False):
        settings = replace(SMALL, distorted=distorted)
        pictures, pitches = task(network(settings), package, settings, 3).batch(5)
        drawn = [np.rint(255 * picture).astype(np.uint8).tobytes() for picture in pictures[:, 0].numpy()]
        assert all(one in stored for one in drawn) == (not distorted)
        assert set(pitches.tolist()) <= set(PITCHES)


def test_it_learns_the_pitches_of_sines(trained: torch.nn.Module, package: Path) -> None:
    assert accuracy(trained, package, "test") > 0.9


def test_a_recording_of_a_scale_becomes_its_notes(trained: torch.nn.Module) -> None:
    scale = [(0.5 + 0.8 * k, 1.1 + 0.8 * k, pitch) for k, pitch in enumerate(PITCHES)]
    audio = sound(played(scale)).astype(np.float32)
    found = notes_in(activations(trained, audio, SMALL), 0.5)
    long = found[found["offset_s"] - found["onset_s"] > 0.25]
    assert long["pitch"].tolist() == list(PITCHES)
    # A picture spans a second, and begins to show a note before it sounds.
    assert np.abs(long["onset_s"] - [onset_s for onset_s, _, _ in scale]).max() < 0.4
