"""What is installed is whole: dependencies are used and named once, and the wheel takes the files that are no code."""

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

import musicnet_build

PACKAGE = Path(musicnet_build.__file__).parent
ROOT = PACKAGE.parent
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")

MODULE_NAMES = {"pyyaml": "yaml", "scikit-learn": "sklearn", "pyfluidsynth": "fluidsynth", "pygame-ce": "pygame"}
"""Modules of packages that are called otherwise."""


def listed(section: str, option: str) -> list[str]:
    return [line for line in SETUP[section][option].strip().splitlines() if not line.startswith("#")]


def distribution(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


EXTRAS = {
    name: [distribution(line) for line in listed("options.extras_require", name)]
    for name in SETUP["options.extras_require"]
}
RUNTIME_EXTRAS = set(EXTRAS) - {"test", "check", "docs"}


def used_modules() -> set[str]:
    """What the package imports or looks for, wherever in it."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # find_spec("pretty_midi")
                found.add(node.value)
    return {name.split(".")[0].lower() for name in found}


def module_of(name: str) -> str:
    return MODULE_NAMES.get(name, name).replace("-", "_").split(".")[0]


def test_no_dependency_is_listed_twice() -> None:
    for names in ([distribution(line) for line in listed("options", "install_requires")], *EXTRAS.values()):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [distribution(line) for line in listed("options", "install_requires")])
def test_what_is_required_is_used(name: str) -> None:
    assert module_of(name) in used_modules()


def test_what_is_imported_is_required() -> None:
    required = {distribution(line) for line in listed("options", "install_requires")}
    known = {module_of(name) for name in required.union(*(EXTRAS[extra] for extra in RUNTIME_EXTRAS))}
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    assert imported - set(sys.stdlib_module_names) - {"musicnet_build"} - known == set()


def packaged_files() -> dict[str, set[Path]]:
    """The files that are no code and that setup.cfg puts into the wheel, by the line that names them."""
    found = {}
    for package, patterns in SETUP["options.package_data"].items():
        folders = [path for path in (PACKAGE, *PACKAGE.rglob("*")) if path.is_dir()]
        if package != "*":
            folders = [PACKAGE.parent / package.replace(".", "/")]
        parts = [part for part in re.split(r"[,\s]+", patterns) if part]
        found |= {f"{package} = {part}": {path for folder in folders for path in folder.glob(part)} for part in parts}
    return found


def test_the_wheel_takes_every_file_that_is_no_code() -> None:
    others = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".py"}
    others = {path for path in others if "__pycache__" not in path.parts}
    assert others == set().union(*packaged_files().values())
    assert all(packaged_files().values())


def test_version_and_address_are_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {musicnet_build.__version__}\n" in citation
    assert f"repository-code: {SETUP['metadata']['url']}\n" in citation
    assert f"## {musicnet_build.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
