"""TFRecord files of NoteSequences, read back field by field as the specification of protocol buffers says."""

import io
import json
import signal
import struct
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from small_dataset import contents

from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.recording import Recording
from musicnet_build.labels.files import read_labels
from musicnet_build.packing.peers.notesequence import NoteSequenceSettings, pack_notesequence, write_shard
from musicnet_build.packing.peers.tfrecord import crc32c

Fields = dict[int, list[Any]]


def fields_of(data: bytes) -> Fields:
    """The fields of a message: whole numbers, numbers of 64 bits and bytes, by their numbers."""
    file, fields = io.BytesIO(data), defaultdict(list)
    while file.tell() < len(data):
        key = _varint(file)
        if key & 7 == 1:
            fields[key >> 3].append(struct.unpack("<d", file.read(8))[0])
        else:
            fields[key >> 3].append(_varint(file) if key & 7 == 0 else file.read(_varint(file)))
    return fields


def _varint(file: io.BytesIO) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value


def examples_of(path: Path) -> list[dict[str, Any]]:
    """The features of each example: bytes, or an array."""
    data, examples = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        message, rest = data[12 : 12 + length], data[12 + length :]
        (stored,) = struct.unpack("<I", rest[:4])
        crc = crc32c(message)
        assert stored == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
        entries = [fields_of(entry) for entry in fields_of(fields_of(message)[1][0])[1]]
        examples.append({entry[1][0].decode(): _feature(fields_of(entry[2][0])) for entry in entries})
        data = rest[4:]
    return examples


def _feature(kinds: Fields) -> Any:
    ((kind, (value,)),) = kinds.items()
    (content,) = fields_of(value)[1]
    return content if kind == 1 else np.frombuffer(content, "<f4")


def number(message: Fields, field: int) -> float:
    """A number that is 0 where it is not written."""
    (value,) = message[field] or [0]
    return float(value)


def notes_of(sequence: bytes) -> list[Fields]:
    return [fields_of(note) for note in fields_of(sequence)[8]]


@pytest.fixture(scope="module")
def package(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tfrecords") / "out"
    packed = pack_notesequence(dataset, folder)
    assert packed.parts == {"train": 2, "validation": 0, "test": 1}
    assert [path.name for path in folder.parent.iterdir()] == ["out"]
    return folder


def test_an_example_holds_the_sound_and_the_notes_of_a_recording(package: Path, dataset: Path) -> None:
    (one,) = examples_of(package / "test.tfrecord-00000-of-00001")
    assert set(one) == {"id", "audio", "sample_rate", "sequence", "velocity_range"}
    assert (one["id"], one["sample_rate"].tolist()) == (b"3", [16_000.0])
    np.testing.assert_array_equal(one["audio"], read_audio(dataset / "test_data" / "3.wav", 16_000))
    labels, notes = read_labels(dataset / "test_labels" / "3.csv"), notes_of(one["sequence"])
    for field, name in {1: "pitch", 3: "onset_s", 4: "offset_s", 8: "program"}.items():
        assert [number(note, field) for note in notes] == labels[name].tolist()
    assert {number(note, 8): number(note, 7) for note in notes} == {0: 0, 40: 1}
    assert all(1 <= number(note, 2) <= 127 for note in notes)


def test_a_sequence_tells_what_it_is_of(package: Path) -> None:
    sequence = fields_of(examples_of(package / "train.tfrecord-00000-of-00001")[0]["sequence"])
    assert (sequence[1], sequence[2], sequence[4]) == ([b"1"], [b"1.wav"], [220])
    assert sequence[9][0] == max(fields_of(note)[4][0] for note in sequence[8])
    assert fields_of(sequence[19][0]) == {1: [b"Piece 1"], 4: [b"Bach, J. S."]}


def test_wav_in_place_of_samples(dataset: Path, tmp_path: Path) -> None:
    pack_notesequence(dataset, tmp_path / "out", NoteSequenceSettings(audio="wav"))
    first, second = examples_of(tmp_path / "out" / "train.tfrecord-00000-of-00001")
    audio, rate = soundfile.read(io.BytesIO(first["audio"]))
    assert (rate, len(audio)) == (16_000, len(read_audio(dataset / "train_data" / "1.wav", 16_000)))
    assert second["id"] == b"2"


def test_notes_without_length_are_left_out_and_counted(dataset: Path, tmp_path: Path) -> None:
    labels = tmp_path / "1.txt"
    labels.write_text("OnsetTime\tOffsetTime\tMidiPitch\n0.5\t0.5\t60\n0.7\t0.9\t62\n")
    recording = Recording("1", dataset / "train_data" / "1.wav", labels, "", "MUS", "1", "train")
    counts = write_shard(recording, tmp_path / "shard", sustain=True, audio="wav")
    assert counts == {"notes": 1, "without_length": 1}


def test_any_number_of_workers_gives_the_same_bytes(package: Path, dataset: Path, tmp_path: Path) -> None:
    pack_notesequence(dataset, tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == contents(package)
    index = json.loads((package / "package.json").read_text())
    assert index["train"] == {"train.tfrecord-00000-of-00001": ["1", "2"]}


KILLED = """
import os, signal, sys
from musicnet_build.packing.peers.notesequence import pack_notesequence
pack_notesequence(*sys.argv[1:], progress=lambda *_: os.killpg(0, signal.SIGKILL))
"""
"""Kills itself and its worker when the first recording is done."""


def test_a_killed_packer_leaves_nothing_and_goes_on(package: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, dataset, out], start_new_session=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    done = len(list((tmp_path / ".out-shards").glob("[!.]*.json")))  # a name with a dot is being written
    assert done > 0
    assert pack_notesequence(dataset, out).made == 3 - done
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert contents(out) == contents(package)
