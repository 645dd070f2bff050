"""From two folders of files to a dataset and its packages, by the commands of the README."""

import json
import shutil
from pathlib import Path

import h5py
import pytest
from command_line import as_json, done, misused, refused, run
from small_dataset import Material


@pytest.fixture
def folder(material: Material, tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "scores").mkdir()
    for number in (1, 2):
        shutil.copy(material.folder / f"{number}.flac", tmp_path / "recordings" / f"piece {number}.flac")
        shutil.copy(material.folder / f"{number}.mid", tmp_path / "scores" / f"Piece_{number}.mid")
    shutil.copy(material.folder / "tiny.sf2", tmp_path / "tiny.sf2")
    return tmp_path


def test_init_build_validate_stats_and_pack(folder: Path) -> None:
    manifest, dataset = folder / "manifest.csv", folder / "out"
    assert as_json("init", folder / "recordings", folder / "scores", "-o", manifest)["paired"] == 2
    assert "exists already" in misused("init", folder / "recordings", folder / "scores", "-o", manifest)
    assert as_json("init", folder / "recordings", folder / "scores", "--update", manifest)["paired"] == 0
    built = as_json("build", manifest, "-o", dataset, "--workers", "2", "--soundfont", folder / "tiny.sf2")
    assert [(row["state"], row["made"]) for row in built["recordings"]] == [("accept", True)] * 2
    again = run("build", manifest, "-o", dataset, "--soundfont", folder / "tiny.sf2")
    assert "2 up to date, 0 made" in again.stdout
    assert "1 recordings/piece 1.flac: up to date" in again.stderr
    beside = run("build", manifest, "-o", dataset, "--soundfont", folder / "tiny.sf2", "--confidence-beside")
    assert "0 up to date, 0 made, 2 with the same labels in other files" in beside.stdout
    assert (dataset / "confidence" / "1.csv").read_text().count("\n") == 13
    planned = as_json("build", manifest, "-o", dataset, "--preset", "musicnet", "--dry-run")
    assert [one["why"][0] for one in planned["recordings"]] == ["preset: musicnet, before precise"] * 2
    assert done("validate", dataset) == f"{dataset}: nothing is wrong with it\n"
    assert as_json("stats", dataset, "--plot", folder / "stats.png")["total"]["recordings"] == 2
    assert (folder / "stats.png").stat().st_size > 10_000
    assert as_json("pack", "musicnet", dataset, "-o", folder / "musicnet.h5", "--samples", "int16")["recordings"] == 2
    with h5py.File(folder / "musicnet.h5") as file:
        assert list(file) == ["id_1", "id_2"]
    assert "2 recordings" in done("pack", "transcription", dataset, "-o", folder / "transcription")
    (dataset / "quality" / "1.json").unlink()
    process = run("validate", dataset, "--json")
    assert process.returncode == 1
    assert {problem["path"] for problem in json.loads(process.stdout)["problems"]} >= {"quality/1.json"}
    (dataset / "index.json").unlink()
    assert run("validate", dataset).stdout.splitlines() == [
        f"index.json: {dataset} is not finished (2 recordings ready): run `build` again to complete it."
    ]


def test_a_manifest_with_mistakes_is_refused_with_all_of_them(folder: Path) -> None:
    (folder / "m.csv").write_text("id,recording,score\nx,nothing.wav,scores/Piece_1.mid\n2,,\n")
    process = run("build", folder / "m.csv", "-o", folder / "out")
    assert process.returncode == 1
    assert process.stdout == ""
    lines = process.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines[:-1]] == ["line 2", "line 2", "line 3", "line 3"]
    assert lines[-1].startswith("musicnet-build: ")
    assert not (folder / "out").exists()


def test_a_recording_that_fails_is_said_in_the_exit_code(folder: Path) -> None:
    (folder / "scores" / "Piece_1.mid").write_bytes(b"no music")
    done("init", folder / "recordings", folder / "scores", "-o", folder / "m.csv")
    process = run("build", folder / "m.csv", "-o", folder / "out", "--soundfont", folder / "tiny.sf2", "-v")
    assert process.returncode == 1
    assert "1/2" in process.stderr
    assert "is not a MIDI file" in process.stdout


def test_misuse_is_refused(folder: Path) -> None:
    (folder / "m.csv").write_text("id,recording,score\n")
    workers = ("--workers", "1", "--cluster", "tcp://localhost:1")
    assert "exclude each other" in misused("build", folder / "m.csv", "-o", folder / "out", *workers)
    assert "names no recording" in refused("build", folder / "m.csv", "-o", folder / "out")
    assert "holds no recordings" in refused("stats", folder)
    assert "musicnet.txt must end in .h5" in misused("pack", "musicnet", folder, "-o", folder / "musicnet.txt")
