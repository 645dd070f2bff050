"""Transcriptions in files and folders, and their table."""

from pathlib import Path

import numpy as np
import pytest
from tunes import a_scale

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.transcription.files import deviation_of, evaluate_transcriptions, mean_of
from musicnet_build.labels.files import write_labels
from musicnet_build.labels.pianoroll import label_rolls
from musicnet_build.labels.posteriorgram import Posteriorgram, write_posteriorgram


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two pieces; of one all notes were found, of the other half of them."""
    for name, count, found in (("first", 20, 20), ("second", 40, 20)):
        write_labels(tmp_path / "truth" / f"{name}.csv", a_scale(count))
        write_labels(tmp_path / "notes" / f"{name}.mid", a_scale(count)[:found])
        roll = label_rolls(a_scale(count)[:found], 250, 0.032).frame
        (tmp_path / "scores").mkdir(exist_ok=True)
        write_posteriorgram(tmp_path / "scores" / f"{name}.npz", Posteriorgram(roll.astype(np.float32), 31.25))
    return tmp_path / "truth", tmp_path


def test_a_folder_has_a_mean_and_a_deviation(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    for kind in ("notes", "scores"):
        values = evaluate_transcriptions(truth, predictions / kind).as_dict()
        assert [piece["note"]["recall"] for piece in values["pieces"]] == [1.0, 0.5]
        assert values["mean"]["note"]["recall"] == 0.75
        assert values["deviation"]["note"]["recall"] == pytest.approx(np.sqrt(0.125))
        assert (values["average_precision"] is None) == (kind == "notes")


def test_scores_of_all_pieces_are_ranked_together(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    values = evaluate_transcriptions(truth, predictions / "scores").as_dict()
    of_pieces = [piece["average_precision"]["all"] for piece in values["pieces"]]
    assert of_pieces == pytest.approx([1.0, 0.5], abs=0.02)
    assert values["average_precision"]["all"] == pytest.approx(2 / 3, abs=0.02)
    assert values["curves"]["all"]["recall"][-1] == pytest.approx(1.0)


def test_a_single_file_has_neither_and_silence_is_no_error(folders: tuple[Path, Path], tmp_path: Path) -> None:
    truth, predictions = folders
    single = evaluate_transcriptions(truth / "first.csv", predictions / "notes" / "first.mid").as_dict()
    assert (single["mean"], single["deviation"]) == (None, None)
    write_labels(tmp_path / "silence.csv", a_scale()[:0])
    silent = evaluate_transcriptions(truth / "first.csv", tmp_path / "silence.csv").as_dict()["pieces"][0]
    assert (silent["note"]["f1"], silent["frame"]["e_miss"]) == (0.0, 1.0)


def test_the_threshold_given_goes_before_that_of_the_file(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    found = evaluate_transcriptions(truth, predictions / "scores", threshold=1.5).as_dict()
    assert found["mean"]["frame"]["f1"] == 0.0


def test_a_missing_piece_and_an_unknown_end_are_named(folders: tuple[Path, Path]) -> None:
    truth, predictions = folders
    (predictions / "scores" / "second.npz").unlink()
    with pytest.raises(LabelError, match="has no labels of second"):
        evaluate_transcriptions(truth, predictions / "scores")
    (predictions / "endless.json").write_text("[[0.5, null, 60]]")
    with pytest.raises(LabelError, match=r"endless.json: not every note has an end"):
        evaluate_transcriptions(truth / "first.csv", predictions / "endless.json")


def test_means_and_deviations_are_of_what_is_known() -> None:
    figures = [{"a": {"b": 1.0}, "c": None}, {"a": {"b": 2.0}, "c": 4.0}]
    assert mean_of(figures) == {"a": {"b": 1.5}, "c": 4.0}
    assert deviation_of(figures) == {"a": {"b": pytest.approx(np.sqrt(0.5))}, "c": None}
