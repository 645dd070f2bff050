"""Throughput and memory of building a dataset, and random windows a second from its HDF5 file.

    python tests/benchmarks/bench_datasets.py FOLDER [--recordings 30] [--hours 3] [--workers 2]

Makes its own scores and recordings in FOLDER (kept: a second run builds at once), builds with both presets by the
command a user runs, packs and reads the last dataset, and prints the tables of docs/datasets.md. What an archive of
MusicNet's size takes, ``bench_archive.py`` measures.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from measuring import machine

from musicnet_build.audio.io import write_audio
from musicnet_build.datasets.manifest import write_manifest
from musicnet_build.generation.demo import perform, write_canon
from musicnet_build.jobs.local import Job, run_jobs
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import NoteTable
from musicnet_build.packing.musicnet_h5 import MusicNetSettings, pack_musicnet
from musicnet_build.packing.windows import MusicNetWindows
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import find_soundfonts

MUSICNET_RECORDINGS, MUSICNET_HOURS = 330, 34.0
READ_S = 5.0
SAMPLE_S = 0.25
SHARES = 5
COMMAND = (sys.executable, "-c", "from musicnet_build.cli import main; main()")
PACKAGES = {"float32": ("float32", False), "int16": ("int16", False), "int16, gzip": ("int16", True)}
ENSEMBLES = {"quartet": (40, 40, 41, 42), "piano": (0, 0, 0, 0), "winds": (73, 68, 71, 70)}


def make_recording(folder: str, canon: str, number: int, seconds: float) -> None:
    """Write a score of this length, and a recording of it with human timing and another soundfont."""
    score, recording = Path(folder) / f"{number}.mid", Path(folder) / f"{number}.flac"
    if recording.exists():
        return
    write_labels(score, _long_piece(read_score(canon).notes, number, seconds))
    performance = perform(read_score(score), number)
    audio = synthesize(performance, find_soundfonts()[-1]).audio[: round(seconds * 44_100)]
    write_audio(recording, audio * np.float32(0.5 / np.abs(audio).max()))


def _long_piece(canon: NoteTable, seed: int, seconds: float) -> NoteTable:
    """The canon over and over, each time in another key and on the instruments of an ensemble."""
    random = np.random.default_rng(seed)
    programs = list(ENSEMBLES.values())[seed % len(ENSEMBLES)]
    length_s = float(canon["offset_s"].max())
    rounds = []
    for count in range(int(seconds / length_s) + 1):
        notes = canon[~canon["is_drum"]].copy()
        notes["onset_s"] += count * length_s
        notes["offset_s"] += count * length_s
        notes["pitch"] += random.integers(-6, 7)
        notes["program"] = np.take(programs, notes["part"] % len(programs))
        rounds.append(notes)
    piece = np.concatenate(rounds)
    return piece[piece["onset_s"] < max(seconds - 5, seconds / 2)]


def make_material(folder: Path, recordings: int, hours: float, workers: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_canon(folder / "canon.mid")
    random = np.random.default_rng(recordings)
    # As in MusicNet, a few long recordings among many short ones.
    seconds = random.gamma(4.0, 1.0, recordings).clip(0.5)
    seconds *= hours * 3600 / seconds.sum()
    jobs = [
        Job(
            str(number),
            make_recording,
            {"folder": str(folder), "canon": str(folder / "canon.mid"), "number": number, "seconds": float(length)},
        )
        for number, length in enumerate(seconds, start=1)
    ]
    failed = [outcome for outcome in run_jobs(jobs, workers=workers) if outcome.state == "failed"]
    if failed:
        sys.exit(f"recording {failed[0].id}: {failed[0].reason}")
    rows = [
        {
            "id": str(number),
            "recording": f"{number}.flac",
            "score": f"{number}.mid",
            "split": "test" if number % 10 == 0 else "train",
            "composition": f"Piece {number}",
            "ensemble": list(ENSEMBLES)[number % len(ENSEMBLES)],
        }
        for number in range(1, recordings + 1)
    ]
    write_manifest(folder / "manifest.csv", rows)
    return folder / "manifest.csv"


Stop = Callable[[int, float], bool]
"""Whether to kill a build of which so many recordings are ready, and which has taken so many processor seconds."""


@dataclass
class Build:
    """What one run of the command took."""

    wall_s: float
    cpu_s: float
    states: dict[str, int]
    kills: int = 0
    own_bytes: list[int] = field(default_factory=list)
    workers_bytes: list[int] = field(default_factory=list)


def run_build(manifest: Path, output: Path, workers: int, preset: str, stops: Sequence[Stop] = ()) -> Build:
    """Run the command to its end, killed before by each of the stops."""
    command = [*COMMAND, "build", manifest, "-o", output, "--workers", str(workers), "--preset", preset, "--json"]
    made, started = Build(0.0, 0.0, {}), time.monotonic()
    texts = [run_once(command, made, output, stop) for stop in (*stops, None)]
    made.wall_s, made.kills = time.monotonic() - started, texts.count("")
    states = [row["state"] for row in json.loads(texts[-1])["recordings"]]
    made.states = {state: states.count(state) for state in sorted(set(states))}
    return made


def run_once(command: list[object], made: Build, output: Path, stop: Stop | None) -> str:
    """Run the command, or kill it once it is to stop; add what it took, and return what it printed.

    Every quarter of a second the books of its processes are looked at.
    """
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text: list[str] = []
    reader = threading.Thread(target=lambda: text.append(process.stdout.read()))
    reader.start()
    cpu_s: dict[int, float] = {}
    while process.poll() is None:
        processes = [process.pid, *children(process.pid)]
        cpu_s |= {pid: taken for pid in processes if (taken := processor_seconds(pid))}
        made.own_bytes.append(resident_bytes(process.pid))
        made.workers_bytes.append(sum(map(resident_bytes, processes[1:])))
        if stop and stop(sum(1 for _ in (output / ".build").glob("[0-9]*.json")), sum(cpu_s.values())):
            process.kill()
        time.sleep(SAMPLE_S)
    reader.join()
    made.cpu_s += sum(cpu_s.values())
    if process.returncode and not stop:
        sys.exit(f"the build failed: {text[0][:1000]}")
    return text[0]


def children(pid: int) -> list[int]:
    """The processes that a process has started, whichever of its threads; none where it has ended."""
    try:
        started = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for each in started for child in each]


def processor_seconds(pid: int) -> float:
    """Seconds of processor that a process has taken, 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def peaks_mb(samples: list[int]) -> str:
    """The largest of the samples in each of the equal shares of a run, in MB."""
    return " / ".join(f"{max(share) / 1e6:.0f}" for share in np.array_split(samples, SHARES) if len(share))


