"""Note-ons and note-offs to notes: nothing lost in silence."""

import itertools

import pytest
from bad_midi import GM_RESET, control, event, meta, midi, note
from hypothesis import given, settings
from hypothesis import strategies as st
from made_score import spans

from musicnet_build.score.midi_file import parse_midi
from musicnet_build.score.model import GuessedOffsets, LostNotes
from musicnet_build.score.pairing import pair_notes


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


def test_a_note_that_begins_as_its_track_ends_is_lost_and_counted(read):
    score = read(midi(note(0, 480) + event(0, 0x90, 72, 64)))
    assert spans(score) == [(60, 0, 1)]
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


# --- overlaps


def strikes(*spans: tuple[int, int], pitch: int = 60) -> bytes:
    """Notes of one pitch from tick to tick, in one track; note-offs come before note-ons of their tick."""
    rows = sorted([(on, 1, 0x90, 64) for on, _ in spans] + [(off, 0, 0x80, 0) for _, off in spans])
    ticks = [row[0] for row in rows]
    deltas = [b - a for a, b in zip([0, *ticks], ticks, strict=False)]
    return b"".join(event(d, s, pitch, v) for d, (_, _, s, v) in zip(deltas, rows, strict=True))


@pytest.mark.parametrize("length", [485, 500, 530, 600, 620])
def test_repeated_notes_that_overlap_end_at_the_next_strike_and_the_last_at_its_own_end(read, length):
    score = read(midi(strikes(*((480 * i, 480 * i + length) for i in range(6)))))
    assert spans(score) == [(60, i, i + 1) for i in range(5)] + [(60, 5, 5 + length / 480)]
    assert score.guessed.total == score.lost.total == 0
    assert "5 notes overlapping" in score.warnings[0]


def test_legato_goes_on_when_the_last_note_is_held(read):
    whole = strikes(*((480 * i, 480 * i + 500) for i in range(6)))
    score = read(midi(whole[:-5] + meta(460, 1)))
    assert spans(score) == [(60, i, i + 1) for i in range(6)]
    assert (score.guessed.held, score.guessed.cut) == (1, 0)


def test_a_short_note_inside_a_long_one_keeps_its_own_end(read):
    plain = [(480 * i, 480 * i + 470) for i in range(4, 12)]
    score = read(midi(strikes((0, 1900), (960, 1431), *plain)))
    assert spans(score)[:2] == [(60, 0, 2), (60, 2, 1431 / 480)]
    assert score.guessed.cut == 1


def test_a_missing_note_off_does_not_shift_those_that_follow(read):
    whole = strikes(*((480 * i, 480 * i + 400) for i in range(8)))
    score = read(midi(whole.replace(event(400, 0x80, 60, 0) + event(80, 0x90, 60, 64), event(480, 0x90, 60, 64), 1)))
    assert spans(score) == [(60, 0, 1)] + [(60, i, i + 400 / 480) for i in range(1, 8)]
    assert score.guessed.total == 1


# --- ends that are no note-off of the own track


@pytest.mark.parametrize("number", [120, 123, 124, 125, 126, 127])
def test_all_notes_of_a_channel_end_at_its_mode_messages(read, number):
    events = event(0, 0x90, 60, 64) + event(0, 0x90, 64, 64) + event(480, 0xB0, number, 0)
    score = read(midi(events + event(0, 0x90, 67, 64) + event(480, 0xB0, number, 0)))
    assert spans(score) == [(60, 0, 1), (64, 0, 1), (67, 1, 2)]
    assert score.guessed.total == score.lost.total == 0


def test_the_end_of_all_notes_counts_for_every_track_of_the_channel_and_for_no_other(read):
    events = meta(480, 1) + event(0, 0xB0, 123, 0)
    held = event(0, 0x90, 60, 64) + event(960, 0x80, 60, 0)
    score = read(midi(held, held.replace(b"\x90", b"\x91").replace(b"\x80", b"\x81"), events))
    assert spans(score) == [(60, 0, 1), (60, 0, 2)]


def test_the_pedal_does_not_hold_what_all_sound_off_ends(read):
    score = read(midi(event(0, 0xB0, 64, 127) + event(0, 0x90, 60, 64) + event(480, 0xB0, 120, 0) + meta(960, 1)))
    assert spans(score) == [(60, 0, 1)]


def test_a_reset_ends_what_sounds(read):
    score = read(midi(event(0, 0x90, 60, 64) + meta(480, 1) + GM_RESET + note(480, 480)))
    assert spans(score) == [(60, 0, 1), (60, 2, 3)]


def test_note_offs_may_stand_in_another_track(read):
    offs = event(480, 0x80, 60, 0) + event(960, 0x80, 60, 0)
    score = read(midi(event(0, 0x90, 60, 64) + event(960, 0x90, 60, 64), offs))
    assert spans(score) == [(60, 0, 1), (60, 2, 3)]
    assert score.guessed.total == 0


def test_a_note_off_of_another_track_is_used_where_the_own_is_missing_and_only_there(read):
    own = event(0, 0x90, 60, 64) + event(960, 0x90, 60, 64) + event(480, 0x80, 60, 0)
    assert spans(read(midi(own, event(480, 0x80, 60, 0)))) == [(60, 0, 1), (60, 2, 3)]
    assert spans(read(midi(note(0, 960), event(480, 0x80, 60, 0)))) == [(60, 0, 2)]


def test_what_is_held_ends_with_its_track_and_is_counted(read):
    score = read(midi(note(0, 480) + event(0, 0x90, 72, 64) + event(0, 0x90, 76, 64) + meta(960, 1)))
    assert spans(score) == [(60, 0, 1), (72, 1, 3), (76, 1, 3)]
    assert score.guessed == GuessedOffsets(held=2)
    assert score.uncertain_share == pytest.approx(2 / 3)
    assert "2 notes without a note-off: held to the end" in score.warnings[0]


def test_notes_shifted_out_of_midi_are_counted(read):
    shift = control(0, 101, 0) + control(0, 100, 2) + control(0, 6, 88)
    score = read(midi(shift + note(0, 480, 100) + note(0, 480, 120)))
    assert spans(score) == [(124, 0, 1)]
    assert score.lost == LostNotes(out_of_range=1)


# --- all the rest of MIDI


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2]), st.integers(0, 2), st.sampled_from([60, 61])),
        max_size=40,
    )
)
@settings(max_examples=150, deadline=None)
def test_every_strike_is_a_note_or_counted_and_no_track_strikes_a_sounding_key(events):
    tracks = [b"", b"", b""]
    waiting = [0, 0, 0]
    for delta, kind, t, pitch in events:
        waiting = [w + 120 * delta for w in waiting]
        status = (event(waiting[t], 0x90, pitch, 64), event(waiting[t], 0x80, pitch, 0), control(waiting[t], 123, 0))
        tracks[t] += status[kind]
        waiting[t] = 0
    parsed = parse_midi(midi(*(track + meta(w, 1) for track, w in zip(tracks, waiting, strict=True)))).tracks
    paired, _ = pair_notes(parsed)
    assert len(paired.notes) + paired.lost.total == sum(kind == 0 for _, kind, _, _ in events)
    assert all(on < off for on, off, *_ in paired.notes)
    for key in {(part, pitch) for _, _, pitch, _, part in paired.notes}:
        own = sorted(n[:2] for n in paired.notes if (n[4], n[2]) == key)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(own))
