"""The installed command, run as a user runs it: in a process of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from command_server import PROGRAM, served


def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run ``musicnet-build`` with its output captured; from the start where the environment is another."""
    command = [PROGRAM if environment else served(), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, env=os.environ | environment
    )


def done(*arguments: str | Path, **environment: str) -> str:
    """Run a command that must succeed; return what it printed."""
    process = run(*arguments, **environment)
    assert process.returncode == 0, process.stderr
    return process.stdout


def as_json(*arguments: str | Path, **environment: str) -> Any:
    """Run a command that must succeed with ``--json``, and print nothing else."""
    return json.loads(done(*arguments, "--json", **environment))


def refused(*arguments: str | Path, **environment: str) -> str:
    """Run a command that must fail in one line; return the line."""
    process = run(*arguments, **environment)
    assert process.returncode == 1, (process.stdout, process.stderr)
    assert process.stdout == ""
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    assert lines[0].startswith("musicnet-build: ")
    return lines[0]


def misused(*arguments: str | Path) -> str:
    """Run a command that must be refused as misuse; return the reason."""
    process = run(*arguments)
    assert process.returncode == 2, (process.stdout, process.stderr)
    assert process.stdout == ""
    usage, reason = process.stderr.split("\n", 1)[0], process.stderr.splitlines()[-1]
    assert usage.startswith("Usage: musicnet-build")
    assert reason.startswith("Error: ")
    return reason
