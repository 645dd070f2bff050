"""MPEG audio (MP3): every frame counted, beside the number that the first one may state (Xing, Info, VBRI).

libsndfile reads as many samples as the file states, or as its first frame lets it guess. Where the number is missing
from a file of variable bit rate, is 0, or is too small, the file is read with a first frame that states the true one.
The delay that the encoder notes in that frame stays, so that onsets stay in place.
"""

import mmap
from typing import NamedTuple

from musicnet_build.audio.container import Finding, Head
from musicnet_build.audio.flac import examine_flac

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
# How far behind tags and padding the first frame may lie.
_SEARCH_BYTES = 1 << 16
# Encoders disagree on whether the frame that states the number counts itself.
_SLACK_FRAMES = 2
_DECODER_DELAY = 529  # samples: of every decoder of layer III
_LAME_BYTES = 36  # of the encoder's part of an Info frame, the delay in it


class _Frame(NamedTuple):
    size_bytes: int
    samples: int
    sample_rate: int
    kbits: int


class _Walk(NamedTuple):
    """What was met from the first frame on: how many frames, how long they are, where they end and which rates."""

    frames: int
    seconds: float
    end: int
    rates: frozenset[int]
    cut: bool


class _Statement(NamedTuple):
    """A first frame that is no sound: the frames it states, itself included, or None; its size; the encoder's part."""

    frames: int | None
    size_bytes: int
    lame: bytes


def is_mpeg(head: bytes) -> bool:
    """Whether a file with these first bytes begins with a frame of MPEG audio."""
    return _frame(head[:4]) is not None


def examine_mpeg(content: mmap.mmap) -> Finding:
    """Examine a file of MPEG audio, behind an ID3 tag or not; or of FLAC behind an ID3 tag."""
    tag_end = _tag_end(content)
    if content[tag_end : tag_end + 4] == b"fLaC":
        return examine_flac(content, tag_end)
    start = _first_frame(content, tag_end)
    if start is None:
        return Finding()
    walk = _walk(content, start)
    if walk.cut:
        return Finding(fault=f"is cut short after {walk.seconds:.1f} s, within a frame; get a whole copy of it")
    if not _is_trailer(content, walk.end):
        return Finding(fault=f"is damaged after {walk.seconds:.1f} s; get a whole copy of it")
    return _compared(content, start, walk)


def _compared(content: mmap.mmap, start: int, walk: _Walk) -> Finding:
    statement = _statement(content, start)
    stated = None if statement is None else statement.frames
    if stated is None and len(walk.rates) == 1 and statement is None:
        return Finding()  # a constant bit rate: the size of the file tells its length
    if content[start + 1] >> 1 & 3 != 1:
        fault = "has a variable bit rate and does not state its length, so only a part of it would be read"
        return Finding(fault=fault, remedy="")  # layers I and II, in which no frame states it
    if stated is not None and stated - walk.frames > _SLACK_FRAMES:
        fault = f"is cut short: it holds {walk.frames} MPEG frames where its header states {stated}"
        return Finding(fault=f"{fault}; get a whole copy of it")
    if stated is not None and walk.frames - stated <= _SLACK_FRAMES:
        return Finding()
    header = content[start : start + 4]
    if statement is None:
        return Finding(mended=Head(_opening(header, walk.frames), start), in_order=False)
    remark = f"states {stated} MPEG frames and holds {walk.frames}; it was read to its end" if stated else None
    made = _stating_frame(header, walk.frames - 1, statement.lame)
    return Finding(remark=remark, mended=Head(made, start + statement.size_bytes), in_order=False)


def _walk(content: mmap.mmap, start: int) -> _Walk:
    position, count, seconds = start, 0, 0.0
    rates: set[int] = set()
    while (frame := _frame(content[position : position + 4])) is not None:
        if position + frame.size_bytes > len(content):
            return _Walk(count, seconds, position, frozenset(rates), cut=True)
        position += frame.size_bytes
        count += 1
        seconds += frame.samples / frame.sample_rate
        rates.add(frame.kbits)
    return _Walk(count, seconds, position, frozenset(rates), cut=False)


