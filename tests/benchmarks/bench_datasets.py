"""Throughput and memory of building a dataset, and random windows a second from its HDF5 file.

    python tests/benchmarks/bench_datasets.py FOLDER [--recordings 30] [--hours 3] [--workers 2]

Makes its own scores and recordings in FOLDER (kept: a second run builds at once), builds, packs, reads, and prints a
table. ``--recordings 330 --hours 34`` is the size of MusicNet, 45 GB of disk.
"""

import argparse
import os
import resource
import shutil
import sys
import threading
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.audio import write_audio
from musicnet_build.datasets.build import Settings, build, local_runner
from musicnet_build.datasets.jobs import Job, run_jobs
from musicnet_build.datasets.manifest import read_manifest, write_manifest
from musicnet_build.datasets.packages import pack_musicnet
from musicnet_build.datasets.windows import MusicNetWindows
from musicnet_build.demo import perform, write_canon
from musicnet_build.labels import write_labels
from musicnet_build.notes import NoteTable
from musicnet_build.score import read_score
from musicnet_build.soundfonts import find_soundfonts
from musicnet_build.synthesis import synthesize

MUSICNET_HOURS = 34.0
READ_S = 5.0
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
    return piece[piece["onset_s"] < seconds - 5]


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


class MemoryWatch:
    """Samples the resident memory of this process's children."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    def peak_mb(self, first: float, last: float) -> float:
        """The largest sum between two shares of the run."""
        start, end = self.samples[0][0], self.samples[-1][0]
        inside = [size for at, size in self.samples if first <= (at - start) / max(end - start, 1e-9) <= last]
        return max(inside, default=0) / 1e6

    def _run(self) -> None:
        while not self._stop.wait(0.25):
            self.samples.append((time.monotonic(), sum(map(_resident_bytes, _children()))))


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def _resident_bytes(process: str) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bench_build(manifest: Path, output: Path, hours: float, workers: int, preset: str) -> None:
    shutil.rmtree(output, ignore_errors=True)
    started, before = time.monotonic(), cpu_s()
    with MemoryWatch() as watch:
        rows = build(read_manifest(manifest), output, Settings(preset=preset), run=local_runner(workers))
    wall, cpu = time.monotonic() - started, cpu_s() - before
    counts = {state: sum(row.state == state for row in rows) for state in {row.state for row in rows}}
    pace = hours * 3600 / wall
    print(f"build ({preset}), {workers} workers {wall:8.1f} s wall, {cpu:.1f} s CPU, {pace:.1f} x real time")
    print(f"                        {cpu / hours / 60:8.2f} CPU-minutes for an hour of music; {counts}")
    print(f"MusicNet, projected     {MUSICNET_HOURS / hours * wall / 3600:8.2f} h ({MUSICNET_HOURS:g} h of music)")
    thirds = [watch.peak_mb(third / 3, (third + 1) / 3) for third in range(3)]
    print(
        f"memory of all workers   {thirds[0]:8.0f} / {thirds[1]:.0f} / {thirds[2]:.0f} MB peak in each third of the run"
    )
    started = time.monotonic()
    build(read_manifest(manifest), output, Settings(preset=preset), run=local_runner(workers))
    print(f"build again, all ready  {time.monotonic() - started:8.1f} s")


def read_windows(path: str, seed: int) -> float:
    """Random windows a second of one process."""
    windows, generator = MusicNetWindows(path), np.random.default_rng(seed)
    windows.random(200, generator)
    started, count = time.monotonic(), 0
    while time.monotonic() - started < READ_S:
        windows.random(100, generator)
        count += 100
    return count / (time.monotonic() - started)


def bench_pack(output: Path, package: Path, sample_format: str, compress: bool, workers: int) -> None:
    started = time.monotonic()
    pack_musicnet(output, package, sample_format=sample_format, compress=compress, workers=workers)
    name = f"{sample_format}{' gzip' if compress else ''}"
    print(f"pack, {name:<17} {time.monotonic() - started:8.1f} s, {package.stat().st_size / 1e6:.0f} MB")
    for processes in (1, 2):
        with get_context("spawn").Pool(processes) as pool:
            rates = pool.starmap(read_windows, [(str(package), seed) for seed in range(processes)])
        print(f"random windows, {name:<7} {sum(rates):8.0f} a second with {processes} processes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recordings", type=int, default=30)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--preset", default="precise")
    arguments = parser.parse_args()
    started = time.monotonic()
    manifest = make_material(arguments.folder / "material", arguments.recordings, arguments.hours, arguments.workers)
    print(f"material                {time.monotonic() - started:8.1f} s, {arguments.recordings} recordings", flush=True)
    bench_build(manifest, arguments.folder / "dataset", arguments.hours, arguments.workers, arguments.preset)
    for sample_format, compress in (("float32", False), ("int16", False), ("int16", True)):
        bench_pack(
            arguments.folder / "dataset", arguments.folder / "musicnet.h5", sample_format, compress, arguments.workers
        )


if __name__ == "__main__":
    main()
