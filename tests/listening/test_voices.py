"""Tests of labels played on instruments: heard from onset to offset, the same wherever one jumps."""

from pathlib import Path

import numpy as np
import pytest
from tiny_soundfont import write_soundfont

from musicnet_build.listening.voices import BLOCK_SAMPLES, ScoreVoice
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes
from musicnet_build.synthesis.soundfonts import choose_soundfont


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> ScoreVoice:
    path = tmp_path_factory.mktemp("voices") / "tiny.sf2"
    return ScoreVoice(choose_soundfont(write_soundfont(Path(path), [(0, 0), (0, 40)], wave="sine")))


def some_notes() -> NoteTable:
    notes = empty_notes(3)
    notes["onset_s"], notes["offset_s"] = [1.0, 3.0, 11.0], [2.0, 3.5, 12.0]
    notes["pitch"], notes["program"] = [69, 57, 69], [0, 40, 0]
    return notes


def heard(sound: np.ndarray, at_s: float) -> bool:
    start = round(at_s * SAMPLE_RATE)
    return bool(np.abs(sound[start : start + 2_000]).max() > 0.01)


@pytest.mark.parametrize("slowdown", [1, 2])
def test_notes_sound_from_onset_to_offset(voice: ScoreVoice, slowdown: int) -> None:
    sound = voice.play(some_notes(), 0, 14 * SAMPLE_RATE * slowdown, slowdown)
    for time_s, sounds in [
        (0.9, False),
        (1.02, True),
        (1.9, True),
        (2.4, False),
        (3.2, True),
        (4.2, False),
        (11.1, True),
    ]:
        assert heard(sound, time_s * slowdown) is sounds, time_s
    first = np.flatnonzero(np.abs(sound) > 1e-4)[0]
    assert abs(int(first) - SAMPLE_RATE * slowdown) < 200


def test_a_jump_gives_what_the_whole_has_there(voice: ScoreVoice) -> None:
    notes = some_notes()
    whole = voice.play(notes, 0, 2 * BLOCK_SAMPLES, 1)
    for begin in (0, 50_000, BLOCK_SAMPLES - 500, BLOCK_SAMPLES + 100):
        np.testing.assert_array_equal(voice.play(notes, begin, begin + 30_000, 1), whole[begin : begin + 30_000])


def test_before_the_recording_and_without_notes_there_is_silence(voice: ScoreVoice) -> None:
    assert not voice.play(some_notes(), -5_000, 0, 1).any()
    assert not voice.play(empty_notes(0), 0, 5_000, 1).any()
