"""Does a balanced set teach timbre? Small networks trained on guitar alone, and on the balanced set.

    python examples/timbre_proof.py TRAINING.h5 TEST.h5 [FOLDER]

Both packages are made with `pack timbre --frame 4096 --spectrogram cqt --hop 512`; the training set has rests
(`generate ascension --rest 1`), or silence would be something unheard of. A frame becomes 256 numbers, its
picture averaged over each half, and scikit-learn's multilayer perceptron learns to name what an instrument plays: one
of 128 pitches, or absent. In each epoch every picture is made louder or softer by up to 8 dB. What is predicted for the
test package is compared with the truth as `evaluate timbre` does, and kept in FOLDER for it.
"""

import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from sklearn.neural_network import MLPClassifier

from musicnet_build.evaluation.timbre import evaluate, table_lines
from musicnet_build.evaluation.timbre_files import read_predictions, read_truth

SUBSETS = ("guitar_alone", "combined_balanced")
EPOCHS, HIDDEN, BATCH = 40, 256, 64
LOUDER_DB, PICTURE_DB = 8.0, 80.0
BLOCK = 256
STEP = 32
"""Of a picture's 512 columns, interpolated from nine, every 32nd is enough."""


def features(file: h5py.File) -> np.ndarray:
    """Average each half of every picture over time; shape (frames, 256)."""
    blocks = (file["image"][first : first + BLOCK] for first in range(0, len(file["image"]), BLOCK))
    values = np.concatenate([loudness(block[:, :, STEP // 2 :: STEP], file["colour_table"][...]) for block in blocks])
    return np.concatenate([half.mean(axis=2) for half in np.split(values, 2, axis=2)], axis=1)


def loudness(colours: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Turn colours back into values from 0 to 1, by their place in the table."""
    place = np.zeros(1 << 24, dtype=np.uint8)
    red, green, blue = table.astype(np.uint32).T
    place[red << 16 | green << 8 | blue] = np.arange(256)
    red, green, blue = np.moveaxis(colours.astype(np.uint32), -1, 0)
    return place[red << 16 | green << 8 | blue] / np.float32(255)


def trained(x: np.ndarray, pitch: np.ndarray) -> MLPClassifier:
    """Return a network that names the pitch; pictures' floor stays the floor however loud they are made."""
    random = np.random.default_rng(0)
    network = MLPClassifier((HIDDEN,), batch_size=min(BATCH, len(x)), random_state=0)
    for _ in range(EPOCHS):
        louder = random.uniform(-LOUDER_DB, LOUDER_DB, (len(x), 1)).astype(x.dtype) / PICTURE_DB
        network.partial_fit(np.where(x > 0, np.clip(x + louder, 0, 1), 0), pitch, classes=np.unique(pitch))
    return network


def predicted(x: np.ndarray, pitches: np.ndarray, test_x: np.ndarray) -> np.ndarray:
    """Train a network for each instrument, and return what they name; one that is always absent needs none."""
    columns = [
        trained(x, pitch).predict(test_x) if len(np.unique(pitch)) > 1 else np.full(len(test_x), pitch[0])
        for pitch in pitches.T
    ]
    return np.stack(columns, axis=1).astype(np.uint8)


def main(training: str, test: str, folder: str) -> None:
    """Train on both subsets, and print how each does on the test sets."""
    with h5py.File(training) as file:
        x, pitches = features(file), file["pitch"][...]
        subsets = {name: file[f"subsets/{name}/indices"][...] for name in SUBSETS}
    with h5py.File(test) as file:
        test_x = features(file)
    truth = read_truth(test, ())
    for name, indices in subsets.items():
        started = time.monotonic()
        path = Path(folder) / f"{name}.npy"
        np.save(path, predicted(x[indices], pitches[indices], test_x))
        print(f"\ntrained on {name}: {len(indices)} frames, {time.monotonic() - started:.0f} s")
        print(*table_lines(evaluate(read_predictions(path, truth), truth.notes, truth.subsets)), sep="\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(*sys.argv[1:3], sys.argv[3] if len(sys.argv) > 3 else temporary)
