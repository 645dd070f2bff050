"""``musicnet-build align`` as a user meets it: right labels, a true summary, the same bytes again."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile
from command_line import as_json, done, misused, run
from conftest import Music

from musicnet_build.exports.names import AS_PLAYED_XML, EXPORTS
from musicnet_build.generation.demo import onset_errors
from musicnet_build.labels.csv import CSV_COLUMNS
from musicnet_build.labels.files import read_labels

ENDINGS = (".csv", ".mid", ".tsv", ".jams", ".txt")


@pytest.fixture(scope="module")
def folder(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that one call can write, and what it printed."""
    folder = tmp_path_factory.mktemp("aligned") / "a new folder"
    labels = [word for ending in ENDINGS for word in ("-o", folder / f"labels{ending}")]
    extras = ("--overlay", folder / "overlay.wav", "--plot", folder / "plot.png")
    printed = done("align", music.recording, music.score, *labels, *extras, "--json")
    (folder / "printed").write_text(printed, encoding="utf-8")
    return folder


def test_the_labels_lie_where_the_notes_are_played(folder: Path, music: Music) -> None:
    truth = read_labels(music.truth)
    errors_s = np.abs(onset_errors(truth, read_labels(folder / "labels.csv")))
    assert np.median(errors_s) < 0.015
    # The paper's recipe stretches the first and the last chord over the silence beside them.
    inside = (truth["onset_beats"] > truth["onset_beats"].min()) & (truth["onset_beats"] < truth["onset_beats"].max())
    assert inside.sum() > 60
    assert np.mean(errors_s[inside] < 0.05) > 0.97


def test_the_csv_has_musicnets_columns_and_notes_inside_the_recording(folder: Path, music: Music) -> None:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert {row["instrument"] for row in rows} == {"7", "41", "43", "72", "74"}
    frames = soundfile.info(music.recording).frames
    assert all(0 <= int(row["start_time"]) < int(row["end_time"]) <= frames for row in rows)


def test_every_format_holds_the_same_notes(folder: Path) -> None:
    expected = read_labels(folder / "labels.csv")
    for ending in ENDINGS[1:]:
        notes = read_labels(folder / f"labels{ending}")
        order, expected_order = (np.lexsort((table["onset_s"], table["pitch"])) for table in (notes, expected))
        np.testing.assert_array_equal(notes["pitch"][order], expected["pitch"][expected_order], err_msg=ending)
        np.testing.assert_allclose(
            notes["onset_s"][order], expected["onset_s"][expected_order], atol=1.1e-4, err_msg=ending
        )


def test_the_summary_tells_what_was_made_from_what(folder: Path, music: Music) -> None:
    printed = json.loads((folder / "printed").read_text(encoding="utf-8"))
    assert printed["notes"] == len(read_labels(folder / "labels.csv"))
    assert printed["recording"]["sha256"] == hashlib.sha256(music.recording.read_bytes()).hexdigest()
    assert printed["score"]["sha256"] == hashlib.sha256(music.score.read_bytes()).hexdigest()
    assert printed["recording"]["duration_s"] == pytest.approx(soundfile.info(music.recording).duration)
    assert printed["soundfont"]["sha256"]
    assert printed["preset"]
    assert 0.3 < printed["offset_s"] < 1.2  # the player waits 0.9 s
    assert 0.8 < printed["tempo_ratio"] < 1.25
    assert {Path(path).name for path in printed["outputs"]} == {
        path.name for path in folder.iterdir() if path.name != "printed"
    }


def test_nothing_but_the_files_asked_for_is_left(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"printed", "overlay.wav", "plot.png", *(f"labels{ending}" for ending in ENDINGS)}


def test_the_overlay_is_as_long_as_the_recording_and_differs_from_it(folder: Path, music: Music) -> None:
    recording, rate = soundfile.read(music.recording)
    overlay, overlay_rate = soundfile.read(folder / "overlay.wav")
    assert (len(overlay), overlay_rate) == (len(recording), rate)
    assert np.abs(overlay - recording).max() > 0.01


def test_the_plot_is_a_picture(folder: Path) -> None:
    data = (folder / "plot.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") > 800  # pixels wide


def test_what_the_alignment_knows_is_written_into_a_folder(music: Music, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "labels.csv", "--export", tmp_path / "known")
    values = as_json("align", music.recording, music.score, *out)
    written = {str(path.relative_to(tmp_path / "known")) for path in (tmp_path / "known").rglob("*.*")}
    assert written == set(EXPORTS) - {AS_PLAYED_XML}
    assert {str(tmp_path / "known" / name) for name in written} < set(values["outputs"])
    heard = pretty_midi.PrettyMIDI(str(tmp_path / "known" / "tempo_mapped.mid"))
    onsets_s = np.sort([note.start for instrument in heard.instruments for note in instrument.notes])
    np.testing.assert_allclose(onsets_s, read_labels(tmp_path / "labels.csv")["onset_s"], atol=0.001)


