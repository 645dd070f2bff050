"""The base of readers: epochs that all workers share, one rule for what is drawn, files on disks without locks."""

import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.notes import empty_notes
from musicnet_build.packing import hdf5
from musicnet_build.packing.musicnet_h5 import h5_labels
from musicnet_build.packing.windows import MusicNetWindows


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording whose samples count from 0."""
    path = tmp_path_factory.mktemp("reader") / "musicnet.h5"
    with hdf5.writing(path) as file:
        group = file.create_group("id_1")
        hdf5.add(group, "data", np.arange(200_000, dtype=np.float32))
        hdf5.add(group, "labels", h5_labels(empty_notes(0)))
    return path


def reader_of(path: Path, **options: Any) -> MusicNetWindows:
    return MusicNetWindows(path, window_samples=16, epoch_windows=60, **options)


def serve(reader: MusicNetWindows, asked: Any, answered: Any) -> None:
    """What a persistent worker of a loader does."""
    while (index := asked.get()) is not None:
        answered.put((index, float(reader[index][0][0])))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_epochs_go_on_in_workers_that_persist_whichever_is_asked(method: str, path: Path) -> None:
    context = multiprocessing.get_context(method)
    reader = reader_of(path, seed=1)
    queues = [(context.Queue(), context.Queue()) for _ in range(2)]
    workers = [context.Process(target=serve, args=(reader, *pair)) for pair in queues]
    for worker in workers:
        worker.start()
    epochs = []
    for epoch in range(3):
        for index in range(60):
            queues[(index + index // 7 * epoch) % 2][0].put(index)
        answers = dict(queues[(index + index // 7 * epoch) % 2][1].get(timeout=60) for index in range(60))
        epochs.append([answers[index] for index in range(60)])
    for (asked, _), worker in zip(queues, workers, strict=True):
        asked.put(None)
        worker.join()
    assert epochs == [[float(reader.item(i, epoch)[0][0]) for i in range(60)] for epoch in range(3)]
    assert len({*epochs[0], *epochs[1], *epochs[2]}) > 170


def test_a_training_goes_on_in_the_epoch_that_is_named(path: Path) -> None:
    reader, other = reader_of(path), reader_of(path)
    other.set_epoch(5)
    np.testing.assert_array_equal(other[3][0], reader.item(3, 5)[0])
    np.testing.assert_array_equal(other[3][0], reader.item(3, 6)[0])


def test_a_copy_counts_for_itself(path: Path) -> None:
    reader = reader_of(path)
    reader[0]
    copy = pickle.loads(pickle.dumps(reader))
    np.testing.assert_array_equal(copy[0][0], reader.item(0, 1)[0])
    np.testing.assert_array_equal(reader[0][0], reader.item(0, 1)[0])


def test_an_augmentation_draws_from_a_stream_of_its_own(path: Path) -> None:
    def louder(item: Any, random: np.random.Generator) -> Any:
        return item[0] * 0 + np.float32(random.random()), item[1]

    plain, changed = reader_of(path, seed=2), reader_of(path, seed=2, augment=louder)
    assert changed.item(4, 0)[0][0] == changed[4][0][0] != changed[4][0][0]
    assert not np.array_equal(plain.item(4, 0)[0], changed.item(4, 0)[0])
    assert len({float(changed.item(i, 0)[0][0]) for i in range(60)}) == 60


def test_a_package_that_was_replaced_by_a_shorter_one_is_told(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "musicnet.h5"
    shutil.copy(path, copy)
    reader = reader_of(copy)
    copy.write_bytes(b"short")
    with pytest.raises(DatasetError, match="has changed since it was opened"):
        reader[0]


def test_a_file_that_a_reader_holds_open_is_opened_by_h5py_too(tmp_path: Path) -> None:
    with hdf5.writing(tmp_path / "musicnet.h5") as file:
        hdf5.add(file.create_group("id_1"), "data", np.zeros(20_000, np.float32), compress=True)
        hdf5.add(file["id_1"], "labels", h5_labels(empty_notes(0)), compress=True)
    reader = reader_of(tmp_path / "musicnet.h5")
    reader[0]
    with h5py.File(tmp_path / "musicnet.h5") as file:
        assert len(file["id_1/data"]) == 20_000


WITHOUT_LOCKS = "#include <errno.h>\nint flock(int fd, int operation) { errno = ENOLCK; return -1; }\n"
PACK_AND_READ = """
import sys
from musicnet_build.packing.windows import MusicNetWindows
from musicnet_build.packing.musicnet_h5 import pack_musicnet, MusicNetSettings
if __name__ == "__main__":
    pack_musicnet(sys.argv[1], sys.argv[2], MusicNetSettings(compress=True))
    print(len(MusicNetWindows(sys.argv[2])[0][0]))
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_packages_are_written_and_read_where_files_cannot_be_locked(dataset: Path, tmp_path: Path) -> None:
    """As on some network file systems."""
    (tmp_path / "nolock.c").write_text(WITHOUT_LOCKS)
    (tmp_path / "run.py").write_text(PACK_AND_READ)
    library = tmp_path / "nolock.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "nolock.c"], check=True)
    command = [sys.executable, str(tmp_path / "run.py"), str(dataset), str(tmp_path / "musicnet.h5")]
    environment = os.environ | {"LD_PRELOAD": str(library)}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (0, "16384\n"), process.stderr
