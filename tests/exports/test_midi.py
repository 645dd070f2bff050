"""MIDI whose bar lines lie on the music, and the score as it was played."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from laid_score import laid
from made_score import made_score, spans

from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.errors import LabelError
from musicnet_build.exports.midi import LONGEST_BEAT_S, score_midi, tempo_mapped_midi
from musicnet_build.exports.performed import PerformedScore, performed_score
from musicnet_build.score.model import Measures, Score
from musicnet_build.score.reader import read_score

RUBATO_S = np.cumsum([0.9, 0.5, 0.45, 0.7, 1.4, 0.52, 0.48, 0.31, 0.9, 0.6, 0.5, 0.7, 2.5])


def with_rubato(score: Score, starts_s: float = 0.9) -> PerformedScore:
    beats_s = score.tempo_map.seconds_at(np.arange(13.0))
    return performed_score(laid(score, map_=TimeMap(beats_s, RUBATO_S - 0.9 + starts_s)), score)


def loaded(data: bytes, folder: Path) -> pretty_midi.PrettyMIDI:
    (folder / "x.mid").write_bytes(data)
    return pretty_midi.PrettyMIDI(str(folder / "x.mid"))


@pytest.mark.parametrize("starts_s", [0.9, 0.02, 90.0])
def test_bar_lines_lie_on_the_music_and_notes_sound_when_they_are_heard(tmp_path: Path, starts_s: float) -> None:
    performed = with_rubato(made_score(list(range(60, 72))), starts_s)
    midi = loaded(tempo_mapped_midi(performed), tmp_path)
    bars_s = performed.recording_at(performed.measures.starts_beats)
    downbeats_s = midi.get_downbeats()
    nearest = np.abs(downbeats_s[:, None] - bars_s).min(axis=0)
    assert nearest.max() < 0.001
    heard = [(note.pitch, note.start, note.end) for note in midi.instruments[0].notes]
    wanted = performed.notes[["pitch", "onset_s", "offset_s"]].tolist()
    np.testing.assert_allclose(heard, wanted, atol=0.002)


def test_an_upbeat_is_the_end_of_the_first_measure(tmp_path: Path) -> None:
    measures = Measures(np.array([0.0, 1.0, 5.0, 9.0]), ("0", "1", "2", "3"), np.arange(4))
    performed = with_rubato(replace(made_score(list(range(60, 72))), measures=measures))
    midi = loaded(tempo_mapped_midi(performed), tmp_path)
    assert [(s.numerator, s.denominator) for s in midi.time_signature_changes] == [(4, 4)]
    np.testing.assert_allclose(midi.get_downbeats()[1:4], performed.recording_at([1.0, 5.0, 9.0]), atol=0.001)


def test_a_measure_of_another_length_has_a_time_signature_of_its_own(tmp_path: Path) -> None:
    measures = Measures(np.array([0.0, 4.0, 6.5, 10.5]), ("1", "2", "3", "4"), np.arange(4))
    performed = with_rubato(replace(made_score(list(range(60, 72))), measures=measures))
    midi = loaded(tempo_mapped_midi(performed), tmp_path)
    assert [(s.numerator, s.denominator) for s in midi.time_signature_changes] == [(4, 4), (5, 8), (4, 4)]


def test_music_that_begins_before_the_recording_keeps_its_later_bar_lines(tmp_path: Path) -> None:
    performed = with_rubato(made_score(list(range(60, 72))), -0.6)
    midi = loaded(tempo_mapped_midi(performed), tmp_path)
    np.testing.assert_allclose(midi.get_downbeats()[1:3], performed.recording_at([4.0, 8.0]), atol=0.001)


def test_a_beat_longer_than_midi_knows_is_refused() -> None:
    score = made_score([60, 62, 64])
    time_map = TimeMap(np.array([0.0, 0.5, 1.0]), np.array([1.0, 1.0 + LONGEST_BEAT_S + 1, 40.0]))
    with pytest.raises(LabelError, match=r"at 1\.0 s, lasts 17\.8 s"):
        tempo_mapped_midi(performed_score(laid(score, map_=time_map), score))


def test_the_score_as_played_is_read_back_as_it_is(tmp_path: Path) -> None:
    score = made_score(list(range(60, 72)), controls=[(1.0, 64, 127), (3.0, 64, 0)], tempo=[(4.0, 0.7)])
    played = laid(score, order="1-2,1-3").warping.score
    (tmp_path / "x.mid").write_bytes(score_midi(played))
    read = read_score(tmp_path / "x.mid")
    assert [pitch for pitch, _, _ in sorted(spans(read), key=lambda s: s[1])] == [*range(60, 68), *range(60, 72)]
    np.testing.assert_allclose(read.notes["onset_s"], played.notes["onset_s"], atol=1e-5)
    np.testing.assert_allclose(read.controls["time_s"], played.controls["time_s"], atol=1e-5)
    assert read.controls["value"].tolist() == played.controls["value"].tolist()
    assert read.parts == score.parts
