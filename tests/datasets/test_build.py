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
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from small_dataset import LATE_S, Material, contents

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.musicnet import count_overlaps
from musicnet_build.datasets.build import build, local_runner, summary_table
from musicnet_build.datasets.job import Row, prepared_score, whole_semitones
from musicnet_build.datasets.manifest import read_manifest
from musicnet_build.datasets.validate import find_problems
from musicnet_build.errors import AlignmentError, DatasetError, ManifestError
from musicnet_build.files import read_json
from musicnet_build.jobs.dask import cluster_runner
from musicnet_build.jobs.local import Job, Outcome
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
    material.build(tmp_path / "out", run=local_runner(2))
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
        process.wait(timeout=30)


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


def test_moving_to_the_other_set_a_persons_verdict_and_leaving_the_manifest_need_no_new_alignment(
    built: tuple[Material, Path],
) -> None:
    material, out = built
    material.change("1", split="test")
    material.change("2", verdict="rejected")
    rows = material.build(out)
    assert made(rows) == []
    assert [row.included for row in rows] == [True, False, True]
    files = contents(out)
    assert {"test_data/1.wav", "test_labels/1.csv", "left_out/2.csv", "quality/2.json"} < files.keys()
    assert not {"train_data/1.wav", "train_data/2.wav", "train_labels/1.csv", "train_labels/2.csv"} & files.keys()
    assert files["left_out.csv"] == b"id,state,reason\n2,rejected,rejected by a person's verdict\n"
    assert made(material.build(out, settings=replace(material.settings, include="rejected"))) == ["2"]
    assert "train_data/2.wav" in contents(out)
    material.manifest.write_text("".join(material.manifest.read_text().splitlines(keepends=True)[:2]))
    material.build(out)
    assert not [name for name in contents(out) if "/2." in name or "/3." in name]


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
    material.change("2", verdict="accepted")
    rows = material.build(out, settings=replace(material.settings, include="accepted"))
    assert [row.included for row in rows] == [False, True, False]
    assert rows[0].reasons[0] == "the pair is doubtful: two scores fit"


def test_overlay_clips_are_written_on_request(material: Material, tmp_path: Path) -> None:
    only = material.copy(tmp_path / "in")
    only.manifest.write_text("".join(only.manifest.read_text().splitlines(keepends=True)[:2]))
    only.build(tmp_path / "out", settings=replace(material.settings, overlay=True, with_confidence=True))
    clips = [f"overlays/1_{name}.flac" for name in ("end", "middle", "start")]
    assert [name for name in contents(tmp_path / "out") if name.startswith("overlays/")] == clips
    assert (tmp_path / "out" / "train_labels" / "1.csv").read_text().splitlines()[0].endswith(",confidence")


def test_the_remaining_time_follows_the_pace_of_what_was_made(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr("musicnet_build.datasets.build.time", SimpleNamespace(monotonic=lambda: now_s))
    told: list[float | None] = []

    def run(jobs: Sequence[Job], on_done: Callable[[Outcome], object]) -> list[Outcome]:
        """One recording found ready, one that took 20 seconds, and another; nothing is written."""
        nonlocal now_s
        outcomes = [Outcome(job.id, "done", None, 0.0, job is not jobs[0]) for job in jobs]
        for moment_s, outcome in zip((0.0, 20.0, 40.0), outcomes, strict=True):
            now_s = moment_s
            on_done(outcome)
        return outcomes

    rows = build(
        read_manifest(material.manifest),
        tmp_path / "out",
        material.settings,
        run=run,
        progress=lambda step: told.append(step.remaining_s),
    )
    second, third = ((material.folder / f"{one}.flac").stat().st_size for one in (2, 3))
    assert told == [None, pytest.approx(20.0 * third / second), 0.0]
    assert [row.reasons for row in rows] == [("its record is missing: run again.",)] * 3


def test_an_excerpt_and_a_transposition_are_applied(material: Material, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    changed.manifest.write_text("".join(changed.manifest.read_text().splitlines(keepends=True)[:2]))
    changed.change("1", start_s=LATE_S, end_s=2.5, transposition=2, tuning_cents=-101)
    changed.build(tmp_path / "out")
    assert read_json(tmp_path / "out" / ".build" / "1.json")["samples"] == round(2.5 * 44_100) - round(LATE_S * 44_100)
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


def test_a_score_is_transposed_as_it_sounds(material: Material) -> None:
    score = read_score(material.folder / "1.mid")
    sounding = prepared_score(score, -12)
    assert (sounding.notes["pitch"] == score.notes["pitch"] - 12).all()
    with pytest.raises(AlignmentError, match="leaves the range of MIDI"):
        prepared_score(score, 60)


@pytest.mark.parametrize(
    ("stated", "semitones", "cents"), [(0, 0, 0), (30, 0, 30), (-101, -1, -1), (99.4, 1, -0.6), (-60, -1, 40)]
)
def test_a_tuning_is_whole_semitones_and_what_remains(stated: float, semitones: int, cents: float) -> None:
    assert whole_semitones(stated) == (semitones, pytest.approx(cents))


def test_overlaps_are_counted_for_each_pitch_and_instrument() -> None:
    notes = empty_notes(5)
    notes["onset_s"] = [0.0, 0.5, 1.0, 0.5, 0.5]
    notes["offset_s"] = [1.0, 2.0, 3.0, 0.7, 0.9]
    notes["pitch"] = [60, 60, 60, 61, 60]
    notes["program"] = [0, 0, 0, 0, 40]
    assert count_overlaps(notes) == 2
    assert count_overlaps(notes[:0]) == 0


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
import sys
from pathlib import Path
from small_dataset import Material
from musicnet_build.datasets.build import local_runner
if __name__ == "__main__":
    Material(Path(sys.argv[1])).build(Path(sys.argv[2]), run=local_runner(2))
"""


def test_a_build_that_is_killed_is_completed_by_the_next(material: Material, dataset: Path, tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    }
    process = subprocess.Popen([sys.executable, str(script), str(material.folder), str(out)], env=environment)
    while not list(out.glob("*_data/*")):
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not (out / "SHA256SUMS").exists()
    time.sleep(0.2)  # its workers notice
    material.build(out)
    assert contents(out) == contents(dataset)


def test_leftovers_of_killed_processes_are_removed(built: tuple[Material, Path]) -> None:
    material, out = built
    before = contents(out)
    (out / "train_data" / ".1-abcd_123.wav").touch()
    (out / "train_data" / "77.wav").touch()
    (out / ".SHA256SUMS-12345678").touch()
    material.build(out)
    assert contents(out) == before


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
