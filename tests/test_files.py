"""Tests of writing files: each is whole or absent, and what was there stays until the new one is whole."""

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from musicnet_build.errors import DatasetError, LabelError
from musicnet_build.files import (
    digests_of,
    is_locked,
    locked,
    read_bounded,
    read_hashed,
    read_json,
    remove_leftovers,
    replacing,
    sha256_of,
    write_json,
    write_text,
)


def test_the_file_appears_with_what_was_written(tmp_path: Path) -> None:
    with replacing(tmp_path / "labels.csv") as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert not (tmp_path / "labels.csv").exists()
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, check=lambda error: error.errno == errno.ENOSPC) as caught,
        replacing(tmp_path / "labels.csv"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"notes")
    assert caught.value.filename == str(tmp_path / "labels.csv")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "labels.csv"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(error), replacing(target) as temporary:  # noqa: PT012
        temporary.write_text("half", encoding="utf-8")
        raise error
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


def test_a_failure_leaves_no_file_where_there_was_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), replacing(tmp_path / "labels.csv"):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made(tmp_path: Path) -> None:
    with replacing(tmp_path / "a" / "b" / "c.wav") as temporary:
        temporary.write_bytes(b"1")
    assert (tmp_path / "a" / "b" / "c.wav").read_bytes() == b"1"


def test_the_temporary_file_has_the_ending_that_tools_choose_formats_by(tmp_path: Path) -> None:
    with replacing(tmp_path / "c.flac") as temporary:
        assert temporary.suffix == ".flac"
        assert temporary.parent == tmp_path


def test_others_may_read_the_file_as_any_other_file_of_the_user(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "c.wav") as temporary:
            temporary.write_bytes(b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "c.wav").stat().st_mode) == 0o640


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    data = b"music" * 300_000
    (tmp_path / "a").write_bytes(data)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(data).hexdigest()
    both = digests_of(tmp_path / "a")
    assert (both.sha256, both.md5) == (sha256_of(tmp_path / "a"), hashlib.md5(data).hexdigest())


def test_json_is_read_back_as_it_was_and_can_be_read_by_people(tmp_path: Path) -> None:
    values = {"reasons": ["Dvořák"], "offset_s": 0.25, "quality": None}
    write_json(tmp_path / "new" / "report.json", values)
    text = (tmp_path / "new" / "report.json").read_text(encoding="utf-8")
    assert json.loads(text) == values
    assert "Dvořák" in text
    assert text.endswith("}\n")


def test_names_that_are_no_text_come_back_from_json_as_they_were(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    write_json(tmp_path / "report.json", {"path": name})
    assert read_json(tmp_path / "report.json") == {"path": name}
    write_text(tmp_path / "list.txt", name)
    assert (tmp_path / "list.txt").read_bytes() == b"caf\xe9.wav"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_damaged_list_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "list.json").write_bytes(data)
    with pytest.raises(DatasetError, match=r"list\.json: is not JSON, it is damaged"):
        read_json(tmp_path / "list.json")


def test_what_is_too_large_or_not_there_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(bytes(2**20))
    assert len(read_bounded(tmp_path / "a.csv", 2**20, what="labels")) == 2**20
    (tmp_path / "a.csv").write_bytes(bytes(2**20 + 1))
    with pytest.raises(LabelError, match=r"a\.csv: is larger than 1 MiB, too large for labels"):
        read_bounded(tmp_path / "a.csv", 2**20, what="labels", error=LabelError)
    with pytest.raises(DatasetError, match=r"b\.csv: cannot be read \(No such file"):
        read_bounded(tmp_path / "b.csv", 2**20, what="labels")


def test_a_file_that_holds_the_text_already_is_left_alone(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "same")
    os.utime(tmp_path / "a.txt", (1, 1))
    write_text(tmp_path / "a.txt", "same")
    assert (tmp_path / "a.txt").stat().st_mtime == 1
    write_text(tmp_path / "a.txt", "other")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "other"


def test_the_hash_of_a_file_that_changes_while_it_is_read_is_not_given(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    assert read_hashed(path, Path.read_bytes) == (b"old", hashlib.sha256(b"old").hexdigest())

    def read_while_another_writes(source: Path) -> bytes:
        data = source.read_bytes()
        write_text(source, "new")
        return data

    with pytest.raises(DatasetError, match=r"a\.txt: was changed while it was read"):
        read_hashed(path, read_while_another_writes)


def test_a_lock_keeps_others_out_until_it_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    with locked(path) as ours, locked(path) as theirs:
        assert (ours, theirs) == (True, False)
        assert is_locked(path)
    assert not is_locked(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_is_no_json_leaves_the_old_report(tmp_path: Path, value: object) -> None:
    write_json(tmp_path / "report.json", {"old": 1})
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "report.json", {"new": value})
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    killed = """
import os, sys
from musicnet_build.files import replacing
with replacing(os.path.join(sys.argv[1], "1.wav")), replacing(os.path.join(sys.argv[1], "no ending")):
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    for name in ("1.wav", ".hidden", ".build"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"1.wav", ".hidden", ".build"}
    remove_leftovers(tmp_path / "missing")
