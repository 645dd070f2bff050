"""What the stages of ``precise`` cost on one core, each by itself: the least of several runs.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/bench_stages.py [--runs 5]

To compare two versions, run this file in turn with PYTHONPATH set to each; it calls nothing that is new. Its inputs
are seeded noise of the sizes that a minute of music has.
"""

import argparse
import time

import numpy as np

from musicnet_build.dtw.exact import band_around, dtw
from musicnet_build.features.onsets import OnsetSpectrograms, onset_activations
from musicnet_build.features.spectra import band_spectrogram
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.sync.passes import FINE_PASSES, SemitoneSpectra, fine_features

FINE_FRAMES, COARSE_FRAMES = 10_336, 2_584
HALF_BAND_FRAMES = 86.13
PITCHES = range(45, 85)


def least_s(runs, work):
    """CPU seconds of the fastest run; the first one, which may compile, is not counted."""
    work()
    taken = []
    for _ in range(runs):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def stages():
    """Name, work, how many units it does, and what a unit is."""
    random = np.random.default_rng(20)
    noise = random.standard_normal(60 * SAMPLE_RATE, dtype=np.float32) * np.float32(0.05)
    walk = np.cumsum(random.standard_normal((4000, 50), dtype=np.float32), axis=0, dtype=np.float32)
    coarse, fine = (random.random((count, 176), dtype=np.float32) for count in (COARSE_FRAMES, FINE_FRAMES))
    band = band_around(np.arange(FINE_FRAMES), HALF_BAND_FRAMES, FINE_FRAMES)
    yield "warping, 50 features", lambda: dtw(walk, walk[::-1].copy()), len(walk) ** 2 / 1e9, "Gcell"
    yield "warping, 176 features (coarse)", lambda: dtw(coarse, coarse[::-1].copy()), COARSE_FRAMES**2 / 1e9, "Gcell"
    cells = int((band[:, 1] - band[:, 0]).sum())
    yield "warping in a band of 0.5 s, 176 features (fine)", lambda: dtw(fine, fine, band=band), cells / 1e9, "Gcell"
    for length in (1024, 2048, 4096):
        yield f"semitone spectrum, window {length}", _spectrum(noise, length), FINE_FRAMES / 1e6, "million frames"
    bands = [np.abs(random.standard_normal((FINE_FRAMES, 112), dtype=np.float32)) for _ in range(2)]
    seen = OnsetSpectrograms(*bands, np.abs(random.standard_normal(FINE_FRAMES, dtype=np.float32)))
    units = FINE_FRAMES * len(PITCHES) / 1e6
    yield "onset network", lambda: onset_activations(seen, PITCHES), units, "million frames and pitches"
    halves = [band[:, :88].copy() for band in bands]
    yield "features of the fine passes", lambda: _fine(halves), FINE_FRAMES / 1e6, "million frames"


def _spectrum(noise, length):
    return lambda: band_spectrogram(noise, window_length=length, hop_length=256, bands_per_octave=12, highest_pitch=132)


def _fine(halves):
    seen = SemitoneSpectra(*halves)
    for settings in FINE_PASSES:
        fine_features(seen, *settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print("| stage | CPU s a unit | units a CPU s | unit |\n|---|---:|---:|---|")
    for name, work, units, unit in stages():
        taken = least_s(runs, work)
        print(f"| {name} | {taken / units:.3g} | {units / taken:.3g} | {unit} |", flush=True)


if __name__ == "__main__":
    main()
