"""Reading MIDI scores: right times, right instruments, nothing lost in silence."""

import io
from pathlib import Path

import mido
import numpy as np
import pytest
from bad_midi import (
    GOOD,
    HOPELESS,
    MENDED,
    XG_RESET,
    chunk,
    control,
    event,
    header,
    meta,
    midi,
    note,
    program,
    tempo,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from made_score import spans

from musicnet_build.errors import ScoreError
from musicnet_build.score.reader import PITCH_BEND, TimeSignature, read_score

# --- time


def test_a_tempo_change_in_the_last_track_moves_the_notes_of_the_first(read):
    score = read(midi(note(480, 480), tempo(480, 1_000_000)))
    assert score.notes["onset_s"] == 0.5
    assert score.notes["offset_s"] == 1.5
    assert score.duration_s == 1.5


def test_tempo_changes_of_several_tracks_take_effect_in_time_order(read):
    score = read(midi(tempo(960, 250_000), tempo(480, 1_000_000), note(480, 960)))
    assert (score.notes["onset_s"][0], score.notes["offset_s"][0]) == (0.5, 1.75)


def test_beats_count_quarter_notes_whatever_the_tempo(read):
    score = read(midi(tempo(0, 250_000) + note(96, 48), division=96))
    assert score.notes["onset_beats"] == 1.0
    assert score.notes["duration_beats"] == 0.5
    assert score.notes["onset_s"] == 0.25


def test_of_two_tempos_at_one_tick_the_later_counts(read):
    assert read(midi(tempo(0, 250_000) + tempo(0, 2_000_000) + note(0, 480))).duration_s == 2.0


def test_an_impossible_tempo_beside_a_good_one_is_passed_over(read):
    for tempos in (tempo(0, 0) + tempo(0, 250_000), tempo(0, 250_000) + meta(0, 0x51, b"\1")):
        score = read(midi(tempos + note(0, 480)))
        assert score.duration_s == 0.25
        assert "impossible tempo" in score.warnings[0]


@given(
    st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 2**24 - 1)), min_size=1, max_size=20),
    st.integers(1, 0x7FFF),
)
@settings(max_examples=40, deadline=None)
def test_times_agree_with_an_exact_sum_over_tempo_changes_and_the_map_inverts(tmp_path_factory, changes, division):
    path = tmp_path_factory.mktemp("t") / "a.mid"
    path.write_bytes(midi(b"".join(tempo(*change) for change in changes), note(120_000, 10), division=division))
    exact, tick, per_beat = 0, 0, 500_000
    for delta, microseconds in changes:
        exact, tick, per_beat = exact + delta * per_beat, tick + delta, microseconds
    exact += (120_000 - tick) * per_beat
    if exact / division > 80_000e6:
        return
    score = read_score(path)
    assert score.notes["onset_s"][0] == pytest.approx(exact / division / 1e6, rel=1e-12)
    beats = np.linspace(-5, 2 * score.notes["onset_beats"][0], 50)
    np.testing.assert_allclose(score.tempo_map.beats_at(score.tempo_map.seconds_at(beats)), beats, atol=1e-6)


def test_retimed_moves_notes_and_pedal_but_not_beats(read):
    score = read(midi(event(480, 0xB0, 64, 127) + note(0, 480)))
    moved = score.retimed(lambda t: 2 * t + 1)
    assert moved.notes["onset_s"] == 2.0
    assert moved.notes["offset_s"] == 3.0
    assert moved.controls["time_s"] == 2.0
    assert moved.notes["onset_beats"] == moved.controls["beats"] == 1.0
    assert score.notes["onset_s"] == 0.5, "the original must stay"


# --- parts and controls


def test_a_program_change_in_the_first_track_reaches_the_notes_of_the_second(read):
    score = read(midi(event(0, 0xC0, 40), meta(0, 3, b"Solo") + note(0, 480)))
    assert score.notes["program"] == 40
    assert (score.parts[0].name, score.parts[0].program) == ("Solo", 40)


def test_tracks_that_set_one_channel_at_the_same_tick_keep_their_own_instruments(read):
    score = read(midi(event(0, 0xC0, 40) + note(0, 480), event(0, 0xC0, 73) + note(0, 480, 72)))
    assert score.notes["program"].tolist() == [40, 73]


def test_a_program_change_in_mid_track_makes_a_new_part(read):
    score = read(midi(event(0, 0xC0, 40) + note(0, 480) + event(0, 0xC0, 45) + note(0, 480)))
    assert [part.program for part in score.parts] == [40, 45]
    assert score.notes["part"].tolist() == [0, 1]


def test_channel_10_is_drums_and_instrument_names_stand_in_for_track_names(read):
    score = read(midi(meta(0, 4, b"Kit\0") + note(0, 480, 36, channel=9), note(480, 480)))
    assert [(part.name, part.is_drum) for part in score.parts] == [("Kit", True), ("", False)]
    assert score.notes["is_drum"].tolist() == [True, False]


def test_drums_by_bank_select_have_a_part_of_their_own_and_are_told(read):
    score = read(midi(XG_RESET + program(0, 0, channel=4, bank=127) + note(0, 480, 36, channel=4) + note(0, 480)))
    assert score.notes["is_drum"].tolist() == [True, False]
    assert score.warnings == ("drums on channel 5, as the file's bank selects or rhythm-part messages say",)


def test_melody_on_channel_10_is_melody(read):
    score = read(midi(program(0, 40, channel=9, bank=121) + note(0, 480, channel=9)))
    assert (score.parts[0].program, score.parts[0].is_drum) == (40, False)
    assert "melody on channel 10" in score.warnings[0]


