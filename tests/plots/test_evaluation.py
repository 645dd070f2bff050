"""Evaluations in one picture."""

from pathlib import Path

import pytest
from tunes import a_tune
from two_aligners import two_aligners

from musicnet_build.evaluation.files import evaluate_files
from musicnet_build.evaluation.report import table_lines
from musicnet_build.labels.files import write_labels
from musicnet_build.plots.evaluation import draw_evaluation, plot_evaluation


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    return two_aligners(tmp_path)


def test_the_picture_shows_every_note_and_the_same_bytes_come_again(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    truth, sure, late = folders
    found = evaluate_files(truth, [sure, late])
    shares, reliability, errors = draw_evaluation("Both", found).axes
    highest = [line.get_ydata().max() for line in shares.get_lines() if len(line.get_xdata()) > 2]
    assert highest == pytest.approx([1.0, 68 / 70])
    assert [len(points.get_offsets()) for points in errors.collections] == [70, 70]
    judged = found[0].as_dict()["mean"]["calibration"]["bins"]
    shown = reliability.collections[-1].get_offsets()
    assert shown[:, 1].tolist() == [one["correct"] for one in judged if one["labels"]]
    assert len(draw_evaluation("Late", evaluate_files(truth / "first.csv", [late / "first.mid"])).axes) == 2
    for name in ("one.png", "two.png"):
        plot_evaluation(tmp_path / name, "Both", found)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_names_that_are_formulas_or_no_text_can_be_drawn_and_printed(tmp_path: Path) -> None:
    write_labels(tmp_path / "truth.csv", a_tune())
    names = ["a$x^{$.csv", "b\udcff.csv"]
    for name in names:
        write_labels(tmp_path / name, a_tune())
    found = evaluate_files(tmp_path / "truth.csv", [tmp_path / name for name in names])
    plot_evaluation(tmp_path / "plot.png", "Labels against a$\\frac$.csv", found)
    shares, _ = draw_evaluation("", found).axes
    assert [text.get_text().split(":")[0] for text in shares.get_legend().get_texts()] == [r"a\$x^{\$.csv", "b?.csv"]
    assert table_lines(found)[1].startswith("a$x^{$.csv")
