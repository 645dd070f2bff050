"""Tests of the quality: sure where labels are right, doubtful where they are not, and a verdict that fits the pair."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from musicnet_build.alignment import Alignment, align
from musicnet_build.errors import AudioError
from musicnet_build.generation.demo import onset_errors, perform, stand_in_recording
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.quality.confidence import SURE, confidence_features, note_confidence
from musicnet_build.quality.flags import NOT_MUSIC, TRANSPOSED, WRONG_SCORE
from musicnet_build.quality.verdict import Quality, Verdict, assess
from musicnet_build.score.model import GuessedOffsets, LostNotes
from musicnet_build.score.order import PlayingOrder, Span, end_beats
from musicnet_build.score.reader import Score, read_score
from musicnet_build.score.unfold import score_in_order
from musicnet_build.sync.refinement import Refinement
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.soundfonts import choose_soundfont

Audio = NDArray[np.float32]
BEATS, BEAT_S = 48, 0.5


def composed(seed: int, folder: Path) -> Score:
    """A melody that wanders on a scale over chords, for piano."""
    random = np.random.default_rng(seed)
    scale = np.array([pitch for pitch in range(36, 92) if (pitch - seed) % 12 in (0, 2, 4, 5, 7, 9, 11)])
    place, rows = 26, []
    for beat in np.arange(0, BEATS, 0.5):
        place = int(np.clip(place + random.integers(-3, 4), 18, len(scale) - 1))
        rows.append((beat, 0.5, scale[place]))
    for beat in range(0, BEATS, 2):
        root = int(random.integers(3, 12))
        rows += [(beat, 2.0, scale[root + step]) for step in (0, 2, 4)]
    notes = empty_notes(len(rows))
    notes["onset_beats"], notes["duration_beats"], notes["pitch"] = np.array(rows).T
    notes["onset_s"] = notes["onset_beats"] * BEAT_S
    notes["offset_s"] = notes["onset_s"] + notes["duration_beats"] * BEAT_S - 0.02
    notes["velocity"] = 80
    write_labels(folder / f"{seed}.mid", sorted_by_onset(notes))
    return read_score(folder / f"{seed}.mid")


def transposed(score: Score, semitones: int) -> Score:
    notes = score.notes.copy()
    notes["pitch"] += semitones
    return dataclasses.replace(score, notes=notes)


@dataclasses.dataclass(frozen=True)
class Pair:
    score: Score
    audio: Audio
    truth: NoteTable
    other: Score


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A piece of 27 seconds, a performance of it, and another piece."""
    folder = tmp_path_factory.mktemp("pieces")
    score = composed(1, folder)
    performance = perform(score, 1)
    return Pair(score, stand_in_recording(performance, choose_soundfont(), 1), performance.notes, composed(6, folder))


@pytest.fixture(scope="module")
def right(pair: Pair) -> Alignment:
    return align(pair.audio, pair.score, choose_soundfont())


@pytest.fixture(scope="module")
def wrong(pair: Pair) -> Alignment:
    return align(pair.audio, pair.other, choose_soundfont())


def judged(audio: Audio, score: Score) -> Quality:
    quality = align(audio, score, choose_soundfont()).quality
    assert quality
    return quality


def test_a_recording_and_its_score_are_accepted_without_a_word(right: Alignment) -> None:
    quality = right.quality
    assert quality
    assert quality.verdict == Verdict.ACCEPT
    assert quality.reasons == ()
    assert quality.confident_share > 0.95
    assert quality.transposition == 0
    assert quality.offset_s == pytest.approx(right.offset_s, abs=0.05)


def test_another_pieces_score_is_rejected_and_said_to_be_wrong(wrong: Alignment) -> None:
    assert wrong.quality
    assert wrong.quality.verdict == Verdict.REJECT
    assert "wrong score" in wrong.quality.reasons[0]


def test_labels_by_the_wrong_score_are_far_less_sure(right: Alignment, wrong: Alignment) -> None:
    doubt, usual_doubt = (1 - result.notes["confidence"].mean() for result in (wrong, right))
    assert doubt > 5 * usual_doubt
    assert np.median(wrong.notes["confidence"]) < np.quantile(right.notes["confidence"], 0.1)


@pytest.mark.parametrize("semitones", [-3, -1, 1])
def test_a_transposed_score_is_rejected_with_the_interval(pair: Pair, semitones: int) -> None:
    quality = judged(pair.audio, transposed(pair.score, semitones))
    assert quality.verdict == Verdict.REJECT
    assert quality.transposition == -semitones
    side = "above" if semitones < 0 else "below"
    assert f"{abs(semitones)} semitone" in quality.reasons[0]
    assert side in quality.reasons[0]


def test_a_recording_thirty_cents_sharp_is_accepted_and_its_tuning_reported(pair: Pair, right: Alignment) -> None:
    quality = judged(soxr.resample(pair.audio, SAMPLE_RATE * 2 ** (30 / 1200), SAMPLE_RATE), pair.score)
    assert right.quality
    assert quality.verdict == Verdict.ACCEPT
    assert quality.tuning_cents - right.quality.tuning_cents == pytest.approx(30, abs=5)


