"""Every command and every piece of Python in the documents runs, taken from the files, as a reader would run it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import record_pieces
from command_server import served
from documents import PAGES, ROOT, Block, blocks, commands, scripts

from musicnet_build.cli import group
from musicnet_build.cli.pack import SUBCOMMANDS
from musicnet_build.datasets.manifest import read_manifest

BLOCKS = [block for page in PAGES for block in blocks(page)]
RUN = sorted({block.page for block in BLOCKS if not block.reason})
MADE_BY_THE_PAGE = {
    "README.md": ("dataset", "*.h5", "labels.csv"),
    "docs/datasets.md": ("dataset", "*.h5"),
    "docs/tutorial.md": ("recordings", "scores", "dataset", "*.h5"),
}
"""What else is in the folder before the first block runs is in the fixture `example_files`."""

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", RUN)
def test_the_code_of_a_page_runs_from_top_to_bottom(page: str, example_files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    shutil.copytree(example_files, folder, ignore=shutil.ignore_patterns(*MADE_BY_THE_PAGE.get(page, ())))
    (folder / "examples").symlink_to(ROOT / "examples")
    programs = [str(Path(served()).parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = os.environ | {"PATH": os.pathsep.join(programs)}
    names: dict[str, object] = {}
    for block in (block for block in BLOCKS if block.page == page and not block.reason):
        if block.language == "bash":
            script = ["bash", "-euo", "pipefail", "-c", block.text]
            done = subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{page}:{block.line}\n{block.text}\n{done.stderr}"
        else:
            _run_python(block, folder, names)


def _run_python(block: Block, folder: Path, names: dict[str, object]) -> None:
    """Run a block in this process; what earlier blocks of its page named is known to it."""
    code = compile("\n" * block.line + block.text, ROOT / block.page, "exec")
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(code, names)
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    "arguments",
    [pytest.param(line, id=" ".join(line)[:60]) for block in BLOCKS if block.reason for line in commands(block)],
)
def test_a_command_that_is_not_run_has_only_options_that_exist(arguments: list[str]) -> None:
    command: click.Command = group
    context = click.Context(group, info_name="musicnet-build")
    while isinstance(command, click.Group) and arguments:
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_parser(context).parse_args(list(arguments))


def test_the_manifest_of_the_pieces_names_what_the_script_records(tmp_path: Path) -> None:
    shutil.copy(ROOT / "data_manifests" / "pieces.yaml", tmp_path)
    for number in range(1, record_pieces.PIECES + 1):
        for path in record_pieces.places(number, tmp_path / "pieces" / "recordings", tmp_path / "pieces" / "scores"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert len(read_manifest(tmp_path / "pieces.yaml").entries) == record_pieces.PIECES


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = re.findall(r"^(\w+)$", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted({path.stem for path in ROOT.glob("docs/*.md")} - {"index"}) == sorted(listed)


def test_the_page_on_training_names_every_package() -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert [name for name in SUBCOMMANDS if f"`pack {name}`" not in text] == []


def test_every_script_that_a_document_runs_is_there() -> None:
    assert [script for block in BLOCKS for script in scripts(block) if not (ROOT / script).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace(f"{_source()}/blob/main/", f"{ROOT}/")
    text = text.replace(f"{_source().replace('github.com', 'raw.githubusercontent.com')}/main/", f"{ROOT}/")
    for target in (link for link in LINK.findall(text) if "://" not in link):
        name, _, heading = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), target
        assert not heading or heading in _anchors(path), target


def test_links_of_the_readme_work_from_a_package_index() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not link.startswith(("https://", "#"))] == []


def _source() -> str:
    """The project's address, from setup.cfg."""
    (line,) = [line for line in (ROOT / "setup.cfg").read_text(encoding="utf-8").splitlines() if line.startswith("url")]
    return line.split("=")[1].strip()


def _anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
