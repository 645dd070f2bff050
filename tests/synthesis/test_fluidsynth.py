"""Tests of the layer over pyfluidsynth: what FluidSynth refuses is an error, and sound is floating point."""

import ctypes.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_soundfont import write_soundfont

from musicnet_build.errors import SoundfontError
from musicnet_build.synthesis.fluidsynth import BLOCK_SAMPLES, Synth, library_name, library_version

RATE = 44_100


@pytest.fixture
def font(tmp_path: Path) -> Path:
    return write_soundfont(tmp_path / "tiny.sf2", [(0, 0)])


def peak(font: Path, gain: float) -> float:
    left, right = np.zeros((2, 16 * BLOCK_SAMPLES), np.float32)
    with Synth(1, RATE, gain) as synth:
        synth.select(0, synth.load(font), 0, 0)
        for pitch in range(60, 72):
            assert synth.note_on(0, pitch, 127)
        synth.render(left, right)
    return float(np.abs(left).max())


def test_sound_beyond_full_scale_is_not_clipped(font: Path) -> None:
    assert peak(font, 2.0) == pytest.approx(4 * peak(font, 0.5), rel=1e-4)
    assert peak(font, 2.0) > 2.0


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda synth, number: synth.select(0, number, 0, 1), r"program_select\(0, 1, 0, 1\)"),
        (lambda synth, _: synth.note_on(0, 128, 100), r"noteon\(0, 128, 100\)"),
        (lambda synth, _: synth.note_on(16, 60, 100), r"noteon\(16, 60, 100\)"),
        (lambda synth, _: synth.control(0, 200, 1), r"cc\(0, 200, 1\)"),
        (lambda synth, _: synth.pitch_bend(16, 0), r"pitch_bend\(16, 0\)"),
    ],
)
def test_what_fluidsynth_refuses_is_an_error_that_names_the_call(
    font: Path, call: Callable[[Synth, int], object], reason: str
) -> None:
    with Synth(16, RATE, 0.5) as synth:
        number = synth.load(font)
        synth.select(0, number, 0, 0)
        with pytest.raises(SoundfontError, match=f"FluidSynth refuses {reason}"):
            call(synth, number)


@pytest.mark.parametrize(("channels", "sample_rate"), [(1, 7), (10_000, RATE)])
def test_a_setting_that_does_not_take_is_an_error(channels: int, sample_rate: int) -> None:
    with pytest.raises(SoundfontError, match=r"FluidSynth refuses synth\.(sample-rate|midi-channels) = "):
        Synth(channels, sample_rate, 0.5)


def test_a_soundfont_whose_name_is_not_utf_8_is_refused_in_plain_words(font: Path) -> None:
    path = font.rename(os.fsdecode(os.fsencode(font.parent) + b"/caf\xe9.sf2"))
    with Synth(1, RATE, 0.5) as synth, pytest.raises(SoundfontError, match="is not UTF-8"):
        synth.load(path)


def test_the_library_in_use_has_a_version_and_a_name() -> None:
    assert library_version()[:2] == "2."
    assert "fluidsynth" in library_name()


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_machine_without_fluidsynth_is_told_how_to_install_it() -> None:
    hidden = (
        "import ctypes.util, importlib.util; ctypes.util.find_library = lambda name: None\n"
        "spec = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name: None if name == 'pygame' else spec(name)\n"
        "from musicnet_build.synthesis import fluidsynth\n"
        "fluidsynth._LIBRARY_FILES = ('libnosuch.so.3',)\nfluidsynth.library_version()"
    )
    told = run_python(hidden).stderr.splitlines()[-1]
    assert "SoundfontError" in told
    assert "apt-get install libfluidsynth3" in told
    assert "musicnet_build[bundled]" in told


@pytest.mark.skipif(ctypes.util.find_library("fluidsynth") is None, reason="no FluidSynth in the system")
def test_the_library_is_found_where_the_search_for_it_fails() -> None:
    failing = "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
    found = run_python(failing + "from musicnet_build.synthesis import fluidsynth\nprint(fluidsynth.library_version())")
    assert found.stdout.strip() == library_version()


def test_importing_the_module_needs_no_library() -> None:
    hidden = "import ctypes.util; ctypes.util.find_library = lambda name: None\nimport musicnet_build.synthesis.render"
    assert run_python(hidden).returncode == 0
