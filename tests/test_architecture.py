"""The rules of docs/architecture.md: modules stand on floors, imports run down only, tests mirror the rooms."""

import ast
from pathlib import Path

import pytest

import musicnet_build

PACKAGE = Path(musicnet_build.__file__).parent
TESTS = PACKAGE.parent / "tests"

FLOORS = (
    ("cli",),
    ("labelling", "baselines"),
    ("plots", "checking"),
    ("evaluation", "datasets"),
    ("align_files", "exports"),
    ("alignment", "packing"),
    ("quality", "generation", "listening"),
    ("sync", "corpora"),
    ("synthesis", "audio", "labels", "anchors"),
    ("dtw", "features", "score", "jobs", "remote"),
    ("notes", "files", "threads", "jit", "recipe"),
    ("errors", "choices", "progress", "quiet", "_typing"),
)
"""The rooms, from the top of the house to its base. What is not a folder is a file."""

FORMER_PLACES = {
    "musicnet_build.soundfonts",
    *(f"musicnet_build.datasets.{name}" for name in ("windows", "frames", "segments", "thumbnails", "timbre_reader")),
}
"""Modules that only keep the names which users have from version 0.1.0."""

LINES = 400
FILES = 12


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}
DOORS = {"musicnet_build", "musicnet_build.__main__"}
"""What opens the house to Python and to the shell."""

PLACED = sorted(set(MODULES) - FORMER_PLACES - DOORS)


def folders(root: Path) -> set[str]:
    """All folders below one, by their paths from it."""
    return {
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir() and path.name != "__pycache__"
    }


def room(name: str) -> str:
    return name.split(".")[1]


def floor(name: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if room(name) in rooms)


def imports(name: str) -> set[str]:
    """The modules of the package that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return (names & set(MODULES)) - {name, "musicnet_build"}


def reachable(name: str) -> set[str]:
    seen: set[str] = set()
    waiting = imports(name)
    while waiting:
        seen |= waiting
        waiting = set().union(*map(imports, waiting)) - seen
    return seen


def test_every_module_stands_on_a_floor() -> None:
    placed = [name for rooms in FLOORS for name in rooms]
    assert sorted(placed) == sorted({room(name) for name in PLACED})
    assert len(FLOORS) <= 12


@pytest.mark.parametrize("name", PLACED)
def test_a_module_imports_its_own_room_and_the_floors_below(name: str) -> None:
    upward = {other for other in imports(name) if room(other) != room(name) and floor(other) <= floor(name)}
    assert not upward


@pytest.mark.parametrize("name", PLACED)
def test_no_module_imports_in_a_circle(name: str) -> None:
    assert name not in reachable(name)


@pytest.mark.parametrize("name", sorted(FORMER_PLACES))
def test_a_former_place_holds_nothing_but_names(name: str) -> None:
    body = ast.parse(MODULES[name].read_text(encoding="utf-8")).body
    assert all(isinstance(node, ast.ImportFrom) for node in body[1:])


def test_no_file_is_long_and_no_room_is_crowded() -> None:
    long = {name for name, path in MODULES.items() if len(path.read_text(encoding="utf-8").splitlines()) > LINES}
    assert long <= {"musicnet_build.dtw.exact"}
    former = {MODULES[name] for name in FORMER_PLACES}
    files = {folder: len(set((PACKAGE / folder).glob("*.py")) - former) for folder in folders(PACKAGE)}
    assert {name for name, count in files.items() if count > FILES + 1} <= {"cli"}


def test_each_test_file_has_the_name_of_its_module() -> None:
    strays = [
        path
        for folder in folders(PACKAGE) & folders(TESTS)
        for path in (TESTS / folder).glob("test_*.py")
        if not (PACKAGE / folder / path.name.removeprefix("test_")).exists()
    ]
    assert strays == []


def test_every_room_is_in_the_document() -> None:
    document = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [name for rooms in FLOORS for name in rooms if f"`{name}" not in document] == []
