"""Does a balanced set teach timbre? A small network trained on guitar alone, and on the balanced set.

    python examples/timbre_proof.py TRAINING.h5 TEST.h5

Both packages are made with `pack timbre --spectrogram cqt --storage float`. Each frame becomes 128 numbers, its
picture averaged over time, and scikit-learn's multilayer perceptron learns the guitar's label: one of 128 pitches, or
absent. The network that never heard a trumpet takes it for a guitar.
"""

import sys
import time

import h5py
import numpy as np
from sklearn.neural_network import MLPClassifier

ABSENT, SAMPLE_RATE = 128, 32_768
SUBSETS = ("guitar_alone", "combined_balanced")


def features(file: h5py.File, block: int = 256) -> np.ndarray:
    """Average every picture over time; shape (frames, 128)."""
    starts = range(0, len(file["image"]), block)
    return np.concatenate([file["image"][start : start + block].mean(axis=2) for start in starts])


def counts(predicted: np.ndarray, truth: np.ndarray) -> tuple[int, int, int, int]:
    """Count correct, wrong, false and missed frames."""
    sounds, found = truth != ABSENT, predicted != ABSENT
    correct = int(np.sum(sounds & (predicted == truth)))
    wrong = int(np.sum(sounds & found & (predicted != truth)))
    return correct, wrong, int(np.sum(found & ~sounds)), int(np.sum(sounds & ~found))


def main(training: str, test: str) -> None:
    """Train on both subsets, and print how each does on the three test sets."""
    with h5py.File(training) as file:
        x, y = features(file), file["pitch"][:, 0]
        subsets = {name: file[f"subsets/{name}/indices"][...] for name in SUBSETS}
    with h5py.File(test) as file:
        tests = {name: group["indices"][...] for name, group in file["subsets"].items()}
        test_x, test_y = features(file), file["pitch"][:, 0]
    print(f"{'trained on':18} {'test set':14} correct wrong false missed  accuracy")
    for name, indices in subsets.items():
        started = time.monotonic()
        network = MLPClassifier((256,), early_stopping=False, max_iter=40, batch_size=64, random_state=0)
        network.fit(x[indices], y[indices])
        seconds = time.monotonic() - started
        for test_name, rows in tests.items():
            found = counts(network.predict(test_x[rows]), test_y[rows])
            numbers = "{:7} {:5} {:5} {:6}".format(*found)
            print(f"{name:18} {test_name:14} {numbers}  {found[0] / max(sum(found), 1):.3f}")
        print(f"{name:18} trained in {seconds:.0f} s on {len(indices)} frames")


if __name__ == "__main__":
    main(*sys.argv[1:3])
