"""The comparison of features, on a package of sines and with trainings of a few steps."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from made_package import write_package  # noqa: E402

from musicnet_build.baselines.studies import musicnet as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup, Spread  # noqa: E402

TINY = {"steps": 8, "batch_size": 8, "validate_every": 8, "validation_windows": 50, "window_samples": 1024}
MODELS = (
    study.Model("log-spectrograms", "musicnet-linear", TINY, ("small",), 48.8),
    study.Model("MLP, 500 nodes", "musicnet-mlp", TINY | {"filters": 16}, ("small",), 52.1),
    study.Model(
        "CNN", "musicnet-cnn", TINY | {"filters": 4, "filter_samples": 256, "stride_samples": 16}, ("small",), 67.8
    ),
)


def test_models_are_trained_tested_and_shown_beside_the_published_numbers(tmp_path: Path) -> None:
    package = write_package(tmp_path / "musicnet.h5", seconds=2.5)
    page = study.compared(MODELS, Setup(data=package, output=tmp_path / "out", seeds=2))
    assert [row[0] for row in page.tables[0].rows] == [model.name for model in MODELS]
    assert [row[-1] for row in page.tables[0].rows] == [48.8, 52.1, 67.8]
    for row in page.tables[0].rows:
        assert 0 < row[4].mean <= 100
        assert row[4].deviation > 0
    for row in page.tables[2].rows:
        # Substitutions, misses and false alarms are all the errors.
        assert row[2].mean == pytest.approx(sum(part.mean for part in row[3:6]))
    assert all((tmp_path / "out" / name).stat().st_size > 5000 for name in page.pictures)
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 6


def test_every_row_of_both_presets_has_a_folder_of_its_own() -> None:
    for preset in ("small", "paper"):
        setup = Setup(data=Path("m.h5"), output=Path("out"), preset=preset)
        names = [study._training(setup, model, 0).name for model in study.MODELS if preset in model.presets]
        assert len(set(names)) == len(names) >= 7


def test_the_finding_follows_from_the_numbers() -> None:
    def found(*means: float) -> str:
        names = ("log-spectrograms", "MLP, 500 nodes", "CNN")
        return study.finding({name: Spread(mean, 1.0) for name, mean in zip(names, means, strict=True)})

    assert "falls as published" in found(48.8, 52.1, 67.8)
    assert "does not fall" in found(48.8, 67.8, 52.1)
    assert "does not fall" in found(48.8, 49.0, 52.1)


def test_the_curve_of_perfect_scores_stays_at_the_top() -> None:
    truth = np.eye(6, dtype=bool)
    recall, precision = study._curve(truth, truth.astype(np.float32))
    assert precision[0] == 1.0
    assert recall[0] == 1.0
