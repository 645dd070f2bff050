"""Tests of what the audit server answers, and what it does with what it is sent."""

import datetime
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from audit_pages import Client, judgement, running, write_music

from musicnet_build.audio.io import read_audio
from musicnet_build.errors import DatasetError
from musicnet_build.files import sha256_of
from musicnet_build.labels.files import read_labels
from musicnet_build.listening.catalogue import files_catalogue
from musicnet_build.listening.overlay import overlay
from musicnet_build.listening.pictures import COLUMNS, ROWS
from musicnet_build.listening.web.server import bound_socket
from musicnet_build.notes import SAMPLE_RATE

ONE = "/api/recordings/music"


@dataclass(frozen=True)
class Place:
    """A server with the files that it serves."""

    client: Client
    recording: Path
    labels: Path

    def get(self, path: str) -> bytes:
        answer = self.client.request("GET", path)
        assert answer.status == 200, answer.body
        return answer.body

    def kept(self, reviewer: str = "ada") -> list[dict]:
        path = self.labels.with_name("music.audit") / "events" / f"{reviewer}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server of the tests that write nothing."""
    recording, labels = write_music(tmp_path_factory.mktemp("quiet"), 12.0)
    with running(files_catalogue(recording, [labels, labels])) as server:
        yield Place(Client(server).enter(), recording, labels)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    recording, labels = write_music(tmp_path, 12.0)
    with running(files_catalogue(recording, [labels, labels])) as server:
        yield Place(Client(server).enter(), recording, labels)


def test_sound_is_the_overlay_of_the_same_samples(quiet: Place) -> None:
    whole = overlay(read_audio(quiet.recording), read_labels(quiet.labels), split=True)
    body = quiet.get(f"{ONE}/sound?from=30000&frames=50000")
    samples = np.frombuffer(body, "<i2").reshape(-1, 2)
    np.testing.assert_array_equal(samples, np.rint(0.5 * whole[30_000:80_000] * np.float32(32767)))
    assert len(quiet.get(f"{ONE}/sound?from=30000&frames=1000&speed=4")) == 4 * 4 * 1000


def test_notes_come_as_columns(quiet: Place) -> None:
    notes = read_labels(quiet.labels)
    block = quiet.get(f"{ONE}/notes")
    onset = np.frombuffer(block, "<i4", len(notes))
    np.testing.assert_array_equal(onset, np.rint(notes["onset_s"] * SAMPLE_RATE))
    pitch = np.frombuffer(block, "<f4", len(notes), offset=8 * len(notes))
    np.testing.assert_array_equal(pitch, notes["pitch"])


def test_pictures_have_their_size(quiet: Place) -> None:
    assert len(quiet.get(f"{ONE}/tile?level=4&column=0")) == ROWS * COLUMNS
    assert len(quiet.get(f"{ONE}/envelope?sample=44100&pitch=60")) == 4 * 301
    assert 0 < len(quiet.get(f"{ONE}/overview")) <= 2 * 2000


def test_facts(quiet: Place) -> None:
    facts = json.loads(quiet.get(ONE))
    assert facts["samples"] == 12 * SAMPLE_RATE
    assert facts["labels"][0]["sha256"] == sha256_of(quiet.labels)
    assert [one["name"] for one in facts["instruments"]] == ["violin", "cello"]
    assert -60 < facts["loudness_db"] < 0


@pytest.mark.parametrize(
    "query",
    ["sound", "sound?from=0&frames=0", "sound?from=0&frames=441001", "sound?from=x&frames=1", "sound?from=0&frames=1e3",
     "sound?from=0&frames=1&speed=3", "sound?from=0&frames=1&voice=x", "sound?from=0&frames=1&instruments=1;2",
     "sound?from=0&frames=1&labels=7", "sound?from=99999999999999999999&frames=1", "tile?level=2&column=0",
     "tile?level=1&column=-1", "tile?level=1&column=100000", "envelope?sample=1&pitch=128",
     "envelope?sample=-1&pitch=60"],
)  # fmt: skip
def test_other_requests_are_refused_in_words(quiet: Place, query: str) -> None:
    answer = quiet.client.request("GET", f"{ONE}/{query}")
    assert answer.status == 400
    assert json.loads(answer.body)["error"]


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e", "..%2f..%2fetc", "music%00", "x" * 10_000])
def test_ids_are_looked_up_and_nothing_else(quiet: Place, name: str) -> None:
    for rest in ("", "/sound?from=0&frames=1", "/notes"):
        assert quiet.client.request("GET", f"/api/recordings/{name}{rest}").status in (400, 404)
    assert quiet.client.request("GET", f"/static/{name}").status in (400, 404)


