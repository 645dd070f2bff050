"""A dataset is the same however it came to be built, and says what is not in it and why."""

import contextlib
import csv
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_dataset import LATE_S, Material, contents, run_here

import musicnet_build
from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.musicnet import count_overlaps, read_dataset
from musicnet_build.datasets.build import carry_out
from musicnet_build.datasets.job import Row
from musicnet_build.datasets.lists import summary_table
from musicnet_build.datasets.manifest import read_manifest
from musicnet_build.datasets.plan import plan_build
from musicnet_build.datasets.validate import find_problems
from musicnet_build.errors import DatasetError, ManifestError
from musicnet_build.files import read_json
from musicnet_build.jobs.dask import cluster_runner
from musicnet_build.jobs.local import LocalRunner
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE, empty_notes
from musicnet_build.score.reader import read_score


@pytest.fixture
def built(material: Material, dataset: Path, tmp_path: Path) -> tuple[Material, Path]:
    """Copies of the material and of its dataset, to be changed."""
    shutil.copytree(dataset, tmp_path / "out")
    return material.copy(tmp_path / "in"), tmp_path / "out"


def made(rows: list[Row]) -> list[str]:
    return [row.id for row in rows if row.made]


def test_the_folder_is_complete_and_the_labels_lie_where_the_notes_sound(dataset: Path, material: Material) -> None:
    visible = {name for name in contents(dataset) if not name.startswith(".")}
    assert visible == {
        *(f"train_data/{one}.wav" for one in "12"),
        *(f"train_labels/{one}.csv" for one in "12"),
        *("test_data/3.wav", "test_labels/3.csv"),
        *(f"quality/{one}.json" for one in "123"),
        *("splits/train.txt", "splits/test.txt", "musicnet_metadata.csv", "left_out.csv", "index.json"),
        *("provenance.json", "README.md", "SHA256SUMS"),
    }
    for one, split in zip("123", ("train", "train", "test"), strict=True):
        labels = read_labels(dataset / f"{split}_labels" / f"{one}.csv")
        onset_s = 1.1 * read_score(material.folder / f"{one}.mid").notes["onset_s"] + LATE_S
        # Not the first chord: a recipe that does not pad the score puts it at the start of the recording.
        assert np.abs(np.sort(labels["onset_s"]) - np.sort(onset_s))[2:].max() < 0.05


def test_the_lists_say_what_the_manifest_says(dataset: Path) -> None:
    with (dataset / "musicnet_metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["composer"] == "Bach, J. S."
    assert (dataset / "splits" / "test.txt").read_text() == "3\n"
    card = (dataset / "README.md").read_text()
    assert "| CC0 | 3 |" in card
    assert "3 in need of review" in card
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=dataset, check=False)
    assert checked.returncode == 0


def test_two_workers_build_the_same_bytes_as_one(material: Material, dataset: Path, tmp_path: Path) -> None:
    material.build(tmp_path / "out", run=LocalRunner(2))
    assert contents(tmp_path / "out") == contents(dataset)


def test_a_dask_cluster_builds_the_same_bytes(material: Material, dataset: Path, tmp_path: Path) -> None:
    with local_cluster(tmp_path) as address:
        material.build(tmp_path / "out", run=cluster_runner(address))
    assert contents(tmp_path / "out") == contents(dataset)


