"""Bytes to events: running status, ports, texts, and what is refused."""

import pytest
from bad_midi import event, meta, midi, note

from musicnet_build.score.midi_file import CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, FaultError, parse_midi


def test_every_kind_of_event_lands_at_its_tick() -> None:
    events = event(0, 0xC1, 40) + event(10, 0x91, 60, 64) + event(5, 62, 65) + event(5, 0x81, 60, 0)
    track = parse_midi(midi(events + event(1, 0xB1, 64, 127), division=96)).tracks[0]
    assert track.channel_events == [
        (0, PROGRAM, 0, 1, 40, 40),
        (10, NOTE_ON, 0, 1, 60, 64),
        (15, NOTE_ON, 0, 1, 62, 65),
        (20, NOTE_OFF, 0, 1, 60, 0),
        (21, CONTROL, 0, 1, 64, 127),
    ]


def test_running_status_goes_on_after_texts_and_system_messages() -> None:
    events = event(0, 0x90, 60, 64) + meta(0, 1, b"hi") + event(1, 62, 64) + b"\0\xf0\x02\x01\xf7" + event(1, 64, 64)
    track = parse_midi(midi(events)).tracks[0]
    assert [(tick, first) for tick, _, _, _, first, _ in track.channel_events] == [(0, 60), (1, 62), (2, 64)]


def test_a_port_holds_for_what_follows_in_its_track() -> None:
    first, second = parse_midi(midi(note(0, 1) + meta(0, 0x21, b"\2") + note(0, 1), note(0, 1))).tracks
    assert [port for _, _, port, *_ in first.channel_events] == [0, 0, 2, 2]
    assert [port for _, _, port, *_ in second.channel_events] == [0, 0]


def test_a_track_is_named_by_its_name_else_by_its_instrument() -> None:
    tracks = parse_midi(midi(meta(0, 4, b"Oboe") + meta(0, 3, b"Voice 1"), meta(0, 4, b"Oboe\0"), note(0, 1))).tracks
    assert [track.name for track in tracks] == ["Voice 1", "Oboe", ""]


def test_a_fault_says_where_it_is() -> None:
    with pytest.raises(FaultError, match="track 2 at byte"):
        parse_midi(midi(note(0, 1), event(0, 0x90, 60, 0x90)))
