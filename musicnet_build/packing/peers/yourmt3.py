"""The folders and index files of YourMT3, for which its own script wants all of MusicNet.

Meant for the folder ``data`` of a checkout. ``NAME_yourmt3_16k`` holds, for each split, ``SPLIT_data/ID.wav`` (16 kHz,
mono, 16 bit), ``SPLIT_midi/ID.mid``, and ``SPLIT_labels/ID_notes.npy`` and ``ID_note_events.npy``;
``yourmt3_indexes/NAME_SPLIT_file_list.json`` names them by their paths from ``amt/src``, where YourMT3 runs.

The ``.npy`` files are pickles of its classes ``Note`` and ``NoteEvent``. Nothing here reads one.

References
----------
Chang, Benetos, Kirchhoff, Dixon: YourMT3+. MLSP 2024; the layout is that of ``preprocess_musicnet.py`` and of the data
sets in its code of 2024.
"""

import contextlib
import dataclasses
import os
import re
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError
from musicnet_build.files import replacing, write_json
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import NoteTable, sorted_by_onset
from musicnet_build.packing.peers.folders import OneMade, make_files, packed_folder
from musicnet_build.packing.peers.keyboard import key_strokes
from musicnet_build.packing.sources import Packed, Progress, Source, SourceSettings, recordings_in_sets

RATE_HZ = 16_000
INDEX_FOLDER = "yourmt3_indexes"

_DATA_FROM_SOURCES = "../../data"
_MODULE = "utils.note_event_dataclasses"
_CLASSES = {
    "Note": ("is_drum", "program", "onset", "offset", "pitch", "velocity"),
    "NoteEvent": ("is_drum", "program", "time", "velocity", "pitch", "activity"),
}


@dataclass(frozen=True, kw_only=True)
class YourMt3Settings(SourceSettings):
    """What the package holds.

    Attributes
    ----------
    name : str
        What a preset of YourMT3 calls the dataset.
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    """

    name: str = "dataset"
    sustain: bool = True

    def __post_init__(self) -> None:
        """Refuse names that lead elsewhere."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", self.name):
            raise DatasetError(f"A dataset of YourMT3 cannot be called {self.name!r}: use letters, digits, - and _.")


def pack_yourmt3(
    source: Source,
    path: str | os.PathLike[str],
    settings: YourMt3Settings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the folders and the index files.

    A corpus without a split of its own (MAPS) is split as :func:`musicnet_build.corpora.folds.train_and_test` does.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A folder of MAPS, MAESTRO or MusicNet's layout.
    path : str or PathLike
        The folder ``data`` of a checkout; other datasets in it are left alone.
    settings : YourMt3Settings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts the notes, and those that an instrument cannot play beside others of their pitch (``unisons``).

    Examples
    --------
    >>> from musicnet_build.packing.peers.yourmt3 import pack_yourmt3
    >>> pack_yourmt3("dataset", "data").recordings
    3
    """
    settings = settings or YourMt3Settings()
    root = Path(path) / f"{settings.name}_yourmt3_16k"
    recordings = recordings_in_sets(source, settings)
    made = make_files(
        root, recordings, write_recording, {"sustain": settings.sustain}, workers=workers, progress=progress
    )
    for split in SPLITS:
        own = [report for one, report in zip(recordings, made.reports, strict=True) if one.split == split]
        entries = {str(place): _entry(report, root.name) for place, report in enumerate(own)}
        write_json(Path(path) / INDEX_FOLDER / f"{settings.name}_{split}_file_list.json", entries)
    return packed_folder(root, recordings, made)


def write_recording(recording: Recording, root: Path, *, sustain: bool) -> OneMade:
    """Write the files of one recording."""
    samples = read_audio(recording.audio, RATE_HZ)
    known = read_notes(recording, sustain=sustain)
    notes = sorted_by_onset(_playable(known))
    files = {
        "mix_audio_file": f"{recording.split}_data/{recording.name}.wav",
        "midi_file": f"{recording.split}_midi/{recording.name}.mid",
        "notes_file": f"{recording.split}_labels/{recording.name}_notes.npy",
        "note_events_file": f"{recording.split}_labels/{recording.name}_note_events.npy",
    }
    write_audio(root / files["mix_audio_file"], samples, RATE_HZ, subtype="PCM_16")
    write_labels(root / files["midi_file"], notes)
    programs = sorted(set(notes["program"].tolist()))
    about = {
        "musicnet_id": recording.id,
        "program": programs,
        "is_drum": [0] * len(programs),
        "duration_sec": len(samples) / RATE_HZ,
    }
    with _their_classes() as theirs:
        _save(root / files["notes_file"], {**about, "notes": _notes(notes, theirs)})
        _save(root / files["note_events_file"], {**about, "note_events": _events(notes, theirs)})
    counts = {"notes": len(notes), "unisons": len(known) - len(notes)}
    return OneMade(files.values(), counts, {**about, "n_frames": len(samples), "files": files})


def _playable(notes: NoteTable) -> NoteTable:
    strokes = key_strokes(notes, by="program")
    kept: NoteTable = strokes[strokes["offset_s"] > strokes["onset_s"]]
    return kept


def _entry(report: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """What an index says of one recording."""
    paths = {key: f"{_DATA_FROM_SOURCES}/{folder}/{name}" for key, name in report["files"].items()}
    return {name: report[name] for name in ("musicnet_id", "n_frames", "program", "is_drum")} | paths


@contextlib.contextmanager
def _their_classes() -> Iterator[Any]:
    """Give a module of classes which pickles name as those of YourMT3; it stands in for theirs while the body runs."""
    module = types.ModuleType(_MODULE)
    for name, fields in _CLASSES.items():
        setattr(module, name, dataclasses.make_dataclass(name, fields, namespace={"__module__": _MODULE}))
    stand_ins = {_MODULE.partition(".")[0]: types.ModuleType(_MODULE.partition(".")[0]), _MODULE: module}
    before = {name: sys.modules.pop(name) for name in stand_ins if name in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield module
    finally:
        for name in stand_ins:
            del sys.modules[name]
        sys.modules.update(before)


def _notes(notes: NoteTable, theirs: Any) -> list[Any]:
    return [
        theirs.Note(False, program, onset_s, offset_s, pitch, 1)
        for program, onset_s, offset_s, pitch in notes[["program", "onset_s", "offset_s", "pitch"]].tolist()
    ]


def _events(notes: NoteTable, theirs: Any) -> list[Any]:
    """Beginnings (velocity 1) and ends (0) in order, each with the places of the beginnings that sound at it."""
    events = sorted(_edges(notes))
    sounding: dict[tuple[int, int], int] = {}
    result = []
    for place, (time_s, program, begins, pitch) in enumerate(events):
        result.append(theirs.NoteEvent(False, program, time_s, begins, pitch, set(sounding.values())))
        if begins:
            sounding[program, pitch] = place
        else:
            del sounding[program, pitch]
    return result


def _edges(notes: NoteTable) -> Iterator[tuple[float, int, int, int]]:
    for program, onset_s, offset_s, pitch in notes[["program", "onset_s", "offset_s", "pitch"]].tolist():
        yield onset_s, program, 1, pitch
        yield offset_s, program, 0, pitch


def _save(path: Path, values: Mapping[str, Any]) -> None:
    whole = np.empty((), dtype=object)
    whole[()] = values
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array(file, whole, allow_pickle=True)
