"""What a preset plays, heard by the program: which notes are silent, and at which pitch the others sound."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timbre_helpers import soundfont
from tiny_soundfont import write_soundfont

from musicnet_build.corpora.timbre_set import Instrument
from musicnet_build.errors import DatasetError, SoundfontError
from musicnet_build.generation.preset_check import (
    LOWEST_PITCH,
    sounding_pitches,
    strongest_pitch,
    usable_presets,
)
from musicnet_build.synthesis.soundfonts import choose_soundfont

RATE = 44_100


def harmonic(pitch: int, amplitudes: list[float]) -> np.ndarray:
    time_s = np.arange(RATE // 4) / RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    return sum(a * np.sin(2 * np.pi * hz * (i + 1) * time_s) for i, a in enumerate(amplitudes))


@given(st.integers(LOWEST_PITCH + 1, 96), st.lists(st.floats(0.05, 1), min_size=3, max_size=8))
def test_the_pitch_of_a_harmonic_sound_is_found_whatever_its_timbre(pitch: int, amplitudes: list[float]) -> None:
    amplitudes[0] = max(amplitudes)
    assert strongest_pitch(harmonic(pitch, amplitudes), RATE) == pitch


def test_a_low_note_without_its_fundamental_is_still_that_note() -> None:
    assert strongest_pitch(harmonic(40, [0.0, 0.6, 1.0, 0.8, 0.5]), RATE) == 40


def test_notes_that_sound_as_written_pass(tmp_path: Path) -> None:
    tiny = choose_soundfont(write_soundfont(tmp_path / "tiny.sf2", [(0, 56)], wave="sine"))
    assert sounding_pitches(tiny, 56, range(60, 73), 90) == frozenset(range(60, 73))


def test_notes_beyond_the_soundfonts_keys_are_found_out(tmp_path: Path) -> None:
    tiny = choose_soundfont(write_soundfont(tmp_path / "tiny.sf2", [(0, 56)], wave="sine", keys=(62, 127)))
    assert sounding_pitches(tiny, 56, range(60, 66), 90) == frozenset(range(62, 66))


def test_guitar_harmonics_which_sound_two_octaves_higher_are_left_out() -> None:
    warnings: list[str] = []
    guitar = Instrument("guitar", (27, 31), 52, 64)
    (preset,) = usable_presets(guitar, [soundfont()], 90, warnings)
    assert preset.program == 27
    assert len(warnings) == 1
    assert "program 31 of TimGM6mb" in warnings[0]


def test_a_range_that_nothing_plays_is_refused() -> None:
    with pytest.raises(DatasetError, match="Nothing plays 13 of the 13 notes of the harmonics"):
        usable_presets(Instrument("harmonics", (31,), 52, 64), [soundfont()], 90, [])


def test_a_soundfont_without_the_program_is_refused(tmp_path: Path) -> None:
    tiny = choose_soundfont(write_soundfont(tmp_path / "tiny.sf2", [(0, 0)], wave="sine"))
    with pytest.raises(SoundfontError, match="trumpet"):
        sounding_pitches(tiny, 56, range(60, 62), 90)