def _tag_end(content: mmap.mmap) -> int:
    """Return where the ID3v2 tags at the start end."""
    end = 0
    while content[end : end + 3] == b"ID3":
        size = content[end + 6 : end + 10]
        end += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=False))
    return end


def _first_frame(content: mmap.mmap, start: int) -> int | None:
    """Return where the first of two frames in a row starts."""
    for position in range(start, min(start + _SEARCH_BYTES, len(content) - 3)):
        frame = _frame(content[position : position + 4])
        if frame is not None:
            after = position + frame.size_bytes
            if after >= len(content) - 3 or _frame(content[after : after + 4]) is not None:
                return position
    return None


def _frame(header: bytes) -> _Frame | None:
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
        return _Frame((12_000 * kbits // sample_rate + padding) * 4, 384, sample_rate, kbits)
    samples = 576 if layer == 3 and version != 3 else 1152
    return _Frame(samples // 8 * 1000 * kbits // sample_rate + padding, samples, sample_rate, kbits)


# The frame that states the length


def _statement(content: mmap.mmap, start: int) -> _Statement | None:
    frame = _frame(content[start : start + 4])
    if frame is None:
        return None
    first = content[start : start + frame.size_bytes]
    at = first.find(b"VBRI", 0, 64)
    if at >= 0:
        return _Statement(_counted(first[at + 14 : at + 18]), frame.size_bytes, b"")
    at = max(first.find(b"Xing", 0, 64), first.find(b"Info", 0, 64))
    if at < 0:
        return None
    flags = first[at + 7] if len(first) > at + 7 else 0
    lame = at + 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
    frames = _counted(first[at + 8 : at + 12]) if flags & 1 else None
    return _Statement(frames, frame.size_bytes, first[lame : lame + _LAME_BYTES])


def _counted(number: bytes) -> int | None:
    """Return the frames with the one that states them; a number of 0 states nothing."""
    return int.from_bytes(number, "big") + 1 if any(number) else None


def _opening(header: bytes, frames: int) -> bytes:
    """Return what goes before the frames of a file that has no stating frame: one, and a frame of silence.

    A decoder takes a stating frame for a promise to know the delay, and leaves out at least its own, so that the file
    would begin elsewhere than in every other program. With the silence, what is left out is the silence.
    """
    silence = _filled(header, bytes(_side_bytes(header)))
    frame = _frame(silence[:4])
    delay = 0 if frame is None else frame.samples - _DECODER_DELAY
    lame = b"LAME3.100".ljust(21, b"\0") + (delay << 12).to_bytes(3, "big") + bytes(12)
    return _stating_frame(header, frames + 1, lame) + silence


def _stating_frame(header: bytes, frames: int, lame: bytes) -> bytes:
    """Return a frame of the kind of ``header`` that states a number of frames, itself not counted."""
    stated = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big") + lame
    return _filled(header, bytes(_side_bytes(header)) + stated)


def _side_bytes(header: bytes) -> int:
    is_mono, is_mpeg1 = header[3] >> 6 == 3, header[1] >> 3 & 3 == 3
    return {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}[is_mpeg1, is_mono]


def _filled(header: bytes, body: bytes) -> bytes:
    """Return the smallest frame of the kind of ``header`` that has room for its body, filled with zeros."""
    for index in range(1, 15):
        opening = bytes([0xFF, header[1] | 1, index << 4 | header[2] & 0x0C, header[3]])  # no checksum, no padding
        made = _frame(opening)
        if made is not None and made.size_bytes >= len(opening + body):
            return (opening + body).ljust(made.size_bytes, b"\0")
    raise AssertionError("the highest bit rate has room for every statement")


def _is_trailer(content: mmap.mmap, position: int) -> bool:
    """Whether nothing but tags or padding follows."""
    rest = content[position : position + 8]
    return rest[:3] in (b"TAG", b"ID3") or rest in (b"APETAGEX", b"LYRICSBE") or not any(content[position:])
