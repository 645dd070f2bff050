"""Packers that fail, are killed or meet a full disk, and go on."""

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_corpus import write_corpus

from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.errors import DatasetError
from musicnet_build.packing import segments
from musicnet_build.packing.shards import FOLDER_INDEX, publishing_folder, shard_folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def test_a_run_that_failed_keeps_its_shards_and_the_next_one_uses_them(corpus: Path, tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "corpus")
    copies, settings = find_recordings(source), segments.SegmentsSettings(keep_test_pieces=True, store_spectra=False)
    broken = copies[-1].labels
    good = broken.read_bytes()
    broken.write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"line 1.*1 of 6 recordings could not be packed.*run again"):
        segments.pack_segments(source, tmp_path / "s.h5", settings)
    assert not (tmp_path / "s.h5").exists()
    # Labels that were changed in the meantime make a new shard: the old one must not be used for them.
    broken.write_bytes(good)
    copies[0].labels.write_bytes(good)
    # Dates mean nothing, as after a copy.
    os.utime(copies[1].labels)
    assert segments.pack_segments(source, tmp_path / "s.h5", settings).made == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "s.h5"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow beyond 60 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("spawned", "small_files")
def test_a_full_disk_leaves_no_package(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no space left"):
        segments.pack_segments(corpus, tmp_path / "s.h5")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_takes_the_place_of_the_former_whole_whatever_a_killed_packer_left(tmp_path: Path) -> None:
    package, shards = tmp_path / "package", shard_folder(tmp_path / "package")
    for names in (("a.parquet",), ("b.parquet", FOLDER_INDEX)):
        for leftover in ("whole.part", "former.part"):
            (shards / leftover).mkdir(parents=True)
            (shards / leftover / "c.parquet").touch()
        with publishing_folder(package) as whole:
            for name in (*names, FOLDER_INDEX):
                (whole / name).touch()
        assert {path.name for path in package.iterdir()} == {*names, FOLDER_INDEX}
        assert not shards.exists()
