"""Note-ons and note-offs to notes: nothing lost in silence."""

import pytest
from bad_midi import event, meta, midi, note
from made_score import spans

from musicnet_build.score.model import LostNotes


def test_note_on_with_velocity_0_and_running_status_end_notes(read):
    data = event(0, 0x90, 60, 64) + event(480, 60, 0) + event(0, 62, 64) + meta(1, 1, b"hi") + event(479, 62, 0)
    assert spans(read(midi(data))) == [(60, 0, 1), (62, 1, 2)]


def test_a_key_struck_again_ends_at_the_new_strike_with_a_warning(read):
    data = event(0, 0x90, 60, 64) + event(480, 0x90, 60, 64) + event(480, 0x80, 60, 0) + event(480, 0x80, 60, 0)
    score = read(midi(data))
    assert spans(score) == [(60, 0, 1), (60, 1, 2)]
    assert "struck again" in score.warnings[0]


def test_a_note_off_written_after_the_next_strike_at_the_same_tick_ends_the_old_note(read):
    data = event(0, 0x90, 60, 64) + event(480, 0x90, 60, 64) + event(0, 0x80, 60, 0) + event(960, 0x80, 60, 0)
    score = read(midi(data))
    assert spans(score) == [(60, 0, 1), (60, 1, 3)]
    assert not score.warnings


def test_unison_tracks_on_one_channel_keep_their_own_notes(read):
    assert spans(read(midi(note(0, 960), note(480, 960)))) == [(60, 0, 2), (60, 1, 3)]


def test_a_note_without_note_off_is_counted_and_not_invented(read):
    score = read(midi(note(0, 480) + event(0, 0x90, 72, 64) + note(480, 480)))
    assert spans(score) == [(60, 0, 1), (60, 2, 3)]
    assert score.lost == LostNotes(no_offset=1)
    assert score.warnings == ("1 note without a note-off left out",)


def test_notes_of_no_length_are_counted(read):
    score = read(midi(note(0, 480) + note(0, 0, 72)))
    assert score.lost == LostNotes(zero_length=1)
    assert len(score.notes) == score.lost.total == 1
    assert "no length" in score.warnings[0]


@pytest.mark.parametrize("first", [event(0, 0x90, 60, 64), note(0, 0)], ids=["on on", "on off on"])
def test_a_unison_within_one_track_is_one_note_and_counted(read, first):
    score = read(midi(first + note(0, 480)))
    assert spans(score) == [(60, 0, 1)]
    assert score.lost == LostNotes(doubled=1)


def test_the_sustain_pedal_leaves_written_lengths_alone(read):
    score = read(midi(event(0, 0xB0, 64, 127) + note(0, 480) + event(960, 0xB0, 64, 0)))
    assert spans(score) == [(60, 0, 1)]
    assert score.controls["value"].tolist() == [127, 0]
