"""What packers take: a dataset's own split, and nothing that is not finished."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from small_corpus import write_corpus

from musicnet_build.audio.io import write_audio
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import empty_notes
from musicnet_build.packing.frames import FramesSettings, pack_frames
from musicnet_build.packing.musicnet_h5 import MusicNetSettings, pack_musicnet
from musicnet_build.packing.peers.transcription import TranscriptionSettings, pack_transcription
from musicnet_build.packing.segments import SegmentsSettings, pack_segments
from musicnet_build.packing.sources import Packed, SourceSettings, other_categories
from musicnet_build.packing.thumbnails import ThumbnailsSettings, pack_thumbnails

PUBLISHED = ("1819", "2191", "2303")
TEST = {"5", "7", "2191"}
VALIDATION = {"9", "2303"}
IDS = [*map(str, range(1, 41)), *PUBLISHED]


def split_of(name: str) -> str:
    return "test" if name in TEST else "validation" if name in VALIDATION else "train"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings 1 to 40, 1819, 2191 and 2303, a third of a second each, in three sets of their owner's choice."""
    folder = tmp_path_factory.mktemp("own")
    notes = empty_notes(1)
    notes["onset_s"], notes["offset_s"], notes["pitch"], notes["velocity"] = 0.1, 0.3, 69, 64
    tone = np.sin(2 * np.pi * 440 * np.arange(15_000) / 44_100).astype(np.float32)
    for name in IDS:
        write_audio(folder / f"{split_of(name)}_data" / f"{name}.wav", 0.5 * tone)
        write_labels(folder / f"{split_of(name)}_labels" / f"{name}.csv", notes)
    untitled = "".join(f"{name},,,\n" for name in IDS)
    (folder / "musicnet_metadata.csv").write_text(f"id,composer,composition,movement\n{untitled}")
    return folder


def musicnet(folder: Path, out: Path) -> dict[str, set[str]]:
    pack_musicnet(folder, out)
    with h5py.File(out) as file:
        splits = {name.removeprefix("id_"): str(group.attrs["split"]) for name, group in file.items()}
    return {part: {name for name in splits if splits[name] == part} for part in ("train", "validation", "test")}


def transcription(folder: Path, out: Path) -> dict[str, set[str]]:
    pack_transcription(folder, out)
    return {
        part: {path.stem for path in (out / f"{part}_data").glob("*.flac")} for part in ("train", "validation", "test")
    }


def of_splits(path: Path, split: str) -> dict[str, set[str]]:
    with h5py.File(path) as file:
        parts = {part: file[f"splits/{split}/{part}"][:] for part in ("train", "valid", "test")}
    return {part.replace("valid", "validation"): {n.decode() for n in names} for part, names in parts.items()}


def frames(folder: Path, out: Path) -> dict[str, set[str]]:
    pack_frames(folder, out, FramesSettings(labellings=["a"]))
    return of_splits(out, "given/fold_1")


def segments(folder: Path, out: Path) -> dict[str, set[str]]:
    pack_segments(folder, out, SegmentsSettings(store_spectra=False))
    return of_splits(out, "segments/fold_1")


def thumbnails(folder: Path, out: Path) -> dict[str, set[str]]:
    pack_thumbnails(folder, out, ThumbnailsSettings(spectrum="stft"))
    with h5py.File(out) as file:
        parts, names = file["part"][:], file["recording"][:]
    return {
        part: {name.decode() for name in names[parts == number]}
        for number, part in enumerate(("train", "validation", "test"))
    }


@pytest.mark.parametrize("pack", [musicnet, transcription, frames, segments, thumbnails])
def test_every_package_keeps_the_split_of_the_folders(
    pack: Callable[[Path, Path], dict[str, set[str]]], folder: Path, tmp_path: Path
) -> None:
    expected = {part: {name for name in IDS if split_of(name) == part} for part in ("train", "validation", "test")}
    assert pack(folder, tmp_path / "out.h5") == expected


@pytest.mark.parametrize(("name", "test"), [("paper", {"1819", "2303"}), ("second-release", set(PUBLISHED))])
def test_a_published_split_is_used_where_it_is_named(name: str, test: set[str], folder: Path, tmp_path: Path) -> None:
    pack_segments(folder, tmp_path / "out.h5", SegmentsSettings(store_spectra=False, published_split=name), workers=2)
    parts = of_splits(tmp_path / "out.h5", "segments/fold_1")
    assert parts["test"] == test
    assert not parts["validation"] & test


def test_empty_parts_are_said(dataset: Path, tmp_path: Path) -> None:
    packed = pack_segments(dataset, tmp_path / "out.h5", SegmentsSettings(store_spectra=False))
    assert packed.parts == {"train": 2, "valid": 0, "test": 1}
    assert packed.warnings == ("nothing is in valid.",)


PACKERS: list[tuple[Callable[..., Packed], Callable[..., Any]]] = [
    (pack_musicnet, MusicNetSettings),
    (pack_transcription, TranscriptionSettings),
    (pack_frames, FramesSettings),
    (pack_segments, SegmentsSettings),
    (pack_thumbnails, ThumbnailsSettings),
]


@pytest.mark.parametrize(("pack", "settings"), PACKERS)
def test_a_dataset_that_is_not_finished_is_refused(
    pack: Callable[..., Packed], settings: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    for place in ("train_data", "train_labels"):
        (tmp_path / "in" / place).mkdir(parents=True)
    (tmp_path / "in" / "train_data" / "1.wav").write_bytes((folder / "train_data" / "1.wav").read_bytes())
    (tmp_path / "in" / "train_labels" / "1.csv").write_bytes((folder / "train_labels" / "1.csv").read_bytes())
    (tmp_path / "in" / ".build").mkdir()
    with pytest.raises(DatasetError, match="is not finished"):
        pack(tmp_path / "in", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()
    if pack is pack_musicnet:
        assert pack(tmp_path / "in", tmp_path / "out.h5", settings(partial=True)).recordings == 1


def test_sounds_of_other_categories_are_counted(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "maps")
    assert other_categories(corpus, SourceSettings()) == 4
    assert other_categories(corpus, SourceSettings(categories=("ISOL", "MUS"))) == 0
    next((corpus / "SynSinAa" / "ISOL").rglob("*.txt")).unlink()
    assert other_categories(corpus, SourceSettings()) == 4
    (tmp_path / "overlays").mkdir()
    assert other_categories(tmp_path, SourceSettings()) == 0
