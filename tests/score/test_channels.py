"""Which program a channel plays when."""

from bad_midi import event, midi, note

from musicnet_build.score.channels import Programs
from musicnet_build.score.midi_file import parse_midi


def test_a_program_holds_from_its_tick_on_in_every_track() -> None:
    programs = Programs(parse_midi(midi(event(480, 0xC0, 40) + event(480, 0xC0, 45), note(0, 480))).tracks)
    assert [programs.at(tick, (1, 0, 0)) for tick in (0, 479, 480, 959, 960)] == [0, 0, 40, 40, 45]
    assert programs.at(960, (1, 0, 1)) == 0, "another channel"


def test_tracks_that_set_a_channel_at_one_tick_keep_their_own_choice() -> None:
    programs = Programs(parse_midi(midi(event(0, 0xC0, 40), event(0, 0xC0, 73), note(0, 480))).tracks)
    assert [programs.at(0, (track, 0, 0)) for track in range(3)] == [40, 73, 73]