def test_a_coarse_tuning_is_in_the_pitches_and_told(read):
    tuned = control(0, 101, 0) + control(0, 100, 2) + control(0, 6, 76)
    score = read(midi(tuned + note(0, 480) + note(0, 480, 36, channel=9)))
    assert score.notes["pitch"].tolist() == [72, 36]
    assert "1 note shifted in pitch" in score.warnings[0]
    assert score.controls["number"].tolist() == [101, 100]


def test_ports_keep_instruments_on_the_same_channel_apart(read):
    second = meta(0, 0x21, b"\1") + event(0, 0xC0, 40) + event(0, 0xB0, 7, 50) + note(0, 480)
    score = read(midi(note(0, 480), second))
    assert score.notes["program"].tolist() == [0, 40]
    assert score.controls["part"].tolist() == [1]


def test_pedal_and_bend_from_another_track_reach_every_part_of_the_channel_in_order(read):
    controls = event(0, 0xB0, 101, 0) + event(0, 0xB0, 100, 0) + event(0, 0xB0, 6, 12) + event(0, 0xE0, 0x7F, 0x7F)
    score = read(midi(controls, note(0, 480), note(0, 480, 72), note(0, 480, 40, channel=1)))
    for part in (0, 1):
        mine = score.controls[score.controls["part"] == part]
        assert mine["number"].tolist() == [101, 100, 6, PITCH_BEND]
        assert mine["value"].tolist() == [0, 0, 12, 8191]
    assert len(score.controls) == 8
    assert np.all(np.diff(score.controls["time_s"]) >= 0)


def test_the_piece_is_named_after_its_first_track_else_its_file(read):
    assert read(midi(meta(0, 3, "Träumerei".encode("latin-1")) + note(0, 480))).name == "Träumerei"
    assert read(GOOD, "opus.mid").name == "opus"


def test_time_signatures_stand_at_their_beats(read):
    score = read(midi(meta(0, 0x58, b"\3\2\x18\x08") + meta(960, 0x58, b"\x0c\4\x18\x08"), note(0, 480)))
    assert score.time_signatures == (TimeSignature(0.0, 3, 4), TimeSignature(2.0, 12, 16))


# --- damage


@pytest.mark.parametrize("name", HOPELESS)
def test_a_hopeless_file_gives_one_sentence_that_names_it(read, name):
    data, words = HOPELESS[name]
    with pytest.raises(ScoreError, match=words) as caught:
        read(data)
    assert "piece.mid: " in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", MENDED)
def test_a_slightly_broken_file_is_read_right_and_says_so(read, name):
    data, words = MENDED[name]
    score = read(data)
    assert spans(score) == [(60, 0, 1), (60, 1, 2)]
    assert [words in warning for warning in score.warnings] == ([True] if words else [])


def test_missing_files_and_folders_are_score_errors(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.mid"):
        with pytest.raises(ScoreError, match="cannot be read"):
            read_score(path)


def test_many_programs_on_a_channel_of_many_controllers_are_read(read):
    """Each part needs the controllers that are heard in it, not all of its channel."""
    notes = b"".join(control(0, 11, i) + event(0, 0xC0, i) + note(0, 480) + control(0, 7, 1) * 140 for i in range(128))
    score = read(midi(notes))
    assert len(score.parts) == 128
    for part in (0, 100):
        mine = score.controls[score.controls["part"] == part]
        assert [row["value"] for row in mine if row["number"] == 11 and row["beats"] <= part][-1:] == [part]
    assert len(score.controls) < 128 * 500


def test_a_bomb_of_controllers_times_parts_is_refused(read):
    parts = b"".join(event(0, 0xC0, p) + note(0, 1) for p in range(128))
    with pytest.raises(ScoreError, match="controller changes"):
        read(midi(parts + event(0, 0xB0, 7, 1) * 70_000))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_garbled_files_never_raise_anything_but_score_error(tmp_path_factory, data):
    whole = bytearray(
        midi(tempo(0, 400_000) + meta(0, 3, b"A"), event(0, 0xC0, 40) + note(0, 480) * 3 + note(0, 9, 70))
    )
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4)
    ):
        whole[position] = value
    path = tmp_path_factory.getbasetemp() / "garbled.mid"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        score = read_score(path)
    except ScoreError:
        return
    assert len(score.notes) > 0
    assert np.all(score.notes["offset_s"] > score.notes["onset_s"])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 900), st.integers(1, 900), st.integers(0, 127), st.integers(1, 127), st.integers(0, 15)
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=40, deadline=None)
def test_files_that_mido_writes_are_read_note_by_note(tmp_path_factory, wanted):
    file = mido.MidiFile(type=1, ticks_per_beat=480)
    for delta, length, pitch, velocity, channel in wanted:
        on = mido.Message("note_on", note=pitch, velocity=velocity, channel=channel, time=delta)
        off = mido.Message("note_off", note=pitch, channel=channel, time=length)
        file.tracks.append(mido.MidiTrack([on, off]))
    path = tmp_path_factory.getbasetemp() / "mido.mid"
    buffer = io.BytesIO()
    file.save(file=buffer)
    path.write_bytes(buffer.getvalue())
    notes = read_score(path).notes
    ticks = np.stack([notes["onset_beats"] * 480, notes["duration_beats"] * 480, notes["pitch"], notes["velocity"]], 1)
    assert sorted(map(tuple, np.rint(ticks).astype(int).tolist())) == sorted(row[:4] for row in wanted)


def test_the_stated_track_count_may_be_too_small(read):
    score = read(header(1) + chunk(note(0, 480)) + chunk(note(480, 480)))
    assert len(score.notes) == 2
    assert "1 tracks" in score.warnings[0]
