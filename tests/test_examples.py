"""The examples in docstrings run, in a folder that has the files they name; what users call has one."""

import doctest
import importlib
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import musicnet_build

PACKAGE = Path(musicnet_build.__file__).parent
REFERENCE = PACKAGE.parent / "docs" / "api.md"


def examples() -> Iterator[Any]:
    """The docstrings with examples, of modules that have any."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
            yield from examples_of(name)


def examples_of(name: str) -> Iterator[Any]:
    """Those of a module; one that is skipped where it needs PyTorch, which is not installed."""
    shown = name.removeprefix("musicnet_build.")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        yield pytest.param(None, id=shown, marks=pytest.mark.skip(reason="PyTorch is not installed"))
        return
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        if test.examples:
            yield pytest.param(test, id=test.name.removeprefix("musicnet_build."))


def reference() -> dict[str, Any]:
    """What the API reference lists, by the name that it is listed under."""
    names = re.findall(r"^   ([\w.]+)$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: resolved(name) for name in names}


def resolved(name: str) -> Any:
    """The object of a name such as ``dtw.exact.dtw``, from the package on."""
    module, _, attribute = f"musicnet_build.{name}".rpartition(".")
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_gives_what_it_says(
    example: doctest.DocTest, example_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(example_files, tmp_path / "files")
    monkeypatch.chdir(tmp_path / "files")
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert runner.run(example, out=report.append).failed == 0, "".join(report)


@pytest.mark.parametrize("name", reference())
def test_what_the_reference_lists_has_an_example(name: str) -> None:
    thing = reference()[name]
    assert name in RESULTS or ">>> " in (inspect.getdoc(thing) or "")


RESULTS = {
    "LabelledRecording",
    "datasets.reader.Track",
    "alignment.Alignment",
    "dtw.exact.WarpingPath",
    "checking.check.Check",
    "checking.errata.Erratum",
    "checking.clock.Clock",
    "checking.refine.Refined",
}
"""What other functions give: their examples show it."""
