"""What the tests of networks share: one thread each, for small networks wait more than they compute, and packages."""

import contextlib
from pathlib import Path

import pytest
from frames_package import write_frames
from small_corpus import split_recordings, write_corpus
from timbre_helpers import SMALL_PAIR, soundfont

from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
from musicnet_build.packing.segments import SegmentsSettings, pack_segments
from musicnet_build.packing.timbre.images import ImageSettings
from musicnet_build.packing.timbre.package import PackSettings, pack_timbre

with contextlib.suppress(ImportError):
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def frames_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``frames`` package whose split is ``given/fold_1``."""
    return write_frames(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="session")
def segments_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``segments`` package of the corpus beside it."""
    folder = tmp_path_factory.mktemp("segments")
    corpus = write_corpus(folder / "corpus")
    pack_segments(split_recordings(corpus), folder / "segments.h5", SegmentsSettings(keep_test_pieces=True))
    return folder / "segments.h5"


@pytest.fixture(scope="session")
def timbre_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of the ascension beside it, in ``set``: frames of 4,096 samples."""
    folder = tmp_path_factory.mktemp("timbre")
    generate_ascension(folder / "set", [soundfont()], AscensionSettings(SMALL_PAIR, velocities=(90,)))
    pack_timbre(folder / "set", folder / "training-4096.h5", PackSettings(ImageSettings("cqt", 4096, 512)))
    return folder / "training-4096.h5"
