"""Sound files made on the spot, whole ones and such as programs leave them; used by the tests of this folder."""

import struct
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100


def tone(duration_s: float = 2.0, rate: int = RATE) -> np.ndarray:
    """Give a 440 Hz tone with a little noise."""
    n = np.arange(round(duration_s * rate))
    noise = np.random.default_rng(0).standard_normal(len(n))
    return (0.3 * np.sin(2 * np.pi * 440 * n / rate) + 0.01 * noise).astype(np.float32)


def written(path: Path, audio: np.ndarray, rate: int = RATE, **options: object) -> Path:
    soundfile.write(path, audio, rate, **options)
    return path


def with_bytes(path: Path, position: int, replacement: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[position : position + len(replacement)] = replacement
    path.write_bytes(content)
    return path


def cut(path: Path, share: float = 0.6) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def position_of(path: Path, marker: bytes) -> int:
    return path.read_bytes().index(marker)


def chunk(name: bytes, data: bytes, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(data)) + data + bytes(len(data) % 2)


def wav(
    path: Path,
    audio: np.ndarray,
    *,
    stated: int | None = None,
    before: bytes = b"",
    behind: bytes = b"",
) -> Path:
    """Write 16-bit mono WAV by hand: another stated size of the data, chunks before it, bytes behind it."""
    data = np.rint(audio * 32_767).astype("<i2").tobytes()
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
    size = struct.pack("<I", len(data) if stated is None else stated)
    body = b"WAVE" + form + before + b"data" + size + data + behind
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) & 0xFFFFFFFF) + body)
    return path