def test_a_judgement_is_kept_with_its_place_in_the_score(place: Place) -> None:
    assert place.client.post(json.dumps([judgement(1, value="tone_late")]).encode()).status == 204
    (event,) = place.kept()
    note = read_labels(place.labels)[3]
    assert event["note"] == {
        "row": 3,
        "onset": round(note["onset_s"] * SAMPLE_RATE),
        "pitch": note["pitch"],
        "instrument": note["program"] + 1,
        "beat": note["onset_beats"],
    }
    assert event["labels"] == sha256_of(place.labels)
    assert event["value"] == "tone_late"
    assert event["kind"] == "note"
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(event["at"])
    assert datetime.timedelta(0) <= age < datetime.timedelta(hours=1)


def test_what_was_judged_is_told_again_and_sent_twice_kept_once(place: Place) -> None:
    body = json.dumps([judgement(1), judgement(2, kind="missing", at_sample=5, row=None, value="")]).encode()
    assert [place.client.post(body).status for _ in range(2)] == [204, 204]
    known = json.loads(place.get(f"{ONE}/judgements?reviewer=ada"))
    assert known["notes"] == {"3": {"id": judgement(1)["id"], "value": "fine"}}
    assert [event["at_sample"] for event in known["missing"]] == [5]
    assert len(place.kept()) == 2


def test_reviewers_do_not_see_each_other_before_they_have_judged(place: Place) -> None:
    verdict = {"kind": "verdict", "row": None, "value": "rejected", "text": "misaligned"}
    assert (
        place.client.post(
            json.dumps([judgement(1, reviewer="ben", **verdict), judgement(2, reviewer="ben")]).encode()
        ).status
        == 204
    )
    before = json.loads(place.get(f"{ONE}/judgements?reviewer=ada"))
    assert before["others"] == []
    assert before["notes"] == {}
    assert "ben" not in place.get("/api/recordings?reviewer=ada").decode()
    place.client.post(json.dumps([judgement(3, **(verdict | {"value": "accepted"}))]).encode())
    after = json.loads(place.get(f"{ONE}/judgements?reviewer=ada"))
    assert after["others"] == [{"reviewer": "ben", "value": "rejected", "text": "misaligned"}]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[1]", b"[[]]", b'{"id": 1}', b"\xff\xfe", b"[" * 20_000,
     *(json.dumps([judgement(1) | fields]).encode() for fields in (
         {"id": "short"}, {"id": "../../x"}, {"reviewer": ""}, {"reviewer": "a\nb"}, {"reviewer": "x" * 41},
         {"recording": "no"},
         {"row": 10**6}, {"row": -1}, {"row": "1"}, {"row": None}, {"value": "splendid"}, {"kind": "drop"}, {"more": 1},
         {"kind": "verdict", "value": "fine"}, {"kind": "undo"}, {"text": "x" * 1001}, {"labels": 2},
     )),
     json.dumps([judgement(i) for i in range(101)]).encode()],
    ids=lambda body: body[:60].decode("latin-1"),
)  # fmt: skip
def test_what_is_no_judgement_is_refused_in_words_and_writes_nothing(quiet: Place, body: bytes) -> None:
    answer = quiet.client.post(body)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]
    assert not (quiet.labels.with_name("music.audit")).exists()


def test_a_body_that_is_too_large_is_refused(quiet: Place) -> None:
    assert quiet.client.post(b"[" + b" " * 70_000 + b"]").status == 413


def test_texts_are_kept_as_they_are(place: Place) -> None:
    text = '<img src=x onerror=alert(1)> \u202e "quoted" \ud83c\udfbb'
    place.client.post(json.dumps([judgement(1, kind="verdict", row=None, value="review", text=text)]).encode())
    assert place.kept()[0]["text"] == '<img src=x onerror=alert(1)> \u202e "quoted" \U0001f3bb'


def test_what_cannot_be_saved_is_not_acknowledged(place: Place) -> None:
    place.labels.with_name("music.audit").write_bytes(b"a file in the way")
    answer = place.client.post(json.dumps([judgement(1)]).encode())
    assert answer.status == 507
    assert "cannot be written" in json.loads(answer.body)["error"]


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(DatasetError, match="give another"):
            bound_socket(taken.getsockname()[1])


def test_it_listens_on_this_machine_alone() -> None:
    with bound_socket(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
