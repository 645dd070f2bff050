"""``musicnet-build check`` and ``refine`` as a user meets them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import as_json, done, misused, run
from conftest import Music

from musicnet_build.labels.files import read_labels, write_labels


@pytest.fixture(scope="module")
def late(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """True labels that are 120 ms late, with a note an octave too high and one before the first sound."""
    notes = read_labels(music.truth)
    notes["onset_s"] += 0.12
    notes["offset_s"] += 0.12
    notes["pitch"][30] += 12
    notes["onset_s"][0] = 0.0
    path = tmp_path_factory.mktemp("late") / "late.csv"
    write_labels(path, notes)
    return path


def test_check_tells_what_is_wrong_and_changes_nothing(music: Music, late: Path, tmp_path: Path) -> None:
    before = late.read_bytes()
    outputs = [tmp_path / f"errata{ending}" for ending in (".csv", ".json", ".html")]
    printed = as_json("check", music.recording, late, *(word for path in outputs for word in ("-o", path)))
    assert printed["verdict"] == "reject"
    assert printed["offset_s"] == pytest.approx(0.12, abs=0.015)
    assert {"offset", "before_sound"} <= {erratum["what"] for erratum in printed["errata"]}
    with outputs[0].open(encoding="utf-8", newline="") as file:
        assert [row["what"] for row in csv.DictReader(file)] == [erratum["what"] for erratum in printed["errata"]]
    assert json.loads(outputs[1].read_text(encoding="utf-8"))["recordings"][0]["verdict"] == "reject"
    assert "before the first sound" in outputs[2].read_text(encoding="utf-8")
    assert late.read_bytes() == before


def test_refine_mends_it_and_check_then_accepts(music: Music, late: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    printed = done("refine", music.recording, late, "-o", new)
    assert "moved" in printed
    truth, refined = read_labels(music.truth), read_labels(new)
    assert np.median(np.abs(np.sort(refined["onset_s"]) - np.sort(truth["onset_s"]))) < 0.012
    assert as_json("check", music.recording, new)["verdict"] == "accept"
    assert "exists already" in misused("refine", music.recording, late, "-o", new)


def test_the_exit_code_tells_the_verdict_where_that_is_asked_for(music: Music, late: Path) -> None:
    assert run("check", music.recording, late).returncode == 0
    assert run("check", music.recording, late, "--fail-on", "reject").returncode == 3
    assert run("check", music.recording, music.truth, "--fail-on", "review").returncode == 0


def test_a_folder_is_checked_and_summed_up(dataset: Path, tmp_path: Path) -> None:
    process = run("check", dataset, "-o", tmp_path / "errata.csv", "--workers", "1")
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-2].count(" accept, ") == 1
    assert (tmp_path / "errata.csv").is_file()
    assert len(list((tmp_path / "errata.parts").glob("*.json"))) >= 1


def test_what_does_not_go_together_is_misuse(music: Music, dataset: Path, tmp_path: Path) -> None:
    assert "label file of" in misused("check", music.recording)
    assert "folder of a dataset alone" in misused("check", dataset, music.truth)
    assert "--score" in misused("check", music.recording, music.truth, "--soundfont", "x")
    assert ".html" in misused("check", music.recording, music.truth, "-o", tmp_path / "errata.txt")