def bench_builds(manifest: Path, folder: Path, hours: float, options: argparse.Namespace) -> Path:
    """Print a table with a column a preset; return the last dataset."""
    rows: dict[str, list[str]] = {}
    workers = options.workers
    for preset in options.presets:
        dataset = folder / f"dataset-{preset}"
        shutil.rmtree(dataset, ignore_errors=True)
        build, again = (run_build(manifest, dataset, workers, preset) for _ in range(2))
        for name, value in {
            f"build, {workers} workers, s": f"{build.wall_s:.0f}",
            "hours of music an hour": f"{3600 * hours / build.wall_s:.1f}",
            "CPU minutes for an hour of music": f"{build.cpu_s / 60 / hours:.1f}",
            f"MusicNet ({MUSICNET_RECORDINGS} recordings, {MUSICNET_HOURS:g} h), projected, h": (
                f"{MUSICNET_HOURS / hours * build.wall_s / 3600:.1f}"
            ),
            "memory of the workers, peaks of each fifth of the run, MB": peaks_mb(build.workers_bytes),
            "memory of the command itself, likewise, MB": peaks_mb(build.own_bytes),
            "build again, all of it ready, s": f"{again.wall_s:.0f}",
            "came out": ", ".join(f"{count} {state}" for state, count in build.states.items()),
        }.items():
            rows.setdefault(name, []).append(value)
        print(f"{preset}: {build.wall_s:.0f} s", file=sys.stderr, flush=True)
    print_table("", options.presets, rows)
    return dataset


def print_table(corner: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    print(f"\n| {corner} | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for name, values in rows.items():
        print(f"| {name} | {' | '.join(values)} |", flush=True)


def read_windows(path: str, seed: int) -> float:
    """Random windows a second of one process."""
    windows, generator = MusicNetWindows(path), np.random.default_rng(seed)
    windows.random(200, generator)
    started, count = time.monotonic(), 0
    while time.monotonic() - started < READ_S:
        windows.random(100, generator)
        count += 100
    return count / (time.monotonic() - started)


def bench_packages(dataset: Path, package: Path, workers: int) -> None:
    rows: dict[str, list[str]] = {}
    for sample_format, compress in PACKAGES.values():
        started = time.monotonic()
        settings = MusicNetSettings(sample_format=sample_format, compress=compress)
        pack_musicnet(dataset, package, settings, workers=workers)
        rows.setdefault("pack, s", []).append(f"{time.monotonic() - started:.0f}")
        rows.setdefault("size, MB", []).append(f"{package.stat().st_size / 1e6:.0f}")
        for processes in (1, 2):
            with get_context("spawn").Pool(processes) as pool:
                rates = pool.starmap(read_windows, [(str(package), seed) for seed in range(processes)])
            name = f"random windows of 16,384 samples per second, {processes} process{'es' if processes > 1 else ''}"
            rows.setdefault(name, []).append(f"{sum(rates):.0f}")
    print_table("musicnet.h5", list(PACKAGES), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recordings", type=int, default=30)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--presets", nargs="+", default=["precise", "musicnet"])
    arguments = parser.parse_args()
    workers, hours = arguments.workers, arguments.hours
    material = arguments.folder / f"material-{arguments.recordings}-{hours:g}"
    manifest = make_material(material, arguments.recordings, hours, workers)
    load = f"load average {os.getloadavg()[0]:.1f}"
    print(f"{machine()}; {arguments.recordings} recordings, {hours:g} h; {load}", flush=True)
    dataset = bench_builds(manifest, arguments.folder, hours, arguments)
    bench_packages(dataset, arguments.folder / "musicnet.h5", workers)


if __name__ == "__main__":
    main()
