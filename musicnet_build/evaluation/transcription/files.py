"""Files of transcriptions and of the truth, compared piece by piece."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.files import LABEL_ENDINGS, labels_of, read_any_notes, read_notes, truth_files
from musicnet_build.evaluation.metrics import ONSET_TOLERANCE_S
from musicnet_build.evaluation.transcription.measures import Measures, average_precisions, measures
from musicnet_build.evaluation.transcription.ranking import POLYPHONIES, Ranking, curve, pooled, thinned
from musicnet_build.labels.posteriorgram import ENDING, read_posteriorgram
from musicnet_build.notes import NoteTable

PREDICTION_ENDINGS = (*LABEL_ENDINGS, ".json", ENDING)


@dataclass(frozen=True, eq=False)
class TranscribedPiece:
    """The transcription of one piece, compared with its truth.

    Attributes
    ----------
    name : str
    truth, prediction : Path
    measures : Measures
    """

    name: str
    truth: Path
    prediction: Path
    measures: Measures


@dataclass(frozen=True, eq=False)
class Transcriptions:
    """The transcriptions of one piece or of a folder of pieces, compared with the truth.

    Attributes
    ----------
    tolerance_s : float
        How far the onset of a note may be off.
    pieces : tuple of TranscribedPiece
    """

    tolerance_s: float
    pieces: tuple[TranscribedPiece, ...]

    @property
    def rankings(self) -> dict[str, Ranking] | None:
        """The scores of all pieces by kind of frames, None where not every transcription has scores."""
        found = [piece.measures.rankings for piece in self.pieces]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        return {name: pooled([each[name] for each in known]) for name in POLYPHONIES}

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values.

        ``mean`` and ``deviation`` are over the pieces (None where there is but one); ``average_precision`` is of the
        scores of all pieces together, and ``curves`` of up to 200 points are the precision and recall behind it.
        """
        pieces = [
            {"name": piece.name, "truth": str(piece.truth), "prediction": str(piece.prediction)}
            | piece.measures.as_dict()
            for piece in self.pieces
        ]
        figures = [piece.measures.as_dict() for piece in self.pieces]
        several, together = len(pieces) > 1, self.rankings
        return {
            "tolerance_ms": 1000 * self.tolerance_s,
            "pieces": pieces,
            "mean": mean_of(figures) if several else None,
            "deviation": deviation_of(figures) if several else None,
            "average_precision": average_precisions(together),
            "curves": None if together is None else {name: _points(each) for name, each in together.items()},
        }


def evaluate_transcriptions(
    truth: Path, prediction: Path, *, tolerance_s: float = ONSET_TOLERANCE_S, threshold: float | None = None
) -> Transcriptions:
    """Compare a transcription with the truth, or a folder of transcriptions with a folder of truths.

    Parameters
    ----------
    truth : Path
        A label file or JSON, or a folder with one per piece.
    prediction : Path
        A label file, JSON, or a posteriorgram (.npz); or a folder of them, with the names of the truths.
    tolerance_s : float
        How far the onset of a note may be off.
    threshold : float, optional
        From which score on a pitch sounds, in place of what posteriorgrams say.

    Returns
    -------
    Transcriptions

    Raises
    ------
    LabelError
        When a file cannot be read or is missing, or there is nothing to be found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from musicnet_build.evaluation.transcription.files import evaluate_transcriptions
    >>> found = evaluate_transcriptions(Path("demo/truth.csv"), Path("labels.csv"))
    >>> found.as_dict()["pieces"][0]["note"]["f1"]
    1.0
    """
    pieces = []
    for name, path in truth_files(truth).items():
        predicted = labels_of(prediction, name, PREDICTION_ENDINGS)
        pieces.append(TranscribedPiece(name, path, predicted, _measured(path, predicted, tolerance_s, threshold)))
    return Transcriptions(tolerance_s, tuple(pieces))


def mean_of(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of nested figures of the same names; of those that are known, None where none is."""
    return _joined(figures, lambda values: float(np.mean(values)))


def deviation_of(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the standard deviations of nested figures of the same names (of a sample: n − 1)."""
    return _joined(figures, lambda values: float(np.std(values, ddof=1)) if len(values) > 1 else None)


def _joined(figures: list[dict[str, Any]], join: Any) -> dict[str, Any]:
    result = {}
    for name in figures[0]:
        values = [each[name] for each in figures if each[name] is not None]
        nested = bool(values) and isinstance(values[0], dict)
        result[name] = _joined(values, join) if nested else join(values) if values else None
    return result


def _measured(truth: Path, prediction: Path, tolerance_s: float, threshold: float | None) -> Measures:
    true_notes = read_notes(truth)
    scored = prediction.suffix.lower() == ENDING
    predicted = read_posteriorgram(prediction, threshold) if scored else _ended(prediction)
    try:
        return measures(true_notes, predicted, tolerance_s=tolerance_s)
    except LabelError as error:
        raise LabelError(f"{prediction} against {truth}: {error}") from error


def _ended(path: Path) -> NoteTable:
    notes = read_any_notes(path)
    if not np.isfinite(notes["offset_s"]).all():
        raise LabelError(f"{path}: not every note has an end, so frames cannot be compared.")
    return notes


def _points(ranking: Ranking) -> dict[str, list[float]] | None:
    found = curve(ranking)
    if found is None:
        return None
    return {name: [round(value, 6) for value in values.tolist()] for name, values in vars(thinned(found)).items()}
