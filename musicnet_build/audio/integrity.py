"""Is a sound file whole? What its container promises, checked before anything is decoded.

libsndfile shortens a WAV, AIFF or Ogg file that was cut off without a word, reads over damaged Ogg pages, and takes
the length of an MP3 file from its first frame when the file does not state it. A recording that is short by a
second misplaces every label after the gap, so such files are found here, from their bytes alone. FLAC needs none
of this: its decoder reports damage, and its header the length.
"""

import mmap
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from musicnet_build.errors import AudioError

# Lengths that programs write into a WAV header when they do not know the length (ffmpeg and sox into a pipe).
_UNSTATED_WAV_LENGTHS = {0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000}

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

# ISO 11172-3 and 13818-3: kbit/s by bit rate index, for (is MPEG 1, layer).
_KBITS = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG1_RATES_HZ = (44_100, 48_000, 32_000)
# How far behind tags and padding the first MPEG frame may lie.
_MPEG_SEARCH_BYTES = 1 << 16
# Encoders disagree on whether the frame that states the length counts itself.
_MPEG_SLACK_FRAMES = 2


def check_complete(path: Path) -> None:
    """Raise when a WAV, AIFF, Ogg or MPEG file is cut short or damaged; say nothing of other kinds.

    A WAV header that states no length (0xFFFFFFFF, 0x7FFFFFFF or 0x7FFFF000, as left by programs that write into
    a pipe) is accepted: all that is there is the recording. A length of 0 is not: the file was never finished.

    Parameters
    ----------
    path : Path
        An existing file.

    Raises
    ------
    AudioError
        Naming the file and what is missing.
    """
    with path.open("rb") as file:
        find_fault = _fault_finder(file.read(12))
        if find_fault is None:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            fault = find_fault(content)
    if fault is not None:
        raise AudioError(f"{path} {fault}.")


def _fault_finder(head: bytes) -> Callable[[mmap.mmap], str | None] | None:
    if len(head) < 12:
        return None
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:] == b"WAVE":
        return _wav_fault
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return _aiff_fault
    if head[:4] == b"OggS":
        return _ogg_fault
    if head[:3] == b"ID3" or _mpeg_frame(head) is not None:
        return _mpeg_fault
    return None


# WAV and AIFF


def _wav_fault(content: mmap.mmap) -> str | None:
    order = "big" if content[:4] == b"RIFX" else "little"
    found = _find_chunk(content, b"data", order)
    if found is None:
        return "is cut short: it has no data chunk; get a whole copy of it"
    start, declared = found
    if content[:4] == b"RF64" and declared == 0xFFFFFFFF and content[12:16] == b"ds64":
        declared = int.from_bytes(content[28:36], "little")
    elif declared in _UNSTATED_WAV_LENGTHS:
        return None
    if declared == 0 and len(content) > start + 8:
        return "was never finished: its header states a length of 0; have the program that wrote it save it again"
    return _cut_short(declared, len(content) - start)


def _aiff_fault(content: mmap.mmap) -> str | None:
    found = _find_chunk(content, b"SSND", "big")
    if found is None:
        return "is cut short: it has no SSND chunk; get a whole copy of it"
    return _cut_short(found[1], len(content) - found[0])


def _find_chunk(content: mmap.mmap, name: bytes, order: str) -> tuple[int, int] | None:
    """Return where the data of the first chunk of that name starts and how many bytes it declares."""
    position = 12
    while position + 8 <= len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "big" if order == "big" else "little")
        if content[position : position + 4] == name:
            return position + 8, size
        position += 8 + size + size % 2
    return None


def _cut_short(declared_bytes: int, present_bytes: int) -> str | None:
    # One byte of grace: some programs count the byte that pads a chunk to an even size without writing it.
    if declared_bytes <= present_bytes + 1:
        return None
    return f"is cut short: it holds {present_bytes} of {declared_bytes} bytes of sound; get a whole copy of it"


# Ogg (RFC 3533)


