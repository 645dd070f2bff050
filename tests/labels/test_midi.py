"""MIDI labels, as other programs read them."""

import warnings

import mido
import numpy as np
import pretty_midi
import pytest
from bad_midi import event, midi, note
from label_notes import label_notes, one_note

from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.labels.midi import to_pretty_midi


def test_pretty_midi_reads_the_aligned_midi_right(tmp_path):
    rows = [(i * 100, 90, 40 + i, 1 + i, i % 20, i % 20, 0, None) for i in range(60)]
    notes = np.concatenate([label_notes(rows), one_note(is_drum=True, pitch=36, program=0)])
    write_labels(tmp_path / "a.mid", notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    got = sorted(
        (round(n.start, 3), round(n.end, 3), n.pitch, n.velocity, int(i.program), i.is_drum)
        for i in read.instruments
        for n in i.notes
    )
    fields = ("pitch", "velocity", "program", "is_drum")
    assert got == sorted((round(n["onset_s"], 3), round(n["offset_s"], 3), *(n[f] for f in fields)) for n in notes)


def test_a_piano_recording_is_two_tracks_with_the_tempo_first(tmp_path):
    write_labels(tmp_path / "a.mid", label_notes([(0, 100, 60, 64, 0, 0, 0, None), (50, 100, 64, 64, 0, 0, 0, None)]))
    file = mido.MidiFile(tmp_path / "a.mid")
    assert (file.type, len(file.tracks), file.tracks[0][0].type) == (1, 2, "set_tempo")


def test_midi_keeps_two_violins_in_unison_though_their_parts_are_unknown(tmp_path):
    violins = label_notes([(0, 2000, 60, 64, 40, 0, 0, None), (1000, 500, 60, 64, 40, 0, 0, None)])
    write_labels(tmp_path / "a.mid", violins)
    assert read_labels(tmp_path / "a.mid")["offset_s"].tolist() == [2.0, 1.5]


def test_an_instrument_has_one_channel_however_many_tracks_its_unisons_need(tmp_path):
    unisons = [(0, 1000 + k, 60, 64, program, 0, 0, None) for program in (40, 56) for k in range(9)]
    write_labels(tmp_path / "a.mid", label_notes(unisons))
    changes = [m for track in mido.MidiFile(tmp_path / "a.mid").tracks for m in track if m.type == "program_change"]
    assert len(changes) == 18
    assert len({(change.channel, change.program) for change in changes}) == 2


def test_labels_can_be_had_as_a_pretty_midi_object():
    held = to_pretty_midi(np.concatenate([one_note(), one_note(pitch=36, is_drum=True, program=0)]))
    assert [(each.name, each.is_drum) for each in held.instruments] == [("drums", True), ("violin", False)]
    assert [(n.start, n.end, n.pitch, n.velocity) for n in held.instruments[1].notes] == [(1.0, 1.5, 60, 64)]
    assert held.get_tempo_changes()[1].tolist() == [120.0]


def test_midi_of_more_programs_than_channels_keeps_them_all(tmp_path):
    write_labels(tmp_path / "a.mid", label_notes([(p * 10, 500, 60, 64, p, 0, 0, None) for p in range(128)]))
    assert read_labels(tmp_path / "a.mid")["program"].tolist() == list(range(128))


def test_midi_of_two_hours_opens_in_pretty_midi(tmp_path):
    write_labels(tmp_path / "a.mid", one_note(onset_s=7200.0, offset_s=7201.0))
    assert pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).get_onsets()[0] == pytest.approx(7200, abs=1e-3)


def test_notes_lost_in_a_midi_label_file_are_announced(tmp_path):
    (tmp_path / "a.mid").write_bytes(midi(note(0, 480) + event(0, 0x90, 72, 64)))
    with pytest.warns(UserWarning, match="1 note without a note-off"):
        assert len(read_labels(tmp_path / "a.mid")) == 1
