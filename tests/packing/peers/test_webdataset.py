"""Tar shards, read in order as streaming loaders do: members of one recording follow each other."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import soundfile
from small_dataset import contents

from musicnet_build.labels.files import read_labels
from musicnet_build.packing.peers.rows import RowsSettings
from musicnet_build.packing.peers.webdataset import pack_webdataset


def samples_of(path: Path) -> dict[str, dict[str, bytes]]:
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path, "r|") as tar:
        for member in tar:
            key, ending = member.name.split(".", 1)
            file = tar.extractfile(member)
            assert file is not None
            samples.setdefault(key, {})[ending] = file.read()
    return samples


def test_a_sample_is_flac_and_json_of_one_recording(dataset: Path, tmp_path: Path) -> None:
    packed = pack_webdataset(dataset, tmp_path / "out")
    assert packed.parts == {"train": 2, "validation": 0, "test": 1}
    samples = samples_of(tmp_path / "out" / "train-000000.tar")
    assert list(samples) == ["1", "2"]
    known = json.loads(samples["1"]["json"])
    labels = read_labels(dataset / "train_labels" / "1.csv")
    np.testing.assert_array_equal(known["onset"], labels["onset_s"])
    assert (known["composer"], known["split"]) == ("Bach, J. S.", "train")
    audio, rate = soundfile.read(io.BytesIO(samples["1"]["flac"]))
    assert (len(audio), rate) == (round(known["seconds"] * 44_100), 44_100)


def test_shards_are_begun_anew_and_the_same_each_time(dataset: Path, tmp_path: Path) -> None:
    pack_webdataset(dataset, tmp_path / "a")
    pack_webdataset(dataset, tmp_path / "b", RowsSettings(shard_megabytes=500), workers=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert sorted(contents(tmp_path / "a")) == ["package.json", "test-000000.tar", "train-000000.tar"]
    index = json.loads((tmp_path / "a" / "package.json").read_text())
    assert index["train"] == {"train-000000.tar": ["1", "2"]}
