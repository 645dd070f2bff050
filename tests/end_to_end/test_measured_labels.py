"""``evaluate alignment``, run as a user runs it, on labels that ``align`` made."""

import json
from pathlib import Path

import pytest
from command_line import as_json, done, misused, refused
from conftest import Music


@pytest.fixture(scope="module")
def labels(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluated") / "labels.csv"
    done("align", music.recording, music.score, "-o", path, "--with-confidence")
    return path


def test_what_was_aligned_is_measured_printed_and_drawn(music: Music, labels: Path, tmp_path: Path) -> None:
    plot = tmp_path / "errors.png"
    printed = done("evaluate", "alignment", music.truth, labels, "--plot", plot)
    assert plot.read_bytes().startswith(b"\x89PNG")
    for words in ("onsets (ms)", "offsets (ms)", "TimeErr", "F1 on+off", "AUC", "0.9 to 1.0"):
        assert words in printed
    (found,) = as_json("evaluate", "alignment", music.truth, labels, "--list")["labels"]
    (piece,) = found["pieces"]
    assert piece["notes_without_label"] == piece["labels_without_note"] == 0
    assert (piece["missing"], piece["extra"], len(piece["largest_errors"])) == ([], [], 10)
    assert piece["onset"]["median_ms"] < 20
    assert piece["onset"]["within_50_ms"] > 0.95
    assert 0 < piece["score_time"]["time_err_ms"] < 20
    assert piece["notes_by_onset"]["f1"] > 0.95
    assert piece["calibration"]["labels"] == piece["true_notes"]
    assert f"{piece['onset']['median_ms']:.1f}" in printed


def test_several_label_files_are_compared_whatever_their_order(music: Music, labels: Path, tmp_path: Path) -> None:
    other = tmp_path / "labels.tsv"
    done("convert", labels, "-o", other)
    first = as_json("evaluate", "alignment", music.truth, labels, other)["labels"]
    second = as_json("evaluate", "alignment", music.truth, other, labels)["labels"]
    assert [each["name"] for each in first] == ["labels.csv", "labels.tsv"]
    assert first == second[::-1]


def test_what_cannot_be_compared_is_one_line(music: Music, labels: Path, tmp_path: Path) -> None:
    broken = tmp_path / "truth.json"
    broken.write_text('{"notes": [{"pitch": 60}]}', encoding="utf-8")
    assert "truth.json: note 0 has no onset" in refused("evaluate", "alignment", broken, labels)
    broken.write_text(json.dumps([[1.0, 2.0, 3]]), encoding="utf-8")
    assert "none of the 1 true notes" in refused("evaluate", "alignment", broken, labels)
    plot = tmp_path / "errors.png"
    assert "labels are files that end in" in refused("evaluate", "alignment", music.recording, labels, "--plot", plot)
    assert not plot.exists()


def test_misuse_is_told_from_failure(music: Music, labels: Path, tmp_path: Path) -> None:
    assert "LABELS" in misused("evaluate", "alignment", music.truth)
    assert "does not exist" in misused("evaluate", "alignment", tmp_path / "none.csv", labels)
    assert "all be folders" in misused("evaluate", "alignment", music.truth, tmp_path)
    assert ".png" in misused("evaluate", "alignment", music.truth, labels, "--plot", tmp_path / "errors.pdf")
