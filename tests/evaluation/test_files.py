"""Truths and labels in files and folders."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tunes import a_tune, notes
from two_aligners import two_aligners

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.files import evaluate_files, read_notes
from musicnet_build.labels.files import write_labels


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    return two_aligners(tmp_path)


def write_json(path: Path, values: Any) -> Path:
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_json_as_objects_under_every_name_and_as_lists(tmp_path: Path) -> None:
    tables = [
        {"notes": [{"pitch": 60, "onset_s": 1.0, "offset_s": 2.0}], "title": "any"},
        [{"note": 60, "onset": 1.0, "offset": 2.0}],
        [{"pitch": 60, "start": 1, "end": 2}],
        {"notes": [{"pitch": 60.0, "p_on": 1.0, "p_off": 2.0, "vel": 64}]},
        [[1.0, 2.0, 60]],
        [[1.0, 2.0, 60, 64]],
    ]
    for values in tables:
        (note,) = read_notes(write_json(tmp_path / "truth.json", values))
        assert (note["pitch"], note["onset_s"], note["offset_s"]) == (60, 1.0, 2.0)
        assert np.isnan(note["onset_beats"])


def test_json_keeps_beats_and_programs_and_leaves_out_what_was_not_played(tmp_path: Path) -> None:
    rows = [
        {"pitch": 64, "p_on": 3.0, "p_off": None, "beat_on": 1.0},
        {"pitch": 62, "p_on": None, "p_off": None, "beat_on": 0.5},
        {"pitch": 60, "p_on": 2.0, "p_off": 2.5, "beat_on": 0.0, "program": 40},
    ]
    with pytest.warns(UserWarning, match="1 of 3 notes have no onset"):
        found = read_notes(write_json(tmp_path / "truth.json", {"notes": rows}))
    assert found["pitch"].tolist() == [60, 64]
    assert found["onset_beats"].tolist() == [0.0, 1.0]
    assert found["program"].tolist() == [40, 0]
    np.testing.assert_equal(found["offset_s"], [2.5, np.nan])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1"),
        ("[1, 2", "line 1"),
        ("3", "neither a list"),
        ('{"a": []}', "neither a list"),
        ('{"annotations": []}', "ending .jams"),
        ("[]", "has no notes"),
        ("[7]", "note 0 is neither"),
        ("[[1, 2]]", "note 0 is neither"),
        ('[{"pitch": 60}]', "note 0 has no onset"),
        ('[{"onset": 1}]', "note 0 has no pitch"),
        ('[{"onset": "1", "pitch": 60}]', "onset is '1'"),
        ('[{"onset": true, "pitch": 60}]', "onset is 'True'"),
        ('[{"onset": NaN, "pitch": 60}]', "onset is 'nan'"),
        ('[{"onset": -1, "pitch": 60}]', "starts before"),
        ("[[1, 2, 60], [1, 1, 60]]", "note 1 does not end"),
        ("[[1, 2, 60.5]]", "no whole number"),
        ("[[1, 2, 128]]", "no whole number"),
        ('[{"onset": 1, "pitch": 60, "program": 200}]', "program"),
        ("[" * 100_000, "not a JSON file"),
    ],
)
def test_json_that_holds_no_notes_is_refused_with_the_reason(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LabelError, match=words) as caught:
        read_notes(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def figures(truth: Path, labels: Path) -> dict[str, Any]:
    (found,) = evaluate_files(truth, [labels])
    return found.pieces[0].evaluation.as_dict()


def test_the_same_truth_gives_the_same_figures_in_every_format(tmp_path: Path) -> None:
    truth, labels = a_tune(), a_tune()
    random = np.random.default_rng(7)
    labels["onset_s"] += random.normal(0, 0.03, len(labels))
    labels["confidence"] = random.uniform(0, 1, len(labels))
    write_labels(tmp_path / "labels.csv", labels, with_confidence=True)
    for ending in (".csv", ".mid", ".tsv", ".jams", ".txt"):
        write_labels(tmp_path / f"truth{ending}", truth)
    fields = ("pitch", "onset_s", "offset_s", "onset_beats")
    write_json(tmp_path / "truth.json", [{name: note[name].item() for name in fields} for note in truth])
    expected = figures(tmp_path / "truth.json", tmp_path / "labels.csv")
    assert 5 < expected["onset"]["median_ms"] < 50
    assert expected["score_time"]["time_err_ms"] > 1
    assert expected["calibration"]["labels"] == len(truth)
    for ending in (".csv", ".mid", ".tsv", ".jams", ".txt"):
        found = figures(tmp_path / f"truth{ending}", tmp_path / "labels.csv")
        for name in ("onset", "offset", "score_time", "notes_by_onset", "notes_by_onset_and_offset"):
            assert found[name] == pytest.approx(expected[name], abs=0.05), (ending, name)  # MIDI keeps 0.1 ms
        assert found["calibration"]["auc"] == expected["calibration"]["auc"]


def test_folders_are_paired_by_name_and_summed_up(folders: tuple[Path, Path, Path]) -> None:
    truth, sure, late = folders
    found = evaluate_files(truth, [sure, late])
    assert [each.name for each in found] == ["sure", "late"]
    assert [piece.name for piece in found[0].pieces] == ["first", "second"]
    values = found[1].as_dict()
    assert values["mean"]["onset"]["median_ms"] == pytest.approx(60, abs=0.1)
    assert values["mean"]["notes_without_label"] == 2
    assert values["mean"]["calibration"] is None
    alone = figures(truth / "first.csv", sure / "first.csv")
    assert found[0].as_dict()["pieces"][0]["onset"] == alone["onset"]
    (swapped, _) = evaluate_files(truth, [late, sure])
    assert swapped.as_dict() == values


def test_folders_that_lack_labels_or_have_two_of_one_piece_are_refused(folders: tuple[Path, Path, Path]) -> None:
    truth, sure, late = folders
    (late / "second.mid").rename(late / "third.mid")
    with pytest.raises(LabelError, match="late: has no labels of second"):
        evaluate_files(truth, [sure, late])
    write_labels(sure / "first.tsv", a_tune())
    with pytest.raises(LabelError, match=r"first\.csv and first\.tsv are two labels"):
        evaluate_files(truth, [sure])
    write_labels(truth / "first.d.csv", a_tune())  # sorted by name, it comes between the two
    write_labels(truth / "first.tsv", a_tune())
    with pytest.raises(LabelError, match=r"first\.csv and first\.tsv are two truths"):
        evaluate_files(truth, [sure])
    with pytest.raises(LabelError, match="has no file that ends in"):
        evaluate_files(truth.parent, [sure])


def test_a_truth_that_fits_badly_is_doubted_aloud_and_one_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    write_labels(tmp_path / "truth.csv", a_tune(40))
    write_labels(tmp_path / "part.csv", a_tune(40)[:10])
    write_labels(tmp_path / "other.csv", notes([1.0], beats=3, pitch=20))
    with pytest.warns(UserWarning, match="only 10 of the 40 notes"):
        evaluate_files(tmp_path / "truth.csv", [tmp_path / "part.csv"])
    with pytest.raises(LabelError, match=r"other\.csv against .*truth\.csv: none of the 40"):
        evaluate_files(tmp_path / "truth.csv", [tmp_path / "other.csv"])
