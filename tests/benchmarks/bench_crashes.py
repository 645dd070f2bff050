"""Kill builds, packers and generators at random moments, and fill their disk: what comes of it must be the same bytes.

    python tests/benchmarks/bench_crashes.py FOLDER [--preset precise] [--recordings 8] [--seconds 12] [--kills 10]
                                             [--workers 1 2] [--seed 0]

Makes its own short scores and recordings in FOLDER and builds them once undisturbed. Then, so many times each and with
each number of workers: kills the build with SIGKILL at a random moment and runs it again; kills one of its workers;
kills `pack musicnet`, `pack parquet` and `generate performances` and runs them again. A moment is up to 0.3 s after a
random number of files is there, so that moments spread over the work however busy the machine is. Whatever a killed
process leaves under its own name must be whole already. Where this process may mount a file system, a build and a
packer also meet a full disk. Prints a line for each, and exits with 1 where a single byte differs from the undisturbed
run.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_datasets import COMMAND, children, make_material


def start(*arguments):
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process):
    """Wait for a command; its exit code, and what it complained of."""
    _, errors = process.communicate()
    return process.returncode, errors.strip()


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def count_files(folder):
    """How many files there are, while others come and go."""
    return sum(len(names) for _, _, names in os.walk(folder))


def is_same(folder, expected):
    return files_of(folder).keys() == files_of(expected).keys() and not torn_files(folder, expected)


def torn_files(folder, expected):
    """Files that stand under a name of the undisturbed folder, and are not that file."""
    wanted = files_of(expected)
    return [
        name
        for name, path in files_of(folder).items()
        if name in wanted and path.read_bytes() != wanted[name].read_bytes()
    ]


def is_under_way(path):
    """Whether a file is a whole record that says which labels are about to be written."""
    return path.suffix == ".json" and "coming" in json.loads(path.read_bytes()).get("report", {})


def is_list(name):
    """Whether a file of the dataset speaks of all recordings, and so of those that failed."""
    return name.count("/") == 1 or name.startswith("dataset/splits/")


def wait(process, seconds):
    """Wait so long, or until the process has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def workers_of(process):
    """The worker processes of a command; multiprocessing has a helper beside them."""
    return [child for child in children(process.pid) if b"spawn_main" in command_line(child)]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Series:
    """One kind of disturbance, many times."""

    def __init__(self, command, output, expected, generator):
        self.command, self.output, self.expected, self.generator = command, output, expected, generator
        self.most_files = 0
        process = start(*command, "-o", expected)
        while process.poll() is None:
            self.most_files = max(self.most_files, count_files(expected.parent))
            time.sleep(0.01)
        assert finish(process)[0] == 0

    def fresh(self):
        shutil.rmtree(self.output.parent, ignore_errors=True)
        self.output.parent.mkdir(parents=True)
        return start(*self.command, "-o", self.output)

    def wait_a_while(self, process):
        """Wait for a random moment of the work; return what the moment is."""
        count, more_s = self.generator.integers(self.most_files), self.generator.uniform(0, 0.3)
        while process.poll() is None and count_files(self.output.parent) < count:
            time.sleep(0.002)
        wait(process, more_s)
        return f"{more_s:.2f} s after {count} of {self.most_files} files"

    def same(self):
        return is_same(self.output.parent, self.expected.parent)

    def kill_and_resume(self):
        """Kill the command, look at what it left, run it again."""
        killed = False
        while not killed:  # unless it was done meanwhile
            process = self.fresh()
            moment = self.wait_a_while(process)
            process.kill()
            killed = finish(process)[0] == -signal.SIGKILL
        time.sleep(0.3)  # its workers notice
        folder = self.output.parent
        torn = [name for name in torn_files(folder, self.expected.parent) if not is_under_way(folder / name)]
        left = len(files_of(folder))
        code, errors = finish(start(*self.command, "-o", self.output))
        good = code == 0 and not torn and self.same()
        return good, f"killed {moment}, {left} left, none torn; run again, the same bytes", f"{torn} {errors}"

    def kill_a_worker(self):
        """Kill one of the workers; the command must not need another run."""
        victims = []
        while not victims:  # unless it was done meanwhile
            process = self.fresh()
            moment = self.wait_a_while(process)
            while not victims and process.poll() is None:
                victims = workers_of(process)
                time.sleep(0.005)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victims[self.generator.integers(len(victims))], signal.SIGKILL)
        code, errors = finish(process)
        return code == 0 and self.same(), f"a worker killed {moment}: completed by itself, the same bytes", errors

    def fill_the_disk(self, share):
        """Run with too little room, then with enough."""
        folder = self.output.parent
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        need = sum(path.stat().st_size for path in files_of(self.expected.parent).values())
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={int(share * need)}", "tmpfs", folder], check=True)
        try:
            code, errors = finish(start(*self.command, "-o", self.output))
            torn = [name for name in torn_files(folder, self.expected.parent) if not is_list(name)]
            left = len(files_of(folder))
            hidden = [name for name in files_of(folder) if Path(name).name.startswith(".")]
            refused = code == 1 and "Traceback" not in errors and not torn
            subprocess.run(["mount", "-o", f"remount,size={4 * need}", folder], check=True)
            code, more_errors = finish(start(*self.command, "-o", self.output))
            good = refused and not hidden and code == 0 and self.same()
        finally:
            subprocess.run(["umount", folder], check=True)
        what = f"a disk of {share * need / 1e6:.1f} MB where {need / 1e6:.1f} are needed"
        return (
            good,
            f"{what}: refused, {left} files, none torn or half-written; with more room, the same bytes",
            (f"{errors} {hidden} {more_errors}"),
        )


