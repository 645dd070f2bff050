"""A ``musicnet`` package made in no time: recordings of sines, with their labels."""

from pathlib import Path

import h5py
import numpy as np

from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes
from musicnet_build.packing.musicnet_h5 import h5_labels

PITCHES = (57, 60, 64, 69, 72)
SPLITS = {"1": "train", "2": "train", "3": "validation", "4": "test"}


def tune(seed: int, seconds: float) -> NoteTable:
    """Notes of half a second, one after another."""
    random = np.random.default_rng(seed)
    notes = empty_notes(int(2 * seconds))
    notes["onset_s"] = 0.5 * np.arange(len(notes))
    notes["offset_s"] = notes["onset_s"] + 0.45
    notes["pitch"] = random.choice(PITCHES, len(notes))
    return notes


def sines(notes: NoteTable, seconds: float) -> np.ndarray:
    """Decaying sines, with a little noise."""
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    audio = 1e-3 * np.random.default_rng(0).standard_normal(len(time_s))
    for note in notes:
        since_s = time_s - note["onset_s"]
        sounding = (since_s >= 0) & (time_s < note["offset_s"])
        hz = 440 * 2 ** ((note["pitch"] - 69) / 12)
        audio[sounding] += 0.3 * np.exp(-2 * since_s[sounding]) * np.sin(2 * np.pi * hz * since_s[sounding])
    return audio.astype(np.float32)


def write_package(path: Path, *, seconds: float = 6.0, splits: dict[str, str] = SPLITS) -> Path:
    """Write the package with its recordings; return its path."""
    with h5py.File(path, "w") as file:
        for recording, split in splits.items():
            notes = tune(int(recording), seconds)
            group = file.create_group(f"id_{recording}")
            group.attrs["split"] = split
            group["data"] = sines(notes, seconds)
            group["labels"] = h5_labels(notes)
    return path
