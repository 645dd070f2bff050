"""Labels found anew from the page: tried, heard beside the old ones, kept or discarded."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit_pages import Client, Shifter, running, write_music

from musicnet_build.anchors import parse_anchors, read_anchors
from musicnet_build.listening.catalogue import files_catalogue

ONE = "/api/recordings/music"


@dataclass(frozen=True)
class Place:
    client: Client
    labels: Path

    def ask(self, action: str, anchors: str = "") -> tuple[int, Any]:
        body = json.dumps({"action": action, "anchors": anchors}).encode()
        answer = self.client.post(body, f"{ONE}/anchors")
        return answer.status, json.loads(answer.body)

    def get(self, path: str) -> Any:
        return json.loads(self.client.request("GET", ONE + path).body)

    def onsets(self, labels: int) -> Any:
        block = self.client.request("GET", f"{ONE}/notes?labels={labels}").body
        return np.frombuffer(block, "<i4", len(block) // 24)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    recording, labels = write_music(tmp_path, 6.0)
    with running(files_catalogue(recording, [labels]), aligner=Shifter(labels)) as server:
        yield Place(Client(server).enter(), labels)


def test_labels_through_anchors_are_heard_beside_the_old_ones_and_kept(place: Place) -> None:
    before = place.labels.read_bytes()
    assert place.get("/anchors") == {"offered": True, "anchors": [], "kept": "", "tried": False}
    assert place.get("/place?row=5") == {"place": "2:1.5"}
    status, known = place.ask("try", "2.5=2:1")
    assert (status, known["anchors"], known["tried"]) == (200, ["2.5=2:1"], True)
    assert [one["name"] for one in place.get("")["labels"]] == ["music.csv", "through the anchors.csv"]
    np.testing.assert_allclose(place.onsets(1) - place.onsets(0), 44_100, atol=1)
    status, known = place.ask("keep")
    assert (status, known["tried"], known["anchors"]) == (200, False, ["2.5=2:1"])
    assert read_anchors(known["kept"]) == parse_anchors("2.5=2:1")
    assert Path(known["kept"]) == place.labels.with_name("music.audit") / "anchors" / "music.csv"
    assert place.labels.read_bytes() == before


def test_what_is_discarded_leaves_nothing(place: Place) -> None:
    place.ask("try", "2.5=2:1")
    status, known = place.ask("discard")
    assert (status, known) == (200, {"offered": True, "anchors": [], "kept": "", "tried": False})
    assert len(place.get("")["labels"]) == 1
    assert not place.labels.with_name("music.audit").joinpath("anchors").exists()


@pytest.mark.parametrize(
    ("anchors", "words"), [("", "say what is heard"), ("2.5=", "is no anchor"), ("2=coda", "no measure coda")]
)
def test_anchors_that_cannot_be_used_are_answered_with_the_reason(place: Place, anchors: str, words: str) -> None:
    status, answer = place.ask("try", anchors)
    assert status == 400
    assert words in answer["error"]
    assert len(place.get("")["labels"]) == 1


def test_what_the_page_would_not_send_is_refused(place: Place) -> None:
    path = f"{ONE}/anchors"
    assert place.client.post(b"[]", path).status == 400
    assert place.client.post(b'{"action": "run"}', path).status == 400
    assert place.client.post(b"{}", path, **{"Content-Type": "text/plain"}).status == 415
    assert place.client.post(b" " * 70_000, path).status == 413
    assert place.client.post(b'{"action": "keep"}', path, **{"X-Audit-Token": "guessed"}).status == 403
    assert place.client.post(b'{"action": "keep"}', "/api/recordings/other/anchors").status == 404
    assert place.client.request("GET", f"{ONE}/place?row=9999").status == 500


def test_without_a_score_nothing_is_offered(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path, 4.0)
    with running(files_catalogue(recording, [labels])) as server:
        place = Place(Client(server).enter(), labels)
        assert place.get("/anchors")["offered"] is False
        assert place.ask("try", "2=2")[0] == 404
