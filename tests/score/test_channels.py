"""What each channel plays when: programs, drums, shifted keys."""

import pytest
from bad_midi import (
    GM2_RESET,
    GM_RESET,
    GS_RESET,
    XG_RESET,
    control,
    event,
    gs,
    meta,
    midi,
    note,
    program,
    sysex,
    xg,
)

from musicnet_build.score.channels import Channels, Patch
from musicnet_build.score.midi_file import parse_midi

LATER = meta(480, 1, b"later")


def channels(*tracks: bytes) -> Channels:
    return Channels(parse_midi(midi(*tracks)).tracks)


def drums(*tracks: bytes) -> list[int]:
    """The channels (1 to 16) that play drums at tick 960."""
    read = channels(*tracks)
    return [index + 1 for index in range(16) if read.patch_at(960, (0, 0, index))[0].is_drum]


def shift(*tracks: bytes, channel: int = 0, tick: int = 960) -> int:
    return channels(*tracks).patch_at(tick, (0, 0, channel))[0].shift


# --- programs


def test_a_program_holds_from_its_tick_on_in_every_track() -> None:
    read = channels(program(480, 40) + program(480, 45), note(0, 480))
    found = [read.patch_at(tick, (1, 0, 0)) for tick in (0, 479, 480, 959, 960)]
    assert [patch.program for patch, _ in found] == [0, 0, 40, 40, 45]
    assert [until for _, until in found][:4] == [480, 480, 960, 960]
    assert read.patch_at(960, (1, 0, 1))[0] == Patch(0, False, 0), "another channel"


def test_tracks_that_set_a_channel_at_one_tick_keep_their_own_choice() -> None:
    read = channels(program(0, 40), program(0, 73), note(0, 480))
    assert [read.patch_at(0, (track, 0, 0))[0].program for track in range(3)] == [40, 73, 73]


def test_a_reset_wipes_programs_out_but_not_those_that_another_track_sets_with_it() -> None:
    assert channels(program(0, 40), LATER + GM_RESET).patch_at(480, (0, 0, 0))[0].program == 0
    assert channels(program(0, 40), GM_RESET).patch_at(480, (0, 0, 0))[0].program == 40
    assert channels(program(0, 40) + GM_RESET).patch_at(480, (0, 0, 0))[0].program == 0


# --- drums


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (b"", [10]),
        (program(0, 0, channel=4, bank=127), [5, 10]),
        (program(0, 0, channel=4, bank=126) + program(0, 8, channel=15, bank=127), [5, 10, 16]),
        (program(0, 0, channel=4, bank=120), [5, 10]),
        (program(0, 40, channel=9, bank=121), []),
        (program(0, 40, channel=9, bank=0), [10]),
        (program(0, 0, channel=4, bank=127) + program(0, 0, channel=4, bank=0), [10]),
        (control(0, 0, 127, channel=4), [10]),
        (GM_RESET + program(0, 0, channel=4, bank=127), [5, 10]),
        (GM2_RESET + program(0, 0, channel=4, bank=120) + program(0, 0, channel=9, bank=121), [5]),
        (XG_RESET + program(0, 0, channel=4, bank=127), [5, 10]),
        (XG_RESET + program(0, 40, channel=9, bank=0), []),
        (XG_RESET + program(0, 0, channel=9), [10]),
        (XG_RESET + xg(0x080B07, 2), [10, 12]),
        (XG_RESET + xg(0x080907, 0) + program(0, 0, channel=9), []),
        (XG_RESET + xg(0x080401, 127, 0, 0), [5, 10]),
        (GS_RESET + program(0, 0, channel=4, bank=127), [10]),
        (gs(0x401115, 1), [1, 10]),
        (gs(0x401A15, 2) + program(0, 0, channel=10, bank=0), [10, 11]),
        (gs(0x401015, 0) + program(0, 40, channel=9), []),
        (gs(0x401A15, 2) + gs(0x401A15, 0), [10]),
        (gs(0x401A15, 2) + gs(0x401015, 0) + GS_RESET, [10]),
        (gs(0x401A15, 2) + LATER + GM_RESET, [10]),
        (gs(0x401A15, 2) + LATER + XG_RESET, [10]),
    ],
)
def test_bank_selects_and_messages_say_which_channels_play_drums(events: bytes, wanted: list[int]) -> None:
    assert drums(events) == wanted


