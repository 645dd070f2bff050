"""MIDI file to ``Score``: notes in score seconds and beats, controls, parts, tempo map, names of note values.

What belongs here: everything that turns the bytes of a Standard MIDI File (type 0 or 1) into arrays. What does not:
labels (``labels``), sound (``synthesis``), and any guess about music that the file does not state.

The bytes are read here rather than through a MIDI library because scores are untrusted and often slightly broken:
sizes stay bounded, a wrong track length is mended where the end-of-track event proves it wrong, and meta events that
do not matter to notes (an impossible key signature, say) cannot stop the reading.

How notes are paired. Note-ons and note-offs are matched within one track, channel and pitch, in file order. A key that
is struck again while it sounds ends at the new strike, as on an instrument, and the next note-off ends the new note;
two strikes of one key at the same tick are one note. A note without note-off, or of no length, is left out and counted.
Note-offs that end nothing are ignored. The published MusicNet labels agree with this rule, except that they leave out
the note that a new strike cuts short.

References
----------
The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (MIDI Association).
"""

import bisect
import dataclasses
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musicnet_build._typing import Float64s, Indices, Records
from musicnet_build.errors import ScoreError
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset

PITCH_BEND = 128
"""``number`` of a pitch bend among the controls; its value is -8192 to 8191, 0 at rest."""

CONTROL_DTYPE = np.dtype(
    [
        ("time_s", np.float64),
        ("beats", np.float64),  # quarter notes from the start of the score
        ("part", np.int16),  # index into the parts of the score
        ("number", np.int16),  # 0 to 127: MIDI controller; PITCH_BEND
        ("value", np.int16),
    ]
)
"""One row a controller change or pitch bend."""

DRUM_CHANNEL = 9
"""Channel index of percussion in General MIDI (channel 10 of its manuals)."""

MAX_FILE_BYTES = 4 * 2**20
MAX_DURATION_S = 24 * 3600
MAX_TRACKS = 1024
MAX_PARTS = 1024
MAX_CONTROLS = 2**21
DEFAULT_SECONDS_PER_BEAT = 0.5

# Status nibbles of channel messages, and types of meta events, as the specification numbers them.
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM, _BEND = 0x8, 0x9, 0xB, 0xC, 0xE
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_META_NAME, _META_INSTRUMENT, _META_PORT, _META_END, _META_TEMPO, _META_TIME = 0x03, 0x04, 0x21, 0x2F, 0x51, 0x58

_NOTE_VALUES: tuple[tuple[float, str], ...] = (
    (1 / 24, "Triplet Sixty Fourth"),
    (1 / 16, "Sixty Fourth"),
    (1 / 12, "Triplet Thirty Second"),
    (1 / 8, "Thirty Second"),
    (1 / 6, "Triplet Sixteenth"),
    (1 / 4, "Sixteenth"),
    (1 / 3, "Triplet"),
    (3 / 8, "Dotted Sixteenth"),
    (1 / 2, "Eighth"),
    (3 / 4, "Dotted Eighth"),
    (1, "Quarter"),
    (9 / 8, "Tied Quarter-Thirty Second"),
    (5 / 4, "Tied Quarter-Sixteenth"),
    (3 / 2, "Dotted Quarter"),
    (2, "Half"),
    (3, "Dotted Half"),
    (4, "Whole"),
)
_SHORTEST_VALUE_BEATS, _LONGEST_VALUE_BEATS = 1 / 48, 4.5


@dataclasses.dataclass(frozen=True)
class Part:
    """What plays a group of notes: one track, channel and program of the file.

    Attributes
    ----------
    name : str
        Name of the track, else its instrument name, else empty.
    program : int
        General MIDI program, 0 to 127.
    is_drum : bool
        Whether the part plays on the percussion channel.
    """

    name: str
    program: int
    is_drum: bool


