"""A witness is heard where it agrees with the recording, and changes no byte where it does not."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import as_json, done, misused, refused
from conftest import Music
from small_dataset import Material

from musicnet_build.files import sha256_of
from musicnet_build.generation.demo import onset_errors
from musicnet_build.labels.files import read_labels, write_labels


@pytest.fixture(scope="module")
def plain(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = tmp_path_factory.mktemp("plain") / "labels.csv"
    done("align", music.recording, music.score, "-o", labels)
    return labels


def heard(music: Music, path: Path, semitones: int = 0) -> Path:
    """What a transcriber would write that hears everything 20 ms late, give or take 5 ms, and misses a tenth."""
    random = np.random.default_rng(0)
    notes = read_labels(music.truth)
    late_s = 0.02 + random.normal(0, 0.005, len(notes))
    notes["onset_s"] += late_s
    notes["offset_s"] += late_s
    notes["pitch"] += semitones
    write_labels(path, notes[random.random(len(notes)) > 0.1])
    return path


@pytest.mark.parametrize("ending", [".mid", ".npz"])
def test_a_witness_of_the_recording_is_heard(music: Music, plain: Path, tmp_path: Path, ending: str) -> None:
    witness = heard(music, tmp_path / "heard.mid")
    if ending == ".npz":
        witness = as_probabilities(witness, tmp_path / "heard.npz")
    labels = tmp_path / "labels.csv"
    report = as_json("align", music.recording, music.score, "-o", labels, "--witness", witness)
    assert report["witness"]["believed"]
    assert report["witness"]["sha256"] == sha256_of(witness)
    assert report["witness"]["delay_s"] == pytest.approx(0.02, abs=0.015)
    truth = read_labels(music.truth)
    before_s, after_s = (np.abs(onset_errors(truth, read_labels(path))) for path in (plain, labels))
    assert labels.read_bytes() != plain.read_bytes()
    assert np.mean(after_s < 0.05) >= np.mean(before_s < 0.05)


def as_probabilities(notes_path: Path, path: Path) -> Path:
    """The same notes as probabilities, 50 frames a second."""
    notes = read_labels(notes_path)
    onset = np.zeros((88, 50 * (2 + round(float(notes["offset_s"].max())))))
    sustain = onset.copy()
    for note in notes:
        first, last = (round(50 * float(note[name])) for name in ("onset_s", "offset_s"))
        onset[note["pitch"] - 21, first] = 0.9
        sustain[note["pitch"] - 21, first:last] = 0.9
    np.savez_compressed(path, onset=onset, sustain=sustain, frame_rate=50.0)
    return path


def test_a_witness_of_something_else_changes_no_byte_and_is_warned_of(
    music: Music, plain: Path, tmp_path: Path
) -> None:
    witness = heard(music, tmp_path / "other.tsv", semitones=6)
    labels = tmp_path / "labels.csv"
    report = as_json("align", music.recording, music.score, "-o", labels, "--witness", witness)
    assert not report["witness"]["believed"]
    assert any("does not agree with the notes that are sure" in warning for warning in report["warnings"])
    assert labels.read_bytes() == plain.read_bytes()


def test_what_is_no_witness_is_refused_before_any_work(music: Music, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    call = ("align", music.recording, music.score, "-o", labels, "--witness")
    assert "a witness is a file that ends in" in misused(*call, music.recording)
    witness = heard(music, tmp_path / "heard.mid")
    assert "hears no witness" in misused(*call, witness, "--preset", "musicnet")
    assert "needs a --witness" in misused(*call[:-1], "--witness-offsets")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 and no more")
    assert "is not a whole .npz file" in refused(*call, broken)
    assert not labels.exists()


def test_a_manifest_may_name_a_witness_and_the_record_names_its_bytes(material: Material, tmp_path: Path) -> None:
    own = material.copy(tmp_path / "in")
    write_labels(own.folder / "heard.tsv", read_labels(own.folder / "1.mid"))
    own.change("1", witness="heard.tsv", preset="precise")
    rows = own.build(tmp_path / "out")
    assert rows[0].record
    origin = json.loads((tmp_path / "out" / "provenance.json").read_text())["recordings"]["1"]
    assert origin["witness"] == {"path": "heard.tsv", "sha256": sha256_of(own.folder / "heard.tsv")}
    assert "witness" not in json.loads((tmp_path / "out" / "provenance.json").read_text())["recordings"]["2"]
    assert not any(row.made for row in own.build(tmp_path / "out"))
    (own.folder / "heard.tsv").write_text("0.5\t1.0\t60\t80\n")
    assert [row.id for row in own.build(tmp_path / "out") if row.made] == ["1"]
