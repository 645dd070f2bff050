"""Recordings find their scores by name, else by what sounds, and what is unsure is said."""

import shutil
import time
import unicodedata
from pathlib import Path

import pytest
from small_dataset import Material

from musicnet_build.datasets.manifest import extend_manifest, manifest_fields, read_manifest, write_manifest
from musicnet_build.datasets.pairing import manifest_rows, pair_by_content, pair_files
from musicnet_build.errors import ManifestError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def found(recordings: Path, scores: Path) -> dict[str, str | None]:
    pairs = pair_files(recordings, scores).pairs
    return {
        pair.recording.relative_to(recordings).as_posix(): pair.score and pair.score.relative_to(scores).as_posix()
        for pair in pairs
    }


def test_names_fit_whatever_their_case_signs_folders_and_endings(tmp_path: Path) -> None:
    recordings = touch(tmp_path / "r", "Bach/BWV 846-1.flac", "x/recording.wav", "train_data/1727.mp3", ".hidden.wav")
    scores = touch(tmp_path / "s", "bwv_846_1.mid", "x/score.mid", "1727.midi", "x/readme.txt")
    assert found(recordings, scores) == {
        "Bach/BWV 846-1.flac": "bwv_846_1.mid",
        "train_data/1727.mp3": "1727.midi",
        "x/recording.wav": "x/score.mid",
    }


def test_where_names_fail_content_decides(material: Material, tmp_path: Path) -> None:
    recordings, scores = touch(tmp_path / "r"), touch(tmp_path / "s")
    (tmp_path / "r").mkdir(exist_ok=True)
    (tmp_path / "s").mkdir(exist_ok=True)
    for number, name in (("1", "foo"), ("2", "bar"), ("3", "baz")):
        shutil.copy(material.folder / f"{number}.flac", recordings / f"{name}.flac")
        shutil.copy(material.folder / f"{number}.mid", scores / f"opus{number}.mid")
    (scores / "broken.mid").write_bytes(b"no music")
    assert found(recordings, scores) == {"foo.flac": "opus1.mid", "bar.flac": "opus2.mid", "baz.flac": "opus3.mid"}


def test_two_scores_that_fit_alike_are_a_doubt(material: Material, tmp_path: Path) -> None:
    shutil.copy(material.folder / "1.mid", tmp_path / "copy.mid")
    pair = pair_by_content(material.folder / "1.flac", [tmp_path / "copy.mid", material.folder / "1.mid"])
    assert pair.score is not None
    assert "fits nearly as well" in pair.doubt


def test_a_recording_that_cannot_be_read_or_fits_nothing_gets_no_score(material: Material, tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"no sound")
    pair = pair_by_content(tmp_path / "a.flac", [material.folder / "1.mid"])
    assert pair.score is None
    assert "cannot be read" in pair.doubt
    assert pair_by_content(material.folder / "1.flac", []).score is None


def test_a_score_for_two_recordings_is_a_doubt(tmp_path: Path) -> None:
    touch(tmp_path, "r/a/7.wav", "r/b/7.wav", "s/7.mid")
    pairs = pair_files(tmp_path / "r", tmp_path / "s").pairs
    assert [pair.doubt for pair in pairs] == ["2 recordings have this score"] * 2


def test_numbers_of_the_files_become_ids_and_musicnets_test_set_is_kept(tmp_path: Path) -> None:
    touch(tmp_path, "r/1727.wav", "r/2303.wav", "s/1727.mid", "s/2303.mid")
    rows = manifest_rows(pair_files(tmp_path / "r", tmp_path / "s").pairs, tmp_path)
    assert [(row["id"], row["split"]) for row in rows] == [("1727", "train"), ("2303", "test")]
    touch(tmp_path, "r/Air.wav", "s/air.mid")
    rows = manifest_rows(pair_files(tmp_path / "r", tmp_path / "s").pairs, tmp_path)
    assert [(row["id"], row["composition"]) for row in rows] == [("1", "1727"), ("2", "2303"), ("3", "Air")]


