"""Tests of the preset ``precise``: a time for each note, in order, whatever surrounds the music."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from conftest import Music
from numpy.typing import NDArray

from musicnet_build._typing import Features
from musicnet_build.alignment import Alignment, align
from musicnet_build.audio.io import read_audio
from musicnet_build.errors import AudioError
from musicnet_build.generation.demo import onset_errors, stand_in_recording
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.quality.verdict import Verdict
from musicnet_build.score.model import CONTROL_DTYPE
from musicnet_build.score.reader import Score, read_score
from musicnet_build.sync.passes import (
    COARSE_HOP,
    FINE_HOP,
    FINE_PASSES,
    coarse_features,
    fine_features,
    semitone_spectra,
)
from musicnet_build.sync.precise import EXPRESSION, VOLUME
from musicnet_build.synthesis.soundfonts import choose_soundfont

ROLL_S = 0.04  # from note to note of a rolled chord


@pytest.fixture(scope="module")
def score(music: Music) -> Score:
    return read_score(music.score)


@pytest.fixture(scope="module")
def result(music: Music, score: Score) -> Alignment:
    return align(read_audio(music.recording), score, choose_soundfont())


@pytest.fixture(scope="module")
def truth(music: Music) -> NoteTable:
    return read_labels(music.truth)


def noise(seconds: float, amplitude: float) -> Features:
    random = np.random.default_rng(0)
    return (amplitude * random.standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


def errors_s(truth: NoteTable, notes: NoteTable) -> NDArray[np.float64]:
    return np.abs(onset_errors(truth, notes))


def test_every_note_of_a_performance_is_labelled_within_50_ms(truth: NoteTable, result: Alignment) -> None:
    found_s = errors_s(truth, result.notes)
    assert np.median(found_s) < 0.01
    assert np.mean(found_s < 0.025) > 0.9
    assert found_s.max() < 0.05


def test_labels_are_neither_early_nor_late(truth: NoteTable, result: Alignment) -> None:
    assert abs(np.median(onset_errors(truth, result.notes))) < 0.005


def test_it_is_better_than_the_recipe_of_the_paper(
    music: Music, score: Score, truth: NoteTable, result: Alignment
) -> None:
    paper = align(read_audio(music.recording), score, choose_soundfont(), preset="musicnet").notes
    assert errors_s(truth, result.notes).mean() < 0.7 * errors_s(truth, paper).mean()


def test_notes_of_one_pitch_keep_the_order_of_the_score(result: Alignment) -> None:
    notes = result.notes
    for part, pitch in set(zip(notes["part"], notes["pitch"], strict=True)):
        own = notes[(notes["part"] == part) & (notes["pitch"] == pitch)]
        assert np.all(np.diff(own["onset_beats"]) > 0)
        assert np.all(np.diff(own["onset_s"]) > 0)


def test_no_note_sounds_beyond_the_next_onset_of_its_pitch_and_instrument(result: Alignment) -> None:
    notes = result.notes
    assert np.all(notes["offset_s"] > notes["onset_s"])
    for program, pitch in set(zip(notes["program"], notes["pitch"], strict=True)):
        own = notes[(notes["program"] == program) & (notes["pitch"] == pitch)]
        apart = np.diff(own["onset_s"]) > 2 / SAMPLE_RATE
        assert np.all(own["offset_s"][:-1][apart] <= own["onset_s"][1:][apart])


def test_the_time_map_goes_through_the_labels_of_the_chords(score: Score, result: Alignment) -> None:
    refined = result.warping.refinement
    assert refined
    mapped_s = result.warping.time_map.recording_at(score.notes["onset_s"])
    assert np.median(np.abs(mapped_s - refined.onset_s)) < 0.015


def test_soft_noise_before_the_music_moves_no_label(
    music: Music, score: Score, truth: NoteTable, result: Alignment
) -> None:
    delayed = align(np.concatenate([noise(4.0, 0.002), read_audio(music.recording)]), score, choose_soundfont())
    assert delayed.offset_s == pytest.approx(result.offset_s + 4.0, abs=0.05)
    late_s = onset_errors(truth, delayed.notes) - 4.0
    assert np.mean(np.abs(late_s) < 0.05) > 0.97


def test_applause_behind_the_music_moves_no_label_and_prolongs_none(
    music: Music, score: Score, truth: NoteTable, result: Alignment
) -> None:
    audio = read_audio(music.recording)
    applauded = align(np.concatenate([audio, noise(12.0, float(np.abs(audio).max()) / 3)]), score, choose_soundfont())
    assert np.mean(errors_s(truth, applauded.notes) < 0.05) > 0.97
    assert applauded.notes["onset_s"].max() == pytest.approx(result.notes["onset_s"].max(), abs=0.05)
    assert applauded.notes["offset_s"].max() == pytest.approx(result.notes["offset_s"].max(), abs=0.5)
    assert applauded.quality
    assert applauded.quality.verdict == Verdict.ACCEPT


def test_a_score_that_fades_out_by_its_volume_is_still_heard(music: Music, score: Score, truth: NoteTable) -> None:
    fade = np.zeros(2 * len(score.parts), dtype=CONTROL_DTYPE)
    fade["part"], fade["number"] = (
        np.repeat(np.arange(len(score.parts)), 2),
        np.tile([VOLUME, EXPRESSION], len(score.parts)),
    )
    fade["beats"] = float(score.notes["onset_beats"].max()) / 2
    fade["time_s"] = score.tempo_map.seconds_at(fade["beats"])
    faded = dataclasses.replace(score, controls=np.concatenate([score.controls, fade]))
    assert np.mean(errors_s(truth, align(read_audio(music.recording), faded, choose_soundfont()).notes) < 0.05) > 0.97


def test_a_long_rest_over_a_noise_floor_is_no_fault(tmp_path: Path) -> None:
    written = piano(tmp_path).notes.copy()
    behind = written["onset_s"] > 6.0
    for field in ("onset_s", "offset_s"):
        written[field] += 12.0 * behind
    write_labels(tmp_path / "rest.mid", written)
    score = read_score(tmp_path / "rest.mid")
    played = score.notes.copy()
    for field in ("onset_s", "offset_s"):
        played[field] += 0.4 + 6.0 * (score.notes["onset_s"] > 12.0)
    audio = stand_in_recording(dataclasses.replace(score, notes=played), choose_soundfont(), 0)
    audio = audio + noise(len(audio) / SAMPLE_RATE, 0.003 * float(np.abs(audio).max()))
    found = align(audio, score, choose_soundfont())
    assert errors_s(played, found.notes).max() < 0.05
    assert found.quality
    assert (found.quality.verdict, found.quality.structure) == (Verdict.ACCEPT, ())


def test_how_loud_the_recording_is_does_not_matter(
    music: Music, score: Score, truth: NoteTable, result: Alignment
) -> None:
    soft = align(np.float32(0.02) * read_audio(music.recording), score, choose_soundfont()).notes
    np.testing.assert_allclose(errors_s(truth, soft), errors_s(truth, result.notes), atol=0.002)


def test_a_silent_recording_is_refused_with_a_plain_error(score: Score) -> None:
    with pytest.raises(AudioError, match="nothing to align"):
        align(np.zeros(5 * SAMPLE_RATE, np.float32), score, choose_soundfont())


def piano(folder: Path) -> Score:
    """Sixteen chords of four notes for piano, without octaves: a harmonic of a lower note hides a higher one."""
    notes = empty_notes(64)
    notes["onset_s"] = np.repeat(np.arange(16) * 0.8, 4)
    notes["offset_s"] = notes["onset_s"] + 0.6
    notes["pitch"] = np.concatenate([48 + 5 * chord % 7 + np.array([0, 3, 8, 13]) for chord in range(16)])
    notes["velocity"] = 80
    write_labels(folder / "piano.mid", sorted_by_onset(notes))
    return read_score(folder / "piano.mid")


def test_the_rolled_chords_of_a_pianist_are_resolved_to_their_notes(tmp_path: Path) -> None:
    score = piano(tmp_path)
    played = score.notes.copy()
    rolled = np.isin(played["onset_s"], np.unique(played["onset_s"])[[2, 5, 8, 10, 13]])
    played["onset_s"] += 0.4
    played["offset_s"] += 0.4
    for chord in np.flatnonzero(rolled).reshape(-1, 4):
        played["onset_s"][chord[np.argsort(played["pitch"][chord])]] += (np.arange(4) - 1.5) * ROLL_S
    audio = stand_in_recording(dataclasses.replace(score, notes=sorted_by_onset(played)), choose_soundfont(), 0)
    found_s = errors_s(played, align(audio, score, choose_soundfont()).notes)
    assert np.median(found_s) < 0.01
    # With one time for a chord, no note of these would be within 15 ms; a note may still be lost in a lower one.
    assert np.mean(found_s[rolled] < 0.015) > 0.6


def test_features_have_a_row_a_frame_and_silence_is_near_zero() -> None:
    audio = np.concatenate([np.zeros(2 * SAMPLE_RATE, np.float32), noise(2.0, 0.1)])
    coarse, fine = (
        coarse_features(semitone_spectra(audio, COARSE_HOP)),
        fine_features(semitone_spectra(audio, FINE_HOP), *FINE_PASSES[0]),
    )
    for features, hop in ((coarse, COARSE_HOP), (fine, FINE_HOP)):
        rows_a_second = SAMPLE_RATE // hop
        assert len(features) == pytest.approx(6 * rows_a_second, abs=10)  # a second of silence at both ends
        quiet, loud = features[: 2 * rows_a_second], features[round(3.5 * rows_a_second) : round(4.5 * rows_a_second)]
        assert np.linalg.norm(quiet, axis=1).max() < 0.1 * np.linalg.norm(loud, axis=1).mean()


def test_features_do_not_depend_on_the_level() -> None:
    audio = noise(2.0, 0.1)
    loud, soft = (
        coarse_features(semitone_spectra(gain * audio, COARSE_HOP)) for gain in (np.float32(1), np.float32(0.01))
    )
    np.testing.assert_allclose(loud, soft, atol=1e-3)
