"""Two MIDI files of a score that was played: one whose bar lines lie on the recording, and one in the score's tempo.

In the first a note sounds when it is heard in the recording, and the tempo follows the beats, so that a sequencer or a
notation program shows it in the right measure. Before the first measure there is as much of a measure as the recording
needs before the music begins.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s, Int64s, Records
from musicnet_build.errors import LabelError
from musicnet_build.exports.beats import beats_of, measure_length
from musicnet_build.exports.performed import PerformedScore
from musicnet_build.labels.midi import midi_track, port_and_channel, voices_of
from musicnet_build.labels.table import by_part
from musicnet_build.notes import NoteTable, sorted_by_onset
from musicnet_build.score.beats import TOLERANCE_BEATS
from musicnet_build.score.model import CONTROL_DTYPE, PITCH_BEND, Part, Score

TICKS_PER_BEAT = 960
LONGEST_BEAT_S = (2**24 - 1) / 1e6
"""MIDI has 24 bits for the microseconds of a quarter note."""

_DENOMINATORS = (4, 8, 16, 32, 64)
_MOST_SIGNATURE = 255


@dataclass(frozen=True, eq=False)
class Conductor:
    """What the first track of a MIDI file says.

    Attributes
    ----------
    tempos : list of (tick, microseconds per quarter note)
    signatures : list of (tick, numerator, denominator)
    """

    tempos: list[tuple[int, int]]
    signatures: list[tuple[int, int, int]]


def tempo_mapped_midi(performed: PerformedScore) -> bytes:
    """Return a MIDI file in the recording's time, whose measures begin where those of the music do.

    Parameters
    ----------
    performed : PerformedScore

    Returns
    -------
    bytes

    Raises
    ------
    LabelError
        When a quarter note lasts longer than MIDI can say.
    """
    beats = beats_of(performed)
    lead = _lead_beats(performed)
    knots = np.append(beats.score_beats, performed.end_beats)
    at_s = performed.recording_at(knots)
    heard = at_s > 0.0  # what would lie before the recording has no notes, and shares the time up to the first beat
    ticks = np.concatenate([[0], _ticks(knots[heard] + lead)])
    tempos, seconds = _tempos(ticks, np.concatenate([[0.0], at_s[heard]]))
    on, off = (_at_seconds(performed.notes[field], ticks, seconds) for field in ("onset_s", "offset_s"))
    conductor = Conductor(tempos, _signatures(performed, lead))
    return _midi_bytes(conductor, performed.notes, on, off, performed.score.parts, np.zeros(0, dtype=CONTROL_DTYPE))


def _lead_beats(performed: PerformedScore) -> float:
    """Quarter notes before the first: the rest of its measure, and whole ones, so that its bar line is one."""
    first_s = float(performed.recording_at(0.0))
    signature = performed.signature_at(0.0)
    whole = measure_length(signature) if signature else 4.0
    starts = performed.measures.starts_beats
    upbeat = float(starts[1] - starts[0]) if len(starts) > 1 else whole
    rest = (whole - upbeat) if upbeat < whole - TOLERANCE_BEATS else whole
    if first_s <= 0:
        return 0.0
    missing = math.ceil(first_s / LONGEST_BEAT_S) - rest
    return rest + whole * max(0, math.ceil(missing / whole))


def _signatures(performed: PerformedScore, lead: float) -> list[tuple[int, int, int]]:
    """Those of the score, and one of its own for each measure that is longer or shorter than they say."""
    starts = performed.measures.starts_beats.tolist()
    found: list[tuple[int, int, int]] = []
    for i, start in enumerate(starts):
        signature = performed.signature_at(start)
        stop = starts[i + 1] if i + 1 < len(starts) else None
        fraction = (signature.numerator, signature.denominator) if signature else (4, 4)
        begin = start + lead
        if i == 0:
            # The lead and an upbeat make whole measures together.
            length = stop + lead if stop is not None else None
            if length is not None and length % measure_length_of(fraction) > TOLERANCE_BEATS and not lead:
                fraction = _fraction(length, fraction)
            begin = 0.0
        elif stop is not None:
            fraction = _fraction(stop - start, fraction)
        if not found or found[-1][1:] != fraction:
            found.append((int(_ticks(begin)), *fraction))
    return found


def measure_length_of(fraction: tuple[int, int]) -> float:
    """Return the length of a measure in quarter notes."""
    return 4.0 * fraction[0] / fraction[1]


def _fraction(length: float, stated: tuple[int, int]) -> tuple[int, int]:
    """The time signature as stated where a measure has its length, else one that has; as stated where none can be."""
    if abs(measure_length_of(stated) - length) <= TOLERANCE_BEATS:
        return stated
    for denominator in _DENOMINATORS:
        numerator = length * denominator / 4
        if abs(numerator - round(numerator)) <= TOLERANCE_BEATS and 1 <= round(numerator) <= _MOST_SIGNATURE:
            return round(numerator), denominator
    return stated


def _ticks(beats: Any) -> Any:
    return np.rint(np.asarray(beats) * TICKS_PER_BEAT).astype(np.int64)


def _tempos(ticks: Int64s, seconds: Float64s) -> tuple[list[tuple[int, int]], Float64s]:
    """Tempo events that bring each tick to its second, and the seconds that they give: rounding does not add up."""
    tempos: list[tuple[int, int]] = []
    given = [0.0]
    for i in range(len(ticks) - 1):
        beats = (ticks[i + 1] - ticks[i]) / TICKS_PER_BEAT
        microseconds = round((seconds[i + 1] - given[-1]) / beats * 1e6)
        if microseconds > LONGEST_BEAT_S * 1e6:
            raise LabelError(
                f"a quarter note of the recording, at {seconds[i]:.1f} s, lasts {microseconds / 1e6:.1f} s, and MIDI "
                f"knows none of more than {LONGEST_BEAT_S:.1f} s."
            )
        tempos.append((int(ticks[i]), max(microseconds, 1)))
        given.append(given[-1] + tempos[-1][1] * beats / 1e6)
    return tempos, np.array(given)


def _at_seconds(time_s: Float64s, ticks: Int64s, seconds: Float64s) -> Int64s:
    """Ticks of recording seconds; behind the last beat the tempo holds."""
    slope = (ticks[-1] - ticks[-2]) / (seconds[-1] - seconds[-2])
    beyond = np.maximum(time_s - seconds[-1], 0.0) * slope
    found: Int64s = np.rint(np.interp(time_s, seconds, ticks) + beyond).astype(np.int64)
    return found


def score_midi(score: Score) -> bytes:
    """Return a score as a MIDI file, in its own tempo, with its time signatures and controllers.

    Parameters
    ----------
    score : Score
        In the order in which it is to stand in the file.

    Returns
    -------
    bytes
    """
    tempo = score.tempo_map
    microseconds = np.clip(np.rint(tempo.seconds_per_beat * 1e6), 1, LONGEST_BEAT_S * 1e6).astype(np.int64)
    conductor = Conductor(
        tempos=list(zip(_ticks(tempo.beats).tolist(), microseconds.tolist(), strict=True)),
        signatures=[(int(_ticks(s.beats)), s.numerator, s.denominator) for s in score.time_signatures],
    )
    notes = sorted_by_onset(score.notes)
    on, off = (_ticks(tempo.beats_at(notes[field])) for field in ("onset_s", "offset_s"))
    controls = score.controls.copy()
    controls["beats"] = tempo.beats_at(controls["time_s"])
    return _midi_bytes(conductor, notes, on, off, score.parts, controls)


def _midi_bytes(
    conductor: Conductor, notes: NoteTable, on: Int64s, off: Int64s, parts: Sequence[Part], controls: Records
) -> bytes:
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_conductor_track(conductor))
    ticked = notes.copy()
    ticked["onset_s"], ticked["offset_s"] = on, np.maximum(off, on + 1)  # ticks in place of seconds, for this writer
    programs = [part.program for part in parts if not part.is_drum]
    for group in by_part(ticked):
        first, last = group["onset_s"].astype(np.int64), group["offset_s"].astype(np.int64)
        part = parts[group["part"][0]]
        port, channel = port_and_channel(None if part.is_drum else part.program, programs)
        own = controls[controls["part"] == group["part"][0]]
        for k, voice in enumerate(voices_of(first, last, group["pitch"])):
            events = _note_events(group[voice], first[voice], last[voice], channel)
            events += _control_events(own, channel) if k == 0 else []
            # Controllers before note-ons, note-offs before both.
            track = sorted(events, key=lambda event: (event[0], event[1] & 0xF0 == 0x90, event[1] & 0xF0 != 0x80))
            file.tracks.append(midi_track(track, part.name, part.program, channel, port))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _note_events(notes: NoteTable, on: Int64s, off: Int64s, channel: int) -> list[tuple[int, int, int, int]]:
    pitch, velocity = notes["pitch"].tolist(), np.clip(notes["velocity"], 1, 127).tolist()
    ons = [(tick, 0x90 | channel, *rest) for tick, *rest in zip(on.tolist(), pitch, velocity, strict=True)]
    return ons + [(tick, 0x80 | channel, key, 0) for tick, key in zip(off.tolist(), pitch, strict=True)]


def _control_events(controls: Records, channel: int) -> list[tuple[int, int, int, int]]:
    events = []
    for beats, number, value in zip(*(controls[f].tolist() for f in ("beats", "number", "value")), strict=True):
        tick = max(0, int(_ticks(beats)))
        if number == PITCH_BEND:
            bend = value + 8192
            events.append((tick, 0xE0 | channel, bend & 0x7F, bend >> 7))
        else:
            events.append((tick, 0xB0 | channel, number, value))
    return events


def _conductor_track(conductor: Conductor) -> Any:
    import mido

    events = [(tick, 1, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in conductor.tempos]
    for tick, numerator, denominator in conductor.signatures:
        events.append((tick, 0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)))
    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    return track