CLUSTER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, scheduler_port=0, dashboard_address=None, memory_limit=0)
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def local_cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two workers in processes of their own, as on a real cluster."""
    script = folder / "cluster.py"
    script.write_text(CLUSTER, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=300)


def test_no_scheduler_is_one_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musicnet_build.jobs.dask._CONNECT_S", 0.5)
    with pytest.raises(DatasetError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        cluster_runner("tcp://127.0.0.1:9")([], print)


def test_nothing_is_made_twice_and_only_what_changed_is_made_again(built: tuple[Material, Path]) -> None:
    material, out = built
    before = contents(out)
    assert made(material.build(out)) == []
    assert contents(out) == before
    shutil.copy(material.folder / "1.mid", material.folder / "2.mid")
    (out / "train_data" / "1.wav").write_bytes(b"damaged")
    (out / "quality" / "3.json").unlink()
    assert made(material.build(out)) == ["1", "2", "3"]
    after = contents(out)
    assert after["train_data/1.wav"] == before["train_data/1.wav"]
    assert after["quality/3.json"] == before["quality/3.json"]
    assert after["train_labels/2.csv"] != before["train_labels/2.csv"]
    os.utime(material.folder / "3.flac", (1, 1))
    assert made(material.build(out)) == []


BUILD = """
import sys
from pathlib import Path
from small_dataset import Material
print(*(row.id for row in Material(Path(sys.argv[1])).build(Path(sys.argv[2])) if row.made))
"""


def test_a_recipe_changed_by_one_constant_makes_every_recording_again_and_an_untouched_one_none(
    built: tuple[Material, Path], tmp_path: Path
) -> None:
    material, out = built
    package = Path(musicnet_build.__file__).parent
    shutil.copytree(package, tmp_path / "src" / "musicnet_build")

    def made_by_copy() -> list[str]:
        path = os.pathsep.join([str(tmp_path / "src"), str(Path(__file__).parents[1]), *filter(None, sys.path)])
        command = [sys.executable, "-c", BUILD, str(material.folder), str(out)]
        environment = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert made_by_copy() == []
    recipe = tmp_path / "src" / "musicnet_build" / "sync" / "precise.py"
    text = recipe.read_text(encoding="utf-8")
    assert "TEMPO_SMOOTHING_S = 0.3\n" in text
    recipe.write_text(text.replace("TEMPO_SMOOTHING_S = 0.3\n", "TEMPO_SMOOTHING_S = 0.4\n"), encoding="utf-8")
    assert made_by_copy() == ["1", "2", "3"]
    assert made_by_copy() == []


def test_moving_to_the_other_set_a_persons_verdict_need_no_new_alignment(
    built: tuple[Material, Path],
) -> None:
    material, out = built
    material.change("1", split="test")
    material.change("2", verdict="reject")
    rows = material.build(out)
    assert made(rows) == []
    assert [row.included for row in rows] == [True, False, True]
    files = contents(out)
    assert {"test_data/1.wav", "test_labels/1.csv", "left_out/2.csv", "quality/2.json"} < files.keys()
    assert not {"train_data/1.wav", "train_data/2.wav", "train_labels/1.csv", "train_labels/2.csv"} & files.keys()
    assert files["left_out.csv"] == b"id,state,reason\n2,reject,reject by a person's verdict\n"
    assert made(material.build(out, settings=replace(material.settings, include="reject"))) == ["2"]
    assert "train_data/2.wav" in contents(out)


def test_broken_inputs_are_listed_with_reasons_and_the_rest_is_complete(
    material: Material, dataset: Path, tmp_path: Path
) -> None:
    changed = material.copy(tmp_path / "in")
    (changed.folder / "1.mid").write_bytes(b"no music")
    (changed.folder / "2.flac").write_bytes((changed.folder / "2.flac").read_bytes()[:-5000])
    rows = changed.build(tmp_path / "out")
    assert [row.state for row in rows] == ["failed", "failed", "review"]
    assert rows[0].reasons == ("1.mid: is not a MIDI file (it does not start with a MIDI header).",)
    assert "2.flac" in rows[1].reasons[0]
    assert "in sets        1" in summary_table(rows)
    ours, whole = contents(tmp_path / "out"), contents(dataset)
    for name in ("test_data/3.wav", "test_labels/3.csv", "quality/3.json"):
        assert ours[name] == whole[name]
    assert [line.split(",")[:2] for line in ours["left_out.csv"].decode().splitlines()[1:]] == [
        ["1", "failed"],
        ["2", "failed"],
    ]


def test_a_doubtful_pair_and_only_accepted_ones_wanted_leaves_the_sets_empty(built: tuple[Material, Path]) -> None:
    material, out = built
    material.change("1", check="two scores fit")
    material.change("2", verdict="accept")
    rows = material.build(out, settings=replace(material.settings, include="accept"))
    assert [row.included for row in rows] == [False, True, False]
    assert rows[0].reasons[0] == "the pair is doubtful: two scores fit"


def test_overlay_clips_are_written_on_request(material: Material, tmp_path: Path) -> None:
    only = material.copy(tmp_path / "in")
    only.manifest.write_text("".join(only.manifest.read_text().splitlines(keepends=True)[:2]))
    only.build(tmp_path / "out", settings=replace(material.settings, overlay=True, with_confidence=True))
    clips = [f"overlays/1_{name}.flac" for name in ("end", "middle", "start")]
    assert [name for name in contents(tmp_path / "out") if name.startswith("overlays/")] == clips
    assert (tmp_path / "out" / "train_labels" / "1.csv").read_text().splitlines()[0].endswith(",confidence")


def test_an_excerpt_and_a_transposition_are_applied(material: Material, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    changed.manifest.write_text("".join(changed.manifest.read_text().splitlines(keepends=True)[:2]))
    changed.change("1", start_s=LATE_S, end_s=2.5, transposition=2, tuning_cents=-101)
    changed.build(tmp_path / "out")
    report = read_json(tmp_path / "out" / ".build" / "1.json")["report"]
    assert report["samples"] == round(2.5 * 44_100) - round(LATE_S * 44_100)
    labels = read_labels(tmp_path / "out" / "train_labels" / "1.csv")
    assert set(labels["pitch"]) == set(read_score(material.folder / "1.mid").notes["pitch"] + 1)
    changed.change("1", start_s=900, end_s="")
    (row,) = changed.build(tmp_path / "out")
    assert "is not in it" in row.reasons[0]


def test_a_recording_is_labelled_in_the_playing_order_of_the_manifest(material: Material, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    changed.manifest.write_text("".join(changed.manifest.read_text().splitlines(keepends=True)[:2]))
    audio = read_audio(changed.folder / "1.flac")
    seam = round((1.1 * 1.2 + LATE_S) * SAMPLE_RATE)
    write_audio(changed.folder / "1.flac", np.concatenate([audio[seam:], audio[:seam]]))
    changed.change("1", order="b2.4-b4.7, b0-b2.4")
    changed.build(tmp_path / "out")
    labels = read_labels(tmp_path / "out" / "train_labels" / "1.csv")
    assert labels["onset_beats"][::2].tolist() == pytest.approx([2.4, 3.2, 4.0, 0.0, 0.8, 1.6])
    first_half_s = (len(audio) - seam) / SAMPLE_RATE + LATE_S + 1.1 * 0.4 * np.arange(3)
    assert np.abs(labels["onset_s"][6::2] - first_half_s).max() < 0.05
    changed.change("1", order="1-2")
    (row,) = changed.build(tmp_path / "out")
    assert (row.state, row.made) == ("failed", False)
    assert "states no time signature" in row.reasons[0]


def test_overlaps_of_a_passage_that_is_played_twice_count_twice(material: Material, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    changed.manifest.write_text("".join(changed.manifest.read_text().splitlines(keepends=True)[:2]))
    notes = empty_notes(3)
    notes["onset_s"], notes["offset_s"], notes["pitch"], notes["velocity"] = [0, 0.4, 1.6], [1.2, 0.8, 2.3], 60, 90
    write_labels(changed.folder / "1.mid", notes)
    changed.change("1", order="b0-b2.4,b0-b4.6")
    changed.build(tmp_path / "out")
    assert read_json(tmp_path / "out" / "quality" / "1.json")["overlaps_in_score"] == 2
    assert [problem for problem in find_problems(tmp_path / "out") if "overlap" in problem.fault] == []


def test_overlaps_are_counted_for_each_pitch_and_instrument() -> None:
    notes = empty_notes(5)
    notes["onset_s"] = [0.0, 0.5, 1.0, 0.5, 0.5]
    notes["offset_s"] = [1.0, 2.0, 3.0, 0.7, 0.9]
    notes["pitch"] = [60, 60, 60, 61, 60]
    notes["program"] = [0, 0, 0, 0, 40]
    assert count_overlaps(notes) == 2
    assert count_overlaps(notes[:0]) == 0


def test_labels_that_a_person_corrected_stay_whatever_the_recipe_until_they_are_to_be_remade(
    built: tuple[Material, Path],
) -> None:
    material, out = built
    labels = out / "train_labels" / "2.csv"
    before = contents(out)
    corrected = b"".join(labels.read_bytes().splitlines(keepends=True)[:-1])
    labels.write_bytes(corrected)
    plan = plan_build(read_manifest(material.manifest), out, material.settings)
    assert plan.lines() == ["the labels of 2 were changed by hand and are kept: --remake 2 replaces them"]
    for change in ({"preset": "precise"}, {"split": "test"}, {"verdict": "reject"}):
        material.change("2", **change)
        rows = material.build(out)
        assert made(rows) == []
        assert rows[1].reasons[-1] == "labels by hand" if "verdict" in change else rows[1].reasons[0]
    files = contents(out)
    assert files["left_out/2.csv"] == corrected
    assert "1 of them are by hand" in files["README.md"].decode()
    assert read_json(out / "provenance.json")["recordings"]["2"]["by_hand"] is True
    material.change("2", preset="", split="train", verdict="")
    assert made(material.build(out)) == ["2"]  # its sound, which was left out
    assert contents(out)["train_labels/2.csv"] == corrected
    assert find_problems(out) == []
    material.build(out, remake=["2"])
    assert {name: data for name, data in contents(out).items() if not name.startswith(".")} == {
        name: data for name, data in before.items() if not name.startswith(".")
    }
    with pytest.raises(DatasetError, match="names no recording 9"):
        material.build(out, remake=["9"])


def test_corrected_labels_are_neither_used_for_another_recording_nor_lost(built: tuple[Material, Path]) -> None:
    material, out = built
    labels = out / "train_labels" / "2.csv"
    corrected = b"".join(labels.read_bytes().splitlines(keepends=True)[:-1])
    labels.write_bytes(corrected)
    material.change("2", start_s=LATE_S)
    rows = material.build(out)
    assert rows[1].state == "failed"
    assert "corrected by hand, for another recording or part of it (start_s has changed)" in rows[1].reasons[0]
    assert contents(out)["left_out/2.csv"] == corrected
    assert find_problems(out) == []
    assert not (out / "train_data" / "2.wav").exists()
    material.change("2", start_s="")
    material.build(out)
    assert contents(out)["train_labels/2.csv"] == corrected


def test_labels_of_the_manifest_are_taken_as_they_are(material: Material, dataset: Path, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    write_labels(changed.folder / "mine.txt", read_labels(dataset / "train_labels" / "1.csv"))
    changed.change("1", labels="mine.txt", score="")
    rows = changed.build(tmp_path / "out")
    assert (rows[0].state, rows[0].reasons) == ("accept", ("labels by hand",))
    ours, theirs = (read_labels(folder / "train_labels" / "1.csv") for folder in (tmp_path / "out", dataset))
    for field in ("pitch", "program"):
        np.testing.assert_array_equal(ours[field], theirs[field])
    np.testing.assert_allclose(ours["onset_s"], theirs["onset_s"], atol=2e-5)
    origin = read_json(tmp_path / "out" / "provenance.json")["recordings"]["1"]
    assert origin["by_hand"] is True
    assert origin["labels"]["path"] == "mine.txt"
    assert find_problems(tmp_path / "out") == []
    assert made(changed.build(tmp_path / "out")) == []
    late = read_labels(changed.folder / "mine.txt")
    late["onset_s"][-1] = late["offset_s"][-1] = 900.0
    write_labels(changed.folder / "mine.txt", late)
    (row, *_) = changed.build(tmp_path / "out")
    assert "mine.txt: a note begins at 900.00 s, and the recording lasts" in row.reasons[0]


def test_recordings_that_the_manifest_no_longer_names_are_removed_only_on_request_and_by_name(
    built: tuple[Material, Path],
) -> None:
    material, out = built
    before = contents(out)
    material.manifest.write_text("".join(material.manifest.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(DatasetError, match=r"holds 2 recordings \(2, 3\) that manifest\.csv does not name: --prune"):
        material.build(out)
    assert contents(out) == before
    material.build(out, prune=True)
    assert not [name for name in contents(out) if "/2." in name or "/3." in name]
    assert find_problems(out) == []


def test_a_column_or_clips_more_need_no_new_alignment(
    built: tuple[Material, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    material, out = built
    monkeypatch.delattr("musicnet_build.datasets.job.align_files")  # aligning again would fail
    more = replace(material.settings, with_confidence=True, overlay=True)
    assert [row.state for row in material.build(out, settings=more)] == ["review"] * 3
    assert (out / "train_labels" / "1.csv").read_text().splitlines()[0].endswith(",confidence")
    assert len(list((out / "overlays").iterdir())) == 9
    material.build(out)
    assert not (out / "overlays").exists()
    assert not (out / "train_labels" / "1.csv").read_text().splitlines()[0].endswith(",confidence")


def test_confidence_beside_leaves_seven_columns(built: tuple[Material, Path]) -> None:
    material, out = built
    before = contents(out)
    material.build(out, settings=replace(material.settings, confidence_beside=True))
    labels = (out / "train_labels" / "1.csv").read_text().splitlines()
    beside = (out / "confidence" / "1.csv").read_text().splitlines()
    assert labels == before["train_labels/1.csv"].decode().splitlines()
    assert beside[0] == "start_time,end_time,instrument,note,confidence"
    assert [row.split(",")[:4] for row in beside] == [row.split(",")[:4] for row in labels]
    assert len(list((out / "confidence").iterdir())) == 3
    assert find_problems(out) == []
    material.build(out)
    after = {name: data for name, data in contents(out).items() if not name.startswith(".build")}
    assert after == {name: data for name, data in before.items() if not name.startswith(".build")}


def test_what_is_heard_of_labels_stands_beside_them_and_is_heard_once(
    built: tuple[Material, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    material, out = built
    before = contents(out)
    asked = replace(material.settings, heard_beside=True)
    material.build(out, settings=asked)
    labels, heard = ((out / name / "1.csv").read_text().splitlines() for name in ("train_labels", "heard"))
    assert heard[0] == "start_time,end_time,instrument,note,velocity,played"
    assert [row.split(",")[:4] for row in heard] == [row.split(",")[:4] for row in labels]
    assert len({row.split(",")[4] for row in heard[1:]}) > 3
    assert find_problems(out) == []
    after = contents(out)
    monkeypatch.delattr("musicnet_build.datasets.placing.listened")  # listening again would fail
    assert made(material.build(out, settings=asked)) == []
    material.build(out)
    assert not (out / "heard" / "1.csv").exists()
    assert contents(out)["train_labels/1.csv"] == before["train_labels/1.csv"]
    material.build(out, settings=asked)
    assert contents(out) == after


def test_what_the_labels_were_made_from_is_shown_for_those_that_are_still_there(built: tuple[Material, Path]) -> None:
    material, out = built
    labels = out / "train_labels" / "1.csv"
    rows = labels.read_text().splitlines(keepends=True)
    # As a score in notation leaves them.
    kept = "".join(",".join(row.split(",")[:4]) + f",n{place},1,1\n" for place, row in enumerate(rows))
    (out / ".build" / "labels" / "1.score.csv").write_text(kept)
    assert made(material.build(out)) == ["1"]
    assert (out / "score_notes" / "1.csv").read_text() == kept
    labels.write_text("".join([*rows[:3], *rows[4:]]))
    material.build(out)
    assert [row.split(",")[4] for row in (out / "score_notes" / "1.csv").read_text().splitlines()] == [
        f"n{place}" for place in range(len(rows)) if place != 3
    ]
    assert find_problems(out) == []


def test_a_fault_in_corrected_labels_names_where_they_are_now(built: tuple[Material, Path]) -> None:
    material, out = built
    labels = out / "train_labels" / "2.csv"
    whole = labels.read_text()
    labels.write_text(whole.replace("\n", "\nhello\n", 1))
    for _ in range(2):
        rows = material.build(out)
        assert rows[1].reasons == ("left_out/2.csv: line 2: 1 columns instead of 7.",)
    (out / "left_out" / "2.csv").write_text("".join(whole.splitlines(keepends=True)[:-1]))
    material.build(out)
    assert labels.is_file()


def test_what_is_removed_though_a_person_corrected_it_is_named(built: tuple[Material, Path]) -> None:
    material, out = built
    labels = out / "train_labels" / "2.csv"
    labels.write_bytes(b"".join(labels.read_bytes().splitlines(keepends=True)[:-1]))
    material.manifest.write_text("".join(material.manifest.read_text().splitlines(keepends=True)[:2]))
    plan = plan_build(read_manifest(material.manifest), out, material.settings)
    assert (plan.gone, plan.gone_corrected) == (("2", "3"), ("2",))
    assert plan.lines() == []
    assert plan.lines(prune=True) == ["2 is removed, and its labels were changed by hand"]
    with pytest.raises(DatasetError, match=r"--prune removes them \(labels changed by hand: 2\)"):
        material.build(out)


def test_performers_stand_in_the_metadata_where_any_is_named(built: tuple[Material, Path]) -> None:
    material, out = built
    material.change("2", performer="Trio")
    assert made(material.build(out)) == []
    lines = (out / "musicnet_metadata.csv").read_text().splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["performer", "", "Trio", ""]
    assert read_dataset(out)[1].metadata["performer"] == "Trio"


def test_parts_made_by_several_machines_become_the_same_dataset(
    material: Material, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for part in (1, 2):
        plan = plan_build(read_manifest(material.manifest), out, material.settings, shard=(part, 2))
        rows = carry_out(plan, run=run_here)
        assert made(rows) == (["1", "3"] if part == 1 else ["2"])
        assert not (out / "index.json").exists()
    assert plan_build(read_manifest(material.manifest), out, material.settings, shard=(4, 4)).tasks == ()
    with (out / ".build" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        with pytest.raises(DatasetError, match="another build"):
            material.build(out)
        carry_out(plan, run=run_here)
    assert made(material.build(out)) == []
    assert contents(out) == contents(dataset)


def test_it_is_said_why_recordings_are_made_again(built: tuple[Material, Path]) -> None:
    material, out = built
    precise = replace(material.settings, recipe=replace(material.settings.recipe, preset="precise"))
    plan = plan_build(read_manifest(material.manifest), out, precise)
    assert plan.lines() == ["3 will be made again: preset: precise, before musicnet"]
    assert plan_build(read_manifest(material.manifest), out, material.settings).lines() == []


def test_recordings_for_validation_have_a_set_of_their_own(built: tuple[Material, Path]) -> None:
    material, out = built
    material.change("2", split="validation")
    assert made(material.build(out)) == []
    assert {"validation_data/2.wav", "validation_labels/2.csv"} < contents(out).keys()
    assert (out / "splits" / "validation.txt").read_text() == "2\n"
    assert "| validation | 1 |" in (out / "README.md").read_text()
    assert find_problems(out) == []


def test_a_folder_with_other_files_is_left_alone(material: Material, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").touch()
    with pytest.raises(DatasetError, match="is not empty"):
        material.build(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "precious.txt"]


def test_two_builds_do_not_work_in_one_folder(built: tuple[Material, Path]) -> None:
    material, out = built
    with (out / ".build" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatasetError, match="another build"):
            material.build(out)


def test_a_soundfont_that_is_not_there_is_named_with_its_line(material: Material, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    changed.change("2", soundfont="nosuchfont")
    with pytest.raises(ManifestError, match="line 3: There is no soundfont nosuchfont"):
        changed.build(tmp_path / "out")


SCRIPT = """
import os, signal, sys
from pathlib import Path
from small_dataset import Material
from musicnet_build.jobs.local import LocalRunner