def test_velocities_of_the_recording_and_what_was_played_are_told_on_request(music: Music, tmp_path: Path) -> None:
    command = ("align", music.recording, music.score, "-o", tmp_path / "labels.csv", "-o", tmp_path / "labels.tsv")
    done(*command, "--velocity", "recording", "--with-confidence", "--with-played")
    rows = list(csv.DictReader((tmp_path / "labels.csv").open()))
    assert tuple(rows[0]) == (*CSV_COLUMNS, "confidence", "played")
    assert all(0 <= float(row["played"]) <= 1 for row in rows)
    assert np.mean([float(row["played"]) for row in rows]) > 0.8
    np.testing.assert_allclose(read_labels(tmp_path / "labels.csv")["played"], [float(row["played"]) for row in rows])
    assert len(set(read_labels(tmp_path / "labels.tsv")["velocity"].tolist())) > 20
    assert "--preset precise" in misused(*command, "--force", "--with-played", "--preset", "musicnet")


def test_labels_that_are_there_are_replaced_only_by_force_and_then_the_bytes_are_the_same(
    folder: Path, music: Music
) -> None:
    written = [folder / "labels.csv", folder / "overlay.wav", folder / "plot.png"]
    before = [path.read_bytes() for path in written]
    for path in written:
        path.write_bytes(b"old")
    outputs = ("-o", written[0], "--overlay", written[1], "--plot", written[2])
    assert "--force" in misused("align", music.recording, music.score, *outputs)
    assert [path.read_bytes() for path in written] == [b"old"] * 3
    done("align", music.recording, music.score, *outputs, "--force")
    assert [path.read_bytes() for path in written] == before


def test_people_get_a_summary_and_no_progress_where_nobody_watches(music: Music, tmp_path: Path) -> None:
    process = run("align", music.recording, music.score, "-o", tmp_path / "labels.csv")
    assert process.returncode == 0
    assert process.stderr == ""
    words = ("recording", "labelled", "soundfont", "timing", "verdict", "took", "wrote")
    assert [line.split()[0] for line in process.stdout.splitlines() if not line.startswith(" ")] == list(words)


def test_verbose_names_the_stages(music: Music, tmp_path: Path) -> None:
    process = run("align", music.recording, music.score, "-o", tmp_path / "labels.csv", "-v")
    stages = process.stderr.splitlines()
    assert len(stages) >= 3
    assert all(" s  " in stage for stage in stages)


def test_confidence_is_a_column_when_asked_for(music: Music, tmp_path: Path) -> None:
    done("align", music.recording, music.score, "-o", tmp_path / "labels.csv", "--with-confidence")
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == (*CSV_COLUMNS, "confidence")
    confidence = [float(row["confidence"]) for row in rows]
    assert 0.9 < np.mean(confidence) <= max(confidence) <= 1.0
    assert min(confidence) >= 0.0


def test_the_quality_report_says_what_the_screen_says(music: Music, tmp_path: Path) -> None:
    outputs = ("-o", tmp_path / "labels.csv", "--quality", tmp_path / "report.json")
    printed = as_json("align", music.recording, music.score, *outputs)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["quality"] == printed["quality"]
    assert report["recording"]["sha256"] == printed["recording"]["sha256"]
    assert report["quality"]["verdict"] == "accept"
    assert report["quality"]["reasons"] == []
    assert report["quality"]["confident_share"] > 0.9
    assert str(tmp_path / "report.json") in printed["outputs"]
    done("align", music.recording, music.score, *outputs, "--force")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == report


@pytest.mark.parametrize("words", [("--with-confidence",), ("--quality", "report.json")])
def test_the_recipe_of_the_paper_is_not_asked_how_sure_it_is(
    music: Music, tmp_path: Path, words: tuple[str, ...]
) -> None:
    options = [tmp_path / word if word.endswith(".json") else word for word in words]
    outputs = ("-o", tmp_path / "labels.csv", "--preset", "musicnet", *options)
    assert "--preset precise" in misused("align", music.recording, music.score, *outputs)
    assert list(tmp_path.iterdir()) == []


def test_another_soundfont_is_used_and_named(music: Music, tmp_path: Path) -> None:
    printed = as_json("align", music.recording, music.score, "-o", tmp_path / "a.csv", "--soundfont", "timgm6mb")
    assert printed["soundfont"]["name"] == "TimGM6mb"
