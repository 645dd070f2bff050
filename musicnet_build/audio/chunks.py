"""Files made of chunks, and AU: WAV in its kinds (RIFF, RIFX, RF64, BW64, Wave64), AIFF and AIFC, CAF.

A chunk is a name, a size and that many bytes. Programs leave the size of the sound unstated when they write into a
pipe, some state it slightly wrong, and a recorder that was stopped leaves an earlier size behind. libsndfile takes
such sizes at their word or shortens them in silence; here they are compared with what the file holds.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from musicnet_build.audio.container import Finding, Head

SLACK_S = 0.1
"""Sound at the end that a file may hold less or more than it states, with a remark: no label is moved by it."""

_SLACK_BYTES = 1024
_USUAL_BYTES_PER_S = 176_400  # of a compact disc, where a header does not state it
# Programs that do not know the length write a number near the greatest of 31 or 32 bits: SoX 0x7F000000 into AIFF.
_NEAR_BYTES = (1 << 24) + (1 << 16)
_ENDLESS = (1 << 31, 1 << 32, 1 << 63, 1 << 64)
_JOINED = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"riff", b"caff")
_REMARKS = (b"LIST", b"bext", b"iXML", b"id3 ", b"ID3 ", b"JUNK", b"APPL")  # lose nothing where they are cut short
_TAGS = (b"TAG", b"ID3", b"APE")
_W64_END = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_BYTES_PER_VALUE_IN_AU = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}

Order = Literal["little", "big"]


class _Layout(NamedTuple):
    """How the chunks of a kind of file are laid out, and which one holds the sound."""

    first: int
    sound: bytes
    order: Order = "little"
    name_bytes: int = 4
    size_bytes: int = 4
    size_counts_header: bool = False
    alignment: int = 2


_RIFF = _Layout(12, b"data")
_RIFX = _Layout(12, b"data", "big")
_AIFF = _Layout(12, b"SSND", "big")
_CAF = _Layout(8, b"data", "big", size_bytes=8, alignment=1)
_W64 = _Layout(40, b"data" + _W64_END, name_bytes=16, size_bytes=8, size_counts_header=True, alignment=8)


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


class _Sound(NamedTuple):
    """Where the sound starts, how many bytes of it are stated, None where that is unstated, and their rate.

    ``never_finished``: the length that is unstated is 0, which a program writes that means to come back.
    """

    start: int
    stated: int | None
    bytes_per_s: float
    never_finished: bool


def examine_wav(content: mmap.mmap) -> Finding:
    """Examine RIFF, RIFX, RF64 or BW64 and offer a plain head of format and sound only.

    That head mends a length that is not stated, and other chunks that libsndfile takes offence at.
    """
    layout = _RIFX if content[:4] == b"RIFX" else _RIFF
    head = _chunks_to_sound(content, layout)
    data, form = head.get(b"data"), head.get(b"fmt ")
    if data is None:
        return Finding(fault="is cut short: it has no data chunk; get a whole copy of it")
    if form is None:
        return Finding(fault="has no fmt chunk before its sound; get a whole copy of it")
    size = _size_in_ds64(content, head)
    sound = _sound(
        content, data if size is None else data._replace(size=size), layout, _wav_rate(content, head, layout)
    )
    present = len(content) - data.start
    readable = present if sound.stated is None else min(present, sound.stated)
    plain = _wav_head(content[form.start : form.start + form.size], readable, layout.order)
    in_order = sound.stated is not None and content[:4] != b"BW64"
    return replace(_compared(content, sound, layout), mended=Head(plain, data.start), in_order=in_order)


def examine_aiff(content: mmap.mmap) -> Finding:
    """Examine AIFF or AIFC."""
    head = _chunks_to_sound(content, _AIFF)
    if b"SSND" not in head:
        return Finding(fault="is cut short: it has no SSND chunk; get a whole copy of it")
    return _compared(content, _sound(content, head[b"SSND"], _AIFF, _aiff_rate(content, head)), _AIFF)


def examine_w64(content: mmap.mmap) -> Finding:
    """Examine Sony Wave64."""
    head = _chunks_to_sound(content, _W64)
    if _W64.sound not in head:
        return Finding(fault="is cut short: it has no data chunk; get a whole copy of it")
    return _compared(content, _sound(content, head[_W64.sound], _W64, _wav_rate(content, head, _W64)), _W64)


def examine_caf(content: mmap.mmap) -> Finding:
    """Examine Core Audio Format; where its samples are stored plainly, offer a head of description and sound only."""
    head = _chunks_to_sound(content, _CAF)
    data, description = head.get(b"data"), head.get(b"desc")
    if data is None or description is None:
        return Finding(fault="is cut short: it has no data chunk; get a whole copy of it")
    found = _compared(content, _sound(content, data, _CAF, _caf_rate(content, description)), _CAF)
    if content[description.start + 8 : description.start + 12] != b"lpcm":
        return found
    size = (len(content) - data.start).to_bytes(8, "big")
    form = content[description.start : description.start + 32]
    plain = b"caff\0\1\0\0desc" + (32).to_bytes(8, "big") + form + b"data" + size
    return replace(found, mended=Head(plain, data.start))


def examine_au(content: mmap.mmap) -> Finding:
    """Examine AU (.snd), which has one header and then the sound."""
    order: Order = "big" if content[:4] == b".snd" else "little"
    start, size, encoding, rate, channels = (_number(content, at, 4, order) for at in range(4, 24, 4))
    bytes_per_s = rate * channels * _BYTES_PER_VALUE_IN_AU.get(encoding, 0)
    return _compared(content, _stated_sound(start, size, len(content) - start, bytes_per_s), None)


# Chunks


def _chunks_to_sound(content: mmap.mmap, layout: _Layout) -> dict[bytes, _Chunk]:
    """Return the chunks up to the one with the sound by their names, of each name the first."""
    found: dict[bytes, _Chunk] = {}
    position = layout.first
    while (chunk := _chunk_at(content, position, layout)) is not None:
        found.setdefault(chunk.name, chunk)
        if chunk.name == layout.sound:
            break
        position = _end_of(content, chunk, layout)
    return found


def _chunk_at(content: mmap.mmap, position: int, layout: _Layout) -> _Chunk | None:
    start = position + layout.name_bytes + layout.size_bytes
    if start > len(content):
        return None
    size = _number(content, position + layout.name_bytes, layout.size_bytes, layout.order)
    if layout.size_counts_header and size < 1 << 62:
        size = max(0, size - layout.name_bytes - layout.size_bytes)
    return _Chunk(content[position : position + layout.name_bytes], start, size)


def _end_of(content: mmap.mmap, chunk: _Chunk, layout: _Layout) -> int:
    """Return where the next chunk starts: behind the padding, which some programs leave out."""
    end = chunk.start + chunk.size
    padded = -(-end // layout.alignment) * layout.alignment
    at_end = _chunk_at(content, end, layout) if end < padded else None
    unpadded = at_end is not None and _is_name(at_end.name) and not _is_name(content[padded : padded + 4])
    return end if unpadded else padded


def _is_name(name: bytes) -> bool:
    return len(name) >= 4 and all(32 <= byte < 127 for byte in name[:4])


def _number(content: mmap.mmap, position: int, size: int, order: Order) -> int:
    return int.from_bytes(content[position : position + size], order)


# Where the sound is


def _sound(content: mmap.mmap, data: _Chunk, layout: _Layout, bytes_per_s: float) -> _Sound:
    if data.size == 0 and _chunks_behind(content, data.start, layout):
        return _Sound(data.start, 0, bytes_per_s or _USUAL_BYTES_PER_S, never_finished=False)
    return _stated_sound(data.start, data.size, len(content) - data.start, bytes_per_s)


def _stated_sound(start: int, size: int, present: int, bytes_per_s: float) -> _Sound:
    unstated = _is_unstated(size, present)
    return _Sound(start, None if unstated else size, bytes_per_s or _USUAL_BYTES_PER_S, unstated and size == 0)


def _is_unstated(size: int, present: int) -> bool:
    if size <= present:
        return size == 0 < present
    return any(end - _NEAR_BYTES <= size <= end + _NEAR_BYTES for end in _ENDLESS)


def _size_in_ds64(content: mmap.mmap, head: dict[bytes, _Chunk]) -> int | None:
    """Return the size of the sound as RF64 and BW64 have it (EBU Tech 3306), where the data chunk refers to it."""
    ds64 = head.get(b"ds64")
    if ds64 is None or head[b"data"].size != 0xFFFFFFFF:
        return None
    return _number(content, ds64.start + 8, 8, "little")


def _wav_rate(content: mmap.mmap, head: dict[bytes, _Chunk], layout: _Layout) -> int:
    form = next((chunk for name, chunk in head.items() if name[:4] == b"fmt "), None)
    return 0 if form is None else _number(content, form.start + 8, 4, layout.order)


def _aiff_rate(content: mmap.mmap, head: dict[bytes, _Chunk]) -> float:
    """Return bytes per second from COMM: channels, frames, bits, and the sample rate as an 80-bit float."""
    if b"COMM" not in head:
        return 0
    start = head[b"COMM"].start
    channels, bits = _number(content, start, 2, "big"), _number(content, start + 6, 2, "big")
    exponent, mantissa = _number(content, start + 8, 2, "big") & 0x7FFF, _number(content, start + 10, 8, "big")
    # Sound of more than 2**24 samples a second is none: the figure is damaged, and slack is counted in bytes.
    sample_rate = mantissa * 2.0 ** (exponent - 16_383 - 63) if exponent < 16_383 + 24 else 0.0
    return channels * -(-bits // 8) * sample_rate


def _caf_rate(content: mmap.mmap, description: _Chunk) -> float:
    (sample_rate,) = struct.unpack(">d", content[description.start : description.start + 8].ljust(8, b"\0"))
    packet_bytes, packet_frames = (_number(content, description.start + at, 4, "big") for at in (16, 20))
    rate = sample_rate * packet_bytes / packet_frames if packet_frames else 0.0
    return rate if 0 < rate < 1e9 else 0.0


def _wav_head(form: bytes, size: int, order: Order) -> bytes:
    """Return a head that states the size of the sound and holds the format and nothing else."""
    chunk = b"fmt " + len(form).to_bytes(4, order) + form + bytes(len(form) % 2)
    whole = 4 + len(chunk) + 8 + size
    if whole < 1 << 32:
        name = b"RIFF" if order == "little" else b"RIFX"
        return name + whole.to_bytes(4, order) + b"WAVE" + chunk + b"data" + size.to_bytes(4, order)
    unknown = b"\xff\xff\xff\xff"
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, whole + 36, size, 0, 0)
    return b"RF64" + unknown + b"WAVE" + ds64 + chunk + b"data" + unknown


# What is stated beside what there is


def _compared(content: mmap.mmap, sound: _Sound, layout: _Layout | None) -> Finding:
    if sound.stated is None:
        return Finding(remark="states a length of 0 and was read to its end" if sound.never_finished else None)
    present = len(content) - sound.start
    missing = sound.stated - present
    slack = max(SLACK_S * sound.bytes_per_s, _SLACK_BYTES)
    # One byte of grace: some programs count the byte that pads a chunk to an even size without writing it.
    if missing <= 1:
        return _behind(content, sound, layout, slack)
    if missing <= slack:
        return Finding(remark=f"lacks the last {missing} of the {sound.stated} bytes of sound that it states")
    fault = f"is cut short: it holds {present} of {sound.stated} bytes of sound; get a whole copy of it"
    return Finding(fault=fault)


def _behind(content: mmap.mmap, sound: _Sound, layout: _Layout | None, slack: float) -> Finding:
    """Judge what lies behind the sound: chunks, tags and zeros belong there, more sound does not."""
    stated = sound.stated or 0
    end, extra = sound.start + stated, len(content) - sound.start - stated
    behind = [] if layout is None else _chunks_behind(content, end, layout)
    if layout is not None and any(name in (*_JOINED, layout.sound) for name in behind):
        fault = "is several files joined, of which only the first would be read; convert each by itself and join those"
        return Finding(fault=fault)
    if extra <= 1 or behind or content[end : end + 3] in _TAGS or _is_zero(content, end):
        return Finding()
    if extra <= slack:
        return Finding(remark=f"holds {extra} bytes behind the sound that it states; they were left out")
    seconds = (size / sound.bytes_per_s for size in (stated, extra))
    fault = "states {:.1f} s of sound and holds {:.1f} s more, of which nothing would be read".format(*seconds)
    return Finding(fault=fault, remedy="-ignore_length 1" if layout in (_RIFF, _RIFX) else None)


def _chunks_behind(content: mmap.mmap, end: int, layout: _Layout) -> list[bytes]:
    """Return the names of the chunks that follow the sound; none where what follows is something else."""
    padded = -(-end // layout.alignment) * layout.alignment
    return list(_names(content, padded, layout)) or list(_names(content, end, layout))


def _names(content: mmap.mmap, position: int, layout: _Layout) -> Iterator[bytes]:
    while (chunk := _chunk_at(content, position, layout)) is not None and _is_name(chunk.name):
        if chunk.start + chunk.size > len(content) + 1 and chunk.name not in _REMARKS:
            return
        yield chunk.name
        position = _end_of(content, chunk, layout)


def _is_zero(content: mmap.mmap, start: int) -> bool:
    """Whether nothing but zeros follows, as where a file was filled up to a whole block of a disc."""
    step = 1 << 20
    pieces = (content[at : at + step] for at in range(start, len(content), step))
    return all(piece.count(0) == len(piece) for piece in pieces)
