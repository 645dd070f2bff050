"""System-exclusive messages that decide what a channel plays: resets, rhythm parts, programs, key shifts, tunings.

What belongs here: the bytes of General MIDI, General MIDI 2, Roland GS and Yamaha XG messages. What follows from them
for a channel stands in :mod:`musicnet_build.score.channels`. Messages of other makers, and of sound rather than pitch,
say nothing here. Checksums are not asked for: files with wrong ones play on most devices.

References
----------
Universal System Exclusive Messages (MIDI Association, CA-024 and CA-025); the parameter address maps in the owner's
manuals of the Roland SC-55 and the Yamaha MU80.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

Mode = Literal["gm", "gm2", "gs", "xg"]
"""The rules by which a device reads bank selects."""

Kind = Literal["reset", "drums", "bank", "program", "key shift", "tuning", "cents"]

ALL_CHANNELS = -1
"""Channel of what holds for all of a port."""

_UNIVERSAL, _REAL_TIME, _ROLAND, _YAMAHA = 0x7E, 0x7F, 0x41, 0x43
_GM_MESSAGES: dict[int, Mode] = {1: "gm", 2: "gm", 3: "gm2"}
_GS_MODEL, _DATA_SET, _XG_MODEL = 0x42, 0x12, 0x4C
_CENTRE = 64
# Low byte of the address of a part's parameter: what it sets, and the value that stands for 0.
_GS_PART: dict[int, tuple[Kind, int]] = {
    0x00: ("bank", 0),
    0x01: ("program", 0),
    0x15: ("drums", 0),
    0x16: ("key shift", _CENTRE),
}
_XG_PART: dict[int, tuple[Kind, int]] = {
    0x01: ("bank", 0),
    0x03: ("program", 0),
    0x07: ("drums", 0),
    0x08: ("key shift", _CENTRE),
}


class Setting(NamedTuple):
    """What a message sets.

    Attributes
    ----------
    kind : str
        "reset" (value unused), "drums" (0 or more than 0), "bank" and "program" (0 to 127), "key shift", "tuning"
        (semitones), or "cents" (fine tuning of all channels).
    mode : str or None
        The device that the message is for; None where it is for any.
    channel : int
        0 to 15, or ``ALL_CHANNELS``.
    value : int
    """

    kind: Kind
    mode: Mode | None
    channel: int
    value: int


def settings_of(message: bytes) -> list[Setting]:
    """Return what a message sets, in order; nothing where it concerns no pitch, or is cut off.

    Parameters
    ----------
    message : bytes
        What stands between F0 and F7, both excluded.

    Returns
    -------
    list of Setting
    """
    return list(_settings(message))


def _settings(message: bytes) -> Iterator[Setting]:
    if len(message) < 4:
        return
    if message[0] == _UNIVERSAL and message[2] == 9 and message[3] in _GM_MESSAGES:
        yield Setting("reset", _GM_MESSAGES[message[3]], ALL_CHANNELS, 0)
    elif message[0] == _REAL_TIME and message[2] == 4 and len(message) >= 6:
        yield from _master_tuning(message[3], message[4], message[5])
    elif message[0] == _ROLAND and message[2:4] == bytes([_GS_MODEL, _DATA_SET]):
        yield from _at_addresses(message[4:-1], _gs)  # the last byte is the checksum
    elif message[0] == _YAMAHA and message[1] >> 4 == 1 and message[2] == _XG_MODEL:
        yield from _at_addresses(message[3:], _xg)


def _master_tuning(kind: int, low: int, high: int) -> Iterator[Setting]:
    if kind == 3:
        yield Setting("cents", None, ALL_CHANNELS, round(((high << 7 | low) - 8192) * 100 / 8192))
    elif kind == 4:
        yield Setting("tuning", None, ALL_CHANNELS, high - _CENTRE)


def _at_addresses(body: bytes, meaning: Callable[[int, int, int, int], Setting | None]) -> Iterator[Setting]:
    """Three bytes of address, then data for it and the addresses behind it."""
    for i, value in enumerate(body[3:]):
        setting = meaning(body[0], body[1], body[2] + i, value)
        if setting is not None:
            yield setting


def _gs(high: int, middle: int, low: int, value: int) -> Setting | None:
    if (high, middle, low) in ((0x40, 0x00, 0x7F), (0x00, 0x00, 0x7F)):
        return Setting("reset", "gs", ALL_CHANNELS, 0)
    if (high, middle, low) == (0x40, 0x00, 0x05):
        return Setting("key shift", "gs", ALL_CHANNELS, value - _CENTRE)
    if high == 0x40 and middle >> 4 == 1 and low in _GS_PART:
        kind, centre = _GS_PART[low]
        return Setting(kind, "gs", _gs_channel(middle & 0x0F), value - centre)
    return None


def _gs_channel(block: int) -> int:
    """Block 0 is part 10, blocks 1 to 9 are parts 1 to 9, and A to F are parts 11 to 16."""
    return 9 if block == 0 else block - 1 if block <= 9 else block


def _xg(high: int, middle: int, low: int, value: int) -> Setting | None:
    if (high, middle) == (0x00, 0x00) and low in (0x7E, 0x7F):
        return Setting("reset", "xg", ALL_CHANNELS, 0)
    if (high, middle, low) == (0x00, 0x00, 0x06):
        return Setting("key shift", "xg", ALL_CHANNELS, value - _CENTRE)
    if high == 0x08 and middle < 16 and low in _XG_PART:
        kind, centre = _XG_PART[low]
        return Setting(kind, "xg", middle, value - centre)
    return None
