"""A dataset in MusicNet's layout, track by track, with the names that mirdata's users know.

Reads what ``build`` wrote and what MusicNet published alike; nothing is loaded before it is asked for.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build.audio.io import read_audio
from musicnet_build.choices import SPLITS
from musicnet_build.corpora import musicnet
from musicnet_build.errors import DatasetError
from musicnet_build.files import read_json
from musicnet_build.labels.dataframe import to_dataframe
from musicnet_build.labels.files import read_labels
from musicnet_build.labels.midi import to_pretty_midi
from musicnet_build.listening import notebook
from musicnet_build.notes import SAMPLE_RATE, NoteTable

if TYPE_CHECKING:
    import pandas
    import pretty_midi


@dataclass(frozen=True, eq=False, repr=False)
class Track:
    """A recording of a dataset; audio and notes are read when they are first used.

    Attributes
    ----------
    track_id : str
    split : {"train", "test"}
    audio_path, labels_path : Path
    metadata : mapping
        The columns of ``musicnet_metadata.csv``: composer, composition, …
    folder : Path
        Of the dataset.
    """

    track_id: str
    split: str
    audio_path: Path
    labels_path: Path
    metadata: Mapping[str, str]
    folder: Path

    @cached_property
    def audio(self) -> tuple[NDArray[np.float32], float]:
        """Samples (float32, mono) and their rate, 44,100 Hz."""
        return read_audio(self.audio_path), float(SAMPLE_RATE)

    @cached_property
    def notes(self) -> NoteTable:
        """The labels, in recording seconds, ordered by onset."""
        return read_labels(self.labels_path)

    @cached_property
    def quality(self) -> dict[str, Any]:
        """The quality report of the recording; empty where the dataset has none."""
        path = self.folder / musicnet.quality_path(self.track_id)
        report: dict[str, Any] = read_json(path) if path.is_file() else {}
        return report

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return the labels as a table, one row per note; pandas is the extra ``pandas``."""
        return to_dataframe(self.notes)

    def to_pretty_midi(self) -> "pretty_midi.PrettyMIDI":
        """Return the labels as a performance, one instrument per part and program."""
        return to_pretty_midi(self.notes)

    def __repr__(self) -> str:
        name = ": ".join(filter(None, (self.metadata.get("composer"), self.metadata.get("composition"))))
        return f"<Track {self.track_id} ({self.split}){f' {name}' if name else ''}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the metadata, ten seconds with tones at the onsets, the first notes."""
        known = {name: value for name, value in self.metadata.items() if value}
        values = {"track": self.track_id, "split": self.split, "notes": len(self.notes), **known}
        player = notebook.audio_player(self.audio[0], self.notes)
        return notebook.summary(values) + player + notebook.first_notes(self.notes)


class Dataset:
    """A folder that ``musicnet-build build`` wrote, or MusicNet itself.

    Parameters
    ----------
    folder : str or PathLike

    Raises
    ------
    DatasetError
        When the folder is not such a dataset, or a recording lacks its labels.

    Examples
    --------
    >>> import musicnet_build as mb
    >>> dataset = mb.Dataset("dataset")
    >>> dataset
    <Dataset dataset: 3 tracks (2 train, 1 test)>
    >>> dataset.track_ids
    ['1', '2', '3']
    >>> track = dataset.choice_track(seed=0)
    >>> track.track_id, track.split
    ('3', 'test')
    >>> audio, rate_hz = track.audio
    >>> rate_hz, len(track.notes)
    (44100.0, 12)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._tracks = {
            found.id: Track(found.id, found.split, found.audio, found.labels, found.metadata, self.folder)
            for found in musicnet.read_dataset(self.folder)
        }

    @property
    def track_ids(self) -> list[str]:
        """The ids, in order."""
        return list(self._tracks)

    def track(self, track_id: str | int) -> Track:
        """Return a track.

        Parameters
        ----------
        track_id : str or int

        Returns
        -------
        Track

        Raises
        ------
        DatasetError
            When the dataset has no track of this id.
        """
        found = self._tracks.get(str(track_id))
        if found is None:
            raise DatasetError(f"{self.folder} has no track {track_id}: its ids are in `track_ids`.")
        return found

    def load_tracks(self) -> dict[str, Track]:
        """Return all tracks by id."""
        return dict(self._tracks)

    def choice_track(self, seed: int | None = None) -> Track:
        """Return a track drawn at random, the same one for the same seed."""
        return self._tracks[str(np.random.default_rng(seed).choice(self.track_ids))]

    def get_track_splits(self) -> dict[str, list[str]]:
        """Return the ids of each split."""
        ids = {split: [track.track_id for track in self if track.split == split] for split in SPLITS}
        return {split: ids[split] for split in SPLITS if ids[split] or split != "validation"}

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def __len__(self) -> int:
        return len(self._tracks)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(ids)} {split}" for split, ids in self.get_track_splits().items())
        return f"<Dataset {self.folder}: {len(self)} tracks ({counts})>"
