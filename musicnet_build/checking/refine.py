"""Labels that are nearly right, moved to where they are heard.

1. A constant offset and a drift that the labels evidently have are taken out (``clock``).
2. How far labels then are from what is heard is estimated from all of them together (empirical Bayes): a share of the
   labels lies around it like Student's t, the rest anywhere within reach. Scale and shares are those under which the
   onset evidence is most probable. Labels that are right have a scale that is no larger than the evidence is precise.
3. Where they have (``LOOSE_S``), the onset network learns the recording from the labels that it is sure of
   (``sync.adaptation``), and every note goes where its probability is, unless the evidence does not settle that.
   Elsewhere only a note moves that is clearly heard at another place.
4. Notes of one pitch and instrument keep their order, and no note moves by more than is allowed.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage
from scipy.special import gammaln

from musicnet_build._typing import Audio, Bools, Float64s
from musicnet_build.checking.clock import LEAST_NOTES, Clock, measured_clock
from musicnet_build.checking.evidence import HOP_S, Evidence, heard_by, listen_closely
from musicnet_build.checking.hearing import NEAR_S, surroundings
from musicnet_build.checking.passages import standing
from musicnet_build.checking.thresholds import CHECK_THRESHOLDS
from musicnet_build.errors import LabelError
from musicnet_build.features.onsets import OnsetSpectrograms
from musicnet_build.notes import SAMPLE_RATE, NoteTable, end_at_restrike
from musicnet_build.sync.adaptation import adapted_model
from musicnet_build.sync.ends import in_score_order
from musicnet_build.sync.refinement import Refinement

WITHIN_S = 0.2
"""How far notes may be moved, where nothing else is asked."""

LOOSE_S = 0.02
"""Labels that lie around what is heard by a larger scale than this are not yet right."""

OFFSET_S, DRIFT_ENDS_S = 0.015, 0.005
"""An offset of less, or a drift that moves the first and the last label by less, is not taken out."""

SETTLED = 0.6
"""How much of its probability a note must have in one place to be moved there."""

CLEARLY, CLEARLY_S = 0.8, 0.03
"""Of labels that are right on the whole, a note moves that has this probability to be further away than this."""

_SCALES_S = (0.003, 0.006, 0.010, 0.016, 0.025, 0.040, 0.060, 0.090)
_STRAYS = (0.003, 0.01, 0.03, 0.1, 0.3)
_ABSENT = (0.01, 0.03, 0.1)
_QUIET_LOGIT = 0.7  # of frames without an onset, by their mean likelihood
_FREEDOM = 4.0
_DECISION_S = 0.04


@dataclass(frozen=True, eq=False)
class Refined:
    """Labels after they were refined.

    Attributes
    ----------
    notes : NoteTable [shape=(n,)]
        In the order in which they came.
    moved_s : ndarray of float64 [shape=(n,)]
        By how much each onset is later now.
    clock : Clock or None
        Of the labels as they were; None where they are too few to have one.
    scale_s : float
        How far labels were from what is heard, once their clock was right.
    """

    notes: NoteTable
    moved_s: Float64s
    clock: Clock | None
    scale_s: float


@dataclass(frozen=True)
class _Model:
    """How far labels are from what is heard: scale of Student's t, shares of strays and of notes not played."""

    scale_s: float
    stray: float
    absent: float


def refine_labels(audio: Audio, notes: NoteTable, *, within_s: float = WITHIN_S, seed: int = 0) -> Refined:
    """Move nearly right labels to where their notes are heard.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(samples,)]
        The recording: mono, 44.1 kHz.
    notes : NoteTable [shape=(n,)]
        Its labels. Drums move with the clock only.
    within_s : float
        No onset moves by more.
    seed : int
        Of the resampling that tells whether a clock is wrong.

    Returns
    -------
    Refined
        What the evidence does not settle is where it was.

    Raises
    ------
    LabelError
        When there are no pitched labels, they are not of this recording, or all of them are further off than they may
        be moved.

    Examples
    --------
    >>> from musicnet_build import read_audio, read_labels, refine_labels
    >>> truth = read_labels("labels.csv")
    >>> late = truth.copy()
    >>> late["onset_s"] += 0.08
    >>> late["offset_s"] += 0.08
    >>> refined = refine_labels(read_audio("recording.flac"), late)
    >>> bool(abs(refined.notes["onset_s"] - truth["onset_s"]).mean() < 0.02)
    True
    """
    if notes["is_drum"].all():
        raise LabelError("there are no labels but drums: there is nothing to refine.")
    evidence, spectrograms = listen_closely(audio, notes["pitch"][~notes["is_drum"]])
    return refined(evidence, spectrograms, notes, within_s=within_s, seed=seed)


