"""How exact generated labels are, and how fast the readers of packages for training are.

    python tests/benchmarks/bench_packages.py FOLDER

Generates and packs the corpus ``tiny`` in FOLDER (kept: a second run only measures) and prints a table. Onsets are
looked for in the dry bank: the first sample above a thousandth of the note's peak, against the label.
"""

import argparse
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from musicnet_build.corpora import maps
from musicnet_build.generation.maps import generate_maps
from musicnet_build.generation.maps_recipe import read_recipe
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.packing import frames, segments, thumbnails

DRY_BANK = "SynGrdDr"
READ_S = 4.0


def prepare(folder: Path, workers: int) -> None:
    """Generate and pack whatever is missing, and print what it took."""
    corpus = folder / "tiny"
    steps = {
        "generate": lambda: generate_maps(read_recipe("tiny"), folder / "tiny", workers=workers),
        "frames": lambda: frames.pack_frames(corpus, folder / "frames.h5", workers=workers),
        "segments": lambda: segments.pack_segments(corpus, folder / "segments.h5", workers=workers),
        "thumbnails": lambda: thumbnails.pack_thumbnails(corpus, folder / "thumbnails.h5", workers=workers),
    }
    for name, step in steps.items():
        if name != "generate" and (folder / f"{name}.h5").exists():
            continue
        started = time.perf_counter()
        step()
        print(f"{name:12} {time.perf_counter() - started:6.1f} s with {workers} workers")


def onset_delays(folder: Path) -> np.ndarray:
    """Samples from the label to the first sound, for each dry isolated note."""
    delays = []
    for file in maps.maps_files(folder / "tiny" / DRY_BANK, ["ISOL"]):
        audio = np.abs(soundfile.read(file.audio)[0])
        label = round(maps.read_maps_txt(file.labels)["onset_s"][0] * SAMPLE_RATE)
        delays.append(int(np.flatnonzero(audio > 1e-3 * audio.max())[0]) - label)
    return np.array(delays)


def items_a_second(reader: Any, seed: int = 0) -> float:
    """Read items at random for some seconds."""
    random = np.random.default_rng(seed)
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < READ_S:
        reader[int(random.integers(len(reader)))]
        count += 1
    return count / elapsed


def throughput(readers: Sequence[Any]) -> None:
    """Print items a second with one process and with two."""
    for name, reader in readers:
        items_a_second(reader)  # into the file system's cache
        with get_context("spawn").Pool(2) as pool:
            pool.map(len, [reader, reader])
            two = sum(pool.starmap(items_a_second, [(reader, 1), (reader, 2)], chunksize=1))
        print(f"{name:32} {items_a_second(reader):10,.0f} {two:12,.0f} items a second with 1 and 2 processes")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    prepare(options.folder, options.workers)
    delays = onset_delays(options.folder)
    print(
        f"onsets: {len(delays)} dry notes, sound begins {delays.min()} to {delays.max()} samples after the label, "
        f"median {np.median(delays):g}"
    )
    split, part = "configuration_2/fold_1/test", "test"
    frames_path, segments_path = options.folder / "frames.h5", options.folder / "segments.h5"
    throughput(
        [
            ("frames, windows of 5", frames.FramesReader(frames_path, split)),
            ("frames, windows of 17", frames.FramesReader(frames_path, split, context=17)),
            ("segments, spectra stored", segments.SegmentsReader(segments_path, part)),
            ("segments, spectra computed", segments.SegmentsReader(segments_path, part, spectra="computed")),
            ("thumbnails", thumbnails.ThumbnailsReader(options.folder / "thumbnails.h5", "train")),
        ]
    )


if __name__ == "__main__":
    main()
