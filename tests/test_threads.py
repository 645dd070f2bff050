"""Calls on another core: their results, their errors, and an interrupt while they run."""

import subprocess
import sys
import threading

import pytest

from musicnet_build.threads import in_background, on_all_cores, thread_count


def test_it_runs_meanwhile_and_gives_the_result() -> None:
    go = threading.Event()

    def double(number: int, *, plus: int) -> int:
        assert go.wait(60)
        return 2 * number + plus

    future = in_background(double, 20, plus=2)
    assert not future.done()
    go.set()
    assert future.result(60) == 42


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    future = in_background(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        future.result(60)


def test_a_program_that_ends_waits_for_it_and_does_not_crash_under_a_native_call() -> None:
    program = (
        "import numpy, soxr, sys; from musicnet_build.threads import in_background;"
        "noise = numpy.random.default_rng(0).standard_normal(10_000_000).astype('float32');"
        "in_background(soxr.resample, noise, 48_000, 44_100); sys.exit(7)"
    )
    process = subprocess.run([sys.executable, "-c", program], check=False, timeout=300, capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (7, "")


def test_the_command_line_leaves_at_once_whatever_still_runs() -> None:
    program = (
        "import time; from musicnet_build.threads import in_background, in_flight;"
        "from musicnet_build.cli.console import leave;"
        "assert not in_flight(); in_background(time.sleep, 600); print('said'); leave(3)"
    )
    process = subprocess.run([sys.executable, "-c", program], check=False, timeout=300, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (3, "said\n")


def test_results_of_all_cores_are_in_the_order_of_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    second_began = threading.Event()

    def numbered(number: int) -> tuple[int, str]:
        if number == 0:
            assert second_began.wait(60)
        second_began.set()
        return number, threading.current_thread().name

    results = on_all_cores(numbered, range(4))
    assert [number for number, _ in results] == [0, 1, 2, 3]
    assert len({thread for _, thread in results}) == 2


def test_an_error_on_any_core_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda number: 1 / number, [2, 1, 0])


@pytest.mark.parametrize(("said", "threads"), [("3", 3), ("0", 1)])
def test_the_environment_says_how_many_threads(monkeypatch: pytest.MonkeyPatch, said: str, threads: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert thread_count() == threads