def test_a_passage_cut_from_the_recording_is_flagged(pair: Pair) -> None:
    length = len(pair.audio)
    quality = judged(np.concatenate([pair.audio[: length // 3], pair.audio[length // 2 :]]), pair.score)
    assert quality.verdict == Verdict.REVIEW
    assert quality.reasons


def not_searched(audio: Audio, score: Score) -> Quality:
    """What is said where the search for the playing order finds nothing."""
    quality = align(audio, score, choose_soundfont(), options=Options(search_order=False)).quality
    assert quality
    return quality


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (((0, 10), (14, 60)), "a second of the score passes"),
        (((4, 60),), "at 0 s a second of the score passes"),
        (((0, -7),), "a second of the score passes"),
        (((0, 14), (10, 60)), "times as slowly as the rest"),
    ],
    ids=["dropped", "start cut", "end cut", "doubled"],
)
def test_four_seconds_missing_or_doubled_show_in_how_the_score_passes(
    pair: Pair, kept: tuple[tuple[int, int], ...], reason: str
) -> None:
    audio = np.concatenate([pair.audio[start * SAMPLE_RATE : end * SAMPLE_RATE] for start, end in kept])
    quality = not_searched(audio, pair.score)
    assert quality.verdict != Verdict.ACCEPT
    assert any(reason in sentence for sentence in quality.reasons)


def test_a_departure_is_for_review_and_the_labels_have_a_verdict_of_their_own(pair: Pair, right: Alignment) -> None:
    score, end = pair.score, end_beats(pair.score)
    played = score_in_order(score, PlayingOrder((Span(0.0, 40.0), Span(24.0, end))))[0]
    audio, soundfont = stand_in_recording(perform(played, 1), choose_soundfont(), 1), choose_soundfont()
    quality = judged(audio, score)
    assert quality.structure
    assert (quality.verdict, quality.verdict_as_played) == (Verdict.REVIEW, Verdict.ACCEPT)
    given = align(audio, score, soundfont, order=PlayingOrder((Span(0.0, 40.0), Span(24.0, end)))).quality
    assert given
    assert given.structure
    assert given.verdict == Verdict.ACCEPT
    assert right.quality
    assert right.quality.verdict_as_played == Verdict.ACCEPT


@pytest.mark.parametrize(("lost", "held", "verdict"), [(2, 1, Verdict.ACCEPT), (9, 2, Verdict.REVIEW)])
def test_a_score_that_was_hard_to_read_is_for_review(
    pair: Pair, right: Alignment, lost: int, held: int, verdict: Verdict
) -> None:
    hard = dataclasses.replace(pair.score, lost=LostNotes(no_offset=lost), guessed=GuessedOffsets(held=held))
    quality = assess(right.warping, hard, right.notes, len(pair.audio) / SAMPLE_RATE)
    assert quality.verdict == verdict
    assert any(f"{lost} lost, {held} held" in reason for reason in quality.reasons) == (verdict == Verdict.REVIEW)


def test_silence_before_and_behind_the_music_is_shown_and_not_held_against_it(pair: Pair) -> None:
    hiss = (1e-4 * np.random.default_rng(0).standard_normal(5 * SAMPLE_RATE)).astype(np.float32)
    quality = judged(np.concatenate([hiss, pair.audio, hiss]), pair.score)
    assert quality.verdict == Verdict.ACCEPT
    before, behind = (span for span in quality.suspicions if span.kind == NOT_MUSIC)
    assert before.start_s == 0.0
    assert before.end_s == pytest.approx(5 + pair.truth["onset_s"].min(), abs=0.1)
    assert behind.end_s == pytest.approx(10 + len(pair.audio) / SAMPLE_RATE, abs=0.1)


def test_a_transposed_score_is_suspicious_throughout(pair: Pair) -> None:
    quality = judged(pair.audio, transposed(pair.score, 1))
    spans = [span for span in quality.suspicions if span.kind == TRANSPOSED]
    assert sum(span.end_s - span.start_s for span in spans) > 0.8 * float(np.ptp(pair.truth["onset_s"]))


def test_a_wrong_score_is_suspicious_throughout(pair: Pair, wrong: Alignment) -> None:
    assert wrong.quality
    spans = [span for span in wrong.quality.suspicions if span.kind == WRONG_SCORE]
    assert sum(span.end_s - span.start_s for span in spans) > 0.8 * float(np.ptp(pair.truth["onset_s"]))


def with_middle(audio: Audio, middle: Audio) -> Audio:
    """The recording with another sound, equally loud, from 8 seconds on."""
    start = 8 * SAMPLE_RATE
    loudness = audio.std() / middle.std()
    return np.concatenate([audio[:start], loudness * middle, audio[start + len(middle) :]]).astype(np.float32)


@pytest.mark.parametrize("kind", [WRONG_SCORE, NOT_MUSIC])
def test_other_sounds_in_the_middle_are_shown_and_not_accepted(pair: Pair, tmp_path: Path, kind: str) -> None:
    length = 10 * SAMPLE_RATE
    if kind == NOT_MUSIC:
        middle = np.random.default_rng(0).standard_normal(length).astype(np.float32)
    else:
        middle = stand_in_recording(perform(composed(4, tmp_path), 1), choose_soundfont(), 1)[3 * SAMPLE_RATE :][
            :length
        ]
    quality = judged(with_middle(pair.audio, middle), pair.score)
    assert quality.verdict != Verdict.ACCEPT
    shared_s = [min(span.end_s, 18.0) - max(span.start_s, 8.0) for span in quality.suspicions if span.kind == kind]
    assert max(shared_s) > 6.0
    assert not [span for span in quality.suspicions if span.kind == kind and span.end_s > 23.0 > span.start_s + 1.0]


@pytest.mark.parametrize("seconds", [0.02, 3.0])
def test_silence_is_refused_with_a_plain_error(pair: Pair, seconds: float) -> None:
    with pytest.raises(AudioError, match="silent or shorter"):
        align(np.zeros(round(seconds * SAMPLE_RATE), np.float32), pair.score, choose_soundfont())


def test_noise_for_some_seconds_makes_the_labels_there_unsure(pair: Pair, right: Alignment) -> None:
    audio = pair.audio.copy()
    first, last = 10 * SAMPLE_RATE, 15 * SAMPLE_RATE
    audio[first:last] = audio.std() * np.random.default_rng(0).standard_normal(last - first)
    notes = align(audio, pair.score, choose_soundfont()).notes
    true_s = pair.truth["onset_s"]
    errors_s = np.abs(onset_errors(pair.truth, notes))
    assert np.mean(errors_s[true_s < 9.5] < 0.05) > 0.95
    inside = (notes["onset_s"] > 10.3) & (notes["onset_s"] < 14.7)
    assert notes["confidence"][inside].mean() < notes["confidence"][notes["onset_s"] < 9].mean() - 0.1


def test_the_report_is_plain_values(right: Alignment, wrong: Alignment) -> None:
    for result in (right, wrong):
        assert result.quality
        values = json.loads(json.dumps(result.quality.as_dict(), allow_nan=False))
        assert values["verdict"] == result.quality.verdict
        assert values["mean_confidence"] == pytest.approx(result.notes["confidence"].mean())
        assert values["confident_share"] == pytest.approx(np.mean(result.notes["confidence"] >= SURE))


def believed(near: float = 0.9, apart_s: float = 0.005, gap_s: float = np.inf, count: int = 10) -> Refinement:
    onset_s = np.arange(count, dtype=np.float64)
    return Refinement(
        onset_s,
        onset_s,
        np.full(count, near),
        np.full(count, near),
        np.full(count, near),
        onset_s + np.full((4, 1), apart_s),
        np.full((2, count), gap_s),
    )


def test_confidence_grows_with_belief_and_falls_with_disagreement_and_repetition() -> None:
    by_belief = [note_confidence(believed(near=near))[0] for near in (0.0, 0.2, 0.5, 0.9, 1.0)]
    by_distance = [note_confidence(believed(apart_s=apart_s))[0] for apart_s in (0.0, 0.01, 0.1, 1.0)]
    by_gap = [note_confidence(believed(gap_s=gap_s))[0] for gap_s in (0.1, 0.3, 0.9, np.inf)]
    assert np.all(np.diff(by_belief) > 0)
    assert np.all(np.diff(by_distance) < 0)
    assert np.all(np.diff(by_gap) > 0)
    assert all(0 < confidence < 1 for confidence in by_belief + by_distance)


def test_a_doubtful_note_casts_doubt_on_those_within_a_second_only() -> None:
    refinement = believed()
    refinement.p_within_50ms[5] = 0.01
    usual, doubted = note_confidence(believed()), note_confidence(refinement)
    assert doubted[5] < doubted[4] < usual[4]
    np.testing.assert_allclose(doubted[[0, 1, 2, 3, 7, 8, 9]], usual[[0, 1, 2, 3, 7, 8, 9]])


def test_features_do_not_depend_on_the_order_of_the_notes() -> None:
    refinement = believed()
    refinement.p_within_50ms[:] = np.linspace(0.1, 0.95, 10)
    order = np.random.default_rng(0).permutation(10)
    shuffled = Refinement(
        refinement.onset_s[order],
        refinement.chord_s[order],
        refinement.p_within_50ms[order],
        refinement.p_as_placed[order],
        refinement.activation_mass[order],
        refinement.pass_onsets_s[:, order],
        refinement.pitch_gaps_s[:, order],
    )
    np.testing.assert_allclose(confidence_features(shuffled), confidence_features(refinement)[order])
