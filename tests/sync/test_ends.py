"""Tests of the ends of notes: a last chord ends with its sound, and notes of one voice keep their order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_score import made_score

from musicnet_build._typing import Features, Floats
from musicnet_build.corpora.musicnet import count_overlaps
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.features.onsets import HOP_S, OnsetSpectrograms
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, end_at_restrike
from musicnet_build.sync.ends import (
    LONGEST_HOLD,
    end_as_written,
    end_at_falls,
    end_last_chord,
    in_score_order,
    level_falls,
)
from musicnet_build.sync.passes import PADDING_FRAMES
from musicnet_build.sync.result import SyncResult

FRAME_S = 0.1


def chords(count: int = 20) -> NoteTable:
    """A note every second, each a second long."""
    notes = empty_notes(count)
    notes["onset_s"] = np.arange(count)
    notes["offset_s"] = notes["onset_s"] + 1.0
    notes["pitch"] = 60 + np.arange(count) % 3
    return notes


def result(sounding_s: float, behind: float) -> SyncResult:
    """A recording with tones up to a time, and noise or silence behind it."""
    random = np.random.default_rng(0)
    heard: Features = np.full((600, 88), behind, np.float32) * random.uniform(0.9, 1.1, (600, 88)).astype(np.float32)
    heard[: round(sounding_s / FRAME_S), [30, 34, 37]] = 0.5
    frames_s = np.arange(600) * FRAME_S
    ends_s = np.array([0.0, 60.0])
    return SyncResult(made_score([60]), None, TimeMap(ends_s, ends_s), heard, heard, frames_s, frames_s, ())


def last_end_s(sounding_s: float, mapped_end_s: float, behind: float = 0.1) -> float:
    """When a last note ends that begins at 38 s, at half the score's tempo, and is written to last 2 s there."""
    written, notes = chords(), chords()
    notes["onset_s"] *= 2
    notes["offset_s"] = notes["onset_s"] + 2.0
    notes["offset_s"][-1] = mapped_end_s
    return float(end_last_chord(notes, written, result(sounding_s, behind))["offset_s"][-1])


@pytest.mark.parametrize("behind", [0.0, 0.1])
def test_a_last_note_that_is_held_ends_when_it_is_heard_no_more(behind: float) -> None:
    assert last_end_s(41.2, 55.0, behind) == pytest.approx(41.2, abs=0.6)


def test_a_last_note_lasts_as_long_as_it_is_written_where_noise_covers_it() -> None:
    assert last_end_s(38.5, 55.0) == pytest.approx(40.0)


def test_a_last_note_lasts_no_longer_than_a_hold_where_music_goes_on_behind_it() -> None:
    assert last_end_s(60.0, 55.0) == pytest.approx(38.0 + 2.0 * LONGEST_HOLD)


def test_no_offset_becomes_later() -> None:
    assert last_end_s(60.0, 38.7) == pytest.approx(38.7)


def followed(written: NoteTable, later_s: float, ends_s: float) -> NoteTable:
    """Chord 8 begins when it should; the next one, and all behind it, later; and the map lays an end of 8 somewhere."""
    notes = written.copy()
    for field in ("onset_s", "offset_s"):
        notes[field] += np.where(notes[field] > 8.5, later_s, 0.0)
    notes["offset_s"][8] = ends_s
    return notes


def end_of_eighth_s(written: NoteTable, notes: NoteTable) -> float:
    return float(end_as_written(notes, written, notes["onset_s"])["offset_s"][8])


def test_a_note_before_a_rest_does_not_last_until_the_next_one() -> None:
    written = chords()
    written["offset_s"][8] = 8.3
    assert end_of_eighth_s(written, followed(written, 0.0, 8.95)) == pytest.approx(8.0 + LONGEST_HOLD * 0.3)


def test_a_held_note_does_not_last_through_the_breath_behind_it() -> None:
    written = chords()
    assert end_of_eighth_s(written, followed(written, 4.0, 13.0)) == pytest.approx(8.0 + LONGEST_HOLD)


def test_the_tempo_within_a_long_note_is_that_of_the_notes_beside_it() -> None:
    written = chords()
    written["offset_s"][2] = 12.0
    notes = followed(written, 4.0, 9.0)
    assert end_as_written(notes, written, notes["onset_s"])["offset_s"][2] == pytest.approx(16.0)


@given(st.floats(0.5, 1.9), st.floats(0.0, 1.0))
@settings(max_examples=30, deadline=None)
def test_notes_that_follow_each_other_keep_their_ends(tempo: float, late_s: float) -> None:
    written = chords()
    notes = followed(written, 0.0, 9.0)
    notes["onset_s"], notes["offset_s"] = notes["onset_s"] * tempo + late_s, notes["offset_s"] * tempo + late_s
    ended = end_as_written(notes, written, notes["onset_s"])
    np.testing.assert_array_equal(ended["offset_s"], notes["offset_s"])


