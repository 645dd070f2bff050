"""What the benchmarks share: a process of its own for every measurement, and the operating system's books."""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What a process took: seconds of processor and clock, bytes at its peak, and what it printed."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    output: str


def run(command, *, timeout_s=900, **environment):
    """Run a command to its end and say what it took, its threads and children included.

    Raises RuntimeError when it fails or takes longer than ``timeout_s``.
    """
    started = time.monotonic()
    whole = ["timeout", str(timeout_s), *map(str, command)]
    settings = os.environ | {"PYTHONWARNINGS": "ignore"} | environment
    with tempfile.TemporaryFile("w+") as complaints:
        with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=complaints, text=True, env=settings) as process:
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        complaints.seek(0)
        errors = complaints.read()
    if process.returncode == 124:
        raise RuntimeError(f"stopped after {timeout_s} s")
    if process.returncode != 0:
        lines = errors.strip().splitlines() or [f"status {process.returncode}"]
        raise RuntimeError(f"failed: {lines[-1][:200]}")
    return Usage(usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss * 1024, output)


def quartet(minutes, work):
    """Score and recording of some minutes, made by a process of its own.

    A process starts with the peak memory of its parent on the books, so that what measures must not make music.
    """
    folder = Path(work) / f"quartet-{minutes:g}"
    run([sys.executable, Path(__file__).with_name("quartet.py"), minutes, folder])
    return folder / "score.mid", folder / "recording.flac"


def pieces_in(folder):
    """The folders with a ``truth.json``, or ``truth.csv`` as the demo writes it: a folder itself, or those in it."""
    names = ("truth.json", "truth.csv")
    return [piece for piece in (folder, *sorted(folder.iterdir())) if any((piece / name).is_file() for name in names)]


def truth_of(piece, folder):
    """The truth with the onset of each player, where it is known, as a file that ``evaluate`` reads."""
    if (piece / "truth.csv").is_file():
        return piece / "truth.csv"
    notes = json.loads((piece / "truth.json").read_text(encoding="utf-8"))["notes"]
    for note in notes:
        note["p_on"] = note.pop("p_on_note", note["p_on"])
    path = folder / "truth.json"
    path.write_text(json.dumps({"notes": [note for note in notes if note["p_on"] is not None]}), encoding="utf-8")
    return path


def rows_of_all(row_of, jobs, workers):
    """What a function makes of each job, in their order, each in a process; told on standard error as they come."""
    rows = []
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for row in pool.imap(row_of, jobs):
            print(json.dumps(row), file=sys.stderr, flush=True)
            rows.append(row)
    return rows


def report(rows, table, path):
    """Tell rows on standard error as they come, print their table, and write them where a path is given."""
    told = []
    for row in rows:
        print(json.dumps(row), file=sys.stderr, flush=True)
        told.append(row)
    print(table(told))
    if path:
        write_json(path, {"rows": told})


def arguments(description):
    """What benchmarks of pieces are asked: folders, a soundfont, and where to write the figures."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--soundfont", help="file or name")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    return parser


def remembering(function):
    """The function with its last results kept, by its first argument as an object: for what is taken of a recording."""
    results = {}

    def remembered(subject, *arguments):
        if id(subject) not in results:
            results[id(subject)] = subject, function(subject, *arguments)
        return results[id(subject)][1]

    return remembered


def last_line_as_json(output):
    return json.loads(output.strip().splitlines()[-1])


def available_bytes():
    """Memory that could be had without swapping."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":") for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024


MOST_OF_MEMORY = 0.9
"""Share of the free memory that one measured process may take."""


def limit_memory():
    """Have this process fail by itself rather than take the memory of others."""
    limit = int(MOST_OF_MEMORY * available_bytes())
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def machine():
    """The machine in one line."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = names[0] if names else platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} processors, {memory:.0f} GiB, Python {platform.python_version()}"


def write_json(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"machine": machine(), "load": os.getloadavg()[2]}
    path.write_text(json.dumps(about | values, indent=1) + "\n", encoding="utf-8")
