"""Bytes to events: running status, ports, texts, and what is refused."""

import pytest
from bad_midi import END, GOOD, chunk, event, header, meta, midi, note

from musicnet_build.score.midi_file import CONTROL, MAX_FILE_BYTES, NOTE_OFF, NOTE_ON, PROGRAM, FaultError, parse_midi


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


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0WAVEfmt ", b"fLaC\0\0\0\x22", b"OggS\0\2", b"ID3\4\0"])
def test_a_recording_in_the_place_of_the_score_is_told_so(head: bytes) -> None:
    with pytest.raises(FaultError, match="is a sound file, not a score: give the recording first"):
        parse_midi(head + bytes(5 << 20))


# --- files in files, music behind the end


def riff(*chunks: tuple[bytes, bytes], padded: bool = True) -> bytes:
    body = b"RMID"
    for tag, content in chunks:
        body += tag + len(content).to_bytes(4, "little") + content + b"\0" * (padded and len(content) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


ODD = midi(note(0, 480) + meta(0, 1, b"x" * (len(midi(note(0, 480))) % 2)))


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize(
    "chunks",
    [
        [(b"data", GOOD)],
        [(b"data", ODD), (b"DLID", b"123")],
        [(b"LIST", b"INFOx"), (b"DISP", b"data"), (b"data", GOOD), (b"LIST", b"INFO")],
    ],
)
def test_the_midi_file_inside_a_riff_file_is_read(chunks: list[tuple[bytes, bytes]], padded: bool) -> None:
    parsed = parse_midi(riff(*chunks, padded=padded))
    assert parsed.tracks[0].channel_events == parse_midi(GOOD).tracks[0].channel_events
    assert parsed.warnings == []


def test_a_soundfont_beside_it_does_not_make_a_riff_file_too_large() -> None:
    assert parse_midi(riff((b"data", GOOD), (b"DLS ", bytes(MAX_FILE_BYTES)))).tracks


def test_a_riff_file_without_midi_is_refused() -> None:
    with pytest.raises(FaultError, match="without a MIDI file inside"):
        parse_midi(riff((b"LIST", b"INFO")))


def test_events_behind_the_end_of_a_track_are_read_up_to_its_stated_length() -> None:
    early = note(0, 480) + END + note(0, 480, 62) + END + note(240, 480, 64)
    parsed = parse_midi(midi(early, note(0, 480)))
    assert [(tick, pitch) for tick, kind, _, _, pitch, _ in parsed.tracks[0].channel_events if kind == NOTE_ON] == [
        (0, 60),
        (480, 62),
        (1200, 64),
    ]
    assert parsed.tracks[0].end_tick == 1680
    assert "behind its end-of-track" in parsed.warnings[0]


def test_what_makes_no_events_behind_the_end_is_left_out_whole_and_said() -> None:
    parsed = parse_midi(header(2) + chunk(note(0, 480) + END + note(0, 480, 62), end=b"\x00\x90\x3c") + chunk(b""))
    assert [event[4] for event in parsed.tracks[0].channel_events] == [60, 60]
    assert parsed.tracks[0].end_tick == 480
    assert "bytes behind the end-of-track event of track 1 were left out" in parsed.warnings[0]
