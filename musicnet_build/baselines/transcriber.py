"""A small transcriber: onsets and frames of all pitches by one network, for comparing labels with labels.

Ours, out of two published ideas. The network sees, for each pitch, the energy at its harmonics, and is the same for all
pitches, so that minutes of music suffice to train it (harmonic stacking, Bittner et al. 2022, section 2.1). Onsets are
learned as triangles over time, so that the peak between frames says when the note begins (Kong et al. 2021, section
3.2). The 100 frames a second make errors of 25 ms matter.

References
----------
Bittner, Bosch, Rubinstein, Meseguer-Brocal, Ewert: A Lightweight Instrument-Agnostic Model for Polyphonic Note
Transcription and Multipitch Estimation. ICASSP 2022.
Kong, Li, Song, Wan, Wang: High-Resolution Piano Transcription With Pedals by Regressing Onset and Offset Times.
IEEE/ACM TASLP 29, 2021.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from musicnet_build._typing import Audio, Bools, Float32s, Int32s
from musicnet_build.baselines.baseline import Baseline, Batch, Metrics, Plan, Task, device_of
from musicnet_build.baselines.decoding import Activations, notes_in
from musicnet_build.errors import DatasetError, TrainingError
from musicnet_build.evaluation.framewise import best_threshold, frame_scores, precision_recall
from musicnet_build.evaluation.metrics import note_match
from musicnet_build.features.filterbanks import LOWEST_PITCH, pitch_filterbank
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.packing.windows import MusicNetWindows

PITCHES = 88
HOP_SAMPLES = 441
FRAME_LENGTH_S = HOP_SAMPLES / SAMPLE_RATE

HARMONICS = (-12, -1, 0, 1, 12, 19, 24, 28, 31, 36)
"""Semitones from a pitch at which the network listens: its harmonics, an octave below, and the neighbours."""

WINDOWS = (2048, 8192)
"""In samples: the short one hears when a note begins, the long one which note it is."""

ONSET_WIDTH_FRAMES = 3.0
"""Half the base of an onset's triangle."""

_GAIN = 1000.0
_HIGHEST_BAND = 132
_BLOCK_FRAMES = 3000
_ONSET_THRESHOLDS = tuple(np.arange(0.1, 0.75, 0.05).round(2).tolist())


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """Sizes of the model.

    Attributes
    ----------
    channels : int
        Of the two layers over time.
    taps : int
        Frames that each of them sees, an odd number.
    excerpt_frames : int
        Of an example.
    """

    channels: int
    taps: int
    excerpt_frames: int