def run(jobs, on_done):
    return LocalRunner(2)(jobs, lambda outcome: os.killpg(0, signal.SIGKILL))

if __name__ == "__main__":
    Material(Path(sys.argv[1])).build(Path(sys.argv[2]), run=run)
"""
"""Kills itself and its workers when the first recording is done."""


def test_a_build_that_is_killed_is_completed_by_the_next(material: Material, dataset: Path, tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    }
    command = [sys.executable, str(script), str(material.folder), str(out)]
    killed = subprocess.run(command, env=environment, start_new_session=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(out.glob("*_data/[!.]*"))
    assert not (out / "SHA256SUMS").exists()
    assert len(made(material.build(out))) < 3
    assert contents(out) == contents(dataset)


def test_leftovers_of_killed_processes_are_removed_and_what_others_put_there_is_not(
    built: tuple[Material, Path],
) -> None:
    material, out = built
    before = contents(out)
    (out / "train_data" / ".1-abcd_123.wav").touch()
    (out / ".SHA256SUMS-12345678").touch()
    (out / "train_data" / "my notes.txt").touch()
    material.build(out)
    assert contents(out) == before | {"train_data/my notes.txt": b""}


def test_a_full_disk_is_a_reason_and_the_build_goes_on_when_there_is_room(
    material: Material, dataset: Path, tmp_path: Path
) -> None:
    """No file may grow beyond 200 kB, as on a full disk: less than a recording, more than all else."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        rows = material.build(tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [row.state for row in rows] == ["failed"] * 3
    assert all("File too large" in row.reasons[0] for row in rows)
    assert not list((tmp_path / "out").glob("*_data/*"))
    material.build(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(dataset)
