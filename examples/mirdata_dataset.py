"""A built dataset as a loader of mirdata: index with checksums, tracks, notes as ``NoteData``.

    pip install mirdata
    python examples/mirdata_dataset.py DATASET

Checks every file against the dataset's own index, and prints the first track. To offer a dataset to others through
mirdata itself, put this module into ``mirdata/datasets`` and name the place from which it can be downloaded in
``REMOTES``.
"""

import csv
import sys
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from mirdata import annotations, core

BIBTEX = ""
"""Of the paper that describes the recordings; the data card names their sources and licences."""

REMOTES: dict[str, Any] = {}
SAMPLE_RATE = 44_100


class Track(core.Track):
    """A recording with note labels.

    Attributes
    ----------
    audio_path, labels_path : str
    """

    def __init__(self, track_id: str, data_home: str, dataset_name: str, index: dict[str, Any], metadata: Any) -> None:
        super().__init__(track_id, data_home, dataset_name, index, metadata)
        self.audio_path = self.get_path("audio")
        self.labels_path = self.get_path("labels")

    @property
    def composition(self) -> str:
        """Composer and title, as far as the dataset knows them."""
        return f"{self._track_metadata.get('composer', '')}: {self._track_metadata.get('composition', '')}"

    @property
    def split(self) -> str:
        """``train``, ``validation`` or ``test``: the folder says so."""
        return Path(self.audio_path).parent.name.removesuffix("_data")

    @core.cached_property
    def notes(self) -> annotations.NoteData:
        """Notes in seconds of the recording, with MIDI pitches."""
        return load_notes(self.labels_path)

    @property
    def audio(self) -> tuple[np.ndarray, float]:
        """Mono samples and their rate."""
        return librosa.load(self.audio_path, sr=SAMPLE_RATE, mono=True)


def load_notes(path: str) -> annotations.NoteData:
    """Read a MusicNet CSV: times are samples at 44.1 kHz."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    intervals_s = np.array([[int(row["start_time"]), int(row["end_time"])] for row in rows]) / SAMPLE_RATE
    return annotations.NoteData(intervals_s, "s", np.array([float(row["note"]) for row in rows]), "midi")


class Dataset(core.Dataset):
    """A dataset folder made by ``musicnet-build build``."""

    def __init__(self, data_home: str) -> None:
        index = core.Index(filename=str(Path(data_home, "index.json").resolve()))
        super().__init__(
            data_home,
            name="musicnet_build",
            track_class=Track,
            bibtex=BIBTEX,
            indexes={"default": "1.0", "1.0": index},
            remotes=REMOTES,
            license_info="See the dataset's README.md: each recording has its own.",
        )

    @core.cached_property
    def _metadata(self) -> dict[str, dict[str, str]]:
        with Path(self.data_home, "musicnet_metadata.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["id"]: row for row in csv.DictReader(file)}


def main(folder: str) -> None:
    """Validate a dataset and print its first track."""
    dataset = Dataset(folder)
    missing, invalid = dataset.validate(verbose=False)
    print(f"missing: {sum(map(len, missing.values()))}, invalid: {sum(map(len, invalid.values()))}")
    track = dataset.track(dataset.track_ids[0])
    print(f"{track.track_id} ({track.split}): {track.composition}, {len(track.notes.pitches)} notes")


if __name__ == "__main__":
    main(sys.argv[1])
