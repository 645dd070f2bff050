"""Fit the constants of ``musicnet_build/quality/confidence.py`` to recordings whose true onsets are known.

    pip install scikit-learn        (librosa brings it)
    python tools/fit_confidence.py FOLDER... [--weight FOLDER=3] [--soundfont A.sf2 --soundfont B.sf2]

Each FOLDER holds pieces, or is one: a folder with a file ``recording.*``, ``score.mid`` and ``truth.json``, which says
``{"notes": [{"pitch": MIDI number, "beat_on": quarter notes, "p_on": recording seconds or null}, ...]}``; where a note
has ``p_on_note``, the onset of its own player, that counts. To a true note belongs the label of its pitch with the
nearest beat, within 0.06. Every recording is also aligned with the score
of the next piece: all these labels count as wrong, with a small weight, or else "wrong" would only mean "slipped a
little".

Printed are the constants, and how well constants do that were fitted without the piece they are tried on.
"""

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.evaluation.calibration import CORRECT_S, calibration
from musicnet_build.evaluation.matching import match_notes
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.quality.confidence import confidence_features, note_confidence
from musicnet_build.score.reader import Score, read_score
from musicnet_build.sync.refinement import Refinement
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

MISMATCHED_WEIGHT = 0.003  # more makes wrong scores less sure, and doubtful labels of right ones too doubtful
LEAST_NOTES = 100  # of a bin whose share of right labels means something

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Piece:
    """A folder with recording, score and truth; what its notes weigh; and the folder that it was found in."""

    path: Path
    weight: float
    group: str


@dataclass(frozen=True)
class Pair:
    """A recording, the score it is aligned with, and the soundfont."""

    recording: Piece
    score: Piece
    soundfont: Soundfont

    @property
    def matches(self) -> bool:
        """Whether the score is that of the recording."""
        return self.recording == self.score


@dataclass(frozen=True, eq=False)
class Examples:
    """Notes to learn from.

    Attributes
    ----------
    features : ndarray of float64 [shape=(n, 9)]
    right : ndarray of bool [shape=(n,)]
        Whether the label lies within 50 ms of the truth.
    weight : ndarray of float64 [shape=(n,)]
    piece, group : ndarray of str [shape=(n,)]
        Which recording a note comes from, and which folder that was found in.
    matched : ndarray of bool [shape=(n,)]
        Whether the score is the recording's own.
    confidence : ndarray of float64 [shape=(n,)]
        By the constants that are in the package now.
    """

    features: Floats
    right: Bools
    weight: Floats
    piece: NDArray[np.str_]
    group: NDArray[np.str_]
    matched: Bools
    confidence: Floats


@dataclass(frozen=True, eq=False)
class Model:
    """A logistic regression on standardized features."""

    centres: Floats
    scales: Floats
    weights: Floats
    bias: float

    def __call__(self, features: Floats) -> Floats:
        """Return the probability of being right."""
        logit = self.bias + ((features - self.centres) / self.scales) @ self.weights
        return np.asarray(1.0 / (1.0 + np.exp(-logit)), dtype=np.float64)


def pieces_in(folders: tuple[Path, ...], weights: dict[Path, float]) -> list[Piece]:
    """The pieces that the given folders hold or are."""
    return [
        Piece(path, weights.get(folder, 1.0), str(folder))
        for folder in folders
        for path in (folder, *sorted(folder.iterdir()))
        if (path / "truth.json").is_file()
    ]


def aligned(pair: Pair) -> Examples:
    """Align a pair and tell its right labels from its wrong ones."""
    recording, score = pair.recording.path, read_score(pair.score.path / "score.mid")
    audio = read_audio(next(recording.glob("recording.*")))
    # In the order of the score, so that its notes are those of the truth.
    refinement = align(audio, score, pair.soundfont, options=Options(search_order=False)).warping.refinement
    assert refinement is not None
    notes, right = known_notes(score, refinement, recording / "truth.json") if pair.matches else no_note(score)
    click.echo(
        f"{recording.name} with {pair.score.path.name}, {pair.soundfont.name}: "
        f"{len(notes)} notes, {right.mean():.1%} right",
        err=True,
    )
    return Examples(
        features=confidence_features(refinement)[notes],
        right=right,
        weight=np.full(len(notes), pair.recording.weight if pair.matches else MISMATCHED_WEIGHT),
        piece=np.full(len(notes), str(recording)),
        group=np.full(len(notes), pair.recording.group),
        matched=np.full(len(notes), pair.matches),
        confidence=note_confidence(refinement)[notes],
    )


def known_notes(score: Score, refinement: Refinement, truth: Path) -> tuple[NDArray[np.int64], Bools]:
    """The score's pitched notes that are in the truth, and whether each lies near its true onset."""
    labels, true_notes = score.notes[~score.notes["is_drum"]].copy(), read_truth(truth)
    labels["onset_s"] = refinement.onset_s
    true, label = match_notes(true_notes, labels)
    return label, np.abs(labels["onset_s"][label] - true_notes["onset_s"][true]) < CORRECT_S