def refined(
    evidence: Evidence,
    spectrograms: OnsetSpectrograms,
    notes: NoteTable,
    *,
    within_s: float = WITHIN_S,
    seed: int = 0,
) -> Refined:
    """Move labels to where they are heard in what was taken from a recording; see ``refine_labels``.

    Parameters
    ----------
    evidence : Evidence
    spectrograms : OnsetSpectrograms
        What the evidence was taken from, as ``listen_closely`` gives them.
    notes : NoteTable [shape=(n,)]
    within_s : float
    seed : int

    Returns
    -------
    Refined
    """
    rows = np.flatnonzero(~notes["is_drum"])
    found = _placed(evidence, spectrograms, notes[rows], within_s, seed)
    moved_s = found.clock_s(notes["onset_s"])
    moved_s[rows] = found.moved_s
    return Refined(_moved(notes, moved_s, evidence.duration_s), moved_s, found.clock, found.scale_s)


@dataclass(frozen=True, eq=False)
class _Placed:
    clock: Clock | None
    corrected: Clock | None
    moved_s: Float64s
    scale_s: float

    def clock_s(self, label_s: Float64s) -> Float64s:
        """By how much the clock alone moves labels at these times."""
        return -self.corrected.late_s(label_s) if self.corrected else np.zeros(len(label_s))


def _placed(
    evidence: Evidence, spectrograms: OnsetSpectrograms, notes: NoteTable, within_s: float, seed: int
) -> _Placed:
    clock = measured_clock(evidence, notes, seed) if len(notes) >= LEAST_NOTES else None
    corrected = _evident(clock, notes) if clock else None
    late_s = corrected.late_s(notes["onset_s"]) if corrected else np.zeros(len(notes))
    _check_reach(late_s, within_s)
    expected_s = notes["onset_s"] - late_s
    _check_recording(evidence, notes, expected_s)
    model, onset_s = _settled(evidence, notes, expected_s, late_s, within_s)
    if model.scale_s > LOOSE_S and (learnt := _adapted(evidence, spectrograms, notes, expected_s, onset_s, model)):
        model, onset_s = _settled(learnt, notes, expected_s, late_s, within_s)
    ordered_s = in_score_order(onset_s, notes)
    return _Placed(clock, corrected, ordered_s - notes["onset_s"], model.scale_s)


def _evident(clock: Clock, notes: NoteTable) -> Clock | None:
    """The part of a clock's fault that is beyond doubt and more than instruments differ by, if there is any."""
    half_s = float(np.ptp(notes["onset_s"])) / 2
    low, high = clock.drift_interval_ppm
    drifts = (low > 0 or high < 0) and abs(clock.drift_ppm) * 1e-6 * half_s > DRIFT_ENDS_S
    off = abs(clock.offset_s) > OFFSET_S and (clock.offset_interval_s[0] > 0 or clock.offset_interval_s[1] < 0)
    if not (drifts or off):
        return None
    return replace(clock, offset_s=clock.offset_s if off else 0.0, drift_ppm=clock.drift_ppm if drifts else 0.0)


def _check_reach(late_s: Float64s, within_s: float) -> None:
    furthest_s = float(late_s[np.argmax(np.abs(late_s))])
    if abs(furthest_s) > within_s:
        raise LabelError(
            f"the labels are up to {abs(furthest_s):.2f} s {'late' if furthest_s > 0 else 'early'}, and no note may be "
            f"moved by more than {within_s:g} s: allow {abs(furthest_s) + WITHIN_S:.1f} s."
        )


def _check_recording(evidence: Evidence, notes: NoteTable, expected_s: Float64s) -> None:
    around = surroundings(evidence, notes, expected_s, NEAR_S)
    stands = standing(evidence, notes, expected_s, around.logits.max(axis=1))
    if len(notes) >= LEAST_NOTES and stands.separation < CHECK_THRESHOLDS.belongs:
        raise LabelError("the labels do not belong to this recording, or are far off: `check` says more.")


def _settled(
    evidence: Evidence, notes: NoteTable, expected_s: Float64s, late_s: Float64s, within_s: float
) -> tuple[_Model, Float64s]:
    """The model of the labels, and where each note is by it."""
    around = surroundings(evidence, notes, expected_s)
    likelihood = np.where(around.foreign, 0.0, np.exp(around.logits - _QUIET_LOGIT))
    model = _most_probable_model(likelihood, around.away_s)
    reachable = np.abs(around.away_s - late_s[:, None]) <= within_s
    posterior = _posterior(np.where(reachable, likelihood, 0.0), around.away_s, model)
    shift_s, held = _most_mass(posterior, around.away_s)
    moves = held >= SETTLED
    if model.scale_s <= LOOSE_S:
        apart = np.abs(around.away_s) > CLEARLY_S
        moves &= np.sum(posterior * apart, axis=1) >= CLEARLY
    return model, expected_s + np.where(moves, shift_s, 0.0)


