"""Tests of recordings that are read anywhere at once."""

from pathlib import Path

import numpy as np
import pytest

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.errors import AudioError
from musicnet_build.listening.overlay import block_energies
from musicnet_build.listening.sound import PEAK_BLOCK, Sound, coarser_peaks, waveform_peaks


def write_noise(path: Path, samples: int, sample_rate: int = 44_100) -> Path:
    write_audio(path, np.random.default_rng(0).uniform(-0.5, 0.5, samples).astype(np.float32), sample_rate)
    return path


@pytest.mark.parametrize(("name", "rate"), [("a.wav", 44_100), ("a.flac", 44_100), ("a.flac", 48_000)])
def test_any_part_is_what_align_reads(tmp_path: Path, name: str, rate: int) -> None:
    path = write_noise(tmp_path / name, 100_000, rate)
    sound, whole = Sound(path), read_audio(path)
    assert sound.length == len(whole)
    np.testing.assert_array_equal(sound.read(0, sound.length), whole)
    np.testing.assert_array_equal(sound.read(70_001, 70_100), whole[70_001:70_100])


def test_before_and_after_the_recording_there_is_silence(tmp_path: Path) -> None:
    sound = Sound(write_noise(tmp_path / "a.wav", 1_000))
    around = sound.read(-50, 1_070)
    assert not around[:50].any()
    assert not around[1_050:].any()
    np.testing.assert_array_equal(around[50:1_050], sound.read(0, 1_000))
    assert not sound.read(5_000, 5_010).any()
    assert not sound.read(-20, -10).any()


@pytest.mark.parametrize("samples", [1, 1_023, 1_024, 1_048_576, 1_050_000])
def test_energies_are_those_of_the_whole(tmp_path: Path, samples: int) -> None:
    sound = Sound(write_noise(tmp_path / "a.wav", samples))
    np.testing.assert_array_equal(sound.energies, block_energies(sound.read(0, samples)))


def test_peaks_hold_every_sample() -> None:
    samples = np.zeros(3 * PEAK_BLOCK + 10, np.float32)
    samples[700], samples[-1] = 0.5, -1.0
    peaks = waveform_peaks(samples)
    np.testing.assert_array_equal(peaks, [[0, 0], [0, 64], [0, 0], [-127, 0]])
    np.testing.assert_array_equal(coarser_peaks(peaks, 3), [[0, 64], [-127, 0]])


def test_nothing_is_left_in_the_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_noise(tmp_path / "a.wav", 1_000)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    sound = Sound(path)
    assert list(folder.iterdir()) == []
    sound.close()


def test_a_file_that_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no sound at all")
    with pytest.raises(AudioError, match=r"a\.wav"):
        Sound(tmp_path / "a.wav")
