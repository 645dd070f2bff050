"""An archive of MusicNet's size, or a share of it: what building it takes, undisturbed and killed on the way.

    python tests/benchmarks/bench_archive.py FOLDER [--share 0.1] [--kills 10] [--preset precise] [--workers 2]

Makes scores and performances of them in FOLDER (kept: a second run begins at once), of 330 recordings and 34 hours so
large a share; ``--recordings 6 --hours 0.033`` tries whether all works. Builds them by the command that a user runs;
then again elsewhere, killed by SIGKILL so many times, each time after as many recordings more and somewhere within the
next; then once more with all of it ready. Prints the tables of docs/scale.md, and exits with 1 where a single byte of
the killed build differs. The whole wants 90 GB of disk. With ``--kills 0`` there is only the undisturbed build, in half
the disk and less than half the time.
"""

import argparse
import math
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
from bench_crashes import files_of, is_same
from bench_datasets import MUSICNET_HOURS, MUSICNET_RECORDINGS, make_material, peaks_mb, print_table, run_build
from measuring import machine

ARCHIVES = (MUSICNET_RECORDINGS, 10_000)
CLUSTER_WORKERS = 64
CLUSTER_ADDS_S = 0.14
CLUSTER_PRESENCE = 0.05
"""Processor seconds that a cluster adds to each recording, and the share of its core that a worker takes by being
there: docs/scale.md, by bench_cluster.py."""


def stops(recordings, kills, cpu_s, seed):
    """When to kill a build: at so many recordings, and within so many processor seconds from when it was started."""
    generator = np.random.default_rng(seed)

    def stop(least_ready, least_cpu_s, ready, cpu_s):
        return ready >= least_ready and cpu_s >= least_cpu_s

    # At least what it takes to start, at most what a few recordings take.
    moments_s = generator.uniform(2, 2 + 3 * cpu_s / recordings, kills)
    ready = (recordings * kill // (kills + 1) for kill in range(1, kills + 1))
    return [partial(stop, count, moment_s) for count, moment_s in zip(ready, moments_s, strict=True)]


def measured(build, hours, same):
    """A column of the first table."""
    return {
        "CPU s": f"{build.cpu_s:.0f}",
        "CPU minutes for an hour of music": f"{build.cpu_s / 60 / hours:.2f}",
        "wall-clock, minutes": f"{build.wall_s / 60:.1f}",
        "memory of the workers, peaks of each fifth of the run, MB": peaks_mb(build.workers_bytes),
        "memory of the command itself, likewise, MB": peaks_mb(build.own_bytes),
        "came out": ", ".join(f"{count} {state}" for state, count in build.states.items()),
        "the bytes of the undisturbed build": same,
    }


def projected(recordings, build, made):
    """A column of the second table: an archive of so many recordings, as long as MusicNet's."""
    hours = recordings * MUSICNET_HOURS / MUSICNET_RECORDINGS
    cpu_h = build.cpu_s / 3600 * hours / made["hours"]
    cluster_h = (cpu_h + recordings * CLUSTER_ADDS_S / 3600) / (1 - CLUSTER_PRESENCE)
    return {
        "hours of music": f"{hours:,.0f}",
        "CPU hours": f"{cpu_h:.1f}",
        "a machine of 2 cores": _duration(cpu_h / 2),
        "a machine of 16 cores": _duration(cpu_h / 16),
        f"a cluster of {CLUSTER_WORKERS} workers": _duration(cluster_h / CLUSTER_WORKERS),
        "the dataset, GB": f"{made['bytes'] / 1e9 * hours / made['hours']:,.1f}",
    }


def _duration(hours):
    return f"{60 * hours:.0f} min" if hours < 1 else f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def columns(*parts):
    """Columns side by side, by the names of their rows."""
    return {name: [part[name] for part in parts] for name in parts[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--recordings", type=int)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--preset", default="precise")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    recordings = options.recordings or math.ceil(MUSICNET_RECORDINGS * options.share)
    hours = options.hours or MUSICNET_HOURS * options.share
    folder = options.folder
    manifest = make_material(folder / f"material-{recordings}-{hours:g}", recordings, hours, options.workers)
    undisturbed, killed = folder / "undisturbed", folder / "killed"
    for dataset in (undisturbed, killed):
        shutil.rmtree(dataset, ignore_errors=True)
    build = run_build(manifest, undisturbed, options.workers, options.preset)
    titles, table, same = ["undisturbed"], [measured(build, hours, "–")], True
    if options.kills:
        moments = stops(recordings, options.kills, build.cpu_s, options.seed)
        broken = run_build(manifest, killed, options.workers, options.preset, moments)
        same = is_same(killed, undisturbed)
        titles.append(f"killed {broken.kills} times")
        table.append(measured(broken, hours, "yes" if same else "NO"))
    again = run_build(manifest, undisturbed, options.workers, options.preset)
    print(f"{machine()}; {recordings} recordings, {hours:g} h; load average {os.getloadavg()[1]:.1f}")
    print_table(f"{options.preset}, {options.workers} workers", titles, columns(*table))
    print(f"build again, all of it ready: {again.cpu_s:.0f} CPU s")
    made = {"hours": hours, "bytes": sum(path.stat().st_size for path in files_of(undisturbed).values())}
    rows = columns(*(projected(count, build, made) for count in ARCHIVES))
    print_table("projected", [f"{count:,} recordings" for count in ARCHIVES], rows)
    sys.exit(not same)


if __name__ == "__main__":
    main()
