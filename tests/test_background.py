"""Calls on another core: their results, their errors, and an interrupt while they run."""

import subprocess
import sys
import threading
import time

import pytest

from musicnet_build.background import in_background


def test_it_runs_meanwhile_and_gives_the_result() -> None:
    go = threading.Event()

    def double(number: int, *, plus: int) -> int:
        assert go.wait(5)
        return 2 * number + plus

    future = in_background(double, 20, plus=2)
    assert not future.done()
    go.set()
    assert future.result(5) == 42


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    future = in_background(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        future.result(5)


def test_a_program_that_ends_does_not_wait_for_it() -> None:
    program = "import time; from musicnet_build.background import in_background; in_background(time.sleep, 60)"
    started = time.monotonic()
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0
    assert time.monotonic() - started < 20
