"""A dataset in MAESTRO's layout, opened as its loaders do."""

import csv
import json
import wave
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
import soundfile
from small_corpus import write_corpus
from small_dataset import contents

from musicnet_build.corpora.layouts import find_recordings, read_notes
from musicnet_build.labels.files import read_labels
from musicnet_build.packing.peers.maestro import MaestroSettings, pack_maestro


@pytest.fixture(scope="module")
def package(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maestro")
    packed = pack_maestro(dataset, folder, MaestroSettings(flac=True, validation_share=0.4))
    assert packed.parts == {"train": 1, "validation": 1, "test": 1}
    return folder


def test_the_tables_are_those_of_all_three_versions(package: Path) -> None:
    with (package / "maestro-v3.0.0.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"
    assert ",".join(rows[0]) == columns
    assert {row["split"] for row in rows} == {"train", "validation", "test"}
    assert rows[0]["audio_filename"] == "0000/1.wav"
    for version in ("1.0.0", "2.0.0"):
        listed = json.loads((package / f"maestro-v{version}.json").read_text())
        assert [{name: str(value) for name, value in row.items()} for row in listed] == [
            row | {"year": "0"} for row in rows
        ]
    by_column = json.loads((package / "maestro-v3.0.0.json").read_text())
    assert by_column["split"]["2"] == listed[2]["split"] == "test"


def test_audio_is_pcm_that_every_reader_takes_and_flac_is_beside_it(package: Path, dataset: Path) -> None:
    with wave.open(str(package / "0000" / "1.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (44_100, 1, 2)
    ours, _ = soundfile.read(package / "0000" / "1.wav")
    theirs, _ = soundfile.read(dataset / "train_data" / "1.wav")
    np.testing.assert_allclose(ours, theirs, atol=1 / 32767)
    assert soundfile.info(package / "0000" / "1.flac").samplerate == 16_000


def test_midi_has_two_tracks_of_one_piano_with_the_labels_times(package: Path, dataset: Path) -> None:
    tracks = mido.MidiFile(package / "0000" / "1.midi").tracks
    assert len(tracks) == 2
    assert any(message.type == "set_tempo" for message in tracks[0])
    assert tracks[1][-1].type == "end_of_track"
    (piano,) = pretty_midi.PrettyMIDI(str(package / "0000" / "1.midi")).instruments
    labels = read_labels(dataset / "train_labels" / "1.csv")
    expected = sorted({(int(note["pitch"]), round(float(note["onset_s"]), 3)) for note in labels})
    assert piano.program == 0
    assert [pitch for pitch, _ in expected] == sorted(note.pitch for note in piano.notes)
    starts = sorted((note.pitch, note.start) for note in piano.notes)
    np.testing.assert_allclose([s for _, s in starts], [s for _, s in expected], atol=1e-3)


def test_our_own_reader_opens_it_with_its_split(package: Path) -> None:
    found = find_recordings(package)
    assert [recording.split for recording in found].count("validation") == 1
    assert len(read_notes(found[0])) == len(
        pretty_midi.PrettyMIDI(str(package / "0000" / "1.midi")).instruments[0].notes
    )


def test_the_same_dataset_gives_the_same_bytes_and_nothing_is_made_twice(package: Path, dataset: Path) -> None:
    before = contents(package)
    packed = pack_maestro(dataset, package, MaestroSettings(flac=True, validation_share=0.4), workers=2)
    assert packed.made == 0
    assert contents(package) == before


def test_a_corpus_without_a_split_is_split_by_its_banks(tmp_path: Path) -> None:
    packed = pack_maestro(write_corpus(tmp_path / "maps"), tmp_path / "out")
    assert packed.parts == {"train": 3, "validation": 0, "test": 3}
