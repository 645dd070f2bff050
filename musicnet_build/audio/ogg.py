"""Ogg (RFC 3533): every page with its checksum, every stream to its last page.

libsndfile reads over damaged pages, and shortens a file that was cut off, without a word.
"""

import mmap
import zlib

from musicnet_build.audio.container import Finding

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def examine_ogg(content: mmap.mmap) -> Finding:
    """Examine an Ogg file of whatever codec."""
    position = 0
    open_streams: set[bytes] = set()
    closed_streams: set[bytes] = set()
    while position < len(content):
        end = _ogg_page_end(content, position)
        if end is None:
            return Finding(
                fault=f"is damaged or cut short at byte {position} of {len(content)}; get a whole copy of it"
            )
        flags, serial = content[position + 5], content[position + 14 : position + 18]
        if flags & 2:
            if closed_streams:
                return Finding(fault="is several Ogg streams joined, of which only the first would be read", remedy="")
            open_streams.add(serial)
        if flags & 4:
            open_streams.discard(serial)
            closed_streams.add(serial)
        position = end
    return Finding(fault="is cut short: its last page is missing; get a whole copy of it" if open_streams else None)


def _ogg_page_end(content: mmap.mmap, start: int) -> int | None:
    """Return where the page ends that starts here, or None when none does or its checksum is wrong."""
    if content[start : start + 4] != b"OggS" or start + 27 > len(content):
        return None
    body = start + 27 + content[start + 26]
    end = body + sum(content[start + 27 : body])
    if end > len(content):
        return None
    page = content[start:end]
    stored = int.from_bytes(page[22:26], "little")
    return end if _ogg_checksum(page[:22] + bytes(4) + page[26:]) == stored else None


def _ogg_checksum(page: bytes) -> int:
    """CRC-32 as Ogg has it: zlib's polynomial with the bits the other way round, without zlib's inversions."""
    mirrored = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED_BITS), "big")
