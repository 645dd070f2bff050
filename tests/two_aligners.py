"""Two pieces, and what two aligners made of them."""

from pathlib import Path

import numpy as np
from tunes import a_tune

from musicnet_build.labels.files import write_labels


def two_aligners(folder: Path) -> tuple[Path, Path, Path]:
    """Write the truth and the labels: of one aligner with confidence, of the other 60 ms late."""
    truth, sure, late = (folder / name for name in ("truth", "sure", "late"))
    random = np.random.default_rng(3)
    for name, count in (("first", 30), ("second", 40)):
        tune = a_tune(count)
        write_labels(truth / f"{name}.csv", tune)
        labels = tune.copy()
        labels["onset_s"] += random.normal(0, 0.03, count)
        labels["confidence"] = random.uniform(0, 1, count)
        write_labels(sure / f"{name}.csv", labels, with_confidence=True)
        tune["onset_s"] += 0.06
        write_labels(late / f"{name}.mid", tune[1:])
    (truth / "notes.md").write_text("no truth")
    (truth / ".first-abcd1234.csv").write_text("half of a fi")
    return truth, sure, late