def trials_of(manifest, folder, workers, options, generator):
    """What is done with so many workers: the name of each trial, the function, and what it is told."""
    expected = folder / "undisturbed"
    many = ("--workers", workers)

    def series(name, output, *command):
        return Series((*command, *many), folder / name / output, expected / name / output, generator)

    builds = series("build", "dataset", "build", manifest, "--preset", options.preset)
    packs = series("pack", "musicnet.h5", "pack", "musicnet", builds.expected, "--gzip")
    folders = series("parquet", "package", "pack", "parquet", builds.expected)
    played = series("generate", "played", "generate", "performances", "--pieces", options.recordings, "--bars", 4)
    for name, trial in (
        ("build", builds.kill_and_resume),
        ("worker", builds.kill_a_worker),
        ("pack", packs.kill_and_resume),
        ("parquet", folders.kill_and_resume),
        ("played", played.kill_and_resume),
    ):
        yield from [(f"{name} {workers}", trial, ())] * options.kills
    if workers != max(options.workers):
        return
    if can_mount():
        for filling in (builds.fill_the_disk, packs.fill_the_disk):
            yield from [(f"full {workers}", filling, (share,)) for share in (0.3, 0.9)]
    else:
        print("no file system can be mounted here: the full disk is left out")


def can_mount():
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", default="precise")
    parser.add_argument("--recordings", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder, generator = arguments.folder, np.random.default_rng(arguments.seed)
    hours = arguments.recordings * arguments.seconds / 3600
    manifest = make_material(folder / "material", arguments.recordings, hours, 2)
    shutil.rmtree(folder / "runs", ignore_errors=True)
    trials = [
        trial
        for workers in arguments.workers
        for trial in trials_of(manifest, folder / "runs" / str(workers), workers, arguments, generator)
    ]
    failures = 0
    for name, trial, options in trials:
        good, what, errors = trial(*options)
        failures += not good
        print(f"{name:<9} {'ok' if good else 'BAD: not'} {what}", flush=True)
        if not good:
            print(errors[-800:], flush=True)
    print(f"{len(trials) - failures} of {len(trials)} as they should be")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
