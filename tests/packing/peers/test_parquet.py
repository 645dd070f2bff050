"""Parquet as Hugging Face ``datasets`` opens it: rows with audio bytes and notes, features in the schema, a card."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from small_dataset import contents

from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.packing.peers.parquet import pack_parquet
from musicnet_build.packing.peers.rows import RowsSettings

pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def package(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet") / "out"
    packed = pack_parquet(dataset, folder)
    assert packed.parts == {"train": 2, "validation": 0, "test": 1}
    assert [path.name for path in folder.parent.iterdir()] == ["out"]
    return folder


def test_a_row_holds_the_sound_and_the_notes_of_a_recording(package: Path, dataset: Path) -> None:
    (row,) = pq.read_table(package / "data" / "test-00000-of-00001.parquet").to_pylist()
    audio, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
    exact, _ = soundfile.read(dataset / "test_data" / "3.wav")
    assert (row["id"], row["audio"]["path"], rate) == ("3", "3.flac", 44_100)
    np.testing.assert_allclose(audio, exact, atol=1 / 32767)
    labels = read_labels(dataset / "test_labels" / "3.csv")
    np.testing.assert_array_equal(row["onset"], labels["onset_s"])
    np.testing.assert_array_equal(row["pitch"], labels["pitch"])
    np.testing.assert_array_equal(row["instrument"], labels["program"] + 1)
    assert row["confidence"] == [None] * len(labels)


def test_the_schema_and_the_card_name_features_and_files(package: Path) -> None:
    schema = pq.read_schema(package / "data" / "train-00000-of-00001.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"sampling_rate": 44_100, "_type": "Audio"}
    assert set(features) == set(schema.names)
    front = yaml.safe_load((package / "README.md").read_text().split("---")[1])
    patterns = {one["split"]: one["path"] for one in front["configs"][0]["data_files"]}
    assert patterns == {"train": "data/train-*.parquet", "test": "data/test-*.parquet"}


def test_any_number_of_workers_gives_the_same_bytes_and_a_package_replaces_an_earlier_one(
    package: Path, dataset: Path, tmp_path: Path
) -> None:
    pack_parquet(dataset, tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == contents(package)
    small = RowsSettings(shard_megabytes=1)
    pack_parquet(dataset, tmp_path / "out", small)
    assert len(list((tmp_path / "out" / "data").iterdir())) == 2


def test_a_folder_of_other_things_is_left_alone(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(DatasetError, match="holds other files"):
        pack_parquet(dataset, tmp_path / "out")
    assert (tmp_path / "out" / "thesis.tex").read_text() == "years of work"
