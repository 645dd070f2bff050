"""Two U-nets: shapes, losses, whole recordings in pieces, and that something is learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.audio.io import read_audio  # noqa: E402
from musicnet_build.baselines.baseline import Batch  # noqa: E402
from musicnet_build.baselines.models.reconstruction import (  # noqa: E402
    BINS,
    PRESETS,
    Model,
    Recurrent,
    Settings,
    Transcription,
    UNet,
    activations,
    heard,
    loss,
    task,
)
from musicnet_build.baselines.training import learn  # noqa: E402
from musicnet_build.packing.segments import SegmentsReader  # noqa: E402

TINY: Settings = replace(PRESETS["reconstruction"]["small"], frames=16, channels=(4, 8), hidden=16, batch_size=2)


def test_a_u_net_keeps_the_size_whatever_it_is_and_sees_all_around() -> None:
    torch.manual_seed(0)
    net = UNet((4, 6, 8)).eval()
    for frames, bins in ((5, 229), (33, 176)):
        assert net(torch.zeros(2, frames, bins)).shape == (2, frames, bins)
    picture = torch.rand(1, 16, 16, requires_grad=True)
    net(picture)[0, 8, 8].backward()
    assert picture.grad is not None
    assert (picture.grad != 0).sum() > 81


@pytest.mark.parametrize("spectrum", ["mel", "cqt"])
def test_the_model_reconstructs_and_transcribes_again(spectrum: str) -> None:
    model = Model(replace(TINY, spectrum=spectrum))
    found = model(torch.rand(2, 16, BINS[spectrum]))
    assert found.first.shape == found.second.shape == (2, 16, 88)
    assert found.reconstruction.shape == (2, 16, BINS[spectrum])
    assert Model(replace(TINY, reconstructs=False))(torch.rand(2, 16, 229))[1:] == (None, None)


def test_the_loss_is_the_square_error_and_both_cross_entropies() -> None:
    class Fixed(torch.nn.Module):
        def forward(self, spectrogram: torch.Tensor) -> Transcription:
            likely = torch.full((1, 4, 88), 2.0)
            return Transcription(likely, spectrogram + 0.5, -likely)

    batch: Batch = (torch.rand(1, 4, 229), torch.ones(1, 4, 88))
    right, wrong = np.log1p(np.exp(-2.0)), np.log1p(np.exp(2.0))
    assert loss(Fixed(), batch).item() == pytest.approx(0.25 + right + wrong, rel=1e-5)


def test_a_batch_follows_from_seed_and_step(segments_package: Path) -> None:
    model = Model(TINY)
    one, same, other = (task(model, segments_package, TINY, seed).batch(7) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])
    assert one[0].shape == (2, 16, 229)
    assert one[1].shape == (2, 16, 88)


def test_the_transcriber_learns_the_pieces(segments_package: Path) -> None:
    settings = replace(TINY, reconstructs=False, steps=100, batch_size=4, learning_rate=1e-2)
    torch.manual_seed(0)
    model = Model(settings)
    training = task(model, segments_package, settings, 0)
    losses = [learn(model, training, step, training.batch(step), 0).item() for step in range(100)]
    assert np.mean(losses[-5:]) < 0.4 * losses[0]
    figures = training.validate(model.eval())
    assert set(figures) == {"f1", "precision", "recall", "threshold"}


def test_a_whole_recording_goes_through_in_pieces_as_in_one() -> None:
    class Memoryless(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.Linear(229, 88)

        def forward(self, spectrogram: torch.Tensor) -> Transcription:
            return Transcription(self.last(spectrogram))

    model, spectrogram = Memoryless(), np.random.default_rng(0).random((1500, 229), dtype=np.float32)
    whole = torch.sigmoid(model(torch.from_numpy(spectrogram)[None]).first[0]).detach().numpy()
    np.testing.assert_allclose(heard(model, spectrogram).first, whole, atol=1e-6)
    made = heard(Model(TINY).eval(), spectrogram[:700])
    assert made.reconstruction is not None
    assert made.reconstruction.shape == (700, 229)


def test_a_recording_is_heard_as_the_package_shows_it(segments_package: Path) -> None:
    recording = next(segments_package.parent.rglob("MAPS_MUS-two_SynSinBb.wav"))
    model = Model(replace(TINY, reconstructs=False)).eval()
    reader = SegmentsReader(segments_package, "test")
    place = [name.split("/")[-1] for name in reader.names].index("MAPS_MUS-two_SynSinBb")
    found = activations(model, read_audio(recording), TINY)
    expected = heard(model, reader.whole(place)["mel"]).first
    assert found.frame.shape == expected.shape
    np.testing.assert_allclose(found.frame, expected, atol=0.02)


def test_a_recurrent_layer_hears_what_comes_before_and_after() -> None:
    layer = Recurrent(3, 4, 2)
    values = torch.zeros(1, 9, 3, requires_grad=True)
    layer(values)[0, 4].sum().backward()
    assert values.grad is not None
    assert values.grad[0, 0].abs().sum() > 0
    assert values.grad[0, 8].abs().sum() > 0
