"""Bytes of a Standard MIDI File to events, by track and tick.

What belongs here: everything that knows how the file is laid out, and how slight damage is mended. What does not: what
the events mean for notes (:mod:`musicnet_build.score.reader`).

The bytes are read here rather than through a MIDI library because scores are untrusted and often slightly broken:
sizes stay bounded, a wrong track length is mended where the end-of-track event proves it wrong, and meta events that
do not matter to notes (an impossible key signature, say) cannot stop the reading.

References
----------
The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (MIDI Association).
"""

import dataclasses
import re
from typing import Any, NamedTuple

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, BEND = 0x8, 0x9, 0xB, 0xC, 0xE
"""Kinds of channel messages: the upper half of their status byte."""

TRACK_NAME, INSTRUMENT_NAME, TEMPO, TIME_SIGNATURE = 0x03, 0x04, 0x51, 0x58
"""Types of meta events."""

MAX_FILE_BYTES = 4 * 2**20
MAX_TRACKS = 1024

_RIFF_DATA = re.compile(rb"data(.{4})(MThd)", re.DOTALL)
_PORT, _END_OF_TRACK = 0x21, 0x2F
_META, _SYSEX, _SYSEX_CONTINUED = 0xFF, 0xF0, 0xF7
_DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}


class FaultError(Exception):
    """What is wrong with a file, as the end of a sentence that starts with its name."""


ChannelEvent = tuple[int, int, int, int, int, int]
"""A message to a channel: tick, kind, port, channel and two data bytes (a message of one data byte has it twice)."""


class SysexEvent(NamedTuple):
    """A system-exclusive message, without the bytes F0 and F7 around it.

    ``place`` is how many channel events of its track stand before it.
    """

    tick: int
    port: int
    place: int
    message: bytes


class MetaEvent(NamedTuple):
    """What concerns the file rather than a channel: names, tempos, time signatures."""

    tick: int
    type: int
    data: bytes


@dataclasses.dataclass
class Track:
    """The events of one track, in file order, and the tick at which it ends."""

    channel_events: list[ChannelEvent] = dataclasses.field(default_factory=list)
    meta_events: list[MetaEvent] = dataclasses.field(default_factory=list)
    sysex_events: list[SysexEvent] = dataclasses.field(default_factory=list)
    end_tick: int = 0

    def text(self, meta_type: int) -> str:
        """Return the first text of a type, cleaned; empty where there is none."""
        return next((_clean_text(event.data) for event in self.meta_events if event.type == meta_type), "")

    @property
    def name(self) -> str:
        """Name of the track, else of its instrument, else empty."""
        return self.text(TRACK_NAME) or self.text(INSTRUMENT_NAME)


@dataclasses.dataclass(frozen=True)
class MidiFile:
    """A file of type 0 or 1.

    Attributes
    ----------
    ticks_per_beat : int
        Ticks per quarter note, at least 1.
    tracks : list of Track
    warnings : list of str
        A sentence for every oddity that was mended.
    """

    ticks_per_beat: int
    tracks: list[Track]
    warnings: list[str]


def parse_midi(data: bytes) -> MidiFile:
    """Parse the bytes of a Standard MIDI File.

    Parameters
    ----------
    data : bytes
        Of the whole file, or of a beginning of it that is longer than ``MAX_FILE_BYTES``.

    Returns
    -------
    MidiFile

    Raises
    ------
    FaultError
        When it is no MIDI file of type 0 or 1, too large, or damaged beyond doubt.
    """
    if _is_sound(data[:12]):
        raise FaultError("is a sound file, not a score: give the recording first, then the score")
    data = _without_riff(data)
    if len(data) > MAX_FILE_BYTES:
        raise FaultError(f"is larger than {MAX_FILE_BYTES >> 20} MiB, too large for a score")
    ticks_per_beat, promised, position = _header(data)
    tracks, warnings = _read_tracks(data, position, promised)
    return MidiFile(ticks_per_beat, tracks, warnings)


def _is_sound(head: bytes) -> bool:
    """Whether these bytes open WAV or a relative of it, AIFF, FLAC, Ogg or MP3."""
    container, form = head[:4], head[8:]
    if container in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        return form in (b"WAVE", b"AIFF", b"AIFC")
    return container in (b"fLaC", b"OggS", b"riff", b"caff") or head[:3] in (b"ID3", b"\xff\xfb\x90")


