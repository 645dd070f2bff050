"""What a user would notice of the cache: wrong sound, a full disk, a crash, or no gain."""

import dataclasses
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from tiny_soundfont import write_soundfont

from musicnet_build.errors import SoundfontError
from musicnet_build.notes import empty_notes
from musicnet_build.score.reader import CONTROL_DTYPE, LostNotes, Part, Score, TempoMap
from musicnet_build.synthesis import cache
from musicnet_build.synthesis.cache import cache_folder, cached_synthesize
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont


def score_of(pitch: int, program: int = 0) -> Score:
    notes = empty_notes(1)
    notes["offset_s"], notes["pitch"], notes["velocity"], notes["program"] = 0.2, pitch, 90, program
    tempo_map = TempoMap(np.zeros(1), np.zeros(1), np.full(1, 0.5))
    controls = np.zeros(0, dtype=CONTROL_DTYPE)
    return Score(notes, controls, (Part("part", program, False),), tempo_map, (), LostNotes(), "test", ())


HELPERS = ":".join(map(str, Path(__file__).parents[:2]))
"""Where processes of their own find this file and what it imports."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the entries of this test lie."""
    monkeypatch.delenv("MUSICNET_BUILD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "musicnet_build" / "synthesis"


@pytest.fixture(scope="module")
def font(tmp_path_factory: pytest.TempPathFactory) -> Soundfont:
    return choose_soundfont(write_soundfont(tmp_path_factory.mktemp("font") / "a.sf2", [(0, 0)], wave="sine"))


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_the_second_rendering_is_read_and_is_the_same_to_the_bit_with_its_warnings(
    folder: Path, font: Soundfont, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = score_of(60, program=40)  # a violin, which the soundfont lacks
    first = cached_synthesize(score, font)
    monkeypatch.delattr(cache, "synthesize")  # rendering again would fail
    again = cached_synthesize(score, font)
    direct = synthesize(score, font)
    for rendering in (first, again):
        np.testing.assert_array_equal(rendering.audio, direct.audio)
        assert rendering.audio.dtype == np.float32
        assert rendering.warnings == direct.warnings
    assert len(direct.warnings) == 1


def test_whatever_changes_the_sound_is_another_entry(folder: Path, font: Soundfont, tmp_path: Path) -> None:
    other_font = choose_soundfont(write_soundfont(tmp_path / "a.sf2", [(0, 0)], wave="step"))
    score = score_of(60)
    pedal = np.array([(0.1, 0.2, 0, 64, 127)], dtype=CONTROL_DTYPE)
    cached_synthesize(score, font)
    cached_synthesize(score_of(61), font)
    cached_synthesize(score, other_font)
    cached_synthesize(score, font, sample_rate=22_050)
    cached_synthesize(score.retimed(lambda times_s: 2 * times_s), font)
    cached_synthesize(dataclasses.replace(score, controls=pedal), font)
    assert len(entries(folder)) == 6
    cached_synthesize(dataclasses.replace(score, name="another title"), font)
    assert len(entries(folder)) == 6


def test_a_missing_preset_is_refused_when_strict_though_its_substitute_is_cached(folder: Path, font: Soundfont) -> None:
    cached_synthesize(score_of(60, program=40), font)
    with pytest.raises(SoundfontError, match="violin"):
        cached_synthesize(score_of(60, program=40), font, strict=True)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_entry_is_rendered_again_and_mended(folder: Path, font: Soundfont, damage: str) -> None:
    score = score_of(60)
    expected = cached_synthesize(score, font).audio
    (entry,) = entries(folder)
    whole = bytearray(entry.read_bytes())
    flipped = whole[:]
    flipped[len(whole) // 2] ^= 1
    contents = {"cut": whole[: len(whole) // 2], "flipped": flipped, "empty": b"", "other": b"\x93NUMPY nothing"}
    entry.write_bytes(contents[damage])
    np.testing.assert_array_equal(cached_synthesize(score, font).audio, expected)
    assert entry.read_bytes() == whole


def test_the_entry_not_used_for_longest_makes_room(
    folder: Path, font: Soundfont, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pitch in (60, 61, 62):
        cached_synthesize(score_of(pitch), font)
    for age, entry in enumerate(entries(folder)):
        os.utime(entry, ns=(age, age))
    oldest, second, third = entries(folder)
    left_behind = folder / ".by-a-killed-process.npz"
    left_behind.write_bytes(bytes(1000))
    os.utime(left_behind, ns=(0, 0))
    monkeypatch.setattr(cache, "MAX_BYTES", int(3.5 * third.stat().st_size))
    for pitch in (60, 61, 62):
        if oldest.stem == cache.rendering_key(score_of(pitch), font, 44_100, False):
            cached_synthesize(score_of(pitch), font)  # used: now the youngest
    cached_synthesize(score_of(63), font)
    assert oldest.exists()
    assert third.exists()
    assert not second.exists()
    assert not left_behind.exists()
    assert sum(entry.stat().st_size for entry in entries(folder)) <= cache.MAX_BYTES


def test_what_is_larger_than_the_cache_is_not_kept_and_costs_no_entry(
    folder: Path, font: Soundfont, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_synthesize(score_of(60), font)
    kept = entries(folder)
    monkeypatch.setattr(cache, "MAX_BYTES", 1000)
    assert cached_synthesize(score_of(61), font).audio.any()
    assert entries(folder) == kept


def test_off_neither_reads_nor_writes(folder: Path, font: Soundfont, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSICNET_BUILD_CACHE", "off")
    assert cached_synthesize(score_of(60), font).audio.any()
    assert entries(folder) == []


def test_a_cache_that_cannot_be_written_costs_a_warning_and_not_the_result(
    tmp_path: Path, font: Soundfont, folder: Path
) -> None:
    (tmp_path / "musicnet_build").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="MUSICNET_BUILD_CACHE=off"):
        rendered = cached_synthesize(score_of(60), font)
    assert rendered.audio.any()


def test_a_full_disk_costs_a_warning_and_leaves_nothing_behind(folder: Path, font: Soundfont) -> None:
    program = """
import resource, sys, warnings
sys.path[:0] = sys.argv[1].split(":")
from test_cache import score_of
from musicnet_build.synthesis.cache import cached_synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # larger files fail as they do on a full disk
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert cached_synthesize(score_of(60), choose_soundfont(sys.argv[2])).audio.any()
assert "could not be cached" in str(caught[-1].message), caught
"""
    command = [sys.executable, "-c", program, HELPERS, str(font.path)]
    assert subprocess.run(command, env=os.environ | {"MUSICNET_BUILD_CACHE": ""}, check=False).returncode == 0
    assert entries(folder) == []


def test_the_folder_is_the_users_whatever_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MUSICNET_BUILD_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert cache_folder() == tmp_path / ".cache" / "musicnet_build"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / ".cache" / "musicnet_build"


def test_processes_that_fill_a_small_cache_together_all_get_their_sound(folder: Path, font: Soundfont) -> None:
    program = """
import sys, warnings
from pathlib import Path
import numpy as np
sys.path[:0] = sys.argv[1].split(":")
from test_cache import score_of
from musicnet_build.synthesis import cache
from musicnet_build.synthesis.soundfonts import choose_soundfont
from musicnet_build.synthesis.render import synthesize
cache.MAX_BYTES = 150_000
font = choose_soundfont(sys.argv[2])
expected = {pitch: synthesize(score_of(pitch), font).audio for pitch in range(60, 64)}
warnings.simplefilter("error")
for turn in range(12):
    for pitch, audio in expected.items():
        assert np.array_equal(cache.cached_synthesize(score_of(pitch), font).audio, audio)
"""
    command = [sys.executable, "-c", program, HELPERS, str(font.path)]
    processes = [subprocess.Popen(command, env=os.environ | {"MUSICNET_BUILD_CACHE": ""}) for _ in range(2)]
    assert [process.wait(300) for process in processes] == [0, 0]
    assert not [path for path in entries(folder) if path.name.startswith(".")]


def test_nothing_is_warned_of_where_the_cache_works(folder: Path, font: Soundfont) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made, kept = (cached_synthesize(score_of(60), font) for _ in range(2))
    assert np.array_equal(made.audio, kept.audio)
    assert entries(folder)
