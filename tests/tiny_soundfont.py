"""Soundfonts made on the spot, whose sound is known to the sample (SoundFont 2.04)."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SINE_HZ = 440.0
SINE_PITCH = 69
_RATE = 44_100
_PERIODS, _SINE_SAMPLES = 22, 2205  # 22 periods of 440 Hz are 2205 samples at 44.1 kHz: a seamless loop
_KEY_RANGE, _INSTRUMENT, _SAMPLE_ID, _SAMPLE_MODES = 43, 41, 53, 54


def write_soundfont(
    path: Path,
    presets: Sequence[tuple[int, int]],
    *,
    wave: str = "step",
    keys: tuple[int, int] = (0, 127),
    pad: bool = True,
) -> Path:
    """Write a soundfont with (bank, program) presets that all play one looped sample.

    ``wave`` is "step" (a constant, so that the first sample of a note is seen), "sine" (440 Hz at pitch 69) or
    "silence". ``keys`` is the range of pitches that sound. ``pad=False`` leaves a chunk of odd length unpadded, as
    SF3 files do.
    """
    data = _wave(wave)
    smpl = _chunk(b"smpl", np.concatenate([data, np.zeros(46, "<i2")]).tobytes())
    if not pad:
        smpl += struct.pack("<4sI", b"xtra", 1) + b"\x01"
    info = _chunk(b"ifil", struct.pack("<HH", 2, 1)) + _chunk(b"isng", b"EMU8000\0") + _chunk(b"INAM", b"tiny\0\0")
    body = b"sfbk" + _list(b"INFO", info) + _list(b"sdta", smpl) + _list(b"pdta", _pdta(presets, len(data), keys))
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def _wave(name: str) -> np.ndarray:
    n = np.arange(_SINE_SAMPLES)
    values = {"step": np.ones(len(n)), "sine": np.sin(2 * np.pi * _PERIODS * n / len(n)), "silence": 0.0 * n}[name]
    return np.rint(20_000 * values).astype("<i2")


def _pdta(presets: Sequence[tuple[int, int]], length: int, keys: tuple[int, int]) -> bytes:
    count = len(presets)
    headers = [struct.pack("<20sHHHIII", b"p", program, bank, i, 0, 0, 0) for i, (bank, program) in enumerate(presets)]
    headers.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, count, 0, 0, 0))
    bags = b"".join(struct.pack("<HH", i, 0) for i in range(count + 1))
    generators = struct.pack("<HH", _INSTRUMENT, 0) * count + bytes(4)
    inst = struct.pack("<20sH", b"i", 0) + struct.pack("<20sH", b"EOI", 1)
    zone = struct.pack("<HBB", _KEY_RANGE, *keys) + struct.pack("<HHHH", _SAMPLE_MODES, 1, _SAMPLE_ID, 0)
    sample = struct.pack("<20sIIIIIBbHH", b"s", 0, length, 0, length, _RATE, SINE_PITCH, 0, 0, 1)
    chunks = (
        (b"phdr", b"".join(headers)),
        (b"pbag", bags),
        (b"pmod", bytes(10)),
        (b"pgen", generators),
        (b"inst", inst),
        (b"ibag", struct.pack("<HHHH", 0, 0, 3, 0)),
        (b"imod", bytes(10)),
        (b"igen", zone + bytes(4)),
        (b"shdr", sample + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    )
    return b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
