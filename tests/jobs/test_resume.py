"""What is made again and what is not: results of a changed recipe, or of other bytes, must never pass for current."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import musicnet_build
from musicnet_build.jobs.resume import (
    LABELS,
    Made,
    Record,
    code_fingerprint,
    differences,
    is_whole,
    make_once,
    read_record,
    write_record,
)


def job(folder: Path, text: str = "notes", **made_from: object) -> tuple[Record, bool]:
    def make() -> Made:
        (folder / "labels.csv").write_text(text, encoding="utf-8")
        return Made(["labels.csv"], {"notes": 12})

    return make_once(folder / "records" / "1.json", folder, {"score": "a" * 64, **made_from}, make)


def test_a_job_is_done_once_and_its_report_is_handed_out_again(tmp_path: Path) -> None:
    first, is_new = job(tmp_path, span_s=(0.5, 2))
    again, is_new_again = job(tmp_path, span_s=(0.5, 2))
    assert (is_new, is_new_again) == (True, False)
    assert first == again
    assert again.report == {"notes": 12}


def test_dates_play_no_part(tmp_path: Path) -> None:
    job(tmp_path)
    os.utime(tmp_path / "labels.csv", (1, 1))
    shutil.copytree(tmp_path, tmp_path / "copy")
    assert job(tmp_path)[1] is False
    assert job(tmp_path / "copy")[1] is False


@pytest.mark.parametrize("harm", ["other input", "damaged file", "lost file", "damaged record", "foreign record"])
def test_whatever_does_not_fit_is_made_again(tmp_path: Path, harm: str) -> None:
    job(tmp_path)
    record = tmp_path / "records" / "1.json"
    match harm:
        case "damaged file":
            (tmp_path / "labels.csv").write_text("notez", encoding="utf-8")
        case "lost file":
            (tmp_path / "labels.csv").unlink()
        case "damaged record":
            record.write_bytes(record.read_bytes()[:-20])
        case "foreign record":
            record.write_text('{"made_from": [], "files": {}, "report": {}}', encoding="utf-8")
    assert job(tmp_path, preset="precise" if harm == "other input" else None)[1] is True
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8") == "notes"


def test_a_job_that_fails_leaves_no_record(tmp_path: Path) -> None:
    job(tmp_path)

    def fail() -> Made:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        make_once(tmp_path / "records" / "1.json", tmp_path, {"score": "b" * 64}, fail)
    assert read_record(tmp_path / "records" / "1.json") is None


def test_a_person_is_told_why(tmp_path: Path) -> None:
    record = Record({"score": "a" * 64, "preset": "musicnet", "order": "", "old": 1}, {})
    assert differences(record, {"score": "b" * 64, "preset": "precise", "order": "", "new": 2}) == [
        "new: 2, not stated before",
        "old: no longer 1",
        "preset: precise, before musicnet",
        "score has changed",
    ]
    assert differences(None, {}) == ["it was not made before"]
    write_record(tmp_path / "a.json", record)
    assert read_record(tmp_path / "a.json") == record
    assert is_whole(record, tmp_path)


FINGERPRINTS = """
from musicnet_build.jobs.resume import LABELS, code_fingerprint
print(code_fingerprint(*LABELS), code_fingerprint("packing"))
"""


def fingerprints(root: Path) -> list[str]:
    run = [sys.executable, "-c", FINGERPRINTS]
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(run, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_a_changed_constant_or_weight_is_another_fingerprint_and_nothing_else_is(tmp_path: Path) -> None:
    package = Path(musicnet_build.__file__).parent
    shutil.copytree(package, tmp_path / "musicnet_build", ignore=shutil.ignore_patterns("__pycache__"))
    assert fingerprints(tmp_path) == fingerprints(package.parent)
    before = fingerprints(tmp_path)
    (tmp_path / "musicnet_build" / "cli" / "align.py").write_text("", encoding="utf-8")
    (tmp_path / "musicnet_build" / "sync" / "notes.txt").write_text("no code", encoding="utf-8")
    assert fingerprints(tmp_path) == before
    with (tmp_path / "musicnet_build" / "sync" / "refinement.py").open("a", encoding="utf-8") as file:
        file.write("\n_CONSTANT = 1\n")
    changed = fingerprints(tmp_path)
    assert (changed[0] == before[0], changed[1] == before[1]) == (False, True)
    (weights,) = (tmp_path / "musicnet_build" / "features").glob("*.npz")
    weights.write_bytes(weights.read_bytes() + b"0")
    assert fingerprints(tmp_path)[0] not in (before[0], changed[0])


def test_a_room_that_is_not_there_is_no_silent_constant() -> None:
    with pytest.raises(ValueError, match="no room 'sing'"):
        code_fingerprint("sync", "sing")
    assert "sync" in LABELS
