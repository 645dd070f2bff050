"""Tests of the confidence, and of the tool that finds its constants."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

TOOL = Path(__file__).parents[2] / "tools" / "fit_confidence.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """``tools/fit_confidence.py``, which is no part of the package."""
    pytest.importorskip("sklearn")
    spec = importlib.util.spec_from_file_location("fit_confidence", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_confidence"] = module  # where its dataclasses look for their names
    spec.loader.exec_module(module)
    return module


def test_the_tool_finds_what_tells_right_from_wrong_and_gives_account_of_it(tool: ModuleType) -> None:
    random = np.random.default_rng(0)
    count = 4000
    features = random.normal(size=(count, 5))
    right = random.uniform(size=count) < 1 / (1 + np.exp(-2 - 1.5 * features[:, 0]))
    piece = np.repeat(["one", "two"], count // 2)
    ones, everything = np.ones(count), np.ones(count, bool)
    examples = tool.Examples(features, right, ones, piece, piece, np.arange(count) % 10 > 0, ones)
    model = tool.fitted(examples, everything)
    np.testing.assert_allclose(model.weights / model.scales, [1.5, 0, 0, 0, 0], atol=0.2)
    lines = "\n".join(tool.account(examples, tool.without_their_own_piece(examples)))
    assert "AUC one: 0.8" in lines
    assert "| 0.9 to 1.0 |" in lines
    assert next(tool.constants(model)).startswith("_CENTRES = (")
