"""Tests of suspicions: spans of the right kind, at the right times of recording and score."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.quality.flags import (
    EXTRA_IN_RECORDING,
    MESSAGES,
    MISSING_IN_RECORDING,
    NOT_MUSIC,
    TRANSPOSED,
    UNCERTAIN,
    WRONG_SCORE,
    Suspicion,
    find_suspicions,
)
from musicnet_build.quality.score_match import SHIFTS, ScoreMatch, match_along
from musicnet_build.quality.thresholds import THRESHOLDS
from musicnet_build.score.order import PlayingOrder, parse_order
from musicnet_build.score.reader import Score, read_score
from musicnet_build.sync.result import SyncResult

SECONDS, FRAME_S, BANDS = 40.0, 0.1, 88


def quarter_notes(seconds: float) -> NoteTable:
    """A note every half second, sure of itself."""
    notes = empty_notes(round(2 * seconds))
    notes["onset_beats"] = np.arange(len(notes))
    notes["duration_beats"], notes["onset_s"] = 1.0, notes["onset_beats"] / 2
    notes["offset_s"] = notes["onset_s"] + 0.5
    notes["pitch"], notes["velocity"], notes["confidence"] = 60, 80, 1.0
    return notes


@pytest.fixture
def score(tmp_path: Path) -> Score:
    """Forty seconds at two quarter notes a second."""
    write_labels(tmp_path / "score.mid", quarter_notes(SECONDS))
    return read_score(tmp_path / "score.mid")


def spectrum(shift: int = 0) -> np.ndarray:
    """Frames of chords that change every second."""
    frames = np.zeros((round(SECONDS / FRAME_S), BANDS), np.float32)
    random = np.random.default_rng(0)
    for start in range(0, len(frames), 10):
        frames[start : start + 10, random.integers(10, BANDS - 10, 4) + shift] = 0.5
    return frames


def warped(score: Score, heard: np.ndarray, order: PlayingOrder | None = None) -> SyncResult:
    frames_s = np.arange(len(heard)) * FRAME_S
    ends_s = np.array([0.0, SECONDS])
    return SyncResult(score, order, TimeMap(ends_s, ends_s), spectrum(), heard, frames_s, frames_s, ())


def found(warping: SyncResult, score: Score, notes: NoteTable) -> tuple[Suspicion, ...]:
    return find_suspicions(warping, score, notes, match_along(warping), float(notes["offset_s"].max()))


def test_nothing_is_suspicious_where_score_and_recording_agree(score: Score) -> None:
    assert found(warped(score, spectrum()), score, quarter_notes(SECONDS)) == ()


@pytest.mark.parametrize("shift", [-3, -1, 2])
def test_a_passage_played_in_another_key_is_found(score: Score, shift: int) -> None:
    heard = spectrum()
    heard[120:280] = spectrum(shift)[120:280]
    (span,) = found(warped(score, heard), score, quarter_notes(SECONDS))
    assert span.kind == TRANSPOSED
    assert (span.start_s, span.end_s) == pytest.approx((12, 28), abs=THRESHOLDS.passage_s / 2)


def test_a_passage_of_other_music_is_found(score: Score) -> None:
    heard = spectrum()
    heard[120:280] = heard[160:320]
    (span,) = found(warped(score, heard), score, quarter_notes(SECONDS))
    assert span.kind == WRONG_SCORE
    assert (span.start_s, span.end_s) == pytest.approx((12, 28), abs=THRESHOLDS.passage_s / 2)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_passage_without_tones_is_noise_or_silence(score: Score, noise: float) -> None:
    heard = spectrum()
    heard[120:280] = noise * np.random.default_rng(1).uniform(0.5, 1.0, (160, BANDS))
    (span,) = found(warped(score, heard), score, quarter_notes(SECONDS))
    assert span.kind == NOT_MUSIC
    assert (span.start_s, span.end_s) == pytest.approx((12, 28), abs=THRESHOLDS.passage_s / 2)


def test_spans_of_a_reordered_score_are_told_on_the_clock_of_the_score_as_written(score: Score) -> None:
    """Beats 16 to 32 (8 to 16 s) were left out: what is heard at 12 s is written at 20 s."""
    order = parse_order("b0-b16,b32-b80", score)
    notes = quarter_notes(32.0)
    notes["confidence"][(notes["onset_s"] >= 12) & (notes["onset_s"] <= 15)] = 0.1
    left_out, unsure = found(warped(score, spectrum(), order), score, notes)
    assert left_out == Suspicion(MISSING_IN_RECORDING, MESSAGES[MISSING_IN_RECORDING], 8.0, 8.0, 8.0, 16.0)
    assert unsure.kind == UNCERTAIN
    assert unsure.score_start_s - unsure.start_s == pytest.approx(8.0)
    assert unsure.score_end_s - unsure.end_s == pytest.approx(8.0)
    assert (unsure.start_s, unsure.end_s) == pytest.approx((12, 15), abs=1.0)


def test_a_passage_played_again_is_music_that_the_score_has_not(score: Score) -> None:
    order = parse_order("b0-b32,b16-b64", score)
    notes = quarter_notes(SECONDS)
    kinds = [span.kind for span in found(warped(score, spectrum(), order), score, notes)]
    assert kinds == [EXTRA_IN_RECORDING, MISSING_IN_RECORDING]


def test_the_match_does_not_depend_on_how_loud_things_are_compared(score: Score) -> None:
    hiss = np.random.default_rng(1).uniform(0.0, 0.1, spectrum().shape).astype(np.float32)
    warping = warped(score, spectrum(1) + hiss)
    loud = dataclasses.replace(
        warping, score_features=4 * warping.score_features, recording_features=4 * warping.recording_features
    )
    quiet, loudly = (match_along(each) for each in (warping, loud))
    assert quiet.best_shift == loudly.best_shift == 1
    assert quiet.transposition_ratio == pytest.approx(loudly.transposition_ratio)


def test_a_part_of_a_match_holds_the_frames_between_two_times() -> None:
    times_s = np.arange(10.0)
    match = ScoreMatch(times_s, np.tile(times_s, (len(SHIFTS), 1)), times_s)
    part = match.between(3.0, 6.0)
    np.testing.assert_array_equal(part.times_s, [3.0, 4.0, 5.0])
    np.testing.assert_array_equal(part.distance[0], part.contrast)
