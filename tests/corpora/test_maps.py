"""Names and label files of MAPS."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicnet_build.corpora import maps
from musicnet_build.errors import DatasetError, LabelError
from musicnet_build.notes import empty_notes

# Names of the published corpus, and where they lie.
REAL = {
    "MAPS_ISOL_NO_F_S0_M21_AkPnBcht": ("ISOL", "ISOL/NO"),
    "MAPS_ISOL_TR1_M_S1_M107_AkPnBcht": ("ISOL", "ISOL/TR1"),
    "MAPS_ISOL_CH0.05_F_ENSTDkAm": ("ISOL", "ISOL/CH"),
    "MAPS_ISOL_CH0.3_P_StbgTGd2": ("ISOL", "ISOL/CH"),
    "MAPS_RAND_P2_M21-108_I32-96_S1_n46_AkPnBcht": ("RAND", "RAND/M21-108/I32-96/P2"),
    "MAPS_UCHO_C0-5-9_I32-96_S0_n13_AkPnBcht": ("UCHO", "UCHO/I32-96/C0-5-9"),
    "MAPS_MUS-alb_se2_ENSTDkCl": ("MUS", "MUS"),
    "MAPS_MUS-chpn-p19_ENSTDkCl": ("MUS", "MUS"),
    "MAPS_MUS-scn16_3_ENSTDkCl": ("MUS", "MUS"),
}


@pytest.mark.parametrize(("stem", "expected"), REAL.items())
def test_names_of_the_published_corpus_are_understood(stem: str, expected: tuple[str, str]) -> None:
    name = maps.parse_stem(stem)
    assert name is not None
    assert (name.category, name.bank) == (expected[0], stem[-8:])
    assert maps.folder_of(stem) == Path(stem[-8:], expected[1])


def test_our_names_are_those_of_the_published_corpus() -> None:
    assert maps.isolated_stem("NO", "F", False, 21, "AkPnBcht") in REAL
    assert maps.scale_stem("CH", 0.05, "F", "ENSTDkAm") in REAL
    assert maps.random_stem(2, (21, 108), (32, 96), True, 46, "AkPnBcht") in REAL
    assert maps.usual_stem((0, 5, 9), (32, 96), False, 13, "AkPnBcht") in REAL
    assert maps.piece_stem("alb_se2", "ENSTDkCl") in REAL


@pytest.mark.parametrize("title", ["Alb. Séñ 2", "a_b_c", "op-27 no 2 (1st)", "x"])
def test_piece_ids_pass_the_patterns_of_other_readers(title: str) -> None:
    stem = maps.piece_stem(maps.piece_id(title), "SynGrdDr")
    # One takes what follows `MAPS_MUS-` up to the last underscore, another matches this expression.
    assert stem[len("MAPS_MUS-") : -len("_SynGrdDr")] == maps.piece_id(title)
    match = re.match(r".*MAPS_MUS-([^/]+)_([A-Za-z0-9]{8})$", f"{maps.folder_of(stem)}/{stem}")
    assert match is not None
    assert match.groups() == (maps.piece_id(title), "SynGrdDr")
    assert maps.parse_stem(stem) == maps.MapsName(stem, "MUS", "SynGrdDr", maps.piece_id(title))


@pytest.mark.parametrize(
    "stem",
    ["", "song", "MAPS_MUS-_SynGrdDr", "MAPS_MUS-a_SynGrdDr2", "MAPS_MUS-../a_SynGrdDr", "MAPS_ISOL_XX_F_SynGrdDr"],
)
def test_other_names_are_no_names_of_maps(stem: str) -> None:
    assert maps.parse_stem(stem) is None
    with pytest.raises(DatasetError, match="not a name"):
        maps.folder_of(stem)


def test_a_title_without_letters_names_no_piece() -> None:
    with pytest.raises(DatasetError, match="rename"):
        maps.piece_id("…")


def test_labels_survive_a_text_file_to_the_microsecond(tmp_path: Path) -> None:
    notes = empty_notes(2)
    notes["onset_s"], notes["offset_s"], notes["pitch"] = [1.0000044, 0.5], [2.5, 1.25], [60, 108]
    maps.write_maps_txt(tmp_path / "a.txt", notes)
    expected = "OnsetTime\tOffsetTime\tMidiPitch\n0.500000\t1.250000\t108\n1.000004\t2.500000\t60\n"
    assert (tmp_path / "a.txt").read_text() == expected
    back = maps.read_maps_txt(tmp_path / "a.txt")
    np.testing.assert_allclose(back["onset_s"], [0.5, 1.000004], atol=1e-9)
    assert back["pitch"].tolist() == [108, 60]


def test_label_files_of_the_published_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"OnsetTime\tOffsetTime\tMidiPitch\r\n0.500004\t2.50001\t21\r\n\r\n")
    assert maps.read_maps_txt(tmp_path / "a.txt")["offset_s"].tolist() == [2.50001]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1"),
        (b"0.5\t1.0\t60\n", "line 1"),
        (b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\t1.0\n", "line 2"),
        (b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\t1.0\t60\n1.0\t0.5\t60\n", "line 3.*ends before"),
        (b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\tnan\t60\n", "line 2"),
        (b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\t1e99\t60\n", "line 2"),
        (b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\t1.0\t60.5\n", "line 2.*pitch"),
        (b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\t1.0\t128\n", "line 2.*pitch"),
        (b"\xff\xfe\x00RIFF", "line 1"),
        (b"x" * (17 * 2**20), "too large"),
    ],
)
def test_a_broken_label_file_is_refused_with_its_line(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(LabelError, match=words):
        maps.read_maps_txt(tmp_path / "a.txt")
    with pytest.raises(LabelError, match="cannot be read"):
        maps.read_maps_txt(tmp_path / "b.txt")


def test_sounds_are_found_with_their_labels_and_without_strangers(tmp_path: Path) -> None:
    for stem in ("MAPS_MUS-b_AkPnBcht", "MAPS_ISOL_NO_F_S0_M21_AkPnBcht", "MAPS_MUS-a_ENSTDkCl"):
        place = tmp_path / maps.folder_of(stem)
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{stem}.wav", np.zeros(10), 44_100)
        (place / f"{stem}.txt").touch()
    soundfile.write(tmp_path / "AkPnBcht" / "MUS" / "notes to self.wav", np.zeros(10), 44_100)
    stems = [file.name.stem for file in maps.maps_files(tmp_path)]
    assert stems == ["MAPS_ISOL_NO_F_S0_M21_AkPnBcht", "MAPS_MUS-b_AkPnBcht", "MAPS_MUS-a_ENSTDkCl"]
    assert [file.name.piece for file in maps.maps_files(tmp_path / "AkPnBcht", ["MUS"])] == ["b"]
    with pytest.raises(DatasetError, match="no sounds of MAPS"):
        maps.maps_files(tmp_path, ["RAND"])
    (tmp_path / "ENSTDkCl" / "MUS" / "MAPS_MUS-a_ENSTDkCl.txt").unlink()
    with pytest.raises(DatasetError, match=r"MAPS_MUS-a_ENSTDkCl\.txt is missing"):
        maps.maps_files(tmp_path)
