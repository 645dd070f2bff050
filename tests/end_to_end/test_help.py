"""Help comes at once: no command may import anything heavy before it works."""

import resource
import subprocess
import sys

import pytest
from command_line import done, misused
from command_server import PROGRAM

from musicnet_build.cli import COMMANDS

HEAVY = {"numba", "librosa", "scipy", "matplotlib", "numpy", "soundfile", "pretty_midi", "mido", "fluidsynth", "rich"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_there_without_importing_anything_heavy(command: str) -> None:
    code = f"import sys, musicnet_build.cli.{command}; print(*({HEAVY!r} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_is_quick_and_says_what_it_does(command: str) -> None:
    before_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    printed = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True, check=True).stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before_s < 0.6  # 0.15 s on an idle machine
    assert printed.startswith(f"Usage: musicnet-build {command} ")
    assert "--json" in printed


def test_help_names_every_command() -> None:
    printed = done("--help")
    assert all(command in printed for command in COMMANDS)


def test_the_version_is_that_of_the_package() -> None:
    from musicnet_build import __version__

    assert __version__ in done("--version")


def test_the_package_itself_runs_as_the_command() -> None:
    module = [sys.executable, "-m", "musicnet_build", "--version"]
    assert subprocess.run(module, capture_output=True, text=True, check=True).stdout == done("--version")


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    assert "Did you mean 'align'?" in misused("alin")
    assert "Did you mean 'frames'?" in misused("pack", "frame")


def test_a_command_that_is_like_no_other_is_answered_with_all_of_them() -> None:
    assert all(command in misused("xyzzy") for command in COMMANDS)