def _most_probable_model(likelihood: Float64s, away_s: Float64s) -> _Model:
    """The model under which the evidence of all labels together is most probable."""
    anywhere = likelihood.mean(axis=1)
    best, found = -np.inf, _Model(_SCALES_S[0], _STRAYS[0], _ABSENT[0])
    for scale_s in _SCALES_S:
        near = np.sum(_around(away_s, scale_s) * likelihood, axis=1)
        for stray in _STRAYS:
            for absent in _ABSENT:
                total = float(np.sum(np.log((1 - stray - absent) * near + stray * anywhere + absent)))
                if total > best:
                    best, found = total, _Model(scale_s, stray, absent)
    return found


def _posterior(likelihood: Float64s, away_s: Float64s, model: _Model) -> Float64s:
    """The probability of each place, for each note [n, w]; what is missing to 1 is that it is not heard at all."""
    around = (1 - model.stray - model.absent) * _around(away_s, model.scale_s)
    weight = (around + model.stray / likelihood.shape[1]) * likelihood
    result: Float64s = weight / (weight.sum(axis=1, keepdims=True) + model.absent)
    return result


def _around(away_s: Float64s, scale_s: float) -> Float64s:
    """The probability of each frame by Student's t around the label."""
    top = np.exp(gammaln((_FREEDOM + 1) / 2) - gammaln(_FREEDOM / 2)) / np.sqrt(_FREEDOM * np.pi)
    density: Float64s = top / scale_s * (1 + (away_s / scale_s) ** 2 / _FREEDOM) ** (-(_FREEDOM + 1) / 2)
    return density * HOP_S


def _most_mass(posterior: Float64s, away_s: Float64s) -> tuple[Float64s, Float64s]:
    """The mean place around where a Gaussian window holds most of the probability, and how much is held there."""
    reach = round(_DECISION_S / HOP_S)
    mass = scipy.ndimage.gaussian_filter1d(posterior, reach, axis=1, mode="constant")
    columns = np.clip(np.argmax(mass, axis=1)[:, None] + np.arange(-reach, reach + 1), 0, posterior.shape[1] - 1)
    weights = np.take_along_axis(posterior, columns, axis=1)
    held = weights.sum(axis=1)
    middle_s = np.sum(weights * np.take_along_axis(away_s, columns, axis=1), axis=1) / np.maximum(held, 1e-300)
    return middle_s, held


def _adapted(
    evidence: Evidence,
    spectrograms: OnsetSpectrograms,
    notes: NoteTable,
    expected_s: Float64s,
    onset_s: Float64s,
    model: _Model,
) -> Evidence | None:
    """What the onset network hears after it has learnt from the notes that are sure; None where too few are."""
    near = _mass_near(evidence, notes, expected_s, onset_s, model)
    refinement = Refinement(onset_s, onset_s, near, near, near, onset_s[None], np.full((2, len(near)), np.inf))
    by_pitch = notes.copy()
    by_pitch["onset_s"] = onset_s
    network = adapted_model(by_pitch, refinement, spectrograms)
    if network is None:
        return None
    return replace(evidence, activations=heard_by(spectrograms, set(notes["pitch"].tolist()), network))


def _mass_near(
    evidence: Evidence, notes: NoteTable, expected_s: Float64s, onset_s: Float64s, model: _Model
) -> Float64s:
    """The probability of each note within 50 ms of where it was put."""
    around = surroundings(evidence, notes, expected_s)
    likelihood = np.where(around.foreign, 0.0, np.exp(around.logits - _QUIET_LOGIT))
    posterior = _posterior(likelihood, around.away_s, model)
    near: Bools = np.abs(around.away_s - (onset_s - expected_s)[:, None]) <= NEAR_S
    held: Float64s = np.sum(posterior * near, axis=1)
    return held


def _moved(notes: NoteTable, moved_s: Float64s, duration_s: float) -> NoteTable:
    """The notes moved, each as long as it was, but for those that would now reach into the next of their pitch."""
    moved = notes.copy()
    last_s = max(duration_s, float(notes["onset_s"].max()) + 1 / SAMPLE_RATE)
    moved["onset_s"] = np.clip(notes["onset_s"] + moved_s, 0.0, last_s - 1 / SAMPLE_RATE)
    moved["offset_s"] = notes["offset_s"] + moved_s
    alone = end_at_restrike(notes, by="program")["offset_s"] == notes["offset_s"]
    ended_s = end_at_restrike(moved, by="program")["offset_s"]
    moved["offset_s"] = np.where(alone, ended_s, moved["offset_s"])
    moved["offset_s"] = np.maximum(moved["offset_s"], moved["onset_s"] + 1 / SAMPLE_RATE)
    return moved
