"""``validate`` finds each of these corruptions, and nothing in a dataset that is whole."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from musicnet_build.datasets.validate import Problem, find_problems
from musicnet_build.errors import DatasetError

AUDIO, LABELS = "train_data/1.wav", "train_labels/1.csv"


def test_nothing_is_wrong_with_a_dataset_that_was_just_built(dataset: Path) -> None:
    assert find_problems(dataset) == []


def test_a_folder_that_is_not_there_is_one_plain_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not a folder"):
        find_problems(tmp_path / "nothing")


def test_an_empty_folder_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no dataset: a dataset has folders train_data and train_labels"):
        find_problems(tmp_path)
    (tmp_path / "train_data").mkdir()
    found = {str(problem) for problem in find_problems(tmp_path)}
    assert "train_data: there are no recordings" in found
    assert "SHA256SUMS: is missing" in found


def delete(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def text(name: str, pattern: str, replacement: str, count: int = 1) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        before = (root / name).read_text(encoding="utf-8")
        after = re.sub(pattern, replacement, before, count=count, flags=re.MULTILINE)
        assert after != before
        (root / name).write_text(after, encoding="utf-8")

    return plant


def audio(change: Callable[[np.ndarray], np.ndarray], **options: Any) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        rate, samples = wavfile.read(root / AUDIO)
        settings = {"samplerate": rate, "subtype": "FLOAT"} | options
        soundfile.write(root / AUDIO, change(samples.copy()), **settings)

    return plant


def spoilt(samples: np.ndarray) -> np.ndarray:
    samples[99] = np.nan
    return samples


def rows(change: Callable[[list[list[str]]], None]) -> Callable[[Path], None]:
    """Change the lines of the labels, the header being the first."""

    def plant(root: Path) -> None:
        table = list(csv.reader(io.StringIO((root / LABELS).read_text())))
        change(table)
        (root / LABELS).write_text("".join(",".join(row) + "\n" for row in table))

    return plant


def document(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        values = json.loads((root / name).read_text())
        change(values)
        (root / name).write_text(json.dumps(values))

    return plant


def both_sets(root: Path) -> None:
    for kind, ending in (("data", "wav"), ("labels", "csv")):
        shutil.copy(root / f"train_{kind}" / f"1.{ending}", root / f"test_{kind}" / f"1.{ending}")


def flip_a_bit(root: Path) -> None:
    data = bytearray((root / AUDIO).read_bytes())
    data[-100] ^= 1
    (root / AUDIO).write_bytes(data)


def same_sound_file(values: Any) -> None:
    values["recordings"]["3"]["recording"] = values["recordings"]["1"]["recording"]


def longer(row: list[str]) -> list[str]:
    """The same note, ending a sample later: no exact double, but an overlap."""
    return [row[0], str(int(row[1]) + 1), *row[2:]]


CORRUPTIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "audio lost": (delete(AUDIO), "train_labels/1.csv: these labels have no recording"),
    "labels lost": (delete(LABELS), "train_labels/1.csv: is missing"),
    "audio cut short": (lambda root: (root / AUDIO).write_bytes((root / AUDIO).read_bytes()[:-99_999]), "cut short"),
    "one bit of the audio flipped": (flip_a_bit, "train_data/1.wav: is not the file that SHA256SUMS names"),
    "audio as integers": (audio(lambda x: x, subtype="PCM_16"), "WAV PCM_16; MusicNet's loaders expect"),
    "stereo": (audio(lambda x: np.stack([x, x], axis=1)), "has 2 channels"),
    "another rate": (audio(lambda x: x, samplerate=22_050), "has 22050 samples a second"),
    "not a number": (audio(spoilt), "not finite"),
    "silence": (audio(np.zeros_like), "1.wav: is silent"),
    "no sound file": (lambda root: (root / AUDIO).write_bytes(b"text"), "train_data/1.wav: is not a sound file"),
    "a label after the end": (rows(lambda t: t[-1].__setitem__(1, "99999999")), "ends after the recording, which has"),
    "labels out of order": (rows(lambda t: t.insert(1, t.pop())), "line 3 starts before the line above it"),
    "an end before its start": (rows(lambda t: t[2].__setitem__(1, "0")), "line 3: the note does not end after"),
    "a label twice": (rows(lambda t: t.insert(1, t[1])), "a note is there twice"),
    "a note over itself": (rows(lambda t: t.insert(2, longer(t[1]))), "1 notes begin while one of the same pitch"),
    "an impossible pitch": (rows(lambda t: t[3].__setitem__(3, "128")), "line 4: the note 128 is not within"),
    "an impossible instrument": (rows(lambda t: t[3].__setitem__(2, "0")), "line 4: the instrument 0 is not within"),
    "a wrong note value": (rows(lambda t: t[1].__setitem__(6, "Whole")), "line 2 names the note value 'Whole'"),
    "columns changed": (rows(lambda t: t[0].reverse()), "1.csv: line 1: the header is not"),
    "no labels": (rows(lambda t: t.__delitem__(slice(1, None))), "1.csv: holds no labels"),
    "labels that are no text": (lambda root: (root / LABELS).write_bytes(b"\xff\xfe"), "is not a text file"),
    "a recording in both sets": (both_sets, "splits: the recording 1 is in both sets"),
    "a composition in both sets": (
        text("musicnet_metadata.csv", "^3,Anon,Piece 3", "3,Anon,Piece 2"),
        "splits: the composition Anon: Piece 2 is in both sets (train: 2; test: 3)",
    ),
    "a sound file in both sets": (document("provenance.json", same_sound_file), "splits: the sound file"),
    "a line of the metadata lost": (text("musicnet_metadata.csv", "^2,.*\n", ""), "recording 2 is in the sets, and"),
    "a line of the metadata too many": (text("splits/train.txt", "^1\n", "1\n9\n"), "recording 9 is listed here"),
    "a wrong length": (text("musicnet_metadata.csv", r"^(1,.*),\d+$", r"\1,99"), " s, not 99 s"),
    "metadata without ids": (text("musicnet_metadata.csv", "^id,", "name,"), "musicnet_metadata.csv: cannot be read"),
    "the wrong set": (text("splits/test.txt", "^3", "2"), "splits/test.txt: recording 2 is listed here, and is not in"),
    "a wrong sum in the index": (
        document("index.json", lambda v: v["tracks"]["1"]["labels"].__setitem__(1, 32 * "0")),
        "index.json: its MD5 sum of train_labels/1.csv is not that of the file",
    ),
    "an index that is no JSON": (text("index.json", "{", "["), "index.json: is missing or damaged"),
    "a report lost": (delete("quality/2.json"), "quality/2.json: is missing or damaged"),
    "a report of another": (document("quality/2.json", lambda v: v.update(id="1")), "is the report of recording 1"),
    "provenance lost": (delete("provenance.json"), "provenance.json: is missing or damaged"),
    "provenance of other audio": (
        document("provenance.json", lambda v: v["recordings"]["1"].update(audio_sha256="0")),
        "provenance.json: speaks of another train_data/1.wav",
    ),
    "a recording left out and in": (
        text("left_out.csv", r"\Z", "1,rejected,why\n"),
        "left_out.csv: recording 1 is listed here and is in the train set",
    ),
    "checksums lost": (delete("SHA256SUMS"), "SHA256SUMS: is missing"),
    "a foreign file": (lambda root: (root / "train_data" / "notes.txt").touch(), "only .wav files belong here"),
    "a leftover of a killed build": (
        lambda root: (root / "train_data" / ".1-abcdefgh.wav").touch(),
        "a temporary file of a build that was stopped",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ["SHA256SUMS", "left_out.csv", "splits/test.txt", "index.json", LABELS, AUDIO])
def test_a_link_that_leads_nowhere_is_a_file_that_cannot_be_read(name: str, dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "out")
    (tmp_path / "out" / name).unlink()
    (tmp_path / "out" / name).symlink_to("nowhere")
    assert Problem(name, "cannot be read: No such file or directory") in find_problems(tmp_path / "out")


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_planted_corruption_is_found(name: str, dataset: Path, tmp_path: Path) -> None:
    plant, words = CORRUPTIONS[name]
    root = tmp_path / "out"
    shutil.copytree(dataset, root)
    plant(root)
    found = [str(problem) for problem in find_problems(root)]
    assert any(words in problem for problem in found), found
