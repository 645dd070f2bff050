"""A ``frames`` package of six short pieces of sines, with a split of its own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from small_corpus import write_corpus

from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.packing.frames import FramesSettings, pack_frames

SPLITS = ("train", "train", "train", "train", "validation", "test")


def write_frames(folder: Path, splits: Sequence[str] = SPLITS) -> Path:
    """Write corpus and package; return the path of the package, whose split is ``given/fold_1``."""
    recordings = find_recordings(write_corpus(folder / "corpus"))
    parted = [replace(recording, split=split) for recording, split in zip(recordings, splits, strict=True)]
    pack_frames(parted, folder / "frames.h5", FramesSettings())
    return folder / "frames.h5"
