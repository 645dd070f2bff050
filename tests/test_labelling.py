"""The front door in Python gives what the command gives, and objects that notebooks can show."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import done
from conftest import Music

import musicnet_build as mb
from musicnet_build.errors import LabelError


@pytest.fixture(scope="module")
def labelled(music: Music) -> "mb.LabelledRecording":
    return mb.label(music.recording, music.score)


def test_label_writes_the_bytes_of_the_command(music: Music, labelled: "mb.LabelledRecording", tmp_path: Path) -> None:
    done("align", music.recording, music.score, "-o", tmp_path / "command.csv", "--with-confidence")
    labelled.to_csv(tmp_path / "python.csv", with_confidence=True)
    assert (tmp_path / "python.csv").read_bytes() == (tmp_path / "command.csv").read_bytes()


def test_what_is_no_csv_is_not_written_as_one(labelled: "mb.LabelledRecording", tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="write_labels"):
        labelled.to_csv(tmp_path / "labels.mid")


def test_a_given_order_and_preset_are_those_of_the_command(music: Music, tmp_path: Path) -> None:
    done(
        "align",
        music.recording,
        music.score,
        "-o",
        tmp_path / "command.csv",
        "--preset",
        "musicnet",
        "--order",
        "b0-b9",
    )
    labelled = mb.label(music.recording, music.score, preset="musicnet", order="b0-b9")
    labelled.to_csv(tmp_path / "python.csv")
    assert labelled.verdict == "not measured"
    assert (tmp_path / "python.csv").read_bytes() == (tmp_path / "command.csv").read_bytes()


def test_labels_become_a_table_and_a_performance(labelled: "mb.LabelledRecording") -> None:
    table, midi = labelled.to_dataframe(), labelled.to_pretty_midi()
    assert table.onset_s.tolist() == labelled.notes["onset_s"].tolist()
    onsets_s = sorted(note.start for instrument in midi.instruments for note in instrument.notes)
    np.testing.assert_allclose(onsets_s, labelled.notes["onset_s"], atol=1e-4)
    assert {instrument.program for instrument in midi.instruments} == set(labelled.notes["program"].tolist())


def test_a_notebook_shows_verdict_picture_sound_and_notes(labelled: "mb.LabelledRecording") -> None:
    shown = labelled._repr_html_()
    assert re.search(r"<img [^>]*data:image/png;base64,iVBOR", shown)
    assert re.search(r"<audio controls src=\"data:audio/flac;base64,ZkxhQ", shown)
    assert labelled.verdict in shown
    assert f"{labelled.notes['onset_s'][0]:.3f}" in shown
    duration_s = len(labelled.audio) / 44_100
    assert repr(labelled) == f"<recording.flac: {len(labelled.notes)} notes in {duration_s:.1f} s, {labelled.verdict}>"


def test_an_exact_duplicate_is_counted_as_in_the_file(labelled: "mb.LabelledRecording") -> None:
    notes = np.concatenate([labelled.notes, labelled.notes[-1:]])
    assert repr(replace(labelled, alignment=replace(labelled.alignment, notes=notes))) == repr(labelled)


def test_the_picture_is_written_whole(labelled: "mb.LabelledRecording", tmp_path: Path) -> None:
    figure = labelled.plot(tmp_path / "alignment.png")
    assert np.allclose(figure.get_size_inches(), (16, 10))
    assert (tmp_path / "alignment.png").read_bytes().startswith(b"\x89PNG")
