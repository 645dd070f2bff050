"""Tests of what people said: what was acknowledged is found, once, whatever happened meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicnet_build.errors import DatasetError
from musicnet_build.listening.judgements import (
    Event,
    Journal,
    condemned_rows,
    described_note,
    judgements_of,
    parsed_events,
    reviewers_of,
    standing,
)
from musicnet_build.notes import NoteTable, empty_notes


def event(number: int, kind: str = "note", reviewer: str = "ada", **fields: Any) -> Event:
    common = {"v": 1, "id": f"{number:026d}", "reviewer": reviewer, "recording": "7", "labels": "a" * 64}
    return {**common, "kind": kind, **fields}


def some_notes() -> NoteTable:
    notes = empty_notes(4)
    notes["onset_s"], notes["pitch"], notes["program"] = [0.5, 1.0, 1.5, 2.0], [60, 64, 67, 60], [40, 40, 42, 40]
    notes["offset_s"], notes["onset_beats"] = notes["onset_s"] + 0.4, [0.0, 1.0, 2.0, 3.0]
    return notes


def marked(number: int, row: int, value: str, **fields: Any) -> Event:
    return event(number, note=described_note(some_notes(), row), value=value, **fields)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "set.audit")
    assert journal.read() == []
    journal.append("ada", [event(1), event(2)])
    journal.append("ben", [event(3, reviewer="ben")])
    journal.append("ada", [event(4)])
    assert [one["id"][-1] for one in journal.read()] == ["1", "2", "4", "3"]
    assert reviewers_of(journal.read()) == ["ada", "ben"]
    assert sorted(path.name for path in (tmp_path / "set.audit" / "events").iterdir()) == ["ada.jsonl", "ben.jsonl"]


def test_an_event_that_is_sent_again_is_kept_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("ada", [event(1)])
    journal.append("ada", [event(1), event(2)])
    lines = journal.path_of("ada").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"][-1] for line in lines] == ["1", "2"]


def test_a_line_that_was_torn_is_left_out_and_harms_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("ada", [event(1)])
    with journal.path_of("ada").open("ab") as file:
        file.write(b'{"v": 1, "id": "torn')
    journal.append("ada", [event(2)])
    assert [one["id"][-1] for one in journal.read()] == ["1", "2"]


@given(data=st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_can_be_read(data: bytes) -> None:
    good = json.dumps(event(1)).encode()
    assert parsed_events(data + b"\n" + good + b"\n")[-1] == event(1)


@pytest.mark.parametrize("name", ["", " ada", "a" * 41, "a\nb", "ada\u202e", "ada\x00", "\U0001f3bb" * 40, "ada\u2028"])
def test_names_that_no_file_should_have_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError):
        Journal(tmp_path).append(name, [event(1)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", "../../ada", "a/b", "C:\\ada", ".hidden", "Zoë", "con", "<b>ada</b>"])
def test_other_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    journal = Journal(tmp_path / "set.audit")
    journal.append(name, [event(1, reviewer=name)])
    (path,) = tmp_path.rglob("*.jsonl")
    assert path.parent == tmp_path / "set.audit" / "events"
    assert not path.name.startswith(".")
    assert journal.read()[0]["reviewer"] == name


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"ada\.jsonl cannot be written"):
        Journal(tmp_path / "file").append("ada", [event(1)])


def test_a_full_disk_is_said_and_what_is_sent_again_is_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, fsync = Journal(tmp_path), os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match="No space left"):
        journal.append("ada", [event(1)])
    monkeypatch.setattr(os, "fsync", fsync)
    journal.append("ada", [event(1)])
    assert [one["id"] for one in journal.read()] == [event(1)["id"]]


def test_undo_and_redo() -> None:
    first, second = marked(1, 0, "fine"), marked(2, 0, "tone_late")
    undo, redo = event(3, "undo", target=second["id"]), event(4, "undo", target=event(3)["id"])
    again = event(5, "undo", target=second["id"])
    assert standing([first, second]) == [first, second]
    assert standing([first, second, undo]) == [first]
    assert standing([first, second, undo, redo]) == [first, second]
    assert standing([first, second, undo, redo, again]) == [first]
    assert standing([first, first]) == [first]


def test_the_last_word_on_a_note_counts_and_may_be_taken_away() -> None:
    events = [marked(1, 0, "fine"), marked(2, 1, "not_played"), marked(3, 0, "tone_late"), marked(4, 1, "clear")]
    held = judgements_of(standing(events), "ada", "7", some_notes(), "a" * 64)
    assert {row: one["value"] for row, one in held.notes.items()} == {0: "tone_late"}


def test_reviewers_and_recordings_are_kept_apart() -> None:
    events = [marked(1, 0, "fine"), marked(2, 1, "fine", reviewer="ben"), {**marked(3, 2, "fine"), "recording": "8"}]
    assert list(judgements_of(events, "ada", "7", some_notes(), "").notes) == [0]
    assert list(judgements_of(events, "ben", "7", some_notes(), "").notes) == [1]
    assert list(judgements_of(events, "ada", "8", some_notes(), "").notes) == [2]


def test_marks_are_found_again_in_labels_that_were_made_anew() -> None:
    events = [marked(1, 1, "fine"), marked(2, 3, "not_played"), marked(3, 2, "tone_early"), marked(4, 0, "wrong_pitch")]
    notes = some_notes()[[1, 2, 3]]  # the first is gone: rows move
    notes["onset_s"] += [0.002, 0.08, 0.08]
    held = judgements_of(events, "ada", "7", notes, "b" * 64)
    assert {row: one["value"] for row, one in held.notes.items()} == {0: "fine", 2: "not_played"}
    assert [why for _, why in held.stale] == ["its label has moved by +80 ms", "its note is no longer in the labels"]


def test_of_a_passage_that_is_played_again_the_nearest_note_is_meant() -> None:
    notes = some_notes()
    notes["onset_beats"][3] = 0.0  # the same place in the score as the first, played 1.5 s later
    later = event(1, note=described_note(notes, 3), value="fine")
    assert list(judgements_of([later], "ada", "7", notes, "").notes) == [3]


def test_a_verdict_on_other_labels_counts_in_nothing() -> None:
    verdict = event(1, "verdict", value="accepted")
    assert judgements_of([verdict], "ada", "7", some_notes(), "a" * 64).verdict == verdict
    held = judgements_of([verdict], "ada", "7", some_notes(), "b" * 64)
    assert held.verdict is None
    assert held.stale == [(verdict, "the labels have changed since")]


@pytest.mark.parametrize(
    "note", [None, {}, {"instrument": 41}, {"instrument": "x", "pitch": 1, "beat": 1, "onset": 0}, "text"]
)
def test_events_that_others_wrote_badly_are_stale(note: Any) -> None:
    held = judgements_of([event(1, note=note, value="fine")], "ada", "7", some_notes(), "")
    assert held.notes == {}
    assert len(held.stale) == 1


def test_a_note_that_any_reviewer_condemns_is_condemned() -> None:
    events = [
        marked(1, 0, "not_played"),
        marked(2, 1, "wrong_pitch", reviewer="ben"),
        marked(3, 2, "tone_late"),
        marked(4, 3, "not_played"),
        marked(5, 3, "fine"),
    ]
    assert condemned_rows(events, "7", some_notes()) == {0, 1}


WRITER = """
import itertools, sys
from pathlib import Path
from musicnet_build.listening.judgements import Journal
journal = Journal(Path(sys.argv[1]))
for number in itertools.count():
    event = {"v": 1, "id": f"{number:026d}", "reviewer": "ada", "text": "x" * 300}
    journal.append("ada", [event])
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    wanted = random.randrange(20, 150)  # at any moment: nothing may depend on it
    acknowledged = [int(process.stdout.readline()) for _ in range(wanted)]
    os.kill(process.pid, signal.SIGKILL)
    rest = [int(line) for line in process.stdout.read().split()]
    process.wait()
    found = [int(one["id"]) for one in Journal(tmp_path).read()]
    assert set(acknowledged + rest) <= set(found)
    assert len(found) == len(set(found))
    Journal(tmp_path).append("ada", [event(10**9)])
    assert len(Journal(tmp_path).read()) == len(found) + 1
