"""The .npz of MusicNet's first release, opened as its loaders do: where the file is trusted, with pickles allowed."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.packing.musicnet_h5 import MusicNetSettings
from musicnet_build.packing.peers.npz import pack_npz

pytest.importorskip("intervaltree")


def test_each_id_has_its_audio_and_a_tree_of_labels(dataset: Path, tmp_path: Path) -> None:
    packed = pack_npz(dataset, tmp_path / "musicnet.npz", workers=2)
    assert [path.name for path in tmp_path.iterdir()] == ["musicnet.npz"]
    assert (packed.recordings, packed.parts["test"]) == (3, 1)
    # Made by this test a moment ago.
    with np.load(tmp_path / "musicnet.npz", allow_pickle=True) as file:
        assert set(file) == {"1", "2", "3"}
        audio, tree = file["3"]
    np.testing.assert_array_equal(audio, wavfile.read(dataset / "test_data" / "3.wav")[1])
    labels = read_labels(dataset / "test_labels" / "3.csv")
    rows = sorted((one.begin, one.end, one.data[0], one.data[1], one.data[3], one.data[4]) for one in tree)
    expected = [
        (round(n["onset_s"] * 44_100), round(n["offset_s"] * 44_100), n["program"] + 1, n["pitch"]) for n in labels
    ]
    assert [row[:4] for row in rows] == sorted(expected)
    assert {row[5] for row in rows} <= {"Eighth", "Quarter", "Dotted Eighth", "Half"}


@pytest.mark.parametrize("compress", [False, True])
def test_two_runs_give_the_same_bytes(compress: bool, dataset: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        pack_npz(dataset, tmp_path / f"{name}.npz", MusicNetSettings(compress=compress))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_what_is_missing_is_named(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match="float32 samples only"):
        pack_npz(dataset, tmp_path / "a.npz", MusicNetSettings(sample_format="int16"))
    without: dict[str, Any] = {"intervaltree": None}
    for name, module in without.items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(DatasetError, match="pip install"):
        pack_npz(dataset, tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())
