"""MIDI label files, held in ``pretty_midi``: times to 0.1 ms, pitch, velocity, program, parts, drums.

``pretty_midi`` holds the labels (:func:`to_pretty_midi`), but the file is written here. Its own ``write`` numbers the
channels by track, so that the sixteenth track shares a channel with the first and players sound it with the other's
instrument: an orchestra whose unisons need two tracks a part has more than fifteen. Here a channel is a program, and
beyond fifteen programs there are ports. It also writes a time signature, 4/4, which nobody knows to be true.
"""

import heapq
import io
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from musicnet_build._typing import Int64s
from musicnet_build.errors import LabelError, ScoreError
from musicnet_build.labels.table import by_part
from musicnet_build.notes import NoteTable, sorted_by_onset
from musicnet_build.quiet import quietly_imported
from musicnet_build.score.programs import PROGRAM_NAMES
from musicnet_build.score.reader import DRUM_CHANNEL, read_score

if TYPE_CHECKING:
    import pretty_midi

MIDI_ENDINGS = (".mid", ".midi")

# Ticks per beat of half a second. 2,520 rounds times by less than 0.1 ms; readers that refuse more than ten million
# ticks (pretty_midi) force coarser ticks on recordings of more than half an hour.
_FINE_TICKS, _COARSE_TICKS, _FINE_UNTIL_S = 2520, 480, 1900.0
_BEAT_S = 0.5
_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]


def to_pretty_midi(notes: NoteTable) -> "pretty_midi.PrettyMIDI":
    """Hold notes in a ``PrettyMIDI`` object, at 120 quarter notes per minute.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        Times in recording seconds.

    Returns
    -------
    pretty_midi.PrettyMIDI
        An instrument per part and program. Where two notes of one pitch overlap, as in unisons of labels without
        parts, there is a further one of the same name, for a MIDI track cannot hold both.

    Examples
    --------
    >>> from musicnet_build.notes import empty_notes
    >>> notes = empty_notes(1)
    >>> notes["onset_s"], notes["offset_s"], notes["pitch"], notes["program"] = 0.5, 1.0, 60, 40
    >>> [instrument.name for instrument in to_pretty_midi(notes).instruments]
    ['violin']
    """
    pretty_midi = quietly_imported("pretty_midi")
    notes = sorted_by_onset(notes)
    last_s = float(notes["offset_s"].max(initial=0.0))
    resolution = _FINE_TICKS if last_s < _FINE_UNTIL_S else _COARSE_TICKS
    held = pretty_midi.PrettyMIDI(resolution=resolution, initial_tempo=60 / _BEAT_S)
    for group in by_part(notes):
        for voice in voices_of(*_tick_times(group["onset_s"], group["offset_s"], resolution), group["pitch"]):
            held.instruments.append(_instrument(group[voice], _BEAT_S / resolution))
    return held


def write_midi(notes: NoteTable) -> bytes:
    """Write a type 1 file: the tempo in track 1, then a track per instrument of ``to_pretty_midi``."""
    import mido

    held = to_pretty_midi(notes)
    file = mido.MidiFile(type=1, ticks_per_beat=held.resolution)
    tempo = mido.MetaMessage("set_tempo", tempo=round(_BEAT_S * 1e6))
    file.tracks.append(mido.MidiTrack([tempo, mido.MetaMessage("end_of_track")]))
    programs = [instrument.program for instrument in held.instruments if not instrument.is_drum]
    for instrument in held.instruments:
        program = None if instrument.is_drum else instrument.program
        port, channel = port_and_channel(program, programs)
        events = _midi_events(instrument.notes, held.resolution, channel)
        file.tracks.append(midi_track(events, instrument.name, instrument.program, channel, port))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def read_midi(path: Path) -> NoteTable:
    """Read a MIDI file from anywhere; what is lost or mended in it is warned of."""
    try:
        score = read_score(path)
    except ScoreError as error:
        raise LabelError(str(error)) from error
    if score.warnings:
        warnings.warn(f"{path}: {'; '.join(score.warnings)}.", stacklevel=3)
    return score.notes


