"""Truths and predictions of timbre in every form."""

from pathlib import Path

import numpy as np
import pytest
from timbre_helpers import SMALL_PAIR, soundfont

from musicnet_build.corpora.timbre_set import DEFAULT_INSTRUMENTS
from musicnet_build.errors import DatasetError
from musicnet_build.evaluation.timbre import (
    Counts,
    evaluate,
)
from musicnet_build.evaluation.timbre_files import read_predictions, read_truth
from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.packing.timbre.frames import ABSENT, one_hot
from musicnet_build.packing.timbre.images import ImageSettings
from musicnet_build.packing.timbre.package import PackSettings, pack_timbre
from musicnet_build.packing.timbre.reader import TimbreFrames


def table(*notes: tuple[float, float, int], program: int = 27) -> NoteTable:
    result = empty_notes(len(notes))
    for row, (onset, offset, pitch) in zip(result, notes, strict=True):
        row["onset_s"], row["offset_s"], row["pitch"], row["velocity"] = onset, offset, pitch, 64
    result["program"] = program
    return result


# 1 s true: 0.5 s found, 0.2 s at another pitch, 0.3 s missed; 0.4 s of what is not there.
TRUTH = table((0.0, 0.5, 60), (0.5, 1.0, 62))
PREDICTED = table((0.0, 0.5, 60), (0.5, 0.7, 64), (1.2, 1.6, 65))
COUNTS = Counts(correct=50, wrong=20, false=40, missed=30)


def test_label_files_are_told_apart_by_program(tmp_path: Path) -> None:
    both = np.concatenate([TRUTH, table((0.0, 1.0, 70), program=56)])
    for ending in ("csv", "mid"):
        write_labels(tmp_path / f"true.{ending}", both)
        truth = read_truth(tmp_path / f"true.{ending}", DEFAULT_INSTRUMENTS)
        report = evaluate(read_predictions(tmp_path / f"true.{ending}", truth), truth.notes, truth.subsets)
        assert report["true"]["guitar"]["correct"] == report["true"]["trumpet"]["correct"] == 100
        assert report["true"]["all"]["f_measure"] == 1.0


def test_notes_of_other_instruments_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    write_labels(tmp_path / "true.csv", np.concatenate([TRUTH, table((0.0, 1.0, 70), program=3)]))
    with pytest.warns(UserWarning, match="1 of 3 notes are of no instrument"):
        read_truth(tmp_path / "true.csv", DEFAULT_INSTRUMENTS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("made")
    generate_ascension(folder / "set", [soundfont()], AscensionSettings(SMALL_PAIR, velocities=(90,)))
    pack_timbre(folder / "set", folder / "set.h5", PackSettings(ImageSettings("log", 8192, 1024)))
    return folder / "set", folder / "set.h5"


@pytest.mark.parametrize("form", ["pitches", "classes"])
def test_per_frame_arrays_of_a_package_score_full_when_they_are_its_labels(
    made: tuple[Path, Path], tmp_path: Path, form: str
) -> None:
    pitches = TimbreFrames(made[1]).pitches()
    np.save(tmp_path / "p.npy", pitches if form == "pitches" else one_hot(pitches) * 0.7)
    truth = read_truth(made[1], ())
    report = evaluate(read_predictions(tmp_path / "p.npy", truth), truth.notes, truth.subsets)
    assert set(report) == {"guitar_alone", "trumpet_alone", "guitar_and_trumpet", "average"}
    assert report["guitar_alone"]["all"]["f_measure"] == 1.0
    assert report["guitar_and_trumpet"]["trumpet"]["correct"] == 12 * 50


def test_a_folder_of_predictions_is_matched_by_name_and_none_may_be_missing(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    truth = read_truth(made[0], ())
    for piece, notes in truth.notes.items():
        write_labels(tmp_path / f"{piece}.csv", np.concatenate(list(notes.values())))
    report = evaluate(read_predictions(tmp_path, truth), truth.notes, truth.subsets)
    assert report["average"]["all"]["accuracy"] == 1.0
    (tmp_path / f"{piece}.csv").unlink()
    np.save(tmp_path / f"{piece}.npy", np.full((4, 2), ABSENT))
    assert evaluate(read_predictions(tmp_path, truth), truth.notes, truth.subsets)["average"]["all"]["accuracy"] < 1
    (tmp_path / f"{piece}.npy").unlink()
    with pytest.raises(DatasetError, match="no prediction for"):
        evaluate(read_predictions(tmp_path, truth), truth.notes, truth.subsets)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((3, 2)), "3 rows"),
        (np.zeros((72, 3)), "shape"),
        (np.full((72, 2), 129), "no pitches"),
        (np.full((72, 2), 0.5), "no pitches"),
        (np.array([{"a": 1}], dtype=object), "cannot be read"),
        (np.array(["x"]), "numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    made: tuple[Path, Path], tmp_path: Path, values: np.ndarray, reason: str
) -> None:
    np.save(tmp_path / "p.npy", values)
    with pytest.raises(DatasetError, match=reason):
        read_predictions(tmp_path / "p.npy", read_truth(made[1], ()))
