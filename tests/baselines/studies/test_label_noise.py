"""The study of labelling functions, with trainings of a few steps."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.baselines.studies import label_noise as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup, Spread  # noqa: E402


def test_every_function_is_trained_judged_and_drawn(
    frames_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "CONFIGURATIONS", ("another", "given"))
    setup = Setup(data=frames_package, output=tmp_path, seeds=1)
    conditions = [study.Condition("label-noise", "given/fold_1", function) for function in study.FUNCTIONS]
    page = study.compared(conditions, setup, steps=4, validate_every=4, filters=(2, 4), dense=16)
    ((name, *cells),) = page.tables[0].rows
    assert name == "given, fold 1, 31.25 frames a second"
    assert len(cells) == 6
    assert all(0 <= cell.mean <= 100 for cell in cells)
    assert list(page.pictures) == ["figure_5.png", "notes.png"]
    assert all((tmp_path / name).stat().st_size > 5000 for name in page.pictures)


def test_the_small_preset_takes_one_fold_of_each_configuration_and_the_paper_all(
    frames_package: Path, tmp_path: Path
) -> None:
    def taken(preset: str) -> list[study.Condition]:
        return study.conditions_of(Setup(data=frames_package, output=tmp_path, preset=preset))

    assert {one.fold for one in taken("small")} == {"configuration_1/fold_1", "configuration_2/fold_1"}
    for preset, folds in (("small", 2), ("paper", 5)):
        assert len({one.fold for one in taken(preset)}) == folds
        assert {one.model for one in taken(preset)} == set(study.MODELS)
        assert len(set(taken(preset))) == 2 * 6 * folds


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
    assert "40.0 %; a is better than all others" in study.finding("case", {"a": Spread(45.0, 0.5), **others})
    assert "not clearly better" in study.finding("case", {"a": Spread(40.2, 0.5), **others})
    assert "not clearly better" in study.finding("case", {"a": Spread(30.0, 0.5), **others})
