"""The dataset opens in the ways that published loaders read MusicNet, each written anew here from its documentation."""

import csv
import json
from hashlib import md5
from pathlib import Path

import numpy as np
from scipy.io import wavfile


def test_by_split_folder_float_wav_and_named_columns(dataset: Path) -> None:
    """The way of the paper's authors: ids from file names, int() on times, float() on beats, an interval tree."""
    for split, expected in (("train", {1, 2}), ("test", {3})):
        ids = {int(path.name[:-4]) for path in (dataset / f"{split}_labels").iterdir() if path.name.endswith(".csv")}
        assert ids == expected
        for one in ids:
            rate, audio = wavfile.read(dataset / f"{split}_data" / f"{one}.wav")
            assert (rate, audio.dtype, audio.ndim) == (44_100, np.float32, 1)
            with (dataset / f"{split}_labels" / f"{one}.csv").open(newline="") as file:
                rows = list(csv.DictReader(file))
            assert rows
            for row in rows:
                start, end = int(row["start_time"]), int(row["end_time"])
                assert 0 <= start < end <= len(audio)
                assert 1 <= int(row["instrument"]) <= 128
                assert 0 <= int(row["note"]) <= 127
                assert float(row["start_beat"]) >= 0
                assert float(row["end_beat"]) > 0
                assert row["note_value"]


def test_by_position_in_seconds(dataset: Path) -> None:
    """The way of transcription loaders: columns 0, 1 and 3 of every line after the first, over 44,100."""
    for audio_file in (dataset / "train_data").glob("*.wav"):
        labels = dataset / "train_labels" / f"{audio_file.stem}.csv"
        table = np.loadtxt(labels, delimiter=",", skiprows=1, usecols=(0, 1, 3))
        onset_s, offset_s = table[:, 0] / 44_100, table[:, 1] / 44_100
        assert (offset_s > onset_s).all()
        assert (np.diff(onset_s) >= 0).all()
        assert set(table[:, 2]) <= set(range(128))


def test_by_an_index_of_paths_and_sums(dataset: Path) -> None:
    index = json.loads((dataset / "index.json").read_text())
    assert set(index) == {"version", "tracks", "metadata"}
    assert sorted(index["tracks"]) == ["1", "2", "3"]
    for path, digest in (*index["metadata"].values(), *(pair for t in index["tracks"].values() for pair in t.values())):
        assert md5((dataset / path).read_bytes()).hexdigest() == digest


def test_metadata_has_the_published_columns(dataset: Path) -> None:
    with (dataset / "musicnet_metadata.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    published = "id,composer,composition,movement,ensemble,source,transcriber,catalog_name,seconds"
    assert ",".join(rows[0]) == published
    assert [int(row[0]) for row in rows[1:]] == [1, 2, 3]
    assert all(int(row[-1]) == 3 for row in rows[1:])
