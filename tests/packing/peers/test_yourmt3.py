"""YourMT3's folders and index files; its pickles are named as its classes are, which are stood in for here."""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from small_dataset import contents

from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.packing.peers.yourmt3 import YourMt3Settings, pack_yourmt3


class Named:
    """What a pickle makes of a class that is not there."""


class Reader(pickle.Unpickler):
    """Makes every class of YourMT3 a ``Named`` and takes nothing else but what NumPy needs."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "utils.note_event_dataclasses":
            assert name in ("Note", "NoteEvent")
            return Named
        assert module.startswith("numpy")
        return super().find_class(module, name)


def read(path: Path) -> Any:
    with path.open("rb") as file:
        assert np.lib.format.read_magic(file) == (1, 0)
        np.lib.format.read_array_header_1_0(file)
        return Reader(file).load().tolist()


@pytest.fixture(scope="module")
def package(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("yourmt3") / "data"
    assert pack_yourmt3(dataset, folder).parts == {"train": 2, "validation": 0, "test": 1}
    return folder


def found(package: Path, path: str) -> Path:
    """Where a path of an index lies, seen from ``amt/src`` beside ``data``."""
    assert path.startswith("../../data/")
    return package / path.removeprefix("../../data/")


def entries(package: Path, split: str) -> list[dict[str, Any]]:
    index = json.loads((package / "yourmt3_indexes" / f"dataset_{split}_file_list.json").read_text())
    assert list(index) == [str(place) for place in range(len(index))]
    return list(index.values())


def test_an_index_names_the_files_of_its_split(package: Path) -> None:
    assert [entry["musicnet_id"] for entry in entries(package, "train")] == ["1", "2"]
    assert entries(package, "validation") == []
    (entry,) = entries(package, "test")
    info = soundfile.info(found(package, entry["mix_audio_file"]))
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (16_000, 1, "PCM_16", entry["n_frames"])
    assert (entry["program"], entry["is_drum"]) == ([0, 40], [0, 0])
    assert len(read_labels(found(package, entry["midi_file"]))) == 12


def test_notes_are_those_of_the_labels(package: Path, dataset: Path) -> None:
    (entry,) = entries(package, "test")
    notes = read(found(package, entry["notes_file"]))["notes"]
    labels = read_labels(dataset / "test_labels" / "3.csv")
    for name, column in {"onset": "onset_s", "offset": "offset_s", "pitch": "pitch", "program": "program"}.items():
        assert [getattr(note, name) for note in notes] == labels[column].tolist()
    assert {(note.velocity, note.is_drum) for note in notes} == {(1, False)}


def test_events_know_what_sounds_at_them(package: Path) -> None:
    (entry,) = entries(package, "test")
    events = read(found(package, entry["note_events_file"]))["note_events"]
    assert len(events) == 24
    assert [event.time for event in events] == sorted(event.time for event in events)
    for place, event in enumerate(events):
        begun = {at for at in range(place) if events[at].velocity}
        ended = {
            max(at for at in begun if (events[at].program, events[at].pitch) == (end.program, end.pitch) and at < stop)
            for stop, end in enumerate(events[:place])
            if not end.velocity
        }
        assert event.activity == begun - ended
    assert any(event.activity for event in events)


def test_the_same_bytes_again_and_other_datasets_are_left_alone(package: Path, dataset: Path, tmp_path: Path) -> None:
    other = tmp_path / "data" / "slakh2100_yourmt3_16k" / "x.wav"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"sound")
    pack_yourmt3(dataset, tmp_path / "data", workers=2)
    assert pack_yourmt3(dataset, tmp_path / "data").made == 0
    assert contents(tmp_path / "data") == contents(package) | {"slakh2100_yourmt3_16k/x.wav": b"sound"}
    assert "utils.note_event_dataclasses" not in sys.modules


def test_a_name_leads_nowhere_else() -> None:
    with pytest.raises(DatasetError, match="cannot be called"):
        YourMt3Settings(name="../elsewhere")
