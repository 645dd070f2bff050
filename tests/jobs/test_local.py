"""Jobs end as they should, whatever happens to the processes that do them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from musicnet_build.errors import ScoreError
from musicnet_build.jobs import local
from musicnet_build.jobs.local import Job, Outcome, run_jobs

pytestmark = pytest.mark.usefixtures("spawned")


def write(path: str, text: str = "done") -> None:
    Path(path).write_text(text, encoding="utf-8")


def measure(path: str) -> dict[str, int]:
    return {"length": len(path)}


def refuse(path: str) -> None:
    raise ScoreError(f"{path} is no score.")


def stumble(path: str) -> None:
    raise ZeroDivisionError("by zero")


def die(path: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path: str) -> None:
    if not Path(path).exists():
        write(path, "first")
        os.kill(os.getpid(), signal.SIGKILL)
    write(path)


def exhaust_memory(path: str) -> None:
    raise MemoryError


def note_environment(path: str) -> None:
    write(path, os.environ["OMP_NUM_THREADS"])


def present(folder: Path) -> list[Path]:
    return list(folder.glob("job-?"))


def note_presence(path: str, together: int) -> None:
    """Count how many of these jobs are at work at once, and wait for as many as may be."""
    mine = Path(path)
    mine.touch()
    deadline = time.monotonic() + 60
    time.sleep(0.2)
    while len(present(mine.parent)) < together and not list(mine.parent.glob(f"*.seen-{together}")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    Path(f"{path}.seen-{len(present(mine.parent))}").touch()
    mine.unlink()


def sleep(path: str) -> None:
    write(path)
    time.sleep(600)


def job(function: object, path: Path, memory_bytes: int | Callable[[], int] = 0) -> Job:
    return Job(path.name, function, {"path": str(path)}, memory_bytes)  # type: ignore[arg-type]


def test_every_job_is_done_and_reported_once_and_in_order(tmp_path: Path) -> None:
    told: list[Outcome] = []
    jobs = [job(write, tmp_path / f"{index}") for index in range(20)]
    outcomes = run_jobs(jobs, workers=2, on_done=told.append)
    assert [outcome.id for outcome in outcomes] == [str(index) for index in range(20)]
    assert sorted(told, key=lambda outcome: int(outcome.id)) == outcomes
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert len(list(tmp_path.iterdir())) == 20


def test_no_jobs_are_done_at_once() -> None:
    assert run_jobs([], workers=2) == []


def test_what_a_job_found_comes_back(tmp_path: Path) -> None:
    (outcome,) = run_jobs([job(measure, tmp_path)], workers=1)
    assert outcome.result == {"length": len(str(tmp_path))}


def test_a_failure_is_a_sentence_and_stops_nobody_else(tmp_path: Path) -> None:
    jobs = [job(refuse, tmp_path / "a.mid"), job(stumble, tmp_path / "b"), job(write, tmp_path / "c")]
    refused, stumbled, done = run_jobs(jobs, workers=1)
    assert (refused.state, refused.reason) == ("failed", f"{tmp_path}/a.mid is no score.")
    assert stumbled.state == "failed"
    assert "ZeroDivisionError in test_local.py, line" in str(stumbled.reason)
    assert done == Outcome("c", "done", None, done.seconds)


def test_a_disk_fault_names_the_file(tmp_path: Path) -> None:
    (outcome,) = run_jobs([job(write, tmp_path / "no folder" / "a")], workers=1)
    assert outcome.reason == f"{tmp_path}/no folder/a: No such file or directory."


def test_a_job_that_kills_its_worker_is_tried_twice_and_its_neighbours_are_not_lost(tmp_path: Path) -> None:
    jobs = [job(die, tmp_path / "killer"), *(job(write, tmp_path / f"{index}") for index in range(8))]
    outcomes = run_jobs(jobs, workers=2)
    assert [outcome.state for outcome in outcomes] == ["failed", *["done"] * 8]
    assert "SIGKILL" in str(outcomes[0].reason)
    assert (tmp_path / "killer").read_text() == "xx"


def test_a_job_whose_worker_was_killed_by_chance_is_done_after_all(tmp_path: Path) -> None:
    (outcome,) = run_jobs([job(die_once, tmp_path / "a")], workers=2)
    assert outcome.state == "done"
    assert (tmp_path / "a").read_text() == "done"


def test_running_out_of_memory_is_named(tmp_path: Path) -> None:
    (outcome,) = run_jobs([job(exhaust_memory, tmp_path / "a")], workers=1)
    assert outcome.reason == "it ran out of memory."


def test_workers_compute_in_one_thread(tmp_path: Path) -> None:
    run_jobs([job(note_environment, tmp_path / "a")], workers=1)
    assert (tmp_path / "a").read_text() == "1"


@pytest.mark.parametrize(("budget", "together"), [(100, 1), (200, 2)])
def test_no_more_jobs_run_at_once_than_memory_allows(budget: int, together: int, tmp_path: Path) -> None:
    needs = (100, lambda: 100, 100, lambda: 100)
    jobs = [
        Job(f"{index}", note_presence, {"path": str(tmp_path / f"job-{index}"), "together": together}, need)
        for index, need in enumerate(needs)
    ]
    assert {outcome.state for outcome in run_jobs(jobs, workers=2, memory_bytes=budget)} == {"done"}
    assert max(int(path.name.rpartition("-")[2]) for path in tmp_path.glob("*.seen-*")) == together


def test_a_job_larger_than_all_memory_still_runs(tmp_path: Path) -> None:
    (outcome,) = run_jobs([job(write, tmp_path / "a", memory_bytes=10**15)], workers=2, memory_bytes=1)
    assert outcome.state == "done"


SCRIPT = """
import sys
from pathlib import Path
from musicnet_build.jobs.local import run_jobs
from test_local import job, sleep
if __name__ == "__main__":
    run_jobs([job(sleep, Path(sys.argv[1]) / name) for name in "ab"], workers=2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_stop_at_once_with_the_run(how: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "out").mkdir()
    path = os.pathsep.join([*map(str, Path(__file__).parents[:2]), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    )
    while len(list((tmp_path / "out").iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    workers = children_of(process.pid)
    assert len(workers) >= 2
    process.send_signal(how)
    process.wait(timeout=120)
    deadline = time.monotonic() + 120
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (map(int, line.split()) for line in listing.splitlines())
    return [child for child, parent in pairs if parent == pid]


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")


@pytest.mark.parametrize(
    ("own", "folder", "limit", "used", "cache"),
    [
        ("0::/slurm/job_7/step_0", "slurm/job_7", "max", "current", "inactive_file"),
        ("4:cpu,memory:/job_7", "memory/job_7", "limit_in_bytes", "usage_in_bytes", "total_inactive_file"),
        ("4:cpu:/\n0::/elsewhere", "", "max", "current", "inactive_file"),
    ],
)
def test_the_limit_of_a_schedulers_job_counts_without_the_files_in_memory(
    own: str, folder: str, limit: str, used: str, cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").write_text(f"{own}\n")
    monkeypatch.setattr(local, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(local, "_GROUPS", tmp_path / "groups")
    (tmp_path / "groups" / folder).mkdir(parents=True)
    for name, text in {limit: "5000", used: "3000", "stat": f"anon 7\n{cache} 1000\n"}.items():
        (tmp_path / "groups" / folder / f"memory.{name}").write_text(text)
    assert local.free_memory() == 3000
    (tmp_path / "groups" / folder / f"memory.{limit}").write_text("max")
    assert local.free_memory() > 5000
