"""TFRecord files, and the messages in them, written without TensorFlow.

A record is the length of its data (64 bits), a checksum of the length, the data, and a checksum of the data. The data
are a protocol buffer: fields, each a number and a value.

References
----------
TensorFlow, "TFRecord and tf.train.Example", for the layout; RFC 3720, appendix B.4, for the checksum CRC-32C; Protocol
Buffers, "Encoding", for the messages.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Float32s, UInt8s
from musicnet_build.jit import kernel

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_VARINT, _FIXED_64, _BYTES = 0, 1, 2


class Message(NamedTuple):
    """A protocol buffer: its bytes so far."""

    data: bytes = b""

    def number(self, field: int, value: int) -> "Message":
        """Add a whole number that is not negative; 0, being the default, is not written."""
        return Message(self.data + _varint(field << 3 | _VARINT) + _varint(value)) if value else self

    def double(self, field: int, value: float) -> "Message":
        """Add a number of 64 bits; 0, being the default, is not written."""
        return Message(self.data + _varint(field << 3 | _FIXED_64) + struct.pack("<d", value)) if value else self

    def bytes(self, field: int, value: "bytes | Message") -> "Message":
        """Add bytes or another message."""
        data = value.data if isinstance(value, Message) else value
        return Message(b"".join((self.data, _varint(field << 3 | _BYTES), _varint(len(data)), data)))

    def text(self, field: int, value: str) -> "Message":
        """Add a text; an empty one, being the default, is not written."""
        return self.bytes(field, value.encode("utf-8", "backslashreplace")) if value else self

    def each(self, field: int, values: "Sequence[Message]") -> "Message":
        """Add a field that occurs any number of times."""
        parts = [_varint(field << 3 | _BYTES) + _varint(len(value.data)) + value.data for value in values]
        return Message(b"".join((self.data, *parts)))


Feature = bytes | float | Float32s
"""Of an example: bytes, a number of 32 bits, or many."""


def example(features: Mapping[str, Feature]) -> Message:
    """Return a ``tf.train.Example``: features by name.

    Parameters
    ----------
    features : mapping of str to bytes, float or ndarray of float32 [shape=(n,)]

    Returns
    -------
    Message
    """
    entries = [Message().text(1, name).bytes(2, _feature(value)) for name, value in sorted(features.items())]
    return Message().bytes(1, Message().each(1, entries))


def record(message: Message) -> bytes:
    """Return a record of a TFRecord file, which is nothing but records.

    Parameters
    ----------
    message : Message

    Returns
    -------
    bytes
    """
    length = struct.pack("<Q", len(message.data))
    return b"".join((length, _checksum(length), message.data, _checksum(message.data)))


def crc32c(data: bytes) -> int:
    """Return the checksum CRC-32C (Castagnoli).

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    return int(_crc32c(np.frombuffer(data, np.uint8), _TABLE))


def _checksum(data: bytes) -> bytes:
    """The checksum as records hold it: turned by 15 bits, and a constant more."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF)


def _feature(value: Feature) -> Message:
    if isinstance(value, bytes):
        return Message().bytes(1, Message().bytes(1, value))
    return Message().bytes(2, Message().bytes(1, np.atleast_1d(np.asarray(value, "<f4")).tobytes()))


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that there are more."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _table() -> NDArray[np.uint32]:
    """The checksum of each byte."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ np.uint32(_POLYNOMIAL), values >> 1)
    return values


_TABLE = _table()


@kernel
def _crc32c(data: UInt8s, table: NDArray[np.uint32]) -> np.uint32:
    crc = np.uint32(0xFFFFFFFF)
    for byte in data:
        crc = table[(crc ^ byte) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    return crc ^ np.uint32(0xFFFFFFFF)
