"""The code blocks of README.md and docs/, taken from the files as they are.

A block is one of Python, or one of commands: fenced as ``bash``, or indented and beginning with the name of a program.
What a document shows otherwise (output, recipes, diagrams) is fenced as something else, or indented. A comment
``<!-- not run: the reason -->`` before a block says that it cannot run in a test, and why.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])

_PROGRAMS = {"musicnet-build", "python", "python3", "make", "pip", "pipx", "uvx", "sudo", "export", "eval", ".ci/run"}
_NEVER_RUN = {
    "make": "sets up an environment, or runs these tests",
    "pip install": "installs packages",
    "sudo": "changes the machine",
    "python tests/benchmarks/": "measures for minutes, on recordings that are not part of the project",
    "python tools/": "fits models for hours, on recordings that are not part of the project",
}
"""Beginnings of commands that no test runs, wherever they stand, and why."""

_NOT_RUN = re.compile(r"<!--\s*not run:\s*(.+?)\s*-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code; ``reason`` says why it is not run, empty where it is."""

    page: str
    line: int
    language: str
    text: str
    reason: str


def blocks(path: Path) -> list[Block]:
    """The blocks of a page, in its order."""
    found, reason = [], ""
    for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")):
        if token.type == "html_block":
            match = _NOT_RUN.search(token.content)
            reason = match[1] if match else ""
        elif token.type in ("fence", "code_block"):
            language = _language(token.info, token.content)
            if language:
                line = token.map[0] + 1 if token.map else 0
                page, why = path.relative_to(ROOT).as_posix(), reason or _never_run(token.content)
                found.append(Block(page, line, language, token.content, why))
            reason = ""
    return found


def commands(block: Block) -> list[list[str]]:
    """The calls of ``musicnet-build`` in a block of commands, as arguments."""
    lines = block.text.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines if line.strip().startswith("musicnet-build")]
    return [line[1:] for line in words]


def scripts(block: Block) -> list[str]:
    """The files of the project that a block of commands runs or names."""
    return re.findall(r"(?:tests|tools|examples)/[\w/]+\.(?:py|sh)", block.text)


def _never_run(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    reasons = (why for start, why in _NEVER_RUN.items() if any(line.startswith(start) for line in lines))
    return next(reasons, "")


def _language(info: str, text: str) -> str:
    if info in ("bash", "python"):
        return info
    first = text.split(maxsplit=1)[0] if not info and text.strip() else ""
    return "bash" if first in _PROGRAMS else ""