def _without_riff(data: bytes) -> bytes:
    """The MIDI file inside a RIFF file (``.rmi``), found by its tags: padding of other chunks is often wrong."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    found = _RIFF_DATA.search(data)
    if found is None:
        raise FaultError("is a RIFF file without a MIDI file inside")
    return data[found.start(2) : found.start(2) + int.from_bytes(found[1], "little")]


def _clean_text(data: bytes) -> str:
    try:
        text = data[:400].decode("utf-8")
    except UnicodeDecodeError:
        text = data[:400].decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _header(data: bytes) -> tuple[int, int, int]:
    """Check the file header; return ticks per beat, the number of tracks it promises, and where it ends."""
    if not data:
        raise FaultError("is empty")
    if data[:4] != b"MThd" or len(data) < 14:
        raise FaultError("is not a MIDI file (it does not start with a MIDI header)")
    length = int.from_bytes(data[4:8], "big")
    kind, tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if length < 6:
        raise FaultError(f"is not a MIDI file (its header has {length} bytes instead of 6)")
    if kind not in (0, 1):
        raise FaultError(f"is a MIDI file of type {kind}; only types 0 and 1 are scores, so save it as type 1")
    if division & 0x8000:
        raise FaultError("counts time in SMPTE frames instead of beats, so save it with ticks per quarter note")
    if division == 0:
        raise FaultError("has 0 ticks per quarter note")
    return division, tracks, 8 + length


def _read_tracks(data: bytes, position: int, promised: int) -> tuple[list[Track], list[str]]:
    """Read all chunks from ``position`` on; return the tracks, and a sentence for every oddity that was mended."""
    tracks: list[Track] = []
    warnings: list[str] = []
    while position < len(data):
        tag, body = data[position : position + 4], position + 8
        declared = body + int.from_bytes(data[position + 4 : body], "big")
        if tag == b"MTrk":
            reader = _TrackReader(data, body, declared, len(tracks) + 1)
            tracks.append(reader.read())
            position = reader.end
            warnings += reader.warnings
            if len(tracks) > MAX_TRACKS:
                raise FaultError(f"has more than {MAX_TRACKS} tracks, too many for a score")
        elif len(tracks) >= promised:
            break  # whatever some programs append after the last track
        elif declared <= len(data):
            position = declared  # chunks of other kinds are to be skipped, says the specification
        else:
            raise FaultError(f"is damaged after track {len(tracks)}: no track starts at byte {position}")
    if len(tracks) != promised:
        warnings.append(f"the header states {promised} tracks but the file has {len(tracks)}")
    return tracks, warnings


def _is_boundary(data: bytes, position: int) -> bool:
    """Whether a chunk can end here: at the end of the file, or before what looks like the tag of another chunk."""
    tag = data[position : position + 4]
    return position == len(data) or (len(tag) == 4 and tag.isalpha() and tag.isascii())


class _Cursor:
    """A place in the bytes of a file. Reading beyond their end raises IndexError."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position
        self._running_status = 0

    def quantity(self) -> int:
        """Read a variable-length quantity of at most four bytes."""
        value, start = 0, self.position
        for i in range(start, start + 4):
            byte = self.data[i]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                self.position = i + 1
                return value
        raise FaultError(f"is damaged at byte {start}: a number of more than four bytes")

    def status(self) -> int:
        """Read a status byte, or return the status that is still running: 0 where there is none."""
        byte = self.data[self.position]
        if byte < 0x80:
            return self._running_status
        self.position += 1
        if byte < 0xF0:
            self._running_status = byte
        return byte

    def byte(self) -> int:
        """Read one byte."""
        value = self.data[self.position]
        self.position += 1
        return value

    def payload(self) -> bytes:
        """Read as many bytes as a quantity before them states."""
        length = self.quantity()
        end = self.position + length
        if end > len(self.data):
            raise IndexError
        start, self.position = self.position, end
        return self.data[start:end]


