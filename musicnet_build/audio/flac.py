"""FLAC (RFC 9639): how many samples its last frame ends with, beside what the header states.

A program that writes into a pipe leaves the header's number of samples at 0. The decoder reports damage in the middle;
what it cannot know is that a file was cut off at the end, where the length is not stated, or holds more than that.
"""

import functools
import mmap

from musicnet_build.audio.container import Finding, Head

_STREAMINFO = b"fLaC\x00\x00\x00\x22"
_TOTAL_BITS = 36
_LONGEST_FRAME_BYTES = 1 << 20  # 8 channels of 32 bits and 16,384 samples are half of it
_SAMPLES_BY_CODE = {1: 192, **{code: 144 << code for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}


def examine_flac(content: mmap.mmap, start: int = 0) -> Finding:
    """Examine a FLAC stream that begins at a position, 0 where no tag stands before it."""
    if content[start : start + 4] != b"fLaC" or len(content) < start + 42:
        return Finding()
    if content.find(_STREAMINFO, start + 8) >= 0:
        return Finding(fault="is several FLAC files joined, of which only the first would be read", remedy="")
    # 16 bits: samples in a block, where all blocks are alike; at byte 13, behind 4 bits of others: the total.
    block_samples = int.from_bytes(content[start + 8 : start + 10], "big")
    word = int.from_bytes(content[start + 18 : start + 26], "big")
    stated = word & ((1 << _TOTAL_BITS) - 1)
    total = _samples_at_end(content, start + 42, block_samples)
    if total is None:
        return Finding() if stated else Finding(fault="is cut short within its last frame; get a whole copy of it")
    if total <= stated:
        return Finding()  # what is missing, the reader finds out
    head = content[: start + 18] + (word - stated + total).to_bytes(8, "big")
    remark = f"states {stated} samples and holds {total}; it was read to its end" if stated else None
    return Finding(remark=remark, frames=total, mended=Head(head, start + 26), in_order=False)


def _samples_at_end(content: mmap.mmap, first: int, block_samples: int) -> int | None:
    """Return the number of the sample behind the last frame, or None where no whole frame ends the file."""
    end = len(content) - 128 if content[-128:-125] == b"TAG" else len(content)
    lowest = max(first, end - _LONGEST_FRAME_BYTES)
    tail = content[lowest:end]
    position = len(tail)
    while (position := tail.rfind(b"\xff", 0, position)) >= 0:
        samples = _frame_end(tail[position : position + 16], block_samples)
        if samples is not None and _crc(tail[position:], 0x8005, 16) == 0:
            return samples
    return None


def _frame_end(header: bytes, block_samples: int) -> int | None:
    """Read a frame's header (RFC 9639, section 9.1); return the number of the sample behind it, None if it is none."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xFE != 0xF8:
        return None
    coded = _coded_number(header[4:11])
    if coded is None:
        return None
    number, at = coded[0], 4 + coded[1]
    size_code, rate_code = header[2] >> 4, header[2] & 15
    samples = _SAMPLES_BY_CODE.get(size_code, 0)
    if size_code in (6, 7):
        length = size_code - 5
        samples = int.from_bytes(header[at : at + length], "big") + 1
        at += length
    at += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if not samples or len(header) <= at or _crc(header[: at + 1], 0x07, 8):
        return None
    return (number if header[1] & 1 else number * block_samples) + samples


def _coded_number(data: bytes) -> tuple[int, int] | None:
    """Read a frame or sample number, coded as UTF-8 codes up to 36 bits; return it and its length in bytes."""
    first = data[0]
    ones = next((bit for bit in range(8) if not first & 0x80 >> bit), 8)
    if ones == 0:
        return first, 1
    if ones in (1, 8) or len(data) < ones or any(byte & 0xC0 != 0x80 for byte in data[1:ones]):
        return None
    number = first & (0x7F >> ones)
    for byte in data[1:ones]:
        number = number << 6 | byte & 0x3F
    return number, ones


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    """Return the checksum of FLAC's frames (0 where ``data`` ends with its own), the highest bit first."""
    table = _crc_table(polynomial, bits)
    mask, shift, value = (1 << bits) - 1, bits - 8, 0
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> shift ^ byte]
    return value


@functools.cache
def _crc_table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    return tuple(table)
