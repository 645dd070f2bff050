"""Packages hold what the dataset holds, in the form that published readers expect, byte for byte the same each time."""

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import wavfile
from small_dataset import contents

from musicnet_build.errors import DatasetError
from musicnet_build.packing.musicnet_h5 import MusicNetSettings, pack_musicnet


@pytest.fixture(scope="module")
def package(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "musicnet.h5"
    pack_musicnet(dataset, path)
    assert list(path.parent.iterdir()) == [path]
    return path


def test_readers_find_the_labels_by_name_and_by_position(package: Path, dataset: Path) -> None:
    rows = np.genfromtxt(dataset / "train_labels" / "1.csv", delimiter=",", skip_header=1, usecols=range(6))
    with h5py.File(package) as file:
        assert list(file) == ["id_1", "id_2", "id_3"]
        labels = file["id_1"]["labels"]
        assert labels.dtype.names == tuple(sorted(labels.dtype.names))
        assert len(labels.dtype.names) == 7
        for position, name, column in (
            (6, "start_time", 0),
            (1, "end_time", 1),
            (2, "instrument", 2),
            (4, "note_id", 3),
        ):
            np.testing.assert_array_equal(labels[name], rows[:, column])
            assert [row[position] for row in labels] == rows[:, column].tolist()
        np.testing.assert_allclose(labels["beat"], rows[:, 4])
        np.testing.assert_allclose(file["id_1/end_beat"], rows[:, 5])
        assert (
            labels["note_value"][0].decode()
            == (dataset / "train_labels" / "1.csv").read_text().split("\n")[1].split(",")[-1]
        )


def test_the_audio_is_that_of_the_wav_files(package: Path, dataset: Path) -> None:
    with h5py.File(package) as file:
        data = file["id_3"]["data"]
        assert (data.dtype, data.ndim, data.chunks) == (np.float32, 1, None)
        np.testing.assert_array_equal(data, wavfile.read(dataset / "test_data" / "3.wav")[1])
        assert file["id_3"].attrs["split"] == "test"
        assert file["id_1"].attrs["composer"] == "Bach, J. S."


@pytest.mark.parametrize(("sample_format", "compress"), [("float32", False), ("int16", True)])
def test_two_workers_pack_the_same_bytes_as_one(
    sample_format: Any, compress: bool, package: Path, dataset: Path, tmp_path: Path
) -> None:
    settings = MusicNetSettings(sample_format=sample_format, compress=compress)
    paths = [package] if sample_format == "float32" else [tmp_path / "one.h5"]
    if sample_format != "float32":
        pack_musicnet(dataset, paths[0], settings)
    pack_musicnet(dataset, tmp_path / "two.h5", settings, workers=2)
    assert paths[0].read_bytes() == (tmp_path / "two.h5").read_bytes()
    with h5py.File(tmp_path / "two.h5") as file, h5py.File(package) as exact:
        data = file["id_2/data"]
        sound = data[:] * data.attrs.get("scale", 1.0)
        assert np.abs(sound - exact["id_2/data"][:]).max() < 2e-5


def test_a_recording_that_cannot_be_packed_leaves_no_package_and_the_rest_need_not_be_packed_again(
    dataset: Path, package: Path, tmp_path: Path
) -> None:
    root, path = tmp_path / "in", tmp_path / "out" / "musicnet.h5"
    shutil.copytree(dataset, root)
    (root / "train_labels" / "2.csv").write_text("nonsense")
    with pytest.raises(DatasetError, match=r"not complete: recording 2: .*2\.csv"):
        pack_musicnet(root, path)
    assert not path.exists()
    shutil.copy(dataset / "train_labels" / "2.csv", root / "train_labels" / "2.csv")
    assert pack_musicnet(root, path).made == 1
    assert path.read_bytes() == package.read_bytes()


def test_packing_that_was_killed_leaves_nothing_behind_when_it_is_done_again(
    dataset: Path, package: Path, tmp_path: Path
) -> None:
    """As a killed process leaves it: temporary files of shards and of the whole, and a shard that is no HDF5 file."""
    path = tmp_path / "musicnet.h5"
    shards = tmp_path / ".musicnet.h5-shards"
    shards.mkdir()
    for name in (".1-abcd_123.h5", ".whole-abcd_123.part", "whole.part", "2.h5", "2.json"):
        (shards / name).write_bytes(b"half")
    pack_musicnet(dataset, path)
    assert contents(tmp_path) == {"musicnet.h5": package.read_bytes()}
