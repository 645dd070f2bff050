"""The example for PyTorch, where it is installed: ``python -m pytest tests/optional``."""

from pathlib import Path

from small_corpus import write_corpus
from train_frames import train

from musicnet_build.packing.frames import FramesSettings, pack_frames


def test_a_model_learns_from_a_package_through_worker_processes(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus")
    pack_frames(corpus, tmp_path / "frames.h5", FramesSettings(labellings=["a"]))
    losses = train(str(tmp_path / "frames.h5"), "configuration_1/fold_1/train", epochs=4, workers=2)
    assert losses[-1] < losses[0] < 1.0