def played(count: int = 60) -> tuple[NoteTable, Floats]:
    """Notes of half a second to a second, one every second, and when each of them really ends."""
    notes = chords(count)
    true_s = notes["onset_s"] + np.random.default_rng(1).uniform(0.5, 0.9, count)
    notes["offset_s"] = true_s + np.random.default_rng(2).normal(0.0, 0.05, count)
    return notes, true_s


def heard_falls(notes: NoteTable, true_s: Floats) -> dict[int, Features]:
    """What ``level_falls`` finds where the level of each note falls from 2 to 0 at its end."""
    frames = round((true_s.max() + 1) / HOP_S) + 2 * PADDING_FRAMES
    levels = np.zeros((frames, 112), np.float32)
    times_s = (np.arange(frames) - PADDING_FRAMES) * HOP_S
    for note, end_s in zip(notes, true_s, strict=True):
        sounding = (times_s >= note["onset_s"]) & (times_s < end_s)
        levels[sounding, note["pitch"] - 21] = 2.0
    return level_falls(OnsetSpectrograms(levels, levels, levels[:, 0]), notes)


def test_notes_end_where_their_level_falls() -> None:
    notes, true_s = played()
    found = end_at_falls(notes, heard_falls(notes, true_s))
    assert np.median(np.abs(notes["offset_s"] - true_s)) > 0.025
    assert np.median(np.abs(found["offset_s"] - true_s)) < 0.02


def test_falls_elsewhere_are_not_believed() -> None:
    notes, true_s = played()
    anywhere_s = true_s + np.random.default_rng(3).uniform(-0.35, 0.35, len(notes))
    found = end_at_falls(notes, heard_falls(notes, anywhere_s))
    np.testing.assert_array_equal(found["offset_s"], notes["offset_s"])


def test_each_instrument_is_believed_by_itself() -> None:
    notes, true_s = played(120)
    notes["program"][60:] = 40
    notes["pitch"][60:] += 12
    anywhere_s = true_s + np.where(notes["program"] == 0, np.random.default_rng(3).uniform(-0.35, 0.35, 120), 0.0)
    moved = end_at_falls(notes, heard_falls(notes, anywhere_s))["offset_s"] != notes["offset_s"]
    assert not moved[:60].any()
    assert moved[60:].all()


def test_short_notes_keep_the_ends_of_the_score() -> None:
    notes, true_s = played()
    notes["offset_s"][:30] = notes["onset_s"][:30] + 0.2
    moved = end_at_falls(notes, heard_falls(notes, true_s))["offset_s"] != notes["offset_s"]
    assert not moved[:30].any()
    assert moved[30:].all()


def test_where_nothing_is_heard_the_score_keeps_its_ends() -> None:
    notes, _ = played()
    for falls in ({}, {pitch: np.zeros(20_000, np.float32) for pitch in (60, 61, 62)}):
        np.testing.assert_array_equal(end_at_falls(notes, falls)["offset_s"], notes["offset_s"])


def test_notes_in_unison_end_together() -> None:
    notes, true_s = played()
    falls = heard_falls(notes, true_s)
    alone, together = end_at_falls(notes, falls), end_at_falls(np.repeat(notes, 2), falls)
    np.testing.assert_array_equal(together["offset_s"], np.repeat(alone["offset_s"], 2))


def test_a_fall_ends_no_note_behind_the_next_of_its_voice() -> None:
    notes, _ = played()
    notes["pitch"], notes["offset_s"] = 60, notes["onset_s"] + 0.98
    falls = heard_falls(notes, notes["onset_s"] + 1.2)
    found = end_at_falls(notes, falls)
    assert np.all(found["offset_s"][:-1] < notes["onset_s"][1:])


def test_a_note_on_its_own_keeps_its_end() -> None:
    notes = chords(1)
    np.testing.assert_array_equal(end_as_written(notes, notes, notes["onset_s"])["offset_s"], notes["offset_s"])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(60, 61), st.floats(0, 3)), min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_notes_of_a_voice_overlap_no_more_than_they_are_written(rows: list[tuple[int, int, float]]) -> None:
    written = empty_notes(len(rows))
    written["onset_s"], written["pitch"] = [row[0] for row in rows], [row[1] for row in rows]
    written["offset_s"] = written["onset_s"] + 1.0
    notes = written.copy()
    notes["onset_s"] = in_score_order(np.array([row[2] for row in rows]), written)
    notes["offset_s"] = 9.0
    notes = end_at_restrike(notes, by="program")
    notes["offset_s"] = np.maximum(notes["offset_s"], notes["onset_s"] + 1 / SAMPLE_RATE)
    assert count_overlaps(notes) <= count_overlaps(written)


def test_onsets_that_are_in_order_stay_where_they_are() -> None:
    notes = chords()
    np.testing.assert_array_equal(in_score_order(notes["onset_s"], notes), notes["onset_s"])
