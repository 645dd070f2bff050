"""HDF5 files are whole or absent, reproducible, and say plainly why they could not be written or read."""

import contextlib
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.packing import hdf5


def write_recording(path: Path, name: str, length: int = 3000) -> Path:
    random = np.random.default_rng(length)
    with hdf5.writing(path) as file:
        group = file.create_group(name)
        hdf5.add(group, "data", random.random(length, dtype=np.float32), attributes={"sample_rate": 44_100})
        hdf5.add(group, "labels", random.integers(0, 9, length), compress=True)
    return path


def write_images(path: Path, count: int, pixels: int = 8) -> Path:
    random = np.random.default_rng(count)
    with hdf5.writing(path) as file:
        hdf5.add(file, "image", random.integers(0, 255, (count, pixels), dtype=np.uint8), chunks=(1, pixels))
        hdf5.add(file, "pitch", np.arange(count), attributes={"unit": "MIDI number"})
    return path


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file of this process grow beyond 100 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_failing_body_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a.h5", "id_1")
    before = path.read_bytes()
    with contextlib.suppress(ZeroDivisionError), hdf5.writing(path) as file:
        hdf5.add(file, "data", np.zeros(9))
        raise ZeroDivisionError
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.usefixtures("small_files")
def test_a_full_disk_is_one_plain_error_and_leaves_nothing(compress: bool, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).random(100_000)
    words = r"a\.h5 cannot be written, as there is no space left"
    with pytest.raises(DatasetError, match=words), hdf5.writing(tmp_path / "a.h5") as file:
        hdf5.add(file, "data", noise, compress=compress)
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import contextlib
import resource, signal, sys
import numpy as np
from musicnet_build.packing import hdf5
from musicnet_build.errors import DatasetError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with hdf5.writing(sys.argv[1]) as file:
        for number in range(500):
            hdf5.add(file, str(number), np.ones(100), attributes={"text": "x" * 200})
except DatasetError:
    print("refused")
"""


def test_a_disk_that_fills_up_with_many_small_arrays_does_not_crash_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.h5")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout, process.stderr) == (0, "refused\n", "")


def test_merging_gives_the_same_bytes_at_any_time_and_keeps_everything(tmp_path: Path) -> None:
    shards = [write_recording(tmp_path / f"{name}.h5", f"id_{name}", 3000 + name) for name in range(3)]
    hdf5.merge_shards(tmp_path / "one.h5", shards, attributes={"title": "x"})
    time.sleep(1.1)  # HDF5 counts time in seconds
    shards = [write_recording(tmp_path / f"{name}.h5", f"id_{name}", 3000 + name) for name in range(3)]
    hdf5.merge_shards(tmp_path / "two.h5", shards, attributes={"title": "x"})
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()
    with h5py.File(tmp_path / "one.h5") as file, h5py.File(shards[1]) as shard:
        assert list(file) == ["id_0", "id_1", "id_2"]
        assert file.attrs["title"] == "x"
        assert file["id_1/data"].attrs["sample_rate"] == 44_100
        assert file["id_1/data"].chunks is None
        np.testing.assert_array_equal(file["id_1/data"], shard["id_1/data"])
        np.testing.assert_array_equal(file["id_1/labels"], shard["id_1/labels"])


def test_a_shard_that_is_missing_damaged_or_double_leaves_no_package(tmp_path: Path) -> None:
    good = write_recording(tmp_path / "good.h5", "id_1")
    (tmp_path / "damaged.h5").write_bytes(good.read_bytes()[:1000])
    for second, words in (("missing", "does not exist"), ("damaged", "cannot be read"), ("good", "earlier shard")):
        with pytest.raises(DatasetError, match=words):
            hdf5.merge_shards(tmp_path / "all.h5", [good, tmp_path / f"{second}.h5"])
        assert not (tmp_path / "all.h5").exists()


@pytest.mark.usefixtures("small_files")
def test_merging_onto_a_full_disk_leaves_no_package(tmp_path: Path) -> None:
    shards = [write_recording(tmp_path / f"{name}.h5", f"id_{name}", 12_000) for name in range(3)]
    with pytest.raises(DatasetError, match="no space left"):
        hdf5.merge_shards(tmp_path / "all.h5", shards)
    assert not (tmp_path / "all.h5").exists()


def test_stacked_shards_hold_all_rows_in_order(tmp_path: Path) -> None:
    shards = [write_images(tmp_path / f"{count}.h5", count) for count in (2, 1, 4)]
    hdf5.stack_shards(tmp_path / "all.h5", shards, attributes={"kind": "test"})
    with h5py.File(tmp_path / "all.h5") as file:
        assert file["pitch"][:].tolist() == [0, 1, 0, 0, 1, 2, 3]
        assert file["pitch"].attrs["unit"] == "MIDI number"
        assert file["image"].chunks == (1, 8)
        with h5py.File(shards[2]) as shard:
            np.testing.assert_array_equal(file["image"][3:], shard["image"])


def test_shards_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    first, second = write_images(tmp_path / "a.h5", 2), write_images(tmp_path / "b.h5", 2, pixels=9)
    with pytest.raises(DatasetError, match="shape and type"):
        hdf5.stack_shards(tmp_path / "all.h5", [first, second])
    other = write_recording(tmp_path / "c.h5", "id_1")
    with pytest.raises(DatasetError, match="no dataset"):
        hdf5.stack_shards(tmp_path / "all.h5", [first, other])
    assert not (tmp_path / "all.h5").exists()