def test_accents_that_file_systems_write_differently_are_the_same_name(tmp_path: Path) -> None:
    recordings = touch(tmp_path / "r", unicodedata.normalize("NFC", "Dvořák.wav"))
    scores = touch(tmp_path / "s", unicodedata.normalize("NFD", "dvořák.mid"))
    assert list(found(recordings, scores).values()) == [unicodedata.normalize("NFD", "dvořák.mid")]


def test_every_ending_that_can_be_read_is_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    names = ["a.w64", "b.caf", "c.au", "d.aifc", "e.oga"]
    touch(tmp_path / "r", *names, "notes.txt")
    touch(tmp_path / "s", "a.kar", "b.rmi", "c.mid", "d.mid", "e.MID", "unused.mid", "sheet.pdf")
    pairing = pair_files(tmp_path / "r", tmp_path / "s")
    assert [pair.recording.name for pair in pairing.pairs if pair.score] == names
    assert {pair.paired_by for pair in pairing.pairs} == {"name"}
    assert [path.name for path in pairing.unused] == ["unused.mid"]
    assert [path.name for path in pairing.passed_over] == ["notes.txt", "sheet.pdf"]


def test_what_was_found_by_content_says_so_with_its_figure(material: Material) -> None:
    pair = pair_by_content(material.folder / "1.flac", [material.folder / "1.mid", material.folder / "2.mid"])
    word, figure = pair.paired_by.split()
    assert word == "content"
    assert 0 < float(figure) < 0.8


def test_a_collection_grows_without_losing_lines_ids_or_edits(tmp_path: Path) -> None:
    touch(tmp_path, "r/a.wav", "r/b.wav", "s/a.mid", "s/b.mid")
    manifest = tmp_path / "m.csv"
    text = "id;Recording;score;composer;x_mine\n7;r\\a.wav;s/a.mid;Bach, J. S.;1,5\n"
    manifest.write_bytes(text.encode("utf-8-sig"))
    present = manifest_fields(manifest)
    known = [tmp_path / row[name] for row in present for name in ("recording", "score")]
    pairing = pair_files(tmp_path / "r", tmp_path / "s", known=known)
    extend_manifest(manifest, manifest_rows(pairing.pairs, tmp_path, present))
    lines = manifest.read_bytes().decode("utf-8-sig").splitlines()
    assert manifest.read_bytes().startswith(b"\xef\xbb\xbf")
    assert lines[0].startswith("id;Recording;score;composer;x_mine;")
    assert lines[1].startswith("7;r\\a.wav;s/a.mid;Bach, J. S.;1,5;")
    first, second = read_manifest(manifest).entries
    assert (first.id, first.recording, first.composer) == ("7", "r/a.wav", "Bach, J. S.")
    assert (second.id, second.recording, second.paired_by) == ("8", "r/b.wav", "name")


def test_folders_without_recordings_or_scores_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "r/a.wav", "s/a.mid")
    with pytest.raises(ManifestError, match="holds no recordings"):
        pair_files(tmp_path / "s", tmp_path / "s")
    with pytest.raises(ManifestError, match="holds no scores"):
        pair_files(tmp_path / "r", tmp_path / "r")


def test_two_thousand_files_are_paired_and_read_at_once(tmp_path: Path) -> None:
    for number in range(1000):
        touch(tmp_path, f"r/{number % 16:x}/song {number}.wav", f"s/{number % 16:x}/song_{number}.mid")
    started = time.monotonic()
    rows = manifest_rows(pair_files(tmp_path / "r", tmp_path / "s").pairs, tmp_path)
    write_manifest(tmp_path / "manifest.csv", rows)
    assert len(read_manifest(tmp_path / "manifest.csv").entries) == 1000
    assert not any(row["check"] for row in rows)
    assert time.monotonic() - started < 5  # 0.2 s on an idle machine
