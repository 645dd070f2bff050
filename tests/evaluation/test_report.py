"""Evaluations as text."""

from pathlib import Path

import pytest
from tunes import notes
from two_aligners import two_aligners

from musicnet_build.evaluation.files import evaluate_files
from musicnet_build.evaluation.report import list_lines, table_lines
from musicnet_build.labels.files import write_labels


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    return two_aligners(tmp_path)


def test_the_tables_have_a_row_for_each_file_and_only_what_is_known(folders: tuple[Path, Path, Path]) -> None:
    truth, sure, late = folders
    lines = table_lines(evaluate_files(truth, [sure, late]))
    means = [line.split() for line in lines if "mean of 2 pieces" in line]
    assert [cells[4:7] for cells in means[:2]] == [["70", "0", "0"], ["70", "2", "0"]]
    assert float(means[1][7]) == pytest.approx(60, abs=0.2)
    confidence = lines[next(i for i, line in enumerate(lines) if line.startswith("confidence ")) :]
    assert not any(line.startswith("late") for line in confidence)
    assert "  0.9 to 1.0" in "\n".join(confidence)
    single = table_lines(evaluate_files(truth / "first.csv", [late / "first.mid"]))
    assert single[1].split()[:4] == ["first.mid", "30", "1", "0"]
    assert not any(line.startswith("confidence") for line in single)


def test_the_list_names_missing_and_extra_notes_and_the_largest_errors(tmp_path: Path) -> None:
    truth = notes([1.0, 2.0, 3.0], beats=[0, 1, 2], pitch=[60, 62, 64])
    write_labels(tmp_path / "truth.csv", truth)
    write_labels(tmp_path / "labels.csv", notes([1.2, 2.01, 9.0], beats=[0, 1, 9], pitch=[60, 62, 70]))
    found = evaluate_files(tmp_path / "truth.csv", [tmp_path / "labels.csv"])
    lines = [line.split() for line in list_lines(found)]
    assert ["3.000", "s", "E4"] in lines
    assert ["9.000", "s", "A#4"] in lines
    worst = [line for line in lines if line[-1:] == ["ms"]]
    assert [(line[0], line[2]) for line in worst] == [("1.000", "C4"), ("2.000", "D4")]
    assert [float(line[3]) for line in worst] == pytest.approx([200, 10], abs=0.1)
    (piece,) = found[0].as_dict(listed=True)["pieces"]
    assert [len(piece[name]) for name in ("missing", "extra", "largest_errors")] == [1, 1, 2]