def read_truth(path: Path) -> NoteTable:
    """The notes that were played, each with the onset of its own player where that is known."""
    played = [note for note in json.loads(path.read_text())["notes"] if note.get("p_on") is not None]
    notes = empty_notes(len(played))
    notes["pitch"] = [note["pitch"] for note in played]
    notes["onset_beats"] = [note["beat_on"] for note in played]
    notes["onset_s"] = [note["p_on"] if note.get("p_on_note") is None else note["p_on_note"] for note in played]
    return notes


def no_note(score: Score) -> tuple[NDArray[np.int64], Bools]:
    """All pitched notes, none of them right."""
    count = int(np.sum(~score.notes["is_drum"]))
    return np.arange(count), np.zeros(count, np.bool_)


def joined(parts: list[Examples]) -> Examples:
    """All examples in one."""
    return Examples(*(np.concatenate([getattr(part, name) for part in parts]) for name in Examples.__annotations__))


def fitted(examples: Examples, chosen: Bools) -> Model:
    """Fit a model to some of the examples; the scales are those of the matched ones."""
    from sklearn.linear_model import LogisticRegression

    usual = examples.features[chosen & examples.matched]
    centres, scales = usual.mean(axis=0), usual.std(axis=0)
    standardized = (examples.features[chosen] - centres) / scales
    regression = LogisticRegression().fit(standardized, examples.right[chosen], examples.weight[chosen])
    return Model(centres, scales, regression.coef_[0], float(regression.intercept_[0]))


def without_their_own_piece(examples: Examples) -> Floats:
    """The confidence of each note by a model that was fitted without its recording."""
    confidence = np.empty(len(examples.right))
    for piece in np.unique(examples.piece):
        own = examples.piece == piece
        confidence[own] = fitted(examples, ~own)(examples.features[own])
    return confidence


def constants(model: Model) -> Iterator[str]:
    """The lines for ``confidence.py``."""
    for name, values in (("_CENTRES", model.centres), ("_SCALES", model.scales), ("_WEIGHTS", model.weights)):
        yield f"{name} = ({', '.join(f'{value:.3f}' for value in values)})"
    yield f"_BIAS = {model.bias:.3f}"


def account(examples: Examples, confidence: Floats) -> Iterator[str]:
    """How well the confidence tells right from wrong, and a reliability table."""
    matched = examples.matched
    groups = {"all": matched} | {str(name): matched & (examples.group == name) for name in np.unique(examples.group)}
    figures = {name: calibration(confidence[group], examples.right[group]) for name, group in groups.items()}
    for name, found in figures.items():
        if found and found.auc is not None:
            yield f"AUC {name}: {found.auc:.3f} ({found.labels} notes, {found.correct:.1%} right)"
    right, wrong = confidence[matched].mean(), confidence[~matched].mean()
    yield f"mean confidence: {right:.2f}, with another piece's score {wrong:.2f}"
    yield "| confidence | notes | mean confidence | right | difference |"
    yield "|---|---:|---:|---:|---:|"
    everything = figures["all"]
    for part in everything.bins if everything else ():
        if part.labels >= LEAST_NOTES and part.mean_confidence is not None and part.correct is not None:
            apart = part.mean_confidence - part.correct
            span = f"{part.low:.1f} to {part.high:.1f}"
            yield f"| {span} | {part.labels} | {part.mean_confidence:.2f} | {part.correct:.2f} | {apart:+.2f} |"


def weighted(weights: tuple[str, ...]) -> dict[Path, float]:
    """Folders and what their notes weigh, from words such as ``quartets=3``."""
    pairs = [word.rpartition("=") for word in weights]
    return {Path(folder): float(weight) for folder, _, weight in pairs}


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--weight", "weights", multiple=True, help="FOLDER=NUMBER: what each note of these pieces weighs, not 1.")
@click.option("--soundfont", "soundfonts", multiple=True, help="File or name; may be given several times.")
@click.option("--workers", default=1, show_default=True, help="Alignments at a time.")
def main(folders: tuple[Path, ...], weights: tuple[str, ...], soundfonts: tuple[str, ...], workers: int) -> None:
    """Align the pieces in FOLDERS, fit the confidence, and print its constants and an account of them."""
    pieces = pieces_in(folders, weighted(weights))
    if len(pieces) < 2:
        raise click.UsageError("two pieces or more are needed, each with recording.*, score.mid and truth.json.")
    pairs = [
        Pair(piece, score, choose_soundfont(name))
        for name in soundfonts or (None,)
        for piece, following in zip(pieces, [*pieces[1:], pieces[0]], strict=True)
        for score in (piece, following)
    ]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        examples = joined(pool.map(aligned, pairs, chunksize=1))
    everything = np.ones(len(examples.right), np.bool_)
    click.echo("\n".join(constants(fitted(examples, everything))))
    click.echo("\nFitted without the piece that each note is from:\n")
    click.echo("\n".join(account(examples, without_their_own_piece(examples))))
    click.echo("\nBy the constants in the package now:\n")
    click.echo("\n".join(account(examples, examples.confidence)))


if __name__ == "__main__":
    main()
