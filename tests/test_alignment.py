"""Tests of the main job: labels lie where the notes are heard, whatever the player did, and stay in the recording."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from bad_midi import GOOD, event, midi, note
from conftest import Music
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicnet_build.alignment import RECIPES, align, mapped_notes
from musicnet_build.anchors import parse_anchors
from musicnet_build.audio.io import read_audio
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.errors import AlignmentError
from musicnet_build.generation.demo import onset_errors
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes
from musicnet_build.score.reader import Score, read_score
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

SAMPLE_S = 1 / SAMPLE_RATE


@pytest.fixture(scope="module")
def score(music: Music) -> Score:
    return read_score(music.score)


def rendered(score: Score) -> NDArray[np.float32]:
    return synthesize(score, choose_soundfont()).audio


def inner(notes: NoteTable) -> NDArray[np.bool_]:
    """Between the first and the last chord, which the paper's recipe stretches over silence."""
    beats = notes["onset_beats"]
    return np.asarray((beats > beats.min()) & (beats < beats.max()))


def score_of(data: bytes, folder: Path) -> Score:
    (folder / "score.mid").write_bytes(data)
    return read_score(folder / "score.mid")


@pytest.mark.parametrize("preset", RECIPES)
def test_a_score_aligned_to_its_own_rendering_keeps_its_times(score: Score, preset: str) -> None:
    notes = align(rendered(score), score, choose_soundfont(), preset=preset).notes
    errors_s = np.abs(onset_errors(score.notes, notes))
    assert np.median(errors_s) < 0.006
    assert np.mean(errors_s < 0.025) > 0.98


@pytest.mark.parametrize("preset", RECIPES)
def test_a_performance_is_followed(music: Music, score: Score, preset: str) -> None:
    truth = read_labels(music.truth)
    notes = align(read_audio(music.recording), score, choose_soundfont(), preset=preset).notes
    errors_s = np.abs(onset_errors(truth, notes))[inner(truth)]
    assert np.median(errors_s) < 0.015
    assert np.mean(errors_s < 0.05) > 0.97


def test_a_slow_performance_is_told_by_its_tempo_and_a_late_one_by_its_offset(score: Score) -> None:
    slow = rendered(score.retimed(lambda times_s: 1.5 * np.asarray(times_s) + 0.4))
    result = align(slow, score, choose_soundfont())
    assert result.tempo_ratio == pytest.approx(1 / 1.5, rel=0.06)
    assert 0.0 <= result.offset_s < 0.6
    errors_s = onset_errors(score.notes, result.notes) - (0.5 * score.notes["onset_s"] + 0.4)
    assert np.mean(np.abs(errors_s[inner(score.notes)]) < 0.05) > 0.85


def test_the_louder_half_of_a_recording_does_not_draw_notes_to_it(score: Score) -> None:
    audio = rendered(score)
    fading = (audio * np.linspace(1, 0.3, len(audio))).astype(np.float32)
    errors_s = np.abs(onset_errors(score.notes, align(fading, score, choose_soundfont()).notes))
    assert np.mean(errors_s < 0.05) > 0.95


def test_loudness_written_in_the_score_does_not_matter(score: Score) -> None:
    loud = dataclasses.replace(score, notes=score.notes.copy())
    loud.notes["velocity"] = 127
    errors_s = np.abs(onset_errors(score.notes, align(rendered(loud), score, choose_soundfont()).notes))
    assert np.mean(errors_s < 0.05) > 0.95


