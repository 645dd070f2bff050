"""The notebook runs from top to bottom, and what its cells end with can be shown."""

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT

NOTEBOOK = ROOT / "examples" / "first_steps.ipynb"


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; return what its last line gives, where that is an expression, as notebooks show it."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names) if last else None


@pytest.fixture
def in_a_copy(example_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(example_files / "demo", tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_notebook_runs_from_top_to_bottom(in_a_copy: Path) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), names) for cell in cells if cell["cell_type"] == "code"]
    pictures = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    assert any("data:image/png" in html for html in pictures)
    assert {"labels.csv", "labels.jams", "labels.mid", "alignment.png"} <= {path.name for path in in_a_copy.iterdir()}


def test_the_notebook_is_kept_without_its_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
