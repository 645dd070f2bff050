"""What is open while somebody listens: decoded recordings, their labels, streams and pictures.

Everything that the server says about a recording is computed here; what people say is in ``judgements``.
"""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Audio
from musicnet_build.listening import pictures
from musicnet_build.listening.catalogue import Catalogue, Item, plain, read_report
from musicnet_build.listening.label_set import LabelSet, read_label_set
from musicnet_build.listening.overlay import BLOCK_SAMPLES
from musicnet_build.listening.sound import Sound, coarser_peaks
from musicnet_build.listening.streams import Player, Stream
from musicnet_build.score.programs import PROGRAM_NAMES

OPEN_RECORDINGS = 3
"""An hour takes 640 MB of disk while it is open."""

CACHED_TILES = 64
OVERVIEW_COLUMNS = 2000


class OpenRecording:
    """A recording that somebody listens to.

    Parameters
    ----------
    item : Item
    play : callable, optional
        Plays notes for the voice ``score``.
    """

    def __init__(self, item: Item, play: Player | None) -> None:
        self._play = play
        self.report = read_report(item.report)
        self.sound = Sound(item.audio)
        self.take_labels(item)
        self.tile: Callable[[int, int], bytes] = lru_cache(CACHED_TILES)(self._tile)

    def take_labels(self, item: Item) -> None:
        """Take the labels of an item of the same recording."""
        labels = [read_label_set(item, index) for index in range(len(item.labels))]
        streams = [Stream(self.sound, one.notes, self._play) for one in labels]
        self.item, self.labels, self.streams = item, labels, streams

    def facts(self) -> dict[str, Any]:
        """Return what the page shows of the recording besides notes, sound and pictures."""
        return {
            "id": self.item.id,
            "title": plain(self.item.title),
            "metadata": {name: plain(value) for name, value in self.item.metadata.items()},
            "samples": self.sound.length,
            "loudness_db": self.loudness_db,
            "labels": [
                {"name": plain(labels.name), "sha256": labels.sha256, "notes": len(labels.notes)}
                for labels in self.labels
            ],
            "instruments": self._instruments(),
            "verdict": self.report.get("verdict"),
            "reasons": [plain(reason) for reason in self.report.get("reasons", ())],
            "spans": self.report.get("spans", []),
            "structure": [plain(text) for text in self.report.get("structure", ())],
        }

    @cached_property
    def loudness_db(self) -> float:
        """The level of loud passages, which the picture's contrast goes by: dB below a sine of full scale."""
        power = float(np.quantile(self.sound.energies / BLOCK_SAMPLES, 0.95)) * 2
        return round(10.0 * float(np.log10(max(power, 1e-10))), 1)

    def overview(self) -> NDArray[np.int8]:
        """Return waveform peaks of the whole recording, in at most ``OVERVIEW_COLUMNS`` pairs."""
        return coarser_peaks(self.sound.peaks, -(-len(self.sound.peaks) // OVERVIEW_COLUMNS))

    def envelope(self, sample: int, pitch: int) -> Audio:
        """Return the loudness of one pitch around a sample."""
        return pictures.pitch_envelope(self.sound.read, sample, pitch)

    def _tile(self, level: int, column: int) -> bytes:
        return pictures.tile(self.sound.read, level, column).tobytes()

    def _instruments(self) -> list[dict[str, Any]]:
        programs = sorted({int(program) for labels in self.labels for program in labels.notes["program"]})
        return [{"number": program + 1, "name": PROGRAM_NAMES[program]} for program in programs]


class Session:
    """The recordings of a catalogue, the latest of them open.

    Parameters
    ----------
    catalogue : Catalogue
    play : callable, optional
        Plays notes for the voice ``score``; without it there are only tones.
    """

    def __init__(self, catalogue: Catalogue, play: Player | None = None) -> None:
        self.catalogue = catalogue
        self.items = {item.id: item for item in catalogue.items}
        self.has_score_voice = play is not None
        self._play = play
        self._open: OrderedDict[str, OpenRecording] = OrderedDict()
        self._lock = threading.Lock()
        self._sets = lru_cache(256)(self._label_set)

    def recording(self, recording_id: str) -> OpenRecording:
        """Return a recording of the catalogue, opened where it is not yet.

        Parameters
        ----------
        recording_id : str

        Returns
        -------
        OpenRecording

        Raises
        ------
        KeyError
            When there is none of that id.
        MusicnetBuildError
            When its files cannot be read.
        """
        item = self.items[recording_id]
        with self._lock:
            if recording_id not in self._open:
                self._open[recording_id] = OpenRecording(item, self._play)
            self._open.move_to_end(recording_id)
            if len(self._open) > OPEN_RECORDINGS:
                # Not closed: another request may be reading. With the last reference its disk space is given back.
                self._open.popitem(last=False)
                gc.collect()
            return self._open[recording_id]

    def compare(self, recording_id: str, labels: Path | None) -> None:
        """Set other labels beside the first of a recording, or take them away again.

        Parameters
        ----------
        recording_id : str
        labels : Path or None
            A label file.
        """
        with self._lock:
            item = self.items[recording_id]
            item = replace(item, labels=(item.labels[0], labels) if labels else item.labels[:1])
            if recording_id in self._open:
                self._open[recording_id].take_labels(item)
            self.items[recording_id] = item
            self._sets.cache_clear()

    def label_set(self, recording_id: str, index: int = 0) -> LabelSet:
        """Return labels of a recording without its sound; they are read once.

        Raises
        ------
        KeyError
            When there is no such recording or label file.
        """
        if not 0 <= index < len(self.items[recording_id].labels):
            raise KeyError(index)
        return self._sets(recording_id, index)

    def label_sets(self, recording_id: str) -> list[LabelSet]:
        """Return all labels of a recording."""
        return [self.label_set(recording_id, index) for index in range(len(self.items[recording_id].labels))]

    def _label_set(self, recording_id: str, index: int) -> LabelSet:
        return read_label_set(self.items[recording_id], index)
