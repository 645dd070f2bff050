"""Packages hold what the dataset holds, in the form that published readers expect, byte for byte the same each time."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile
from scipy.io import wavfile
from small_dataset import contents

from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import empty_notes
from musicnet_build.packing.musicnet_h5 import midi_events, pack_musicnet, pack_transcription


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
    sample_format: str, compress: bool, package: Path, dataset: Path, tmp_path: Path
) -> None:
    paths = [package] if sample_format == "float32" else [tmp_path / "one.h5"]
    if sample_format != "float32":
        pack_musicnet(dataset, paths[0], sample_format=sample_format, compress=compress)
    pack_musicnet(dataset, tmp_path / "two.h5", sample_format=sample_format, compress=compress, workers=2)
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
    ended = []
    pack_musicnet(root, path, on_done=ended.append)
    assert [outcome.result for outcome in ended] == [False, True, False]
    assert path.read_bytes() == package.read_bytes()


def test_packing_that_was_killed_leaves_nothing_behind_when_it_is_done_again(
    dataset: Path, package: Path, tmp_path: Path
) -> None:
    """As a killed process leaves it: temporary files of shards and of the whole, and a shard that is no HDF5 file."""
    path = tmp_path / "musicnet.h5"
    shards = tmp_path / ".musicnet.h5-shards"
    shards.mkdir()
    for name in (".1-abcd_123.h5", ".whole-abcd_123.part", "whole.part", "2.h5"):
        (shards / name).write_bytes(b"half")
    pack_musicnet(dataset, path)
    assert contents(tmp_path) == {"musicnet.h5": package.read_bytes()}
    pack_transcription(dataset, tmp_path / "out")
    before = contents(tmp_path / "out")
    for folder in ("train_data", "tsv_test_labels", "hdf5s/musicnet/0000"):
        (tmp_path / "out" / folder / ".1-abcd_123.flac").write_bytes(b"half")
    pack_transcription(dataset, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_transcription_readers_open_flac_and_tsv(dataset: Path, tmp_path: Path) -> None:
    pack_transcription(dataset, tmp_path / "one")
    pack_transcription(dataset, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    audio, rate = soundfile.read(tmp_path / "one" / "train_data" / "1.flac", dtype="int16")
    assert (rate, audio.ndim) == (16_000, 1)
    table = np.loadtxt(tmp_path / "one" / "tsv_train_labels" / "1.tsv", delimiter="\t", skiprows=1)
    labels = read_labels(dataset / "train_labels" / "1.csv")
    np.testing.assert_allclose(table[:, 0], labels["onset_s"], atol=1e-6)
    np.testing.assert_array_equal(table[:, 2], labels["pitch"])
    with h5py.File(tmp_path / "one" / "hdf5s" / "musicnet" / "0000" / "3.h5") as file:
        assert file["waveform"].dtype == np.int16
        assert file.attrs["split"].decode() == "test"
        assert file.attrs["year"].decode() == "0000"
        assert float(file.attrs["duration"]) == pytest.approx(len(file["waveform"]) / 16_000)
        assert file["midi_event_time"].dtype == np.float32
        assert played(file) == truth(dataset / "test_labels" / "3.csv")


def played(file: h5py.File) -> list[tuple[int, float]]:
    """Note starts as the published reader takes them: fields of the text, by position."""
    strokes = []
    for event, time_s in zip(file["midi_event"][:], file["midi_event_time"][:], strict=True):
        kind, _, note, velocity, _ = event.decode().split(" ")
        if kind == "note_on" and int(velocity.split("=")[1]) > 0:
            strokes.append((int(note.split("=")[1]), round(float(time_s), 3)))
    return sorted(strokes)


def truth(path: Path) -> list[tuple[int, float]]:
    labels = read_labels(path)
    return sorted({(int(note["pitch"]), round(float(np.float32(note["onset_s"])), 3)) for note in labels})


def test_one_key_a_pitch_ends_at_the_next_stroke_and_keeps_the_longest_of_a_unison() -> None:
    notes = empty_notes(3)
    notes["onset_s"], notes["offset_s"], notes["pitch"], notes["velocity"] = [0, 0, 1], [0.5, 2.0, 3.0], 60, [1, 2, 3]
    times_s, events = midi_events(notes)
    assert times_s.tolist() == [0.0, 1.0, 1.0, 3.0]
    assert [event.split(" ")[0] for event in events] == ["note_on", "note_off", "note_on", "note_off"]
    assert events[0] == "note_on channel=0 note=60 velocity=2 time=0"
