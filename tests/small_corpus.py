"""A MAPS-like folder made in no time: sines for strings, labels beside them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from musicnet_build.audio.io import write_audio
from musicnet_build.corpora import maps
from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.corpora.recording import Recording
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes

BANKS = ("SynSinAa", "SynSinBb")
PIECES = ("one", "two", "three")


def played(rows: list[tuple[float, float, int]]) -> NoteTable:
    notes = empty_notes(len(rows))
    for i, (onset_s, offset_s, pitch) in enumerate(rows):
        notes["onset_s"][i], notes["offset_s"][i], notes["pitch"][i] = onset_s, offset_s, pitch
    notes["velocity"] = 64
    return notes


def sound(notes: NoteTable, rate: int = SAMPLE_RATE) -> np.ndarray:
    audio = np.zeros(round((notes["offset_s"].max() + 0.5) * rate))
    for note in notes:
        start, end = (round(note[field] * rate) for field in ("onset_s", "offset_s"))
        hz = 440 * 2 ** ((note["pitch"] - 69) / 12)
        audio[start:end] += 0.1 * np.sin(2 * np.pi * hz * np.arange(end - start) / rate)
    return audio


def write_sound(folder: Path, stem: str, notes: NoteTable) -> None:
    place = folder / maps.folder_of(stem)
    write_audio(place / f"{stem}.wav", sound(notes), subtype="PCM_16")
    maps.write_maps_txt(place / f"{stem}.txt", notes)


def write_corpus(folder: Path) -> Path:
    """Three pieces and two isolated notes in each of two banks."""
    for k, bank in enumerate(BANKS):
        for i, piece in enumerate(PIECES):
            step = 0.25 + 0.05 * i
            rows = [(0.5 + step * j, 0.5 + step * (j + 1), 50 + 3 * i + 2 * j) for j in range(6)]
            write_sound(folder, maps.piece_stem(piece, bank), played([*rows, (0.5, 1.0, 40 + k)]))
        for pitch in (45, 69):
            write_sound(folder, maps.isolated_stem("NO", "F", False, pitch, bank), played([(0.5, 1.5, pitch)]))
    return folder


def split_recordings(corpus: Path) -> list[Recording]:
    """The pieces with a split: of the first bank two train and one validates, those of the other bank test."""
    pieces = [recording for recording in find_recordings(corpus) if recording.category == "MUS"]
    train, test = BANKS
    of_bank = {train: "train", test: "test"}
    validates = maps.piece_stem(PIECES[-1], train)
    return [replace(one, split="validation" if one.name == validates else of_bank[one.bank]) for one in pieces]
