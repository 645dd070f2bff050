"""Do better labels make better transcribers?

The same network is trained on the same recordings three times: with the labels of the preset ``musicnet``, with those
of ``precise``, and with the true times of the notes, which are known because the performances are made. Each is then
judged by the truth on pieces that none has seen. Thresholds are chosen on pieces for validation by the labels that the
network was trained with, as somebody without a truth has to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build.align_files import align_files
from musicnet_build.audio.io import read_audio
from musicnet_build.baselines.catalogue import find_baseline
from musicnet_build.baselines.models.transcriber import FRAME_LENGTH_S, Settings, activations, note_figures, true_frames
from musicnet_build.baselines.runs import load_run
from musicnet_build.baselines.studies.study import Page, Setup, Spread, Study, Table, spread_of
from musicnet_build.baselines.studies.trainings import Training, train_all
from musicnet_build.choices import ALIGNMENT_PRESETS
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError, TrainingError
from musicnet_build.evaluation.framewise import frame_scores
from musicnet_build.evaluation.metrics import note_match
from musicnet_build.files import sha256_of
from musicnet_build.jobs.local import Job, run_jobs
from musicnet_build.jobs.resume import LABELS, Made, code_fingerprint, make_once
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.packing.musicnet_h5 import MusicNetSettings, pack_musicnet
from musicnet_build.plots.studies import Series, plot_bars
from musicnet_build.recipe import RecipeSettings
from musicnet_build.synthesis.soundfonts import choose_soundfont
from musicnet_build.threads import available_processors

LABELLINGS = ("musicnet", "precise", "truth")
FIGURES = ("note f1, 25 ms", "note f1, 50 ms", "frame f1")

# Of each six pieces one tests and one validates; generated pieces take five ensembles in turn, so each has all of them.
_ROUND, _TEST, _VALIDATION = 6, 5, 4
_PICTURE = "labels.png"


@dataclass(frozen=True)
class Piece:
    """A recording, its score and its truth."""

    name: str
    recording: Path
    score: Path
    truth: Path
    split: str


def run(setup: Setup) -> Page:
    """Label, train and judge; see the module."""
    settings = find_baseline("transcriber").presets[setup.preset]
    assert isinstance(settings, Settings)
    return compared(pieces_in(setup.data), setup, settings)


def compared(pieces: Sequence[Piece], setup: Setup, settings: Settings) -> Page:
    """Label pieces by both presets, train on each kind of labels with every seed, and judge on unseen pieces."""
    label(pieces, setup)
    packages = {labelling: _packed(pieces, labelling, setup) for labelling in LABELLINGS}
    trainings = [
        Training(f"{labelling}-{seed}", "transcriber", packages[labelling], settings, seed)
        for seed in range(setup.seeds)
        for labelling in LABELLINGS
    ]
    train_all(trainings, setup, first=0.3)
    values = {
        labelling: [
            _judged(training.folder(setup), pieces, setup.device)
            for training in trainings
            if training.package == packages[labelling]
        ]
        for labelling in LABELLINGS
    }
    return _page(setup, pieces, values)


def pieces_in(folder: Path) -> list[Piece]:
    """Return the pieces of a folder that ``generate performances`` made.

    Raises
    ------
    DatasetError
        When there are too few for training, validation and test, or files of one are missing.
    """
    scores = sorted((folder / "scores").glob("[!.]*.mid"))
    if len(scores) < _ROUND:
        raise DatasetError(
            f"{folder} has {len(scores)} pieces in scores/, and {_ROUND} are needed: make them with "
            "`musicnet-build generate performances`."
        )
    pieces = []
    for place, score in enumerate(scores):
        split = {_TEST: "test", _VALIDATION: "validation"}.get(place % _ROUND, "train")
        recording, truth = folder / "recordings" / f"{score.stem}.flac", folder / "truth" / f"{score.stem}.csv"
        if missing := [path for path in (recording, truth) if not path.is_file()]:
            raise DatasetError(f"{missing[0]}: is missing; run `musicnet-build generate performances` again.")
        pieces.append(Piece(score.stem, recording, score, truth, split))
    return pieces


def label(pieces: Sequence[Piece], setup: Setup) -> None:
    """Label the pieces to learn from by both presets, unless that is done."""
    jobs = [
        Job(f"{piece.name}, {preset}", label_piece, {"piece": piece, "preset": preset, "folder": str(setup.output)})
        for piece in pieces
        if piece.split != "test"
        for preset in ALIGNMENT_PRESETS
    ]
    done = 0

    def on_done(outcome: object) -> None:
        nonlocal done
        done += 1
        setup.progress("labelling", 0.3 * done / len(jobs))

    outcomes = run_jobs(jobs, workers=available_processors(), on_done=on_done)
    if failed := [outcome for outcome in outcomes if outcome.state == "failed"]:
        raise TrainingError(f"{failed[0].id}: {failed[0].reason}")


def label_piece(piece: Piece, preset: str, folder: str) -> bool:
    """Write the labels of a piece by a preset, unless they are there; return whether they were written now."""
    place = Path(folder) / "labels" / preset
    soundfont = choose_soundfont()
    made_from = {
        "recording": sha256_of(piece.recording),
        "score": sha256_of(piece.score),
        "soundfont": soundfont.sha256(),
        "preset": preset,
        "code": code_fingerprint(*LABELS),
    }

    def make() -> Made:
        aligned = align_files(piece.recording, piece.score, RecipeSettings(preset, str(soundfont.path)))
        write_labels(place / f"{piece.name}.csv", aligned.notes)
        return Made([f"{piece.name}.csv"], {"verdict": aligned.report()["verdict"]})

    return make_once(place / f"{piece.name}.json", place, made_from, make)[1]


def _labels_of(piece: Piece, labelling: str, output: Path) -> Path:
    return piece.truth if labelling == "truth" else output / "labels" / labelling / f"{piece.name}.csv"


def _packed(pieces: Sequence[Piece], labelling: str, setup: Setup) -> Path:
    """Pack recordings to learn from with one kind of labels, as ``pack musicnet`` does."""
    path = setup.output / "packages" / f"{labelling}.h5"
    recordings = [
        Recording(
            piece.name, piece.recording, _labels_of(piece, labelling, setup.output), "performances", "MUS", piece.name,
            piece.split,
        )
        for piece in pieces
        if piece.split != "test"
    ]  # fmt: skip
    pack_musicnet(recordings, path, MusicNetSettings(sample_format="int16"))
    return path


def _judged(folder: Path, pieces: Sequence[Piece], device: str) -> dict[str, float]:
    """Means over the pieces for the test, against the truth."""
    run = load_run(folder, device)
    thresholds = [run.record.report["figures"][name] for name in ("frame threshold", "onset threshold")]
    assert isinstance(run.settings, Settings)
    figures = []
    for piece in pieces:
        if piece.split == "test":
            said = activations(run.network, read_audio(piece.recording), run.settings)
            figures.append(note_figures(said, read_labels(piece.truth), *thresholds))
    return {name: float(np.mean([one[name] for one in figures])) for name in FIGURES}


def _page(setup: Setup, pieces: Sequence[Piece], values: Mapping[str, list[dict[str, float]]]) -> Page:
    spreads = {
        labelling: {name: spread_of([100 * one[name] for one in ours]) for name in FIGURES}
        for labelling, ours in values.items()
    }
    qualities = {labelling: label_quality(pieces, labelling, setup.output) for labelling in LABELLINGS[:2]}
    bars = [Series(name, [spreads[labelling][name] for labelling in LABELLINGS]) for name in FIGURES]
    plot_bars(setup.output / _PICTURE, "Transcribers by the labels they learned from", LABELLINGS, bars, "F1 in %")
    counts = {split: sum(piece.split == split for piece in pieces) for split in ("train", "validation", "test")}
    return Page(
        title="Do better labels make better transcribers?",
        finding=_finding(spreads),
        differences=(
            "No publication to compare with: this experiment is ours.",
            f"{counts['train']} pieces to learn from, {counts['validation']} for the thresholds, {counts['test']} to "
            "test on; composed by chance and played by one soundfont, aligned with another.",
            "The truth is when notes are struck and released in the performance; an alignment cannot know how long a "
            "player holds a note, so frame F1 favours the truth twice.",
        ),
        tables=(
            Table(
                f"F1 in % on unseen pieces, by the labels that were learned from: mean of {setup.seeds} seeds",
                ("labels", *FIGURES),
                [(name, *(spreads[name][figure] for figure in FIGURES)) for name in LABELLINGS],
            ),
            Table(
                "The labels themselves, against the truth, on the pieces to learn from: F1 in %",
                ("labels", *FIGURES),
                [(name, *(100 * qualities[name][figure] for figure in FIGURES)) for name in LABELLINGS[:2]],
            ),
        ),
        pictures={_PICTURE: "F1 on unseen pieces by the labels learned from; lines are deviations over seeds."},
        values={"seeds": dict(values), "labels": qualities, "pieces": counts},
    )


def label_quality(pieces: Sequence[Piece], labelling: str, output: Path) -> dict[str, float]:
    """Return how well labels would do as a transcription: mean F1 over the pieces to learn from."""
    found = []
    for piece in pieces:
        if piece.split != "test":
            truth, labels = read_labels(piece.truth), read_labels(_labels_of(piece, labelling, output))
            frames = 1 + int(max(truth["offset_s"].max(), labels["offset_s"].max()) / FRAME_LENGTH_S)
            matches = [
                note_match(truth, labels, with_offsets=False, tolerance_s=tolerance_s).f1
                for tolerance_s in (0.025, 0.05)
            ]
            found.append((*matches, frame_scores(true_frames(truth, frames), true_frames(labels, frames)).f1))
    return dict(zip(FIGURES, np.mean(found, axis=0).tolist(), strict=True))


def _finding(spreads: Mapping[str, Mapping[str, Spread]]) -> str:
    musicnet, precise, truth = (spreads[name]["note f1, 25 ms"] for name in LABELLINGS)
    gain, rest = precise.mean - musicnet.mean, truth.mean - precise.mean
    noise = max(precise.deviation, musicnet.deviation)
    told = (
        f"Labels of `precise` instead of `musicnet` change the note F1 within 25 ms by {gain:+.1f} points, the truth "
    )
    told += f"instead of `precise` by {rest:+.1f}. "
    if gain > 2 * noise and rest > -2 * noise:
        return told + "That is the order that was expected: truth ≥ precise > musicnet."
    return told + "The order that was expected, truth ≥ precise > musicnet, does not come out clearly at this scale."


STUDY = Study(
    reference="Ours.",
    data="`musicnet-build generate performances -o FOLDER --soundfont X`, X not the soundfont that alignments take.",
    run=run,
)
