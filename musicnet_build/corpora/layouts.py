"""The layouts in which folders of labelled recordings are found, and how a label file is read.

Each layout has a module of its own, which tells whether a folder has it and lists the recordings:

- MAPS, real or generated: ``<bank>/{ISOL,RAND,UCHO,MUS}/…/*.wav`` with ``.txt`` beside it (the ``.mid`` files of MAPS
  are not exact and never read). Labels of A-MAPS, MIDI files of the same names, may take the place of the ``.txt``.
- MusicNet: ``{train,validation,test}_data/ID.wav`` and ``…_labels/ID.csv``; so are the datasets of this package.
- MAESTRO: a CSV table with the columns ``audio_filename``, ``midi_filename`` and ``split``, and the files it names.
"""

import dataclasses
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from musicnet_build.corpora import maestro, maps, musicnet
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels
from musicnet_build.labels.pianoroll import on_one_keyboard, sustained
from musicnet_build.notes import NoteTable
from musicnet_build.score.reader import read_score


class Layout(NamedTuple):
    """How one corpus lays out its files.

    Attributes
    ----------
    name : str
    detect : callable
        Whether a folder has this layout.
    read : callable
        Its recordings, given the folder and the categories (of MAPS) that are wanted.
    """

    name: str
    detect: Callable[[Path], bool]
    read: Callable[[Path, Collection[str]], list[Recording]]


LAYOUTS = (
    Layout("MAPS", maps.is_maps_folder, maps.read_maps),
    Layout("MusicNet", musicnet.is_musicnet_folder, lambda folder, _: musicnet.read_dataset(folder)),
    Layout("MAESTRO", maestro.is_maestro_folder, lambda folder, _: maestro.read_maestro(folder)),
)
"""Asked in this order."""


def layout_of(folder: str | os.PathLike[str]) -> Layout:
    """Return the layout of a folder.

    Raises
    ------
    DatasetError
        When it has none of ``LAYOUTS``.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder.")
    for layout in LAYOUTS:
        if layout.detect(root):
            return layout
    raise DatasetError(
        f"{root} is no dataset known here: it has neither banks of MAPS (AkPnBcht/MUS), nor train_data, nor a CSV "
        "table with audio_filename and midi_filename."
    )


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

    Examples
    --------
    >>> for recording in find_recordings("dataset"):  # doctest: +SKIP
    ...     print(recording.name, recording.split, len(read_notes(recording)))
    """
    root = Path(folder)
    found = layout_of(root).read(root, categories)
    if a_maps is not None:
        found = _with_a_maps(found, Path(a_maps))
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

    Examples
    --------
    >>> from musicnet_build.corpora.layouts import find_recordings, read_notes
    >>> recording = find_recordings("corpus")[0]
    >>> recording.name, len(read_notes(recording))
    ('MAPS_MUS-one_SynSinAa', 7)
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


def _with_a_maps(recordings: list[Recording], folder: Path) -> list[Recording]:
    midi = {path.stem: path for path in sorted(folder.rglob("[!.]*")) if path.suffix.lower() in (".mid", ".midi")}
    missing = [recording.name for recording in recordings if recording.name not in midi]
    if missing:
        raise DatasetError(
            f"{folder} has no MIDI file for {len(missing)} of {len(recordings)} recordings, such as {missing[0]}: give "
            "the folder of A-MAPS, which has one for each piece (category MUS)."
        )
    return [dataclasses.replace(recording, labels=midi[recording.name]) for recording in recordings]
