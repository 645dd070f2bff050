"""Small MIDI files made by code: the parts to build good ones, and a corpus of broken ones."""


def vlq(value: int) -> bytes:
    """A variable-length quantity."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def event(delta: int, *data: int) -> bytes:
    """A channel event."""
    return vlq(delta) + bytes(data)


def meta(delta: int, kind: int, data: bytes = b"") -> bytes:
    return vlq(delta) + bytes([0xFF, kind]) + vlq(len(data)) + data


def tempo(delta: int, microseconds: int) -> bytes:
    return meta(delta, 0x51, microseconds.to_bytes(3, "big"))


def note(delta: int, length: int, pitch: int = 60, *, channel: int = 0, velocity: int = 64) -> bytes:
    return event(delta, 0x90 | channel, pitch, velocity) + event(length, 0x80 | channel, pitch, 0)


END = meta(0, 0x2F)


def chunk(events: bytes, *, wrong_by: int = 0, end: bytes = END) -> bytes:
    """A track chunk, its stated length off by ``wrong_by`` bytes."""
    body = events + end
    return b"MTrk" + (len(body) + wrong_by).to_bytes(4, "big") + body


def header(tracks: int, *, kind: int = 1, division: int = 480) -> bytes:
    return b"MThd" + b"".join(n.to_bytes(size, "big") for n, size in ((6, 4), (kind, 2), (tracks, 2), (division, 2)))


def midi(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    """A file of tracks given as their events."""
    return header(len(tracks), kind=kind, division=division) + b"".join(chunk(track) for track in tracks)


GOOD = midi(note(0, 480))

# name: (bytes, words of the message)
HOPELESS = {
    "empty file": (b"", "is empty"),
    "text file": (b"this is no music at all, sorry", "not a MIDI file"),
    "header only": (GOOD[:14], "no notes"),
    "half a header": (GOOD[:9], "not a MIDI file"),
    "short header chunk": (GOOD[:4] + bytes(4) + GOOD[8:], "not a MIDI file"),
    "type 2": (midi(note(0, 480), kind=2), "type 2"),
    "SMPTE time": (midi(note(0, 480), division=0xE728), "SMPTE"),
    "no ticks a beat": (midi(note(0, 480), division=0), "0 ticks"),
    "tempo 0": (midi(tempo(0, 0) + note(0, 480)), "impossible tempo"),
    "tempo of two bytes": (midi(meta(0, 0x51, b"\x07\xa1") + note(0, 480)), "impossible tempo"),
    "no notes": (midi(tempo(0, 500_000)), "no notes"),
    "only unfinished notes": (midi(event(0, 0x90, 60, 64)), "no complete notes"),
    "cut in a track": (GOOD[:-6], "middle of track 1"),
    "cut in a text": (midi(note(0, 480))[:-4] + b"\x00\xff\x01\x7fabc", "middle of track 1"),
    "status byte as data": (midi(event(0, 0x90, 60, 0x90)), "status byte in place of data"),
    "data without status": (midi(event(0, 60, 64)), "no event starts there"),
    "endless number": (midi(b"\xff\xff\xff\xff\xff\x7f" + note(0, 480)), "more than four bytes"),
    "garbage between tracks": (
        header(2) + chunk(note(0, 480)) + b"\x01\x02\x03\x04\xff\xff\xff\xff",
        "no track starts",
    ),
    "thirty hours": (midi(note(0, 2**27) + note(2**27, 480), division=960), "24 hours"),
    "too many tracks": (header(1) + chunk(note(0, 480)) * 1100, "1024 tracks"),
    "too large": (GOOD + bytes(5 * 2**20), "larger than 4 MiB"),
}

# name: (bytes, words of the warning, or None where there is nothing to warn of)
MENDED = {
    "track length too large": (header(2) + chunk(note(0, 480), wrong_by=768) + chunk(note(480, 480)), "end-of-track"),
    "track length too small": (header(2) + chunk(note(0, 480), wrong_by=-5) + chunk(note(480, 480)), "end-of-track"),
    "last length beyond the file": (
        header(2) + chunk(note(0, 480)) + chunk(note(480, 480), wrong_by=3), "end-of-track",
    ),
    "no end-of-track": (header(2) + chunk(note(0, 480)) + chunk(note(480, 480), end=b""), None),
    "padding after end-of-track": (header(2) + chunk(note(0, 480), end=END + bytes(7)) + chunk(note(480, 480)), None),
    "impossible key": (midi(meta(0, 0x59, b"\x40\x09") + note(0, 480) + note(0, 480)), None),
    "impossible metre": (midi(meta(0, 0x58, b"\x00\xff\x18\x08") + note(0, 480) + note(0, 480)), "time signature"),
    "foreign chunk": (header(2) + chunk(note(0, 480)) + b"XFIH\0\0\0\2ab" + chunk(note(480, 480)), None),
    "bytes after the last track": (midi(note(0, 480), note(480, 480)) + b"\0\0\0\0\0", None),
    "missing track": (header(3) + chunk(note(0, 480)) + chunk(note(480, 480)), "3 tracks"),
    "system events": (midi(b"\0\xf0\x03\x01\x02\xf7\0\xf8" + note(0, 480) + b"\0\xf3\x01" + note(0, 480)), None),
}  # fmt: skip


def sysex(delta: int, *data: int) -> bytes:
    """A system-exclusive message."""
    return vlq(delta) + b"\xf0" + vlq(len(data) + 1) + bytes(data) + b"\xf7"


def control(delta: int, number: int, value: int, *, channel: int = 0) -> bytes:
    return event(delta, 0xB0 | channel, number, value)


def program(delta: int, value: int, *, channel: int = 0, bank: int | None = None) -> bytes:
    """A program change, after a bank select where a bank is given."""
    select = b"" if bank is None else control(delta, 0, bank, channel=channel)
    return select + event(0 if select else delta, 0xC0 | channel, value)


def gs(address: int, *values: int) -> bytes:
    """A GS data set at a three-byte address, with its checksum."""
    body = [*address.to_bytes(3, "big"), *values]
    return sysex(0, 0x41, 0x10, 0x42, 0x12, *body, -sum(body) % 128)


def xg(address: int, *values: int) -> bytes:
    """An XG parameter change at a three-byte address."""
    return sysex(0, 0x43, 0x10, 0x4C, *address.to_bytes(3, "big"), *values)


GM_RESET, GM2_RESET = sysex(0, 0x7E, 0x7F, 9, 1), sysex(0, 0x7E, 0x7F, 9, 3)
GS_RESET, XG_RESET = gs(0x40007F, 0), xg(0x00007E, 0)
