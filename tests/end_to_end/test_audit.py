"""From a dataset to its page, from judgements to the manifest, and from there to the dataset built again."""

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import PROGRAM, as_json, done, misused, refused
from conftest import Music
from small_dataset import Material

from musicnet_build.anchors import parse_anchors, read_anchors, write_anchors
from musicnet_build.audio.io import read_audio
from musicnet_build.cli.audit_aligner import manifest_aligner
from musicnet_build.datasets.job import Row
from musicnet_build.files import sha256_of
from musicnet_build.labels.files import read_labels
from musicnet_build.listening.judgements import Event, Journal, described_note
from musicnet_build.notes import SAMPLE_RATE


@pytest.fixture
def built(material: Material, tmp_path: Path) -> Material:
    """The material with a dataset beside it."""
    copy = material.copy(tmp_path / "set")
    build(copy)
    return copy


def build(material: Material, **settings: bool) -> list[Row]:
    return material.build(material.folder / "out", settings=replace(material.settings, **settings))


def judged(material: Material, number: int, recording: str, kind: str, **fields: object) -> Event:
    (labels,) = (material.folder / "out").glob(f"*/{recording}.csv")
    common = {"v": 1, "id": f"{number:026d}", "reviewer": "ada", "recording": recording, "labels": sha256_of(labels)}
    return {**common, "kind": kind, **fields}


def test_the_address_is_printed_and_served_until_interrupted(built: Material) -> None:
    command = [PROGRAM, "audit", str(built.folder / "out"), "--no-browser", "--reviewer", "ada"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address, timeout=60) as answer:
        cookie = answer.headers["set-cookie"].partition(";")[0]
    request = urllib.request.Request(address.partition("?")[0] + "api/recordings", headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=60) as answer:
        listed = json.load(answer)
    assert [one["id"] for one in listed["recordings"]] == ["1", "2", "3"]
    assert listed["reviewer"] == "ada"
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_verdicts_reach_the_manifest_and_the_next_build(built: Material) -> None:
    journal = Journal(built.folder / "out.audit")
    first = judged(built, 1, "1", "verdict", value="accepted")
    second = judged(built, 2, "2", "verdict", value="rejected", text="another, edition")
    stale = judged(built, 3, "3", "verdict", value="rejected") | {"labels": "0" * 64}
    journal.append("ada", [first, second, stale])
    applied = as_json("audit", "apply", built.folder / "out", "--manifest", built.manifest)
    assert {one: values["verdict"] for one, values in applied["applied"].items()} == {"1": "accept", "2": "reject"}
    assert applied["stale"] == [{"recording": "3", "reviewer": "ada"}]
    rows = {row["id"]: row for row in built.rows()}
    assert (rows["2"]["verdict"], rows["2"]["reason"]) == ("reject", "another, edition")
    assert rows["3"]["verdict"] == ""
    assert rows["2"]["composition"] == "Piece 2"
    states = {row.id: (row.state, row.reasons, row.made) for row in build(built)}
    assert states["1"] == ("accept", ("accept by a person's verdict",), False)
    assert states["2"] == ("reject", ("reject by a person's verdict: another, edition",), False)
    assert states["3"][0] == "review"
    # The verdict holds on the labels that are left out now, too.
    assert "reject         2" in done("audit", "apply", built.folder / "out", "--manifest", built.manifest)


def test_anchors_that_were_kept_reach_the_manifest_and_the_page_again(built: Material) -> None:
    dataset = built.folder / "out"
    kept = parse_anchors("0.5=1:1,1.25=2:3")
    write_anchors(dataset.with_name("out.audit") / "anchors" / "2.csv", kept)
    applied = as_json("audit", "apply", dataset, "--manifest", built.manifest)
    assert applied["anchors"] == {"2": {"anchors": "anchors/2.csv"}}
    assert {row["id"]: row["anchors"] for row in built.rows()} == {"1": "", "2": "anchors/2.csv", "3": ""}
    assert read_anchors(built.folder / "anchors" / "2.csv") == kept
    built.change("3", preset="musicnet")
    aligner = manifest_aligner(built.manifest, None)
    assert [aligner.anchors(one) for one in "1239"] == [(), kept, None, None]


def test_condemned_notes_leave_the_labels_where_that_is_asked_for(built: Material) -> None:
    labels = built.folder / "out" / "train_labels" / "1.csv"
    notes, before = read_labels(labels), labels.read_bytes()
    condemned = judged(built, 1, "1", "note", note=described_note(notes, 4), value="not_played")
    late = judged(built, 2, "1", "note", note=described_note(notes, 5), value="tone_late")
    Journal(built.folder / "out.audit").append("ada", [condemned, late])
    assert not any(row.made for row in build(built))
    assert labels.read_bytes() == before
    assert [row.made for row in build(built, drop_condemned=True)] == [True, False, False]
    lines = before.decode().splitlines()
    assert labels.read_text(encoding="utf-8").splitlines() == lines[:5] + lines[6:]
    report = json.loads((built.folder / "out" / "quality" / "1.json").read_text(encoding="utf-8"))
    assert report["condemned_notes"] == 1
    assert not any(row.made for row in build(built, drop_condemned=True))
    assert [row.made for row in build(built)] == [True, False, False]
    assert labels.read_bytes() == before


def test_misuse_and_faulty_files_are_said_in_a_line(built: Material, music: Music, tmp_path: Path) -> None:
    dataset = built.folder / "out"
    assert "one label file" in misused("audit", music.recording, "--no-browser")
    assert "is a folder" in misused("audit", dataset, music.truth, "--no-browser")
    assert "needs its --manifest" in misused("audit", dataset, "--score", music.score)
    assert "give --score" in misused("audit", music.recording, music.truth, "--manifest", built.manifest)
    assert "does not exist" in misused("audit", tmp_path / "nothing")
    (tmp_path / "bad.csv").write_text("no labels", encoding="utf-8")
    assert "bad.csv" in refused("audit", music.recording, tmp_path / "bad.csv", "--no-browser")
    assert "printable" in refused("audit", dataset, "--no-browser", "--reviewer", "a\nb")
    (tmp_path / "empty").mkdir()
    assert "train_data" in refused("audit", tmp_path / "empty", "--no-browser")
    shutil.copy(built.manifest, tmp_path / "manifest.yaml")
    assert "Missing option '--manifest'" in misused("audit", "apply", dataset)


def test_slow_overlays_and_clips(music: Music, tmp_path: Path) -> None:
    slow, clips = tmp_path / "slow.flac", tmp_path / "clips.flac"
    made = as_json("overlay", music.recording, music.truth, "-o", slow, "--speed", "4", "--start", "1", "--end", "2.5")
    assert made["duration_s"] == 6.0
    assert len(read_audio(slow)) == 6 * SAMPLE_RATE
    made = as_json("overlay", music.recording, music.truth, "-o", clips, "--clips")
    assert made["spans_s"][0][0] == 0.0
    assert "leave --start" in misused("overlay", music.recording, music.truth, "-o", clips, "--clips", "--start", "1")