def _ogg_fault(content: mmap.mmap) -> str | None:
    position = 0
    open_streams: set[bytes] = set()
    closed_streams: set[bytes] = set()
    while position < len(content):
        end = _ogg_page_end(content, position)
        if end is None:
            return f"is damaged or cut short at byte {position} of {len(content)}; get a whole copy of it"
        flags, serial = content[position + 5], content[position + 14 : position + 18]
        if flags & 2:
            if closed_streams:
                return "is several Ogg streams joined, of which only the first would be read; convert it to FLAC"
            open_streams.add(serial)
        if flags & 4:
            open_streams.discard(serial)
            closed_streams.add(serial)
        position = end
    return "is cut short: its last page is missing; get a whole copy of it" if open_streams else None


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


# MPEG audio (MP3)


class _MpegFrame(NamedTuple):
    size_bytes: int
    samples: int
    sample_rate: int
    kbits: int


def _mpeg_fault(content: mmap.mmap) -> str | None:
    start = _first_mpeg_frame(content)
    if start is None:
        return None
    declared_frames = _declared_mpeg_frames(content[start : start + 200])
    position, count, seconds, rates = start, 0, 0.0, set()
    while (frame := _mpeg_frame(content[position : position + 4])) is not None:
        if position + frame.size_bytes > len(content):
            return f"is cut short after {seconds:.1f} s, within a frame; get a whole copy of it"
        position += frame.size_bytes
        count += 1
        seconds += frame.samples / frame.sample_rate
        rates.add(frame.kbits)
    if not _is_mpeg_trailer(content, position):
        return f"is damaged after {seconds:.1f} s; get a whole copy of it"
    if declared_frames is None:
        return _UNSTATED_MPEG_LENGTH if len(rates) > 1 else None
    if abs(count - declared_frames) > _MPEG_SLACK_FRAMES:
        return f"holds {count} MPEG frames where its header states {declared_frames}; get a whole copy of it"
    return None


_UNSTATED_MPEG_LENGTH = (
    "has a variable bit rate and does not state its length, so only a part of it would be read; convert it to FLAC"
)


def _first_mpeg_frame(content: mmap.mmap) -> int | None:
    """Return where the first of two frames in a row starts, behind an ID3v2 tag if there is one."""
    start = 0
    while content[start : start + 3] == b"ID3":
        size = content[start + 6 : start + 10]
        start += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=False))
    if content[start : start + 4] == b"fLaC":
        return None
    for position in range(start, min(start + _MPEG_SEARCH_BYTES, len(content) - 3)):
        frame = _mpeg_frame(content[position : position + 4])
        if frame is not None:
            after = position + frame.size_bytes
            if after >= len(content) - 3 or _mpeg_frame(content[after : after + 4]) is not None:
                return position
    return None


def _mpeg_frame(header: bytes) -> _MpegFrame | None:
    """Read the four bytes that open a frame; None when they do not."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bit_rate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or bit_rate in (0, 15) or rate == 3:
        return None
    kbits = _KBITS[version == 3, layer][bit_rate]
    sample_rate = _MPEG1_RATES_HZ[rate] // {3: 1, 2: 2, 0: 4}[version]
    if layer == 1:
        return _MpegFrame((12_000 * kbits // sample_rate + padding) * 4, 384, sample_rate, kbits)
    samples = 576 if layer == 3 and version != 3 else 1152
    return _MpegFrame(samples // 8 * 1000 * kbits // sample_rate + padding, samples, sample_rate, kbits)


def _declared_mpeg_frames(first_frame: bytes) -> int | None:
    """Return the number of frames that a Xing, Info or VBRI header states, the header's own frame included."""
    for name, offset in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        found = first_frame.find(name)
        if found >= 0 and (name == b"VBRI" or first_frame[found + 7] & 1):
            return int.from_bytes(first_frame[found + offset : found + offset + 4], "big") + 1
    return None


def _is_mpeg_trailer(content: mmap.mmap, position: int) -> bool:
    """Whether nothing but tags or padding follows."""
    rest = content[position : position + 8]
    return rest[:3] in (b"TAG", b"ID3") or rest in (b"APETAGEX", b"LYRICSBE") or not any(content[position:])