@dataclasses.dataclass(frozen=True, eq=False)
class TempoMap:
    """Piecewise constant tempo: from ``beats[i]`` (at ``seconds[i]``) on, a beat lasts ``seconds_per_beat[i]``.

    Attributes
    ----------
    beats, seconds, seconds_per_beat : ndarray of float64 [shape=(k,)]
        Both clocks start at 0 and increase; every ``seconds_per_beat`` is positive.
    """

    beats: Float64s
    seconds: Float64s
    seconds_per_beat: Float64s

    def seconds_at(self, beats: ArrayLike) -> Float64s:
        """Return the score seconds at ``beats`` (any shape); the first and last tempo hold beyond the ends."""
        wanted = np.asarray(beats, dtype=np.float64)
        i = _segment(self.beats, wanted)
        return self.seconds[i] + (wanted - self.beats[i]) * self.seconds_per_beat[i]

    def beats_at(self, seconds: ArrayLike) -> Float64s:
        """Return the beats at ``seconds`` (any shape); the first and last tempo hold beyond the ends."""
        wanted = np.asarray(seconds, dtype=np.float64)
        i = _segment(self.seconds, wanted)
        return self.beats[i] + (wanted - self.seconds[i]) / self.seconds_per_beat[i]


@dataclasses.dataclass(frozen=True)
class TimeSignature:
    """``numerator``/``denominator`` from ``beats`` quarter notes after the start of the score on."""

    beats: float
    numerator: int
    denominator: int


@dataclasses.dataclass(frozen=True)
class LostNotes:
    """Note-ons of the file that are no note of the score, counted by reason.

    Attributes
    ----------
    no_offset : int
        The track ends without their note-off.
    zero_length : int
        Note-on and note-off at the same tick.
    doubled : int
        The same key of the same track struck twice at one tick; the other strike is kept.
    """

    no_offset: int = 0
    zero_length: int = 0
    doubled: int = 0

    @property
    def total(self) -> int:
        """How many note-ons were lost in all."""
        return self.no_offset + self.zero_length + self.doubled


