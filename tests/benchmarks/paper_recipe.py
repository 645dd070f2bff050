"""The recipe of the MusicNet paper as a plain script of librosa and pretty_midi: what ``bench_align.py`` compares with.

    python tests/benchmarks/paper_recipe.py RECORDING SCORE SOUNDFONT LABELS.csv

Log-spectrograms of the recording and of the synthesized score (window 2048, stride 512, the lowest 50 bins, Euclidean
distance), exact dynamic time warping, and every note sent along the path.
"""

import csv
import sys
from pathlib import Path

import librosa
import measuring
import numpy as np
import pretty_midi

RATE, WINDOW, HOP, BINS = 44_100, 2048, 512, 50


def features(audio):
    return np.log1p(np.abs(librosa.stft(audio, n_fft=WINDOW, hop_length=HOP))[:BINS])


def main(recording, score, soundfont, labels):
    measuring.limit_memory()
    midi = pretty_midi.PrettyMIDI(score)
    rendered = midi.fluidsynth(fs=RATE, sf2_path=soundfont).astype(np.float32)
    played, _ = librosa.load(recording, sr=RATE)
    _, path = librosa.sequence.dtw(features(rendered), features(played))
    score_frames, played_frames = path[::-1].T
    to_s = HOP / RATE
    with Path(labels).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["start_time", "end_time", "instrument", "note"])
        for instrument in midi.instruments:
            for note in instrument.notes:
                times = np.interp([note.start, note.end], score_frames * to_s, played_frames * to_s)
                start, end = (times * RATE).astype(int)
                writer.writerow([start, end, instrument.program + 1, note.pitch])


if __name__ == "__main__":
    main(*sys.argv[1:])
