"""Labels, and what would be heard of them in a recording that has exactly these notes."""

import numpy as np
from tunes import notes

from musicnet_build.checking.evidence import HIGHEST_PITCH, HOP_S, LOWEST_PITCH, Evidence
from musicnet_build.notes import NoteTable

LOUD, QUIET = 7.0, -4.0


def melody(count: int = 200, seed: int = 1) -> NoteTable:
    """Notes of two octaves, each pitch at least two seconds from its next onset, about five notes a second."""
    random = np.random.default_rng(seed)
    pitch = np.concatenate([random.permutation(np.arange(48, 72)) for _ in range(count // 24 + 1)])[:count]
    onset_s = 1.0 + 0.2 * np.arange(count) + random.uniform(-0.04, 0.04, count)
    return notes(onset_s, beats=0.0, pitch=pitch, length_s=0.15)


def evidence_of(labels: NoteTable, length_s: float = 60.0, seed: int = 2) -> Evidence:
    """Noise, with a peak of some frames at each onset."""
    random = np.random.default_rng(seed)
    frames = round(length_s / HOP_S)
    curves = {
        pitch: (QUIET + random.normal(0.0, 1.0, frames)).astype(np.float32)
        for pitch in range(LOWEST_PITCH, HIGHEST_PITCH + 1)
    }
    shape = LOUD - 0.7 * np.arange(-4, 5) ** 2
    for label in labels:
        at = round(float(label["onset_s"]) / HOP_S)
        around = slice(at - 4, at + 5)
        curves[int(label["pitch"])][around] = np.maximum(curves[int(label["pitch"])][around], shape)
    first_s, last_s = float(labels["onset_s"].min()), float(labels["offset_s"].max())
    return Evidence(curves, length_s, (first_s - 0.02, last_s), 0.0)
