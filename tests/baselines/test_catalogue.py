"""Every name that a command offers leads to a model or a study."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.baselines.catalogue import find_baseline, find_study  # noqa: E402
from musicnet_build.choices import BASELINE_PRESETS, BASELINES, STUDIES  # noqa: E402
from musicnet_build.errors import TrainingError  # noqa: E402


@pytest.mark.parametrize("name", BASELINES)
def test_every_model_has_both_presets_and_can_be_built_small(name: str) -> None:
    baseline = find_baseline(name)
    assert tuple(baseline.presets) == BASELINE_PRESETS
    assert baseline.module == BASELINES[name]
    network = baseline.network(baseline.presets["small"])
    assert sum(parameter.numel() for parameter in network.parameters()) > 1000


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_says_what_it_reads(name: str) -> None:
    study = find_study(name)
    assert study.reference
    assert study.data


def test_names_that_are_not_known_are_refused_with_those_that_are() -> None:
    with pytest.raises(TrainingError, match="choose from musicnet"):
        find_baseline("alexnet")
    with pytest.raises(TrainingError, match="choose from musicnet"):
        find_study("alexnet")
