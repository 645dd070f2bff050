"""A small dataset of one long tone with labels, and judgements about it: what is heard matters to nobody here."""

from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.audio.io import write_audio
from musicnet_build.files import sha256_of
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.listening.judgements import Event, described_note
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes

RECORDINGS, NOTES, DURATION_S = 4, 200, 60.0


def made_dataset(folder: Path) -> Path:
    """Make four recordings of 200 notes; ``is_wrong`` says which are wrong."""
    for name in ("train_data", "train_labels", "test_data", "test_labels"):
        (folder / name).mkdir(parents=True)
    random = np.random.default_rng(0)
    tone = 0.1 * np.sin(np.arange(round(DURATION_S * SAMPLE_RATE), dtype=np.float32) / 16)
    for number in range(1, RECORDINGS + 1):
        write_audio(folder / "train_data" / f"{number}.wav", tone)
        write_labels(folder / "train_labels" / f"{number}.csv", made_notes(random), with_confidence=True)
    return folder


def made_notes(random: np.random.Generator) -> NoteTable:
    notes = empty_notes(NOTES)
    notes["onset_beats"] = np.arange(NOTES)
    notes["duration_beats"] = 1
    notes["onset_s"] = 0.5 + np.arange(NOTES) * (DURATION_S - 2) / NOTES
    notes["offset_s"] = notes["onset_s"] + 0.25
    notes["pitch"] = random.integers(50, 80, NOTES)
    notes["program"] = random.choice([40, 42], NOTES)
    notes["velocity"] = 80
    notes["confidence"] = np.round(random.beta(9, 1, NOTES), 3)
    return notes


def is_wrong(notes: NoteTable, row: int) -> bool:
    """Every label that we are unsure of is wrong, and one in forty of the others."""
    return bool(notes["confidence"][row] < 0.6) or row % 40 == 7


def true_rate(folder: Path) -> float:
    tables = [read_labels(path) for path in sorted(folder.glob("train_labels/*.csv"))]
    return float(np.mean([is_wrong(notes, row) for notes in tables for row in range(len(notes))]))


def event(number: int, folder: Path, recording: str, kind: str, reviewer: str = "ada", **fields: Any) -> Event:
    labels = sha256_of(folder / "train_labels" / f"{recording}.csv")
    common = {"v": 1, "id": f"{reviewer}{number:020d}", "reviewer": reviewer, "recording": recording, "labels": labels}
    return {**common, "kind": kind, **fields}


def note_event(
    number: int, folder: Path, recording: str, row: int, value: str | None = None, reviewer: str = "ada"
) -> Event:
    """What somebody who hears everything says of a note, or a value."""
    notes = read_labels(folder / "train_labels" / f"{recording}.csv")
    said = value or ("tone_late" if is_wrong(notes, row) else "fine")
    return event(number, folder, recording, "note", reviewer, note=described_note(notes, row), value=said)
