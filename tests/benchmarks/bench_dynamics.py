"""Are velocities from the recording in the right order, and are notes that nobody played told from those played?

    python tests/benchmarks/bench_dynamics.py FOLDER

FOLDER holds a folder per piece of piano music: a recording, score.mid, and truth.json, whose ``notes`` state
``pitch``, ``beat_on``, ``p_on`` (seconds; null where it was not played) and ``vel``. Into each score 5 % of notes are
inserted that nobody played: beside other notes or between them, no octave or unison of them. The first, third, …
piece is there to choose by (marked *), the others to report.
"""

import dataclasses
import json
import sys
import zlib
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import LogisticRegression

from musicnet_build import align, choose_soundfont, read_audio, read_score
from musicnet_build.notes import NoteTable, sorted_by_onset
from musicnet_build.quality.dynamics import recorded_velocities
from musicnet_build.quality.partials import partial_levels
from musicnet_build.quality.played import WEIGHTS, played_features, played_probability
from musicnet_build.score.model import Score

INSERTED_SHARE, MARK = 0.05, 79
"""Inserted notes have this velocity, the others one less or more: the rendering hardly changes."""

SAME_BEAT = 0.06


def with_inserted(score: Score, name: str) -> Score:
    """The score with notes that nobody played, which velocity ``MARK`` tells."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    notes = score.notes.copy()
    notes["velocity"][notes["velocity"] == MARK] = MARK + 1
    inserted = notes[random.choice(len(notes), round(INSERTED_SHARE * len(notes)), replace=False)].copy()
    inserted["velocity"] = MARK
    starts = np.unique(notes["onset_beats"])
    for i, note in enumerate(inserted):
        near = notes["pitch"][np.abs(notes["onset_beats"] - note["onset_beats"]) < 1.0]
        free = [p for p in range(21, 109) if abs(p - note["pitch"]) < 12 and not np.any((near - p) % 12 == 0)]
        note["pitch"] = random.choice(free or [note["pitch"] + 1])
        later = starts[starts > note["onset_beats"]]
        if i % 2 and len(later):
            note["onset_beats"] = (note["onset_beats"] + later[0]) / 2
    inserted["onset_s"] = score.tempo_map.seconds_at(inserted["onset_beats"])
    inserted["offset_s"] = score.tempo_map.seconds_at(inserted["onset_beats"] + inserted["duration_beats"])
    return dataclasses.replace(score, notes=sorted_by_onset(np.concatenate([notes, inserted])))


def true_velocities(folder: Path, labels: NoteTable) -> np.ndarray:
    """Velocity of the note that each label stands for; nan where there is none."""
    truth = [note for note in json.loads((folder / "truth.json").read_text())["notes"] if note["p_on"] is not None]
    velocities = np.full(len(labels), np.nan)
    for i, label in enumerate(labels):
        same = [
            n for n in truth if n["pitch"] == label["pitch"] and abs(n["beat_on"] - label["onset_beats"]) < SAME_BEAT
        ]
        if same and label["velocity"] != MARK:
            velocities[i] = min(same, key=lambda n: abs(n["p_on"] - label["onset_s"]))["vel"]
    return velocities


def hidden(labels: NoteTable) -> np.ndarray:
    """Whether a note of the same pitch class sounds as a label begins."""
    onsets, offsets, pitches = (labels[field] for field in ("onset_s", "offset_s", "pitch"))
    found = np.zeros(len(labels), dtype=bool)
    for i in range(len(labels)):
        sounding = (onsets < onsets[i] + 0.06) & (offsets > onsets[i] - 0.02) & ((pitches - pitches[i]) % 12 == 0)
        found[i] = sounding.sum() > 1
    return found


def area_under_curve(played: np.ndarray, inserted: np.ndarray) -> float:
    """Probability that a note that was played is more likely said to be than one that was not."""
    ranks = rankdata(np.concatenate([played, inserted]))
    return (ranks[: len(played)].sum() - len(played) * (len(played) + 1) / 2) / (len(played) * len(inserted))


def measured(folder: Path) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rank correlation; probability, whether inserted, whether hidden, and what the model weighs, a row a label."""
    audio = read_audio(next(folder.glob("recording.*")))
    result = align(audio, with_inserted(read_score(folder / "score.mid"), folder.name), choose_soundfont())
    labels = result.notes
    truth = true_velocities(folder, labels)
    known = np.isfinite(truth)
    levels = partial_levels(audio, labels, result.warping.tuning_cents)
    correlation = spearmanr(recorded_velocities(levels)[known], truth[known])[0]
    features = played_features(levels, labels)
    probability = played_probability(levels, labels)
    return correlation, probability, labels["velocity"] == MARK, hidden(labels), np.stack([*features.values()], axis=1)


def main() -> None:
    folders = sorted(path for path in Path(sys.argv[1]).iterdir() if (path / "truth.json").exists())
    if len(folders) < 2:
        sys.exit("two pieces or more are needed: one to choose by, one to report.")
    found = {}
    for folder in folders:
        found[folder.name] = correlation, probability, inserted, concealed, _ = measured(folder)
        clear = ~concealed
        aucs = [
            area_under_curve(probability[~inserted & of], probability[inserted & of]) for of in (clear, clear | True)
        ]
        print(
            f"{folder.name[:34] + ' *' * (len(found) % 2):36s} {len(inserted):5d} labels, velocity rank correlation "
            f"{correlation:.2f}, played AUC {aucs[0]:.3f} (with octaves {aucs[1]:.3f})",
            flush=True,
        )
    for half, names in (("to choose by", list(found)[::2]), ("to report", list(found)[1::2])):
        probability, inserted, concealed = (np.concatenate([found[n][i] for n in names]) for i in (1, 2, 3))
        clear = ~concealed
        auc = area_under_curve(probability[~inserted & clear], probability[inserted & clear])
        print(f"{half}: rank correlation {np.mean([found[n][0] for n in names]):.3f} (mean), played AUC {auc:.3f}")
        for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
            bin_ = (probability >= low) & (probability < high)
            share = 1 - inserted[bin_].mean()
            print(f"    said {low:.2f} to {min(high, 1):.2f}: {bin_.sum():5d} labels, played {share:.3f}")
    weights, intercept = fitted([found[name] for name in list(found)[::2]])
    print(f"weights that the pieces to choose by give: {weights}, intercept {intercept}")


def fitted(pieces: list[tuple]) -> tuple[dict[str, float], float]:
    """Weights of the model, by logistic regression on the labels of some pieces."""
    features, inserted = (np.concatenate([piece[i] for piece in pieces]) for i in (4, 2))
    model = LogisticRegression(max_iter=1000).fit(features, ~inserted)
    return dict(zip(WEIGHTS, model.coef_[0].round(3).tolist(), strict=True)), round(float(model.intercept_[0]), 3)


if __name__ == "__main__":
    main()
