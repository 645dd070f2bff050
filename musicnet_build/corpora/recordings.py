"""Folders of labelled recordings, whoever made them: MAPS and its likes, MAESTRO, MusicNet.

A reader finds the recordings of a folder by its layout:

- MAPS, real or generated: ``<bank>/{ISOL,RAND,UCHO,MUS}/…/*.wav`` with ``.txt`` beside it (the ``.mid`` files of MAPS
  are not exact and never read). Labels of A-MAPS, MIDI files of the same names, may take the place of the ``.txt``.
- MAESTRO: a CSV table with the columns ``audio_filename``, ``midi_filename`` and ``split``, and the files it names.
- MusicNet: ``{train,test}_data/ID.wav`` and ``{train,test}_labels/ID.csv``; so are the datasets of this package.
"""

import csv
import dataclasses
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from musicnet_build.corpora import maps
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.labels.pianoroll import on_one_keyboard, sustained
from musicnet_build.notes import NoteTable
from musicnet_build.score.reader import read_score

MUSICNET_TEST_IDS = ("1819", "2303", "2382")
"""Test recordings of the MusicNet paper, and of the study of spectrogram reconstruction."""

MAX_TABLE_BYTES = 16 * 2**20

_MAESTRO_SPLITS = {"train": "train", "validation": "valid", "test": "test"}


@dataclass(frozen=True)
class Recording:
    """A sound file and its labels.

    Attributes
    ----------
    name : str
        Unique in its corpus, without slashes.
    audio : Path
    labels : Path
        A .txt file of MAPS, a MIDI file played on one keyboard, or a MusicNet CSV.
    bank : str
        Instrument and room in MAPS, the year in MAESTRO, ``musicnet`` in MusicNet.
    category : str
        Of MAPS; ``MUS`` elsewhere.
    piece : str
        Equal where the same piece is played.
    split : str
        ``train``, ``valid`` or ``test`` where the corpus says so, else empty.
    """

    name: str
    audio: Path
    labels: Path
    bank: str
    category: str
    piece: str
    split: str = ""


