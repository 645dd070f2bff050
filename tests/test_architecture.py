"""Tests of the rules in docs/architecture.md: imports run one way."""

import ast
from pathlib import Path

import pytest

import musicnet_build

PACKAGE = Path(musicnet_build.__file__).parent
ARITHMETIC = {"dtw", "dtw_kernels", "spectra", "timemap"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


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


@pytest.mark.parametrize("name", sorted(name for name in MODULES if ".cli" not in name))
def test_no_module_imports_in_a_circle_or_from_the_command_line(name: str) -> None:
    found = reachable(name)
    assert name not in found
    assert not {other for other in found if ".cli" in other}


@pytest.mark.parametrize("name", sorted(ARITHMETIC))
def test_the_rooms_of_mere_arithmetic_know_nothing_of_music(name: str) -> None:
    allowed = {f"musicnet_build.{room}" for room in ("errors", "notes", "background", "compiling", "dtw_kernels")}
    assert imports(f"musicnet_build.{name}") <= allowed


def test_every_module_is_in_the_documents_table_of_rooms() -> None:
    document = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {name.removeprefix("musicnet_build.") for name in MODULES if ".cli" not in name} - {"musicnet_build"}
    missing = {room for room in rooms - {"listening"} if f"`{room.replace('.', '/')}`" not in document}
    assert not missing
