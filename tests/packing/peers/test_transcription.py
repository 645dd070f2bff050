"""The files of piano transcription, as their published readers take them."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile
from small_corpus import BANKS, write_corpus
from small_dataset import contents

from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import empty_notes
from musicnet_build.packing.peers.transcription import midi_events, pack_transcription


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
        kind, _, note, velocity, *_ = event.decode().split(" ")
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
    assert times_s.tolist() == [0.0, 1.0, 1.0, 3.0, 3.0]
    assert [event.split(" ")[0] for event in events[:-1]] == ["note_on", "note_off", "note_on", "note_off"]
    assert events[-1] == "<meta message end_of_track time=0>"
    assert events[0] == "note_on channel=0 note=60 velocity=2 time=0"


def test_packing_that_was_killed_leaves_nothing_and_goes_on(dataset: Path, tmp_path: Path) -> None:
    pack_transcription(dataset, tmp_path)
    before = contents(tmp_path)
    for folder in ("train_data", "tsv_test_labels", "hdf5s/musicnet/0000"):
        (tmp_path / folder / ".1-abcd_123.flac").write_bytes(b"half")
    (tmp_path / "train_data" / "2.flac").unlink()
    assert pack_transcription(dataset, tmp_path).made == 1
    assert contents(tmp_path) == before


def test_a_recording_that_changed_sets_or_went_away_leaves_nothing_in_the_old_set(
    dataset: Path, tmp_path: Path
) -> None:
    recordings = find_recordings(dataset)
    pack_transcription(recordings, tmp_path)
    moved = [replace(recordings[0], split="validation"), *recordings[2:]]
    assert pack_transcription(moved, tmp_path).parts == {"train": 0, "validation": 1, "test": 1}
    flacs = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.flac"))
    assert flacs == ["test_data/3.flac", "validation_data/1.flac"]
    assert sorted(path.stem for path in tmp_path.rglob("*.h5")) == ["1", "3"]


def test_each_set_has_its_metadata(dataset: Path, tmp_path: Path) -> None:
    pack_transcription(dataset, tmp_path)
    with (tmp_path / "train_metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["ensemble"], row["seconds"]) for row in rows] == [("1", "Duo", "3"), ("2", "Duo", "3")]


def test_maps_is_written_as_its_transcription_readers_want_it(tmp_path: Path) -> None:
    packed = pack_transcription(write_corpus(tmp_path / "maps"), tmp_path / "out")
    stem = f"MAPS_MUS-one_{BANKS[0]}"
    assert (tmp_path / "out" / "flac" / f"{stem}.flac").is_file()
    matched, also = (tmp_path / "out" / folder / f"{stem}.tsv" for folder in ("tsv/matched", "tsvs"))
    assert matched.read_bytes() == also.read_bytes()
    assert len(np.loadtxt(matched, delimiter="\t", skiprows=1)) == 7
    assert (tmp_path / "out" / "hdf5s" / "maps" / "0000" / f"{stem}.h5").is_file()
    assert (packed.recordings, packed.parts) == (6, {})


def test_notes_that_no_piano_has_are_left_out_and_counted(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "in")
    labels = tmp_path / "in" / "train_labels" / "1.csv"
    notes = read_labels(labels)
    notes["pitch"][:2] = [20, 109]
    write_labels(labels, notes)
    packed = pack_transcription(tmp_path / "in", tmp_path / "out")
    assert packed.counts["out_of_range"] == 2
    table = np.loadtxt(tmp_path / "out" / "tsv_train_labels" / "1.tsv", delimiter="\t", skiprows=1)
    assert len(table) == len(notes) - 2
    assert table[:, 2].min() >= 21
