"""Labels played by FluidSynth: offsets and chords are heard, too, which short tones do not tell."""

from functools import lru_cache

import numpy as np

from musicnet_build._typing import Audio, Records
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes
from musicnet_build.score.reader import CONTROL_DTYPE, LostNotes, Part, Score, TempoMap
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont

BLOCK_SAMPLES = 64 * 6890
"""Output samples that are played at a time: ten seconds, in whole blocks of FluidSynth."""

LEAD_SAMPLES = 64 * 4096
"""Output samples before a block of which notes still sound in it: six seconds."""

CACHED_BLOCKS = 8


class ScoreVoice:
    """Plays labels on the instruments of a soundfont, any part of a recording at a time.

    At half speed the notes are played half as fast, not stretched.

    Parameters
    ----------
    soundfont : Soundfont
    """

    def __init__(self, soundfont: Soundfont) -> None:
        self._soundfont = soundfont
        self._block = lru_cache(CACHED_BLOCKS)(self._played_block)

    def play(self, notes: NoteTable, begin: int, end: int, slowdown: int) -> Audio:
        """Return how the notes sound from one sample of the output to another.

        Parameters
        ----------
        notes : NoteTable
            In recording seconds.
        begin, end : int
            Samples of the output, which is ``slowdown`` times as long as the recording.
        slowdown : int

        Returns
        -------
        ndarray of float32 [shape=(end - begin,)]
        """
        result = np.zeros(end - begin, np.float32)
        for number in range(begin // BLOCK_SAMPLES, -(-end // BLOCK_SAMPLES)):
            start = number * BLOCK_SAMPLES
            first, last = max(start, begin), min(start + BLOCK_SAMPLES, end)
            played = self._block(_heard_in(notes, start, slowdown).tobytes(), start)
            result[first - begin : last - begin] = played[first - start : last - start]
        return result

    def _played_block(self, notes_bytes: bytes, start: int) -> Audio:
        notes = np.frombuffer(notes_bytes, dtype=_HEARD_DTYPE)
        block = np.zeros(BLOCK_SAMPLES, np.float32)
        if len(notes):
            sound = synthesize(_score(notes, start - LEAD_SAMPLES), self._soundfont).audio[LEAD_SAMPLES:]
            block[: len(sound)] = sound[:BLOCK_SAMPLES]
        return block


_HEARD_DTYPE = np.dtype([("on", np.int64), ("off", np.int64), ("pitch", np.int16), ("program", np.int16)])


def _heard_in(notes: NoteTable, start: int, slowdown: int) -> Records:
    """The notes that can be heard in the block from ``start``, in samples of the output."""
    heard = np.zeros(len(notes), _HEARD_DTYPE)
    for name, field in (("on", "onset_s"), ("off", "offset_s")):
        heard[name] = np.rint(notes[field] * SAMPLE_RATE).astype(np.int64) * slowdown
    heard["pitch"], heard["program"] = notes["pitch"], notes["program"]
    end = start + BLOCK_SAMPLES
    # A note that began long ago is struck again where the block's lead begins: it is heard, if not as it was.
    heard["on"] = np.maximum(heard["on"], start - LEAD_SAMPLES)
    return heard[~notes["is_drum"] & (heard["on"] < end) & (heard["off"] > start - LEAD_SAMPLES)]


def _score(heard: Records, origin: int) -> Score:
    programs = np.unique(heard["program"])
    notes = empty_notes(len(heard))
    notes["onset_s"] = (heard["on"] - origin) / SAMPLE_RATE
    # What sounds on after the block is not heard: let it end there.
    notes["offset_s"] = np.minimum(heard["off"] - origin, LEAD_SAMPLES + BLOCK_SAMPLES + SAMPLE_RATE) / SAMPLE_RATE
    notes["pitch"], notes["program"], notes["velocity"] = heard["pitch"], heard["program"], 80
    notes["part"] = np.searchsorted(programs, heard["program"])
    parts = tuple(Part("", int(program), False) for program in programs)
    tempo = TempoMap(np.zeros(1), np.zeros(1), np.full(1, 0.5))
    return Score(notes, np.zeros(0, CONTROL_DTYPE), parts, tempo, (), LostNotes(), "labels", ())