@dataclasses.dataclass(frozen=True, eq=False)
class Score:
    """A MIDI file as arrays.

    Attributes
    ----------
    notes : NoteTable [shape=(n,)]
        Sorted by onset, at least one. Times are score seconds; the sustain pedal is *not* applied to the offsets.
    controls : ndarray of CONTROL_DTYPE [shape=(c,)]
        Controller changes (sustain pedal 64, volume 7, expression 11 and all others) and pitch bends in time order.
        An event of a channel stands once for every part on that channel.
    parts : tuple of Part
        In the order of their first notes.
    tempo_map : TempoMap
        From the tempo events of all tracks. Untouched by ``retimed``.
    time_signatures : tuple of TimeSignature
        As the file states them; empty where it states none.
    lost : LostNotes
        Note-ons that are not among the notes.
    name : str
        Name of the first track, else the stem of the file name.
    warnings : tuple of str
        One sentence each: notes lost, damage mended.
    """

    notes: NoteTable
    controls: Records
    parts: tuple[Part, ...]
    tempo_map: TempoMap
    time_signatures: tuple[TimeSignature, ...]
    lost: LostNotes
    name: str
    warnings: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Time of the last note offset in seconds."""
        return float(self.notes["offset_s"].max())

    def retimed(self, to_seconds: Callable[[Float64s], ArrayLike]) -> "Score":
        """Return the score with all note and control times sent through ``to_seconds``; beats stay as they are.

        Parameters
        ----------
        to_seconds : callable
            Increasing map of an array of seconds to an array of seconds of the same shape.

        Returns
        -------
        Score
        """
        notes, controls = self.notes.copy(), self.controls.copy()
        notes["onset_s"] = to_seconds(self.notes["onset_s"])
        notes["offset_s"] = to_seconds(self.notes["offset_s"])
        controls["time_s"] = to_seconds(self.controls["time_s"])
        return dataclasses.replace(self, notes=sorted_by_onset(notes), controls=controls)


def read_score(path: str | os.PathLike[str]) -> Score:
    """Read a Standard MIDI File of type 0 or 1.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    Score

    Raises
    ------
    ScoreError
        When there is no such file, it is not a MIDI file of type 0 or 1, it is damaged beyond doubt, too large, too
        long, or holds no note.
    """
    path = Path(path)
    try:
        return _read(_bytes_of(path), path.stem)
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read ({error.strerror}).") from error
    except _FaultError as fault:
        raise ScoreError(f"{path}: {fault}.") from fault


def note_value_name(durations_beats: ArrayLike) -> NDArray[np.str_]:
    """Name the note value nearest to each length, in the words of the MusicNet label files.

    Parameters
    ----------
    durations_beats : array_like of float [shape=(n,)]
        Lengths in quarter notes.

    Returns
    -------
    ndarray of str [shape=(n,)]
        "Triplet Sixty Fourth" to "Whole"; "Unknown" under 1/48 and over 4.5 quarter notes.
    """
    durations = np.atleast_1d(np.asarray(durations_beats, dtype=np.float64))
    lengths = np.array([length for length, _ in _NOTE_VALUES])
    names = np.array([name for _, name in _NOTE_VALUES])
    nearest = np.searchsorted((lengths[1:] + lengths[:-1]) / 2, durations)
    known = (durations >= _SHORTEST_VALUE_BEATS) & (durations <= _LONGEST_VALUE_BEATS)
    return np.where(known, names[nearest], "Unknown")


# ---------------------------------------------------------------------------------------------------------------------
# Bytes to events


class _FaultError(Exception):
    """What is wrong with the file, as the end of a sentence that starts with its name."""


@dataclasses.dataclass
class _Track:
    """One track: channel events as (tick, nibble, port, channel, data 1, data 2), meta events as (tick, type, data)."""

    channel_events: list[tuple[int, int, int, int, int, int]] = dataclasses.field(default_factory=list)
    meta_events: list[tuple[int, int, bytes]] = dataclasses.field(default_factory=list)

    def text(self, meta_type: int) -> str:
        """The first text of a type, cleaned."""
        return next((_clean_text(data) for _, kind, data in self.meta_events if kind == meta_type), "")


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise _FaultError(f"is larger than {MAX_FILE_BYTES >> 20} MiB, too large for a score")
    return data


def _clean_text(data: bytes) -> str:
    try:
        text = data[:400].decode("utf-8")
    except UnicodeDecodeError:
        text = data[:400].decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _header(data: bytes) -> tuple[int, int, int]:
    """Check the file header; return ticks per beat, the number of tracks it promises, and where it ends."""
    if not data:
        raise _FaultError("is empty")
    if data[:4] != b"MThd" or len(data) < 14:
        raise _FaultError("is not a MIDI file (it does not start with a MIDI header)")
    length = int.from_bytes(data[4:8], "big")
    kind, tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if length < 6:
        raise _FaultError(f"is not a MIDI file (its header has {length} bytes instead of 6)")
    if kind not in (0, 1):
        raise _FaultError(f"is a MIDI file of type {kind}; only types 0 and 1 are scores, so save it as type 1")
    if division & 0x8000:
        raise _FaultError("counts time in SMPTE frames instead of beats, so save it with ticks per quarter note")
    if division == 0:
        raise _FaultError("has 0 ticks per quarter note")
    return division, tracks, 8 + length


def _read_tracks(data: bytes, position: int, promised: int) -> tuple[list[_Track], list[str]]:
    """Read all chunks from ``position`` on; return the tracks, and a sentence for every oddity that was mended."""
    tracks: list[_Track] = []
    warnings: list[str] = []
    while position < len(data):
        tag, body = data[position : position + 4], position + 8
        declared = body + int.from_bytes(data[position + 4 : body], "big")
        if tag == b"MTrk":
            track, end = _read_track(data, body, declared, len(tracks) + 1)
            tracks.append(track)
            if len(tracks) > MAX_TRACKS:
                raise _FaultError(f"has more than {MAX_TRACKS} tracks, too many for a score")
            position = declared if _is_boundary(data, declared) else end
            if position != declared:
                warnings.append(
                    f"track {len(tracks)} states a length of {declared - body} bytes but ends after {end - body}; "
                    "it was read up to its end-of-track event"
                )
        elif len(tracks) >= promised:
            break  # whatever some programs append after the last track
        elif declared <= len(data):
            position = declared  # chunks of other kinds are to be skipped, says the specification
        else:
            raise _FaultError(f"is damaged after track {len(tracks)}: no track starts at byte {position}")
    if len(tracks) != promised:
        warnings.append(f"the header states {promised} tracks but the file has {len(tracks)}")
    return tracks, warnings


def _is_boundary(data: bytes, position: int) -> bool:
    """Whether a chunk can end here: at the end of the file, or before what looks like the tag of another chunk."""
    tag = data[position : position + 4]
    return position == len(data) or (len(tag) == 4 and tag.isalpha() and tag.isascii())


def _read_track(data: bytes, position: int, declared_end: int, number: int) -> tuple[_Track, int]:
    """Read events up to end-of-track, or to the declared end where a chunk can end; return where that was."""
    track, tick, running_status, port = _Track(), 0, 0, 0
    try:
        while not (position >= declared_end and _is_boundary(data, position)):
            start = position
            delta, position = _variable_length(data, position)
            tick += delta
            status = running_status
            if data[position] & 0x80:
                status, position = data[position], position + 1
            if status == 0xFF:
                kind, (payload, position) = data[position], _payload(data, position + 1)
                track.meta_events.append((tick, kind, payload))
                if kind == _META_PORT and payload:
                    port = payload[0]
                if kind == _META_END:
                    return track, position
            elif status in (0xF0, 0xF7):
                _, position = _payload(data, position)
            elif status >= 0xF0:
                position += _SYSTEM_DATA_BYTES.get(status, 0)
            elif status >= 0x80:
                count = _DATA_BYTES[status >> 4]
                first, second = data[position], data[position + count - 1]
                if (first | second) & 0x80:
                    raise _FaultError(f"is damaged in track {number} at byte {start}: a status byte in place of data")
                track.channel_events.append((tick, status >> 4, port, status & 0x0F, first, second))
                running_status, position = status, position + count
            else:
                raise _FaultError(f"is damaged in track {number} at byte {start}: no event starts there")
    except IndexError:
        raise _FaultError(f"ends in the middle of track {number}, so it is cut off or damaged") from None
    return track, position


def _variable_length(data: bytes, position: int) -> tuple[int, int]:
    """Decode a variable-length quantity of at most four bytes; return it and the position after it."""
    value = 0
    for i in range(position, position + 4):
        value = value << 7 | data[i] & 0x7F
        if data[i] < 0x80:
            return value, i + 1
    raise _FaultError(f"is damaged at byte {position}: a number of more than four bytes")


def _payload(data: bytes, position: int) -> tuple[bytes, int]:
    length, position = _variable_length(data, position)
    if position + length > len(data):
        raise IndexError
    return data[position : position + length], position + length


# ---------------------------------------------------------------------------------------------------------------------
# Events to a score

_Voice = tuple[int, int, int]  # track, port, channel
_PartKey = tuple[int, int, int, int]  # track, port, channel, program
_TickNote = tuple[int, int, int, int, int]  # on tick, off tick, pitch, velocity, index of the part


def _read(data: bytes, stem: str) -> Score:
    ticks_per_beat, promised, position = _header(data)
    tracks, warnings = _read_tracks(data, position, promised)
    tempo_map = _tempo_map(tracks, ticks_per_beat)
    part_keys, ticks, lost, restruck = _pair_notes(tracks)
    if not ticks:
        raise _FaultError("has no notes" if not lost.total else f"has no complete notes ({lost.total} note-ons lost)")
    if len(part_keys) > MAX_PARTS:
        raise _FaultError(f"has {len(part_keys)} parts; more than {MAX_PARTS} are not supported")
    names = [track.text(_META_NAME) or track.text(_META_INSTRUMENT) for track in tracks]
    parts = tuple(Part(names[t], program, channel == DRUM_CHANNEL) for t, _, channel, program in part_keys)
    notes = _note_table(ticks, parts, tempo_map, ticks_per_beat)
    controls = _control_table(tracks, part_keys, tempo_map, ticks_per_beat)
    signatures, odd = _time_signatures(tracks, ticks_per_beat)
    return Score(
        notes=notes,
        controls=controls,
        parts=parts,
        tempo_map=tempo_map,
        time_signatures=signatures,
        lost=lost,
        name=tracks[0].text(_META_NAME) or stem,
        warnings=(*warnings, *odd, *_loss_sentences(lost, restruck)),
    )


def _meta_events(tracks: Iterable[_Track], meta_type: int) -> list[tuple[int, bytes]]:
    """All meta events of a type from all tracks as (tick, data), in time order; track order where ticks are equal."""
    events = [(tick, data) for track in tracks for tick, kind, data in track.meta_events if kind == meta_type]
    return sorted(events, key=lambda event: event[0])


def _tempo_map(tracks: list[_Track], ticks_per_beat: int) -> TempoMap:
    changes = {0: DEFAULT_SECONDS_PER_BEAT}
    for tick, data in _meta_events(tracks, _META_TEMPO):
        if len(data) != 3 or not any(data):
            raise _FaultError(f"has an impossible tempo at beat {tick / ticks_per_beat:g}")
        changes[tick] = int.from_bytes(data, "big") / 1e6
    beats = np.array(list(changes), dtype=np.float64) / ticks_per_beat
    seconds_per_beat = np.array(list(changes.values()))
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(beats) * seconds_per_beat[:-1])])
    return TempoMap(beats, seconds, seconds_per_beat)


def _segment(starts: Float64s, wanted: Float64s) -> Indices:
    return np.maximum(np.searchsorted(starts, wanted, side="right") - 1, 0)


def _time_signatures(tracks: list[_Track], ticks_per_beat: int) -> tuple[tuple[TimeSignature, ...], list[str]]:
    found: dict[int, TimeSignature] = {}
    ignored = 0
    for tick, data in _meta_events(tracks, _META_TIME):
        if len(data) >= 2 and data[0] > 0 and data[1] <= 7:
            found[tick] = TimeSignature(tick / ticks_per_beat, data[0], 2 ** data[1])
        else:
            ignored += 1
    return tuple(found.values()), [f"{ignored} impossible time signatures ignored"] if ignored else []


class _Programs:
    """Which program a note of a track and channel plays.

    The channel belongs to all tracks, so a program change in any of them counts from its tick on. Only where several
    tracks set one channel at the same tick does each track keep its own choice: files with more instruments than
    channels are written so.
    """

    def __init__(self, tracks: Iterable[_Track]) -> None:
        at: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)  # (port, channel): program at a tick
        self._own: dict[_Voice, dict[int, int]] = defaultdict(dict)
        for t, track in enumerate(tracks):
            for tick, kind, port, channel, program, _ in track.channel_events:
                if kind == _PROGRAM:
                    at[port, channel][tick] = program
                    self._own[t, port, channel][tick] = program
        self._changes = {channel: sorted(programs.items()) for channel, programs in at.items()}

    def at(self, tick: int, voice: _Voice) -> int:
        changes = self._changes.get(voice[1:], [])
        latest = bisect.bisect_right(changes, tick, key=lambda change: change[0]) - 1
        if latest < 0:
            return 0
        changed_tick, program = changes[latest]
        return self._own.get(voice, {}).get(changed_tick, program)


def _pair_notes(tracks: list[_Track]) -> tuple[list[_PartKey], list[_TickNote], LostNotes, int]:
    """Match note-ons with note-offs; return the parts, the notes, what was lost, and how many notes were cut short."""
    programs = _Programs(tracks)
    found: dict[_PartKey, list[tuple[int, int, int, int]]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    for t, track in enumerate(tracks):
        voices: dict[_Voice, _Keyboard] = {}
        for tick, kind, port, channel, pitch, velocity in track.channel_events:
            if kind not in (_NOTE_ON, _NOTE_OFF):
                continue
            voice = (t, port, channel)
            if voice not in voices:
                voices[voice] = _Keyboard()
            if kind == _NOTE_ON and velocity > 0:
                voices[voice].press(tick, pitch, velocity)
            else:
                voices[voice].release(tick, pitch)
        for voice, keyboard in voices.items():
            for reason, count in keyboard.counts().items():
                lost[reason] += count
            for note in keyboard.notes:
                found[(*voice, programs.at(note[0], voice))].append(note)
    keys = sorted(found, key=lambda key: min(found[key])[0])
    notes = [(*note, part) for part, key in enumerate(keys) for note in found[key]]
    restruck = lost.pop("restruck", 0)
    return keys, notes, LostNotes(**lost), restruck


class _Keyboard:
    """The keys of one track and channel: which are down, and the notes they have given."""

    def __init__(self) -> None:
        self.notes: list[tuple[int, int, int, int]] = []  # on tick, off tick, pitch, velocity
        self._down: dict[int, tuple[int, int]] = {}  # pitch: on tick, velocity
        self._empty: dict[int, int] = {}  # pitch: tick of its latest note of no length
        self._late_off: dict[int, int] = {}  # pitch: tick of a strike whose predecessor may still get its note-off
        self._lost = {"zero_length": 0, "doubled": 0, "restruck": 0}

    def press(self, tick: int, pitch: int, velocity: int) -> None:
        earlier = self._down.get(pitch)
        if earlier is not None and earlier[0] == tick:
            self._lost["doubled"] += 1
            return
        if self._empty.pop(pitch, None) == tick:  # how notation programs write two voices in unison: on, off, on
            self._lost["zero_length"] -= 1
            self._lost["doubled"] += 1
        if earlier is not None:
            self._close(tick, pitch)
            self._late_off[pitch] = tick
            self._lost["restruck"] += 1
        self._down[pitch] = (tick, velocity)

    def release(self, tick: int, pitch: int) -> None:
        # Some programs write the new strike before the note-off of the old one at the same tick.
        if self._late_off.pop(pitch, None) == tick:
            self._lost["restruck"] -= 1
        elif pitch in self._down:
            self._close(tick, pitch)

    def counts(self) -> dict[str, int]:
        """Notes lost by reason, and notes cut short ("restruck"), once all events are played."""
        return {**self._lost, "no_offset": len(self._down)}

    def _close(self, tick: int, pitch: int) -> None:
        on, velocity = self._down.pop(pitch)
        if tick > on:
            self.notes.append((on, tick, pitch, velocity))
        else:
            self._empty[pitch] = tick
            self._lost["zero_length"] += 1


def _note_table(ticks: list[_TickNote], parts: tuple[Part, ...], tempo_map: TempoMap, ticks_per_beat: int) -> NoteTable:
    on, off, pitch, velocity, part = np.array(ticks, dtype=np.int64).T
    notes = empty_notes(len(ticks))
    notes["onset_beats"] = on / ticks_per_beat
    notes["duration_beats"] = (off - on) / ticks_per_beat
    notes["onset_s"] = tempo_map.seconds_at(on / ticks_per_beat)
    notes["offset_s"] = tempo_map.seconds_at(off / ticks_per_beat)
    notes["pitch"], notes["velocity"], notes["part"] = pitch, velocity, part
    notes["program"] = np.array([p.program for p in parts])[part]
    notes["is_drum"] = np.array([p.is_drum for p in parts])[part]
    if notes["offset_s"].max() > MAX_DURATION_S:
        raise _FaultError(f"plays for more than {MAX_DURATION_S // 3600} hours, too long for a score")
    return sorted_by_onset(notes)


def _control_table(
    tracks: list[_Track], part_keys: list[_PartKey], tempo_map: TempoMap, ticks_per_beat: int
) -> Records:
    """Return the controls of every part: all those of its channel, from whatever track, in time order."""
    parts_on: dict[tuple[int, int], list[int]] = defaultdict(list)
    for part, (_, port, channel, _) in enumerate(part_keys):
        parts_on[port, channel].append(part)
    events = list(_control_events(tracks))
    if sum(len(parts_on.get(channel, ())) for _, channel, _, _ in events) > MAX_CONTROLS:
        raise _FaultError(f"has more than {MAX_CONTROLS} controller changes, too many for a score")
    events.sort(key=lambda event: event[0])
    rows = [
        (0.0, tick / ticks_per_beat, part, number, value)
        for tick, channel, number, value in events
        for part in parts_on.get(channel, ())
    ]
    controls = np.array(rows, dtype=CONTROL_DTYPE)
    controls["time_s"] = tempo_map.seconds_at(controls["beats"])
    if len(controls) and controls["time_s"][-1] > MAX_DURATION_S:
        raise _FaultError(f"plays for more than {MAX_DURATION_S // 3600} hours, too long for a score")
    return controls


def _control_events(tracks: Iterable[_Track]) -> Iterator[tuple[int, tuple[int, int], int, int]]:
    """Yield (tick, (port, channel), number, value) of controllers and pitch bends."""
    for track in tracks:
        for tick, kind, port, channel, first, second in track.channel_events:
            if kind == _CONTROL:
                yield tick, (port, channel), first, second
            elif kind == _BEND:
                yield tick, (port, channel), PITCH_BEND, (second << 7 | first) - 8192


def _loss_sentences(lost: LostNotes, restruck: int) -> list[str]:
    counted = [
        (lost.no_offset, "without a note-off left out"),
        (lost.zero_length, "of no length left out"),
        (lost.doubled, "struck twice at one tick on one track kept once"),
        (restruck, "struck again while sounding: the earlier note ends at the new strike"),
    ]
    return [f"{count} {'note' if count == 1 else 'notes'} {what}" for count, what in counted if count]