def port_and_channel(program: int | None, programs: Iterable[int]) -> tuple[int, int]:
    """Return where a program plays, so that each has a channel of its own.

    Parameters
    ----------
    program : int or None
        None for drums.
    programs : iterable of int
        All programs of the file but those of drums.

    Returns
    -------
    port, channel : int
    """
    if program is None:
        return 0, DRUM_CHANNEL
    place = sorted(set(programs)).index(program)
    return place // len(_CHANNELS), _CHANNELS[place % len(_CHANNELS)]


def _tick_times(onset_s: Any, offset_s: Any, ticks_per_beat: int) -> tuple[Int64s, Int64s]:
    """On tick, and off tick (always later)."""
    on = np.maximum(np.rint(np.asarray(onset_s) / _BEAT_S * ticks_per_beat), 0).astype(np.int64)
    off = np.rint(np.asarray(offset_s) / _BEAT_S * ticks_per_beat).astype(np.int64)
    return on, np.maximum(off, on + 1)


def voices_of(on: Int64s, off: Int64s, pitch: Int64s) -> list[list[int]]:
    """Spread notes over as few voices as keep two notes of one pitch from overlapping.

    Parameters
    ----------
    on, off, pitch : ndarray of int64 [shape=(n,)]
        Ticks and pitch of each note, in the order of ``on``.

    Returns
    -------
    list of list of int
        Places of the notes of each voice.
    """
    voices: list[list[int]] = []
    busy: dict[int, list[tuple[int, int]]] = defaultdict(list)  # pitch: heap of (off tick, voice)
    free: dict[int, list[int]] = defaultdict(list)  # pitch: heap of voices
    for i, (start, end, key) in enumerate(zip(on.tolist(), off.tolist(), pitch.tolist(), strict=True)):
        while busy[key] and busy[key][0][0] <= start:
            heapq.heappush(free[key], heapq.heappop(busy[key])[1])
        voice = heapq.heappop(free[key]) if free[key] else len(busy[key])
        if voice == len(voices):
            voices.append([])
        voices[voice].append(i)
        heapq.heappush(busy[key], (end, voice))
    return voices


def _instrument(notes: NoteTable, tick_s: float) -> "pretty_midi.Instrument":
    pretty_midi = quietly_imported("pretty_midi")
    program, is_drum = int(notes["program"][0]), bool(notes["is_drum"][0])
    instrument = pretty_midi.Instrument(program, is_drum, "drums" if is_drum else PROGRAM_NAMES[program])
    onset_s = np.maximum(notes["onset_s"], 0.0)
    offset_s = np.maximum(notes["offset_s"], onset_s + tick_s / 2)
    columns = np.clip(notes["velocity"], 1, 127), notes["pitch"], onset_s, offset_s
    rows = zip(*(column.tolist() for column in columns), strict=True)
    instrument.notes = [pretty_midi.Note(*row) for row in rows]
    return instrument


def _midi_events(notes: list["pretty_midi.Note"], ticks_per_beat: int, channel: int) -> list[tuple[int, int, int, int]]:
    """(tick, status byte, pitch, velocity) in playing order, note-offs first where ticks are equal."""
    on, off = _tick_times([note.start for note in notes], [note.end for note in notes], ticks_per_beat)
    ons = [(tick, 0x90 | channel, note.pitch, note.velocity) for tick, note in zip(on.tolist(), notes, strict=True)]
    offs = [(tick, 0x80 | channel, note.pitch, 0) for tick, note in zip(off.tolist(), notes, strict=True)]
    return sorted([*ons, *offs])


def midi_track(events: Iterable[Sequence[int]], name: str, program: int, channel: int, port: int) -> Any:
    """Make a track of mido.

    Parameters
    ----------
    events : iterable of (tick, status byte, data, data)
        In playing order.
    name : str
    program, channel, port : int
        Port 0 is not stated.

    Returns
    -------
    mido.MidiTrack
    """
    import mido

    track = mido.MidiTrack()
    if port:
        track.append(mido.MetaMessage("midi_port", port=port))
    track.append(mido.MetaMessage("track_name", name=name))
    track.append(mido.Message("program_change", program=program, channel=channel))
    tick = 0
    for at, *data in events:
        track.append(mido.Message.from_bytes(data, time=at - tick))
        tick = at
    track.append(mido.MetaMessage("end_of_track"))
    return track