class _TrackReader:
    """Reads the events of one track.

    Attributes
    ----------
    end : int
        Where the next chunk begins, once the track was read.
    warnings : list of str
    """

    def __init__(self, data: bytes, start: int, declared_end: int, number: int) -> None:
        self.end = declared_end
        self.warnings: list[str] = []
        self._cursor = _Cursor(data, start)
        self._start, self._declared_end = start, declared_end
        self._number = number
        self._track = Track()
        self._port = 0
        self._ended = False
        self._message: bytes | None = None  # a system-exclusive message that goes on in a later event

    def read(self) -> Track:
        """Read up to the declared end where a chunk can end, else to end-of-track."""
        try:
            while not (self._ended or self._at_declared_end()):
                self._event()
        except IndexError:
            raise FaultError(f"ends in the middle of track {self._number}, so it is cut off or damaged") from None
        if _is_boundary(self._cursor.data, self._declared_end):
            self._read_behind_end_of_track()
        else:
            self.end = self._cursor.position
        if self.end != self._declared_end:
            self.warnings.append(
                f"track {self._number} states a length of {self._declared_end - self._start} bytes but ends after "
                f"{self.end - self._start}; it was read up to its end-of-track event"
            )
        return self._track

    def _at_declared_end(self) -> bool:
        position = self._cursor.position
        return position >= self._declared_end and _is_boundary(self._cursor.data, position)

    def _read_behind_end_of_track(self) -> None:
        """Read on inside the declared length, where whole events fill it; zeros that fill it are no music."""
        cursor, track, number = self._cursor, self._track, self._number
        rest = cursor.data[cursor.position : self._declared_end]
        if not any(rest) or rest[:4] == b"MTrk":
            return
        lists: tuple[list[Any], ...] = (track.channel_events, track.meta_events, track.sysex_events)
        counts, end_tick = [len(events) for events in lists], track.end_tick
        try:
            while cursor.position < self._declared_end:
                self._event()
        except (FaultError, IndexError):
            cursor.position = -1
        if cursor.position == self._declared_end:
            self.warnings.append(f"track {number} goes on behind its end-of-track event and was read to its stated end")
            return
        for events, count in zip(lists, counts, strict=True):
            del events[count:]
        track.end_tick = end_tick
        self.warnings.append(f"{len(rest)} bytes behind the end-of-track event of track {number} were left out")

    def _event(self) -> None:
        cursor = self._cursor
        start = cursor.position
        self._track.end_tick += cursor.quantity()
        status = cursor.status()
        if status < 0x80:
            raise FaultError(f"is damaged in track {self._number} at byte {start}: no event starts there")
        if status < 0xF0:
            self._channel_event(status, start)
        elif status == _META:
            self._meta_event()
        elif status == _SYSEX:
            self._sysex_event(cursor.payload())
        elif status == _SYSEX_CONTINUED:
            self._continued_event(cursor.payload())
        else:
            cursor.position += _SYSTEM_DATA_BYTES.get(status, 0)

    def _channel_event(self, status: int, start: int) -> None:
        cursor, kind = self._cursor, status >> 4
        end = cursor.position + _DATA_BYTES[kind]
        first, second = cursor.data[cursor.position], cursor.data[end - 1]
        if (first | second) & 0x80:
            raise FaultError(f"is damaged in track {self._number} at byte {start}: a status byte in place of data")
        cursor.position = end
        track = self._track
        track.channel_events.append((track.end_tick, kind, self._port, status & 0x0F, first, second))

    def _meta_event(self) -> None:
        kind, data = self._cursor.byte(), self._cursor.payload()
        self._track.meta_events.append(MetaEvent(self._track.end_tick, kind, data))
        if kind == _PORT and data:
            self._port = data[0]
        self._ended = self._ended or kind == _END_OF_TRACK

    def _sysex_event(self, data: bytes) -> None:
        if data.endswith(b"\xf7"):
            track = self._track
            place = len(track.channel_events)
            track.sysex_events.append(SysexEvent(track.end_tick, self._port, place, data[:-1]))
            self._message = None
        else:
            self._message = data

    def _continued_event(self, data: bytes) -> None:
        """More of a message that was begun, or bytes sent as they are, which may hold a whole one."""
        if self._message is not None:
            self._sysex_event(self._message + data)
        elif data.startswith(b"\xf0"):
            self._sysex_event(data[1:])
