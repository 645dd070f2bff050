"""What a Dask cluster on this machine adds to the work of a build, in processor seconds, with 1, 2 and 4 workers.

    python tests/benchmarks/bench_cluster.py FOLDER [--recordings 24] [--seconds 20] [--preset precise]
                                             [--workers 1 2 4]

Makes its own short scores and recordings in FOLDER, finds out what the jobs take by themselves in one process, and
builds them by the command that a user runs, on a scheduler and workers that are started as docs/datasets.md says. The
workers have had a job each before anything is counted: a long build pays their imports once. What the cluster takes
while it has nothing to do goes with the clock, not with the work, and is told by itself. Prints the table of
docs/scale.md, and exits with 1 where a dataset is not that of the one process, byte for byte.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench_crashes import files_of, is_same
from bench_datasets import COMMAND, children, make_material, print_table, processor_seconds
from distributed import Client
from measuring import last_line_as_json, machine, run

WARM_RECORDINGS = 4
IDLE_S = 15.0
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass
class Cluster:
    """A scheduler, its workers, and where to reach them."""

    address: str
    scheduler: int
    nanny: int

    def cpu_s(self):
        """Processor seconds of all of it so far."""
        return sum(map(processor_seconds, (self.scheduler, self.nanny, *children(self.nanny))))

    def idle_cpu(self):
        """Processor seconds that it takes in a second in which it has nothing to do."""
        before_s = self.cpu_s()
        time.sleep(IDLE_S)
        return (self.cpu_s() - before_s) / IDLE_S


@contextlib.contextmanager
def cluster(folder, workers):
    """Start a cluster of so many workers, a thread each, as the docs say."""
    file = folder / f"scheduler-{workers}.json"
    file.unlink(missing_ok=True)
    options = ["--scheduler-file", file, "--no-dashboard"]
    dask = [sys.executable, "-m", "dask"]
    processes = []
    environment = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION": "1.0"}
    try:
        for command in (
            [*dask, "scheduler", "--port", "0", "--host", "127.0.0.1", *options],
            [*dask, "worker", *options, "--nworkers", workers, "--nthreads", 1, "--memory-limit", 0],
        ):
            log = (folder / "cluster.log").open("a")
            processes.append(subprocess.Popen(list(map(str, command)), stderr=log, stdout=log, env=environment))
            while not (address := address_in(file)):
                time.sleep(0.1)
        with Client(address) as client:
            client.wait_for_workers(workers)
        yield Cluster(address, processes[0].pid, processes[1].pid)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def address_in(file):
    """Where the scheduler is; None as long as its file is not there, or not whole."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads(file.read_text(encoding="utf-8"))["address"]
    return None


def own_work(manifest, output, preset):
    """Build in this process, and print the processor seconds of the jobs after the first, and their number."""
    from musicnet_build.datasets.build import build
    from musicnet_build.datasets.manifest import read_manifest
    from musicnet_build.datasets.plan import Settings
    from musicnet_build.jobs.local import Outcome, attempt
    from musicnet_build.recipe import RecipeSettings

    took_s = []

    def one_by_one(jobs, on_done):
        outcomes = []
        for job in jobs:
            started_s = time.process_time()
            reason, result = attempt(job.function, job.arguments)
            took_s.append(time.process_time() - started_s)
            outcomes.append(Outcome(job.id, "failed" if reason else "done", reason, took_s[-1], result))
        return outcomes

    build(read_manifest(manifest), output, Settings(RecipeSettings(preset=preset)), run=one_by_one)
    # The first has paid for the imports: it counts as the mean of the others.
    print(json.dumps(sum(took_s[1:]) * len(took_s) / (len(took_s) - 1)))


def bench(arguments):
    """Print the table; return whether all datasets are the same."""
    folder, count = arguments.folder, arguments.recordings
    hours = count * arguments.seconds / 3600
    manifest = make_material(folder / f"material-{count}-{arguments.seconds:g}", count, hours, 2)
    warm = manifest.with_name("warm.csv")
    warm.write_text("".join(manifest.read_text().splitlines(keepends=True)[: WARM_RECORDINGS + 1]), encoding="utf-8")
    shutil.rmtree(folder / "runs", ignore_errors=True)
    expected = folder / "runs" / "one-process"
    script = [sys.executable, __file__, folder, "--own", manifest, expected, "--preset", arguments.preset]
    own_s = last_line_as_json(run(script, **ONE_THREAD).output)
    rows = {}
    same = []
    for workers in arguments.workers:
        output = folder / "runs" / f"cluster-{workers}"
        with cluster(folder, workers) as running:
            build = [*COMMAND, "build", "--cluster", running.address, "--preset", arguments.preset]
            run([*build, warm, "-o", folder / "runs" / f"warm-{workers}"])
            idle, before_s = running.idle_cpu(), running.cpu_s()
            usage = run([*build, manifest, "-o", output])
            cluster_s = running.cpu_s() - before_s
        same.append(is_same(output, expected))
        idle_s = idle * usage.wall_s
        for name, value in {
            "the jobs by themselves, CPU s": f"{own_s:.1f}",
            "scheduler and workers, CPU s": f"{cluster_s:.1f}",
            "of that for being there, CPU s": f"{idle_s:.1f}",
            "being there, CPU s a minute": f"{60 * idle:.1f}",
            "added to each recording besides, CPU s": f"{(cluster_s - idle_s - own_s) / count:.2f}",
            "the command itself, CPU s": f"{usage.cpu_s:.1f}",
            "wall-clock, s": f"{usage.wall_s:.0f}",
            "the bytes of one process": "yes" if same[-1] else "NO",
        }.items():
            rows.setdefault(name, []).append(value)
    print(f"{machine()}; load average {os.getloadavg()[1]:.1f}; {count} recordings of {arguments.seconds:g} s")
    print_table("workers", list(map(str, arguments.workers)), rows)
    return all(same) and len(files_of(expected)) > count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--preset", default="precise")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--own", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.own:
        own_work(*arguments.own, arguments.preset)
        return
    sys.exit(not bench(arguments))


if __name__ == "__main__":
    main()
