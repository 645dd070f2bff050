"""The study of labelling functions, with trainings of a few steps."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from frames_package import write_frames  # noqa: E402

from musicnet_build.baselines.studies import label_noise as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup, Spread  # noqa: E402


def test_every_function_is_trained_and_judged(tmp_path: Path) -> None:
    package = write_frames(tmp_path)
    setup = Setup(data=package, output=tmp_path / "out", seeds=1)
    conditions = [study.Condition("label-noise", "given/fold_1", function) for function in study.FUNCTIONS]
    page = study.compared(conditions, setup, steps=4, validate_every=4, filters=(2, 4), dense=16)
    ((name, *cells),) = page.tables[0].rows
    assert name == "31.25, given/fold_1"
    assert len(cells) == 6
    assert all(0 <= cell.mean <= 100 for cell in cells)
    assert all((tmp_path / "out" / name).stat().st_size > 5000 for name in page.pictures)


def test_the_small_preset_takes_one_fold_and_the_paper_all_of_them_at_both_rates(tmp_path: Path) -> None:
    package = write_frames(tmp_path)
    small = study.conditions_of(Setup(data=package, output=tmp_path))
    assert {one.fold for one in small} == {"configuration_1/fold_1"}
    paper = study.conditions_of(Setup(data=package, output=tmp_path, preset="paper"))
    assert {one.model for one in paper} == {"label-noise", "label-noise-100"}
    assert {one.fold.split("/")[0] for one in paper} == {"configuration_1", "configuration_2"}
    assert len(paper) == 2 * 6 * len({one.fold for one in paper})


def test_recall_is_counted_from_the_beginning_of_each_note() -> None:
    truth = np.zeros((60, 2), bool)
    decided = truth.copy()
    truth[5:15, 0] = truth[20:24, 0] = truth[0:10, 1] = True
    decided[6:15, 0] = decided[20:24, 0] = decided[1:10, 1] = True
    recall = study.recall_by_age(truth, decided)
    assert recall[:4] == pytest.approx([1 / 3, 1, 1, 1])
    assert recall[9] == 1.0
    assert np.isnan(recall[10:]).all()


def test_the_finding_follows_from_the_numbers() -> None:
    others = {function: Spread(40.0, 0.5) for function in "bcdef"}
    assert "a is better than all others" in study.finding({"a": Spread(45.0, 0.5), **others})
    assert "does not come out" in study.finding({"a": Spread(40.2, 0.5), **others})
    assert "does not come out" in study.finding({"a": Spread(30.0, 0.5), **others})