class HarmonicSpectra(nn.Module):
    """Audio [batch, samples] to what each pitch's network sees [batch, channels, frames, 88]."""

    def __init__(self) -> None:
        super().__init__()
        for window in WINDOWS:
            bank = torch.from_numpy(pitch_filterbank(window, 12, _HIGHEST_BAND))
            # A sine of amplitude 1 has 1, whatever the window.
            self.register_buffer(f"bank_{window}", bank * (4.0 / window), persistent=False)
            self.register_buffer(f"window_{window}", torch.hann_window(window), persistent=False)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the channels; frame k is centred on sample k · HOP_SAMPLES."""
        spectra = [self.bands(audio, window) for window in WINDOWS]
        return torch.cat([self.stacked(one) for one in spectra], dim=1)

    def bands(self, audio: torch.Tensor, window: int) -> torch.Tensor:
        """Return log amplitudes in semitones [batch, frames, bands]."""
        transform = torch.stft(
            audio, window, HOP_SAMPLES, window=getattr(self, f"window_{window}"),
            center=True, pad_mode="constant", return_complex=True,
        )  # fmt: skip
        amplitude = transform.abs().transpose(1, 2) @ getattr(self, f"bank_{window}")
        return torch.log1p(_GAIN * amplitude)

    def stacked(self, bands: torch.Tensor) -> torch.Tensor:
        """Return [batch, harmonics, frames, 88]: for each pitch, the bands at its harmonics."""
        low, high = -min(HARMONICS), max(HARMONICS)
        padded = functional.pad(bands, (low, max(0, PITCHES + high - bands.shape[2])))
        shifted = [padded[:, :, low + harmonic : low + harmonic + PITCHES] for harmonic in HARMONICS]
        return torch.stack(shifted, dim=1)


def network(settings: Settings) -> nn.Module:
    """Build the model: audio [batch, samples] to logits [batch, 2, frames, 88] of onsets and frames."""
    channels, over_time = settings.channels, (settings.taps, 1)
    padding = (settings.taps // 2, 0)
    return nn.Sequential(
        HarmonicSpectra(),
        nn.BatchNorm2d(len(WINDOWS) * len(HARMONICS)),
        nn.Conv2d(len(WINDOWS) * len(HARMONICS), channels, 1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, over_time, padding=padding),
        nn.ReLU(),
        nn.Conv2d(channels, channels, over_time, padding=padding),
        nn.ReLU(),
        nn.Conv2d(channels, 2, 1),
    )


def loss(model: nn.Module, batch: Batch) -> torch.Tensor:
    """Return the binary cross entropy of onsets and frames, summed over the pitches of a frame."""
    audio, targets = batch
    entropy = functional.binary_cross_entropy_with_logits(model(audio), targets, reduction="none")
    return entropy.sum(dim=(1, 3)).mean()


def targets_of(start: Int32s, end: Int32s, pitch: Int32s, first_sample: int, frames: int) -> Float32s:
    """Return what the network is to say of an excerpt.

    Parameters
    ----------
    start, end, pitch : ndarray of int32 [shape=(n,)]
        Of the labels, in samples.
    first_sample : int
        On which the first frame is centred.
    frames : int

    Returns
    -------
    ndarray of float32 [shape=(2, frames, 88)]
        A triangle around each onset; 1 where a pitch sounds.
    """
    targets = np.zeros((2, frames, PITCHES), np.float32)
    begins, ends = (start - first_sample) / HOP_SAMPLES, (end - first_sample) / HOP_SAMPLES
    inside = (begins < frames + ONSET_WIDTH_FRAMES) & (ends > 0) & (pitch >= LOWEST_PITCH)
    inside &= pitch < LOWEST_PITCH + PITCHES
    at = np.arange(frames)
    for onset, offset, column in zip(begins[inside], ends[inside], pitch[inside] - LOWEST_PITCH, strict=True):
        triangle = 1.0 - np.abs(at - onset) / ONSET_WIDTH_FRAMES
        targets[0, :, column] = np.maximum(targets[0, :, column], triangle)
        targets[1, (at >= onset) & (at < offset), column] = 1.0
    return targets


def task(model: nn.Module, package: Path, settings: Settings, seed: int) -> Task:
    """Train on excerpts of the split ``train`` of a ``musicnet`` package, every place of it equally likely."""
    samples = (settings.excerpt_frames - 1) * HOP_SAMPLES
    windows = MusicNetWindows(package, split="train", window_samples=samples)
    places = np.cumsum([length - samples + 1 for length in windows.lengths.values()])

    def batch(step: int) -> Batch:
        random = np.random.default_rng([seed, step])
        audio = np.empty((settings.batch_size, samples), np.float32)
        targets = np.empty((settings.batch_size, 2, settings.excerpt_frames, PITCHES), np.float32)
        for row, drawn in enumerate(random.integers(0, places[-1], settings.batch_size)):
            recording = int(np.searchsorted(places, drawn, side="right"))
            first = int(drawn - (places[recording - 1] if recording else 0))
            audio[row] = windows.window(windows.ids[recording], first)
            start, end, pitch = windows.labels(windows.ids[recording])
            targets[row] = targets_of(start, end, pitch, first, settings.excerpt_frames)
        # Ours: a tenth to all of the level, so that loudness does not matter.
        audio *= random.uniform(0.1, 1.0, (settings.batch_size, 1)).astype(np.float32)
        return torch.from_numpy(audio), torch.from_numpy(targets)

    optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
    held_out = list(_recordings(package, "validation"))
    # Ours: the rate falls linearly to a twentieth, so that the last steps settle.
    return Task(
        optimizer, batch, loss, partial(_validated, held_out, settings),
        lambda step: settings.learning_rate * (1 - 0.95 * step / settings.steps),
    )  # fmt: skip


def activations(model: nn.Module, audio: Audio, settings: Settings) -> Activations:
    """Return what the network says of a whole recording, a block of frames with what surrounds it at a time."""
    around = 2 * (settings.taps // 2) + WINDOWS[-1] // HOP_SAMPLES
    frames = 1 + len(audio) // HOP_SAMPLES
    padded = np.pad(audio, (around * HOP_SAMPLES, (around + 1) * HOP_SAMPLES))
    blocks = []
    for first in range(0, frames, _BLOCK_FRAMES):
        count = min(_BLOCK_FRAMES, frames - first)
        piece = padded[first * HOP_SAMPLES : (first + count + 2 * around) * HOP_SAMPLES]
        with torch.no_grad():
            said = torch.sigmoid(model(torch.from_numpy(piece).to(device_of(model))[None]))
        blocks.append(said[0, :, around : around + count].cpu().numpy())
    onset, frame = np.concatenate(blocks, axis=1)
    return Activations(frame, onset, FRAME_LENGTH_S, LOWEST_PITCH)


def true_frames(notes: NoteTable, frames: int) -> Bools:
    """Return where pitches sound [shape=(frames, 88)], as the network is taught it."""
    start, end = (np.rint(notes[name] * SAMPLE_RATE).astype(np.int32) for name in ("onset_s", "offset_s"))
    sounding: Bools = targets_of(start, end, notes["pitch"].astype(np.int32), 0, frames)[1] > 0
    return sounding


def note_figures(
    said: Activations, truth: NoteTable, frame_threshold: float, onset_threshold: float
) -> dict[str, float]:
    """Return F1 of frames, and of notes by their onsets within 25 and 50 ms."""
    notes = notes_in(said, frame_threshold, onset_threshold)
    decided = said.frame > frame_threshold
    figures = {"frame f1": frame_scores(true_frames(truth, len(decided)), decided).f1}
    for tolerance_s in (0.025, 0.05):
        name = f"note f1, {1000 * tolerance_s:.0f} ms"
        found = note_match(truth, notes, with_offsets=False, tolerance_s=tolerance_s).f1 if len(notes) else 0.0
        figures[name] = found
    return figures


def _recordings(package: Path, split: str) -> Iterator[tuple[Audio, NoteTable]]:
    """Whole recordings of a split, with their labels in seconds."""
    try:
        windows = MusicNetWindows(package, split=split, window_samples=WINDOWS[-1])
    except DatasetError as error:
        raise TrainingError(
            f"{package} has no recordings to choose the thresholds by: pack it with --validation-share 0.1."
        ) from error
    for name in windows.ids:
        start, end, pitch = windows.labels(name)
        notes = empty_notes(len(start))
        notes["onset_s"], notes["offset_s"], notes["pitch"] = start / SAMPLE_RATE, end / SAMPLE_RATE, pitch
        whole = MusicNetWindows(package, ids=[name], window_samples=windows.lengths[name])
        yield whole.window(name, 0), sorted_by_onset(notes)


def _validated(held_out: list[tuple[Audio, NoteTable]], settings: Settings, model: nn.Module) -> Metrics:
    """Thresholds with the best F1 by the validation's own labels, and their figures: of frames, then of onsets."""
    said = [activations(model, audio, settings) for audio, _ in held_out]
    truth = np.concatenate([true_frames(notes, len(one.frame)) for one, (_, notes) in zip(said, held_out, strict=True)])
    frame_threshold, _ = best_threshold(precision_recall(truth, np.concatenate([one.frame for one in said])))

    def figures(onset_threshold: float) -> Metrics:
        pieces = [
            note_figures(one, notes, frame_threshold, onset_threshold)
            for one, (_, notes) in zip(said, held_out, strict=True)
        ]
        return {name: float(np.mean([piece[name] for piece in pieces])) for name in pieces[0]}

    found = {threshold: figures(threshold) for threshold in _ONSET_THRESHOLDS}
    best = max(found, key=lambda threshold: found[threshold]["note f1, 50 ms"])
    return found[best] | {"frame threshold": frame_threshold, "onset threshold": best}


MODELS = {
    "transcriber": Baseline(
        "transcriber",
        {
            "small": Settings(
                steps=400, batch_size=4, learning_rate=5e-3, validate_every=100, channels=12, taps=9, excerpt_frames=256
            ),
            "paper": Settings(
                steps=20_000,
                batch_size=32,
                learning_rate=2e-3,
                validate_every=1000,
                channels=48,
                taps=15,
                excerpt_frames=512,
            ),
        },
        network,
        task,
        "note f1, 50 ms",
        activations,
    )
}