def test_what_says_drums_in_one_track_holds_for_the_notes_of_another() -> None:
    read = channels(gs(0x401A15, 1), program(0, 5, channel=10) + note(0, 480, 36, channel=10))
    assert read.patch_at(0, (1, 0, 10))[0] == Patch(5, True, 0)


def test_a_message_in_pieces_is_one_message() -> None:
    whole = gs(0x401A15, 2)
    body = whole[3:]  # after delta, F0 and length
    pieces = b"\0\xf0\x05" + body[:5] + b"\x0a\xf7" + bytes([len(body) - 5]) + body[5:]
    escaped = b"\0\xf7" + bytes([len(body) + 1]) + b"\xf0" + body
    assert drums(pieces) == drums(escaped) == drums(whole) == [10, 11]


# --- shifted keys

COARSE = control(0, 101, 0) + control(0, 100, 2)
NULL = control(0, 101, 127) + control(0, 100, 127)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (COARSE + control(0, 6, 76), 12),
        (COARSE + control(0, 6, 76) + NULL + control(0, 6, 2), 12),
        (COARSE + control(0, 6, 64) + control(0, 96, 0) + control(0, 96, 0) + control(0, 97, 0), 1),
        (NULL + control(0, 6, 76), 0),
        (COARSE + control(0, 99, 1) + control(0, 98, 8) + control(0, 6, 76), 0),
        (COARSE + control(0, 121, 0) + control(0, 6, 76), 0),
        (control(0, 101, 0) + control(0, 100, 0) + control(0, 6, 12), 0),
        (COARSE + control(0, 6, 76) + LATER + GM_RESET, 0),
        (sysex(0, 0x7F, 0x7F, 4, 4, 0, 0x3D), -3),
        (gs(0x401116, 0x4C), 12),
        (gs(0x401116, 0x4C) + gs(0x400005, 0x3F), 11),
        (gs(0x401116, 0x4C) + LATER + GS_RESET, 0),
        (xg(0x080008, 0x34), -12),
        (xg(0x000006, 0x45) + COARSE + control(0, 6, 62), 3),
        (xg(0x080008, 0x34) + LATER + XG_RESET, 0),
    ],
)
def test_coarse_tuning_and_key_shifts_add_up(events: bytes, wanted: int) -> None:
    assert shift(events) == wanted


def test_a_shift_holds_for_its_channel_and_from_its_tick_on() -> None:
    events = LATER + COARSE + control(0, 6, 60)
    assert [shift(events, tick=tick) for tick in (0, 479, 480)] == [0, 0, -4]
    assert shift(events, channel=1) == 0


def test_drums_are_not_shifted() -> None:
    assert shift(gs(0x400005, 0x45), channel=9) == 0
    assert shift(gs(0x400005, 0x45), channel=0) == 5


def test_a_shift_that_stands_in_the_pitches_is_not_played_once_more() -> None:
    fine = control(0, 100, 1) + control(0, 6, 70)
    read = channels(COARSE + control(0, 6, 76) + fine + NULL)
    assert [(c.number, c.value) for c in read.controls if c.number == 6] == [(6, 70)]
    assert not read.mistuned((0, 0))


def test_a_fine_tuning_of_more_than_a_quarter_tone_is_noticed() -> None:
    assert channels(control(0, 101, 0) + control(0, 100, 1) + control(0, 6, 0)).mistuned((0, 0))
    assert channels(sysex(0, 0x7F, 0x7F, 4, 3, 0, 0)).mistuned((0, 3))


# --- ends of all notes


def test_notes_end_at_controllers_of_their_channel_and_at_resets() -> None:
    read = channels(control(10, 120, 0) + control(10, 123, 0, channel=3), meta(30, 1, b"x") + GS_RESET)
    assert read.note_ends[0, 0] == [10, 30]
    assert read.note_ends[0, 3] == [20, 30]
    assert read.note_ends[0, 5] == [30]


def test_ports_are_devices_of_their_own() -> None:
    read = channels(note(0, 1), meta(0, 0x21, b"\1") + gs(0x401015, 0) + event(0, 0xC9, 40))
    assert read.patch_at(0, (0, 0, 9))[0] == Patch(0, True, 0)
    assert read.patch_at(0, (1, 1, 9))[0] == Patch(40, False, 0)
