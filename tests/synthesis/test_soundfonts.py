import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_soundfont import write_soundfont

from musicnet_build.errors import SoundfontError
from musicnet_build.score.programs import FAMILY_SIZE, PROGRAM_NAMES
from musicnet_build.synthesis.soundfonts import (
    DRUM_BANK,
    ENVIRONMENT_VARIABLE,
    catalogue,
    choose_soundfont,
    find_soundfonts,
    find_unusable_soundfonts,
    preset_for,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder that is searched first."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    return tmp_path


def names_from_environment() -> list[str]:
    return [font.path.name for font in find_soundfonts() if font.source == "environment"]


def test_there_is_always_a_soundfont_because_pretty_midi_brings_one() -> None:
    sources = {font.path.name: font for font in find_soundfonts()}
    assert sources["TimGM6mb.sf2"].licence == "GPL-2"
    assert choose_soundfont().path.is_file()


def test_a_soundfont_of_ones_own_comes_before_those_of_the_system(folder: Path) -> None:
    write_soundfont(folder / "mine.sf2", [(0, 0)])
    assert choose_soundfont().name == "mine"


def test_known_soundfonts_come_before_unknown_ones_and_those_by_size(folder: Path) -> None:
    write_soundfont(folder / "a_small.sf2", [(0, 0)])
    write_soundfont(folder / "b_large.sf2", [(0, program) for program in range(100)])
    write_soundfont(folder / "TimGM6mb.sf2", [(0, 0)])
    write_soundfont(folder / "FluidR3_GM.sf2", [(0, 0)])
    assert names_from_environment() == ["TimGM6mb.sf2", "FluidR3_GM.sf2", "b_large.sf2", "a_small.sf2"]


def test_the_project_folder_of_the_working_directory_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    (tmp_path / "soundfonts").mkdir()
    write_soundfont(tmp_path / "soundfonts" / "dropped.sf2", [(0, 0)])
    monkeypatch.chdir(tmp_path)
    assert "dropped" in [font.name for font in find_soundfonts() if font.source == "project"]


def test_a_file_that_several_links_lead_to_is_listed_once(folder: Path) -> None:
    write_soundfont(folder / "real.sf2", [(0, 0)])
    (folder / "default-GM.sf2").symlink_to("real.sf2")
    assert names_from_environment() == ["real.sf2"]


def test_a_broken_link_and_a_missing_folder_do_no_harm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gone.sf2").symlink_to("nowhere.sf2")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, os.pathsep.join([str(folder), str(folder / "missing"), ""]))
    assert names_from_environment() == []


def test_files_that_cannot_be_played_are_reported_and_never_used(folder: Path) -> None:
    whole = write_soundfont(folder / "whole.sf2", [(0, 0)]).read_bytes()
    (folder / "page.sf2").write_bytes(b"<html>not found</html>")
    (folder / "cut.sf2").write_bytes(whole[:-100])
    (folder / "piano.sfz").write_text("<region> sample=a.wav")
    (folder / "empty.sf3").touch()
    reasons = {found.path.name: found.reason for found in find_unusable_soundfonts()}
    assert names_from_environment() == ["whole.sf2"]
    assert "not a soundfont" in reasons["page.sf2"]
    assert "cut short" in reasons["cut.sf2"]
    assert "SFZ" in reasons["piano.sfz"]
    assert "not a soundfont" in reasons["empty.sf3"]


def test_asking_for_a_file_that_is_no_soundfont_says_so(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"MThd")
    with pytest.raises(SoundfontError, match=r"song\.mid cannot be used as a soundfont: it is not a soundfont"):
        choose_soundfont(tmp_path / "song.mid")


def test_a_soundfont_is_found_by_name_whatever_the_case(folder: Path) -> None:
    write_soundfont(folder / "Grand.sf2", [(0, 0)])
    assert choose_soundfont("grand").path == choose_soundfont("GRAND.SF2").path == (folder / "Grand.sf2").resolve()


def test_an_unknown_name_is_answered_with_what_there_is_and_how_to_install_one() -> None:
    with pytest.raises(SoundfontError, match=r"no soundfont Steinway.*TimGM6mb.*apt-get install fluid-soundfont-gm"):
        choose_soundfont("Steinway")


def test_two_soundfonts_of_one_name_are_named_once(folder: Path) -> None:
    for name in ("mine.sf2", "mine.sf3"):
        write_soundfont(folder / name, [(0, 0)])
    with pytest.raises(SoundfontError, match="found here are mine, ") as caught:
        choose_soundfont("none")
    assert str(caught.value).count("mine") == 1


def test_the_hash_is_that_of_the_bytes_even_after_they_change(folder: Path) -> None:
    path = write_soundfont(folder / "mine.sf2", [(0, 0)])
    font = choose_soundfont(path)
    assert font.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    write_soundfont(path, [(0, 0), (0, 1)])
    assert font.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("pad", [True, False])
def test_presets_are_read_from_the_file_padded_or_not(tmp_path: Path, pad: bool) -> None:
    path = write_soundfont(tmp_path / "some.sf2", [(0, 5), (0, 127), (8, 40), (128, 0)], pad=pad)
    assert choose_soundfont(path).presets() == {(0, 5), (0, 127), (8, 40), (128, 0)}


def test_pretty_midis_soundfont_has_all_programs_and_drums() -> None:
    presets = choose_soundfont("TimGM6mb").presets()
    assert {(0, program) for program in range(128)} | {(DRUM_BANK, 0)} <= presets


@given(st.binary(max_size=300))
def test_a_hostile_list_of_chunks_is_an_error_and_nothing_else(tail: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".sf2") as file:
        file.write(b"RIFF" + (4 + len(tail)).to_bytes(4, "little") + b"sfbk" + tail)
        file.flush()
        with pytest.raises(SoundfontError, match="no list of presets"):
            choose_soundfont(file.name).presets()


def test_a_program_that_is_there_is_played_as_it_is() -> None:
    assert preset_for({(0, 40), (0, 41)}, 40, False) == (0, 40, False)


def test_a_missing_program_is_played_by_the_nearest_of_its_family() -> None:
    presets = {(0, 0), (0, 40), (0, 42), (0, 44), (128, 43)}
    assert preset_for(presets, 43, False) == (0, 42, True)
    assert preset_for(presets, 47, False) == (0, 44, True)


def test_a_program_whose_family_is_missing_is_played_by_the_piano() -> None:
    assert preset_for({(0, 0), (0, 40)}, 73, False) == (0, 0, True)


def test_drums_are_played_by_a_drum_kit_and_never_by_a_piano() -> None:
    presets = {(0, 0), (0, 16), (128, 0), (128, 16)}
    assert preset_for(presets, 16, True) == (128, 16, False)
    assert preset_for(presets, 20, True) == (128, 0, True)
    with pytest.raises(SoundfontError, match="no drum kit"):
        preset_for({(0, 0)}, 0, True)


@given(st.sets(st.integers(0, 127), min_size=1), st.integers(0, 127))
def test_whatever_is_missing_the_preset_chosen_is_one_that_exists(programs: set[int], program: int) -> None:
    bank, chosen, substituted = preset_for({(0, p) for p in programs}, program, False)
    assert (bank, chosen in programs, substituted) == (0, True, program not in programs)
    if any(p // FAMILY_SIZE == program // FAMILY_SIZE for p in programs):
        assert chosen // FAMILY_SIZE == program // FAMILY_SIZE


def test_the_catalogue_names_a_licence_for_every_soundfont() -> None:
    assert [entry.name for entry in catalogue() if not entry.licence] == []
    assert catalogue()[0].name == "TimGM6mb"  # what every installation has is the default


def test_the_instruments_of_musicnet_have_their_names() -> None:
    musicnet = {1: "acoustic grand piano", 7: "harpsichord", 41: "violin", 42: "viola", 43: "cello", 44: "contrabass"}
    winds = {61: "french horn", 69: "oboe", 71: "bassoon", 72: "clarinet", 74: "flute"}
    assert len(PROGRAM_NAMES) == 128
    assert {i: PROGRAM_NAMES[i - 1] for i in musicnet | winds} == musicnet | winds


@pytest.mark.parametrize("extra", [1, 2000])
def test_a_soundfont_that_is_longer_than_it_states_is_refused_before_fluidsynth_sees_it(
    tmp_path: Path, extra: int
) -> None:
    path = write_soundfont(tmp_path / "long.sf2", [(0, 0)])
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(extra))
    with pytest.raises(
        SoundfontError, match=rf"long\.sf2 .* holds {size + extra} bytes where its header states {size}"
    ):
        choose_soundfont(path)