def find_recordings(
    folder: str | os.PathLike[str],
    *,
    categories: Collection[str] = ("MUS",),
    a_maps: str | os.PathLike[str] | None = None,
) -> list[Recording]:
    """Find the recordings of a folder.

    Parameters
    ----------
    folder : str or PathLike
        In one of the layouts named at the top.
    categories : collection of str
        Which of MAPS: ``ISOL``, ``RAND``, ``UCHO``, ``MUS``.
    a_maps : str or PathLike, optional
        Folder of A-MAPS: MIDI files that replace the labels of the MAPS recordings of the same name.

    Returns
    -------
    list of Recording
        Sorted by name.

    Raises
    ------
    DatasetError
        When the folder has none of these layouts, or files are missing in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder.")
    if maps.is_maps_folder(root):
        found = [_from_maps(file) for file in maps.maps_files(root, categories)]
        found = _with_a_maps(found, Path(a_maps)) if a_maps is not None else found
    elif (root / "train_data").is_dir() or (root / "test_data").is_dir():
        found = _musicnet(root)
    elif (table := _maestro_table(root)) is not None:
        found = _maestro(root, table)
    else:
        raise DatasetError(
            f"{root} is no dataset known here: it has neither banks of MAPS (AkPnBcht/MUS), nor train_data, nor a CSV "
            "table with audio_filename and midi_filename."
        )
    names = [recording.name for recording in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{root} holds two recordings named {twice}: rename one of them.")
    return sorted(found, key=lambda recording: recording.name)


def read_notes(recording: Recording, *, sustain: bool = True) -> NoteTable:
    """Read the labels of a recording.

    Parameters
    ----------
    recording : Recording
    sustain : bool
        Let notes of MIDI files sound while the pedal is down. The other label files say when notes end as they are.

    Returns
    -------
    NoteTable [shape=(n,)]
        Sorted by onset.

    Raises
    ------
    LabelError, ScoreError
        When the file cannot be read.
    """
    ending = recording.labels.suffix.lower()
    if ending == ".txt":
        return maps.read_maps_txt(recording.labels)
    if ending not in (".mid", ".midi"):
        return read_labels(recording.labels)
    score = read_score(recording.labels)
    keys = on_one_keyboard(score.notes)
    controls = score.controls.copy()
    controls["part"] = 0
    return sustained(keys, controls) if sustain else keys


# MAPS


def _from_maps(file: maps.MapsFile) -> Recording:
    name = file.name
    return Recording(name.stem, file.audio, file.labels, name.bank, name.category, name.piece)


def _with_a_maps(recordings: list[Recording], folder: Path) -> list[Recording]:
    midi = {path.stem: path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".mid", ".midi")}
    missing = [recording.name for recording in recordings if recording.name not in midi]
    if missing:
        raise DatasetError(
            f"{folder} has no MIDI file for {len(missing)} of {len(recordings)} recordings, such as {missing[0]}: give "
            "the folder of A-MAPS, which has one for each piece (category MUS)."
        )
    return [dataclasses.replace(recording, labels=midi[recording.name]) for recording in recordings]


# MAESTRO


def _maestro_table(root: Path) -> Path | None:
    for path in sorted(root.glob("*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            if {"audio_filename", "midi_filename", "split"} <= set(next(csv.reader(file), ())):
                return path
    return None


def _maestro(root: Path, table: Path) -> list[Recording]:
    if table.stat().st_size > MAX_TABLE_BYTES:
        raise DatasetError(f"{table} is larger than {MAX_TABLE_BYTES >> 20} MiB, too large for a table of recordings.")
    with table.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = list(csv.DictReader(file))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(f"{table} cannot be read as a table: {error}.") from error
    return [_maestro_recording(root, table, number, row) for number, row in enumerate(rows, start=2)]


def _maestro_recording(root: Path, table: Path, number: int, row: dict[str, str | None]) -> Recording:
    split = _MAESTRO_SPLITS.get(row["split"] or "")
    if split is None:
        raise DatasetError(f"{table}: line {number}: the split {row['split']!r} is not train, validation or test.")
    audio, midi = (_inside(root, table, number, row[column] or "") for column in ("audio_filename", "midi_filename"))
    piece = f"{row.get('canonical_composer') or ''} | {row.get('canonical_title') or audio.stem}"
    return Recording(audio.stem, audio, midi, row.get("year") or "", "MUS", piece, split)


def _inside(root: Path, table: Path, number: int, name: str) -> Path:
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise DatasetError(f"{table}: line {number}: {name!r} lies outside the dataset.")
    if not path.is_file():
        raise DatasetError(f"{table}: line {number}: {name!r} does not exist.")
    return path


# MusicNet


def _musicnet(root: Path) -> list[Recording]:
    pieces = _musicnet_pieces(root / "musicnet_metadata.csv")
    found = []
    for part in ("train", "test"):
        for audio in sorted((root / f"{part}_data").glob("*.wav")):
            labels = root / f"{part}_labels" / f"{audio.stem}.csv"
            if not labels.is_file():
                raise DatasetError(f"{audio} has no labels: {labels} is missing.")
            split = "test" if audio.stem in MUSICNET_TEST_IDS else "train"
            found.append(
                Recording(audio.stem, audio, labels, "musicnet", "MUS", pieces.get(audio.stem, audio.stem), split)
            )
    if not found:
        raise DatasetError(f"{root} holds no recordings: train_data and test_data have no .wav files.")
    # Where the published test recordings are not, as in datasets of one's own, the folders tell.
    if not any(recording.split == "test" for recording in found):
        found = [dataclasses.replace(r, split="test" if r.audio.parent.name == "test_data" else "train") for r in found]
    return found


def _musicnet_pieces(table: Path) -> dict[str, str]:
    """Composer, composition and movement by id; empty where there is no table."""
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("id")]
    columns = ("composer", "composition", "movement")
    return {row["id"]: " | ".join(row.get(column) or "" for column in columns) for row in rows}
