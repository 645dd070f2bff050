"""Labels as MIDI where users of MusicNet-EM look for them."""

from pathlib import Path

import pretty_midi

from musicnet_build.corpora.layouts import find_recordings
from musicnet_build.labels.files import read_labels
from musicnet_build.packing.peers.musicnet_em import write_em


def test_every_recording_has_its_notes_and_instruments_in_both_places(dataset: Path, tmp_path: Path) -> None:
    folders = write_em(find_recordings(dataset), tmp_path)
    assert [folder.name for folder in folders] == ["musicnet_em", "test_labels_midi", "train_labels_midi"]
    assert (tmp_path / "test_labels_midi" / "3.mid").read_bytes() == (tmp_path / "musicnet_em" / "3.mid").read_bytes()
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "musicnet_em" / "1.mid"))
    labels = read_labels(dataset / "train_labels" / "1.csv")
    assert sum(len(instrument.notes) for instrument in midi.instruments) == len(labels)
    assert {instrument.program for instrument in midi.instruments} == set(labels["program"].tolist())