def test_two_runs_give_the_same_labels(music: Music, score: Score) -> None:
    audio = read_audio(music.recording)
    first, second = (align(audio, score, choose_soundfont()).notes for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_every_label_keeps_what_the_score_says_of_the_note(music: Music, score: Score) -> None:
    notes = align(read_audio(music.recording), score, choose_soundfont()).notes
    fields = ["pitch", "program", "velocity", "part", "onset_beats", "duration_beats"]
    ours, theirs = (np.sort(table[fields], order=fields) for table in (notes, score.notes))
    np.testing.assert_array_equal(ours, theirs)
    assert np.all(np.diff(notes["onset_s"]) >= 0)


def test_drums_are_played_but_not_labelled_and_are_counted(tmp_path: Path) -> None:
    drums = note(0, 240, 36, channel=9) * 4
    score = score_of(midi(note(0, 480) + note(0, 480, 64), drums), tmp_path)
    result = align(rendered(score), score, choose_soundfont())
    assert result.drum_notes == 4
    assert result.notes["pitch"].tolist() == [60, 64]


def test_a_score_of_drums_alone_is_refused(tmp_path: Path) -> None:
    score = score_of(midi(note(0, 240, 36, channel=9)), tmp_path)
    with pytest.raises(AlignmentError, match="drums"):
        align(np.ones(SAMPLE_RATE, np.float32), score, choose_soundfont())


def test_an_unknown_preset_is_answered_with_those_there_are(score: Score) -> None:
    with pytest.raises(AlignmentError, match="musicnet"):
        align(np.ones(SAMPLE_RATE, np.float32), score, choose_soundfont(), preset="fastest")


def test_an_anchor_behind_the_end_of_the_recording_is_refused(music: Music, score: Score) -> None:
    options = Options(anchors=parse_anchors("1000=1"))
    with pytest.raises(AlignmentError, match="behind the end of the recording"):
        align(read_audio(music.recording), score, choose_soundfont(), options=options)


def test_one_note_in_a_short_recording_is_labelled(tmp_path: Path) -> None:
    score = score_of(GOOD, tmp_path)
    audio = rendered(score)[: SAMPLE_RATE // 4]
    (only,) = align(audio, score, choose_soundfont()).notes
    assert 0 <= only["onset_s"] < only["offset_s"] <= 0.25


def test_notes_lost_in_the_score_are_among_the_warnings(tmp_path: Path) -> None:
    score = score_of(midi(note(0, 480) + event(0, 0x90, 64, 64)), tmp_path)
    result = align(rendered(score), score, choose_soundfont())
    assert set(score.warnings) <= set(result.warnings)
    assert score.warnings


def test_stages_are_told_in_order_and_reach_their_end(score: Score) -> None:
    told: list[tuple[str, float]] = []
    align(rendered(score), score, choose_soundfont(), progress=lambda stage, done: told.append((stage, done)))
    assert len({stage for stage, _ in told}) >= 2
    assert all(0 <= done <= 1 for _, done in told)
    assert told[-1][1] == 1.0


def notes_at(onsets: list[float], lengths: list[float]) -> NoteTable:
    notes = empty_notes(len(onsets))
    notes["onset_s"] = onsets
    notes["offset_s"] = np.add(onsets, lengths)
    return notes


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.001, 20)), min_size=1, max_size=20),
    st.floats(-20, 20),
    st.floats(0.1, 4),
)
def test_every_label_lies_inside_the_recording_and_lasts(
    times: list[tuple[float, float]], shift_s: float, slope: float
) -> None:
    notes = notes_at(*map(list, zip(*times, strict=True)))
    time_map = TimeMap(np.array([0.0, 50.0]), np.array([0.0, 50.0 * slope]) + shift_s)
    labels = mapped_notes(notes, time_map, 10.0)
    assert np.all(labels["onset_s"] >= 0)
    assert np.all(labels["offset_s"] <= 10.0)
    assert np.all(labels["offset_s"] - labels["onset_s"] >= SAMPLE_S * 0.999)


def test_notes_go_through_the_map_and_leave_the_score_as_it_was(score: Score) -> None:
    before = score.notes.tobytes()
    labels = mapped_notes(score.notes, TimeMap(np.array([0.0]), np.array([2.0])), 1000.0)
    np.testing.assert_allclose(labels["onset_s"], score.notes["onset_s"] + 2.0)
    np.testing.assert_allclose(labels["offset_s"], score.notes["offset_s"] + 2.0)
    assert score.notes.tobytes() == before
