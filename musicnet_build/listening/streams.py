"""What the audit page plays: one stereo stream, the recording on the left, its labels as sound on the right.

Both sides are made here from the same sample numbers, so they cannot part; the browser decodes nothing. Any part of
the stream is the same whatever was asked for before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Audio
from musicnet_build.listening.overlay import Tones, prepare_tones
from musicnet_build.listening.sound import Sound
from musicnet_build.listening.stretch import BLOCK, FADE, SLOWDOWNS, faded_block, stretched_span
from musicnet_build.notes import SAMPLE_RATE, NoteTable

STREAM_GAIN = 0.5
"""Samples are halved, so that tones louder than full scale are not cut off; the page doubles them again."""

MAX_CHUNK_SAMPLES = 10 * SAMPLE_RATE
CACHED_BLOCKS = 32

VOICES = ("tones", "score", "none")

Player = Callable[[NoteTable, int, int, int], Audio]
"""Plays notes on instruments: notes, first and last sample of the output, slowdown."""


@dataclass(frozen=True)
class Request:
    """A part of a stream.

    Attributes
    ----------
    begin, frames : int
        In samples of the recording; the answer is ``slowdown`` times as long.
    slowdown : {1, 2, 4}
    voice : {"tones", "score", "none"}
        What is on the right.
    instruments : frozenset of int or None
        General MIDI programs that are heard on the right; None for all.
    """

    begin: int
    frames: int
    slowdown: int = 1
    voice: str = "tones"
    instruments: frozenset[int] | None = None

    def fault(self) -> str | None:
        """Say what is wrong with the request, None where nothing is."""
        if not 0 < self.frames <= MAX_CHUNK_SAMPLES:
            return f"frames must be 1 to {MAX_CHUNK_SAMPLES}"
        if not -MAX_CHUNK_SAMPLES <= self.begin <= 2**40:
            return "from is out of range"
        if self.slowdown not in SLOWDOWNS:
            return "speed must be 1, 2 or 4"
        if self.voice not in VOICES:
            return f"voice must be one of {', '.join(VOICES)}"
        return None


class Stream:
    """The stereo stream of one recording and one set of labels.

    Parameters
    ----------
    sound : Sound
    notes : NoteTable
        Labels in recording seconds.
    play : callable, optional
        Plays notes for the voice ``score``.
    """

    def __init__(self, sound: Sound, notes: NoteTable, play: Player | None = None) -> None:
        self._sound, self._notes, self._play = sound, notes, play
        self._block = lru_cache(CACHED_BLOCKS)(self._stretched_block)
        self._tones = lru_cache(8)(self._prepared_tones)

    def chunk(self, request: Request) -> NDArray[np.int16]:
        """Return a part of the stream.

        Parameters
        ----------
        request : Request

        Returns
        -------
        ndarray of int16 [shape=(request.frames * request.slowdown, 2)]
            Recording and labels, times ``STREAM_GAIN``.
        """
        begin, end = (sample * request.slowdown for sample in (request.begin, request.begin + request.frames))
        left = self._recording(begin, end, request.slowdown)
        both = np.stack([left, self._labels(request, begin, end)], axis=1) * np.float32(STREAM_GAIN)
        chunk: NDArray[np.int16] = np.clip(np.rint(both * 32767), -32767, 32767).astype(np.int16)
        return chunk

    def _recording(self, begin: int, end: int, slowdown: int) -> Audio:
        return stretched_span(self._sound.read, begin, end, slowdown, block=self._block)

    def _stretched_block(self, number: int, slowdown: int) -> Audio:
        outside = (number + 1) * BLOCK <= -FADE or number * BLOCK >= self._sound.length + FADE
        if outside:
            return np.zeros(BLOCK * slowdown + FADE, np.float32)
        return faded_block(self._sound.read, number, slowdown)

    def _labels(self, request: Request, begin: int, end: int) -> Audio:
        if request.voice == "score" and self._play is not None:
            return self._play(self._of(request.instruments), begin, end, request.slowdown)
        if request.voice == "tones":
            return self._tones(request.instruments).render(begin, end, request.slowdown)
        return np.zeros(end - begin, np.float32)

    def _prepared_tones(self, instruments: frozenset[int] | None) -> Tones:
        """Tones as the overlay of these instruments has them; none where none of them plays."""
        return prepare_tones(self._of(instruments), self._sound.energies, self._sound.length)

    def _of(self, instruments: frozenset[int] | None) -> NoteTable:
        if instruments is None:
            return self._notes
        return self._notes[np.isin(self._notes["program"], sorted(instruments))]
