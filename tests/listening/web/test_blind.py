"""Tests of the draw on the server: what the page is told, what it hears, and what is kept of its answers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit_pages import Client, running, write_music

from musicnet_build.listening.catalogue import files_catalogue
from musicnet_build.listening.judgements import Journal
from musicnet_build.listening.rating.sample_file import drawn_sample, write_sample
from musicnet_build.listening.web.blind import Blind
from musicnet_build.listening.web.session import Session


@dataclass(frozen=True)
class Sampled:
    client: Client
    blind: Blind
    journal: Journal

    def trials(self) -> list[dict[str, Any]]:
        trials: list[dict[str, Any]] = json.loads(self.client.request("GET", "/api/trials?reviewer=ada").body)["trials"]
        return trials


@pytest.fixture
def sampled(tmp_path: Path) -> Iterator[Sampled]:
    recording, labels = write_music(tmp_path)
    catalogue = files_catalogue(recording, [labels])
    write_sample(catalogue.judgements, drawn_sample(catalogue, "note", 40, 1))
    with running(catalogue) as server:
        yield Sampled(Client(server).enter(), Blind(Session(catalogue)), Journal(catalogue.judgements))


def answer(trial: dict[str, Any], value: str, number: int = 1) -> bytes:
    event = {"id": f"{number:026d}", "reviewer": "ada", "recording": "music", "kind": "trial", "trial": trial["key"]}
    return json.dumps([event | {"value": value}]).encode()


def test_the_page_is_told_nothing_that_could_sway(sampled: Sampled) -> None:
    trials = sampled.trials()
    assert len(trials) == 40 + 14
    assert {frozenset(trial) for trial in trials} == {
        frozenset({"key", "recording", "onset", "pitch", "instrument", "value"})
    }


def test_the_tone_of_a_trial_is_moved_and_the_recording_is_not(sampled: Sampled) -> None:
    for trial in sampled.trials()[:12]:
        begin = trial["onset"] - 2000
        path = f"/api/trials/{trial['key']}/sound?reviewer=ada&from={begin}&frames=6000&speed=1"
        sound = np.frombuffer(sampled.client.request("GET", path).body, "<i2").reshape(-1, 2)
        assert np.flatnonzero(sound[:, 1])[0] == pytest.approx(2000, abs=20)
        known, note = sampled.blind.trial("ada", trial["key"])
        label = known.note.onset + round((known.shift_ms or 0) * 44.1)
        assert trial["onset"] == pytest.approx(label, abs=1)
        assert float(note["onset_s"][0]) == pytest.approx(label / 44100, abs=1e-4)


def test_answers_are_kept_as_what_the_trials_were(sampled: Sampled) -> None:
    trials = sampled.trials()
    for number, trial in enumerate(trials):
        assert sampled.client.post(answer(trial, "tone_early", number)).status == 204
    kinds = [event["kind"] for event in sampled.journal.read()]
    assert (kinds.count("note"), kinds.count("sham")) == (40, 14)
    assert all("shift_ms" in event for event in sampled.journal.read() if event["kind"] == "sham")
    assert {trial["value"] for trial in sampled.trials()} == {"tone_early"}


def test_unknown_trials_are_refused(sampled: Sampled) -> None:
    assert sampled.client.post(answer({"key": "0" * 24}, "fine")).status == 400
    assert sampled.client.post(answer({"key": "../etc"}, "fine")).status == 400
    assert sampled.client.request("GET", "/api/trials/nothing/sound?reviewer=ada&from=0&frames=10").status == 404
    assert sampled.journal.read() == []


def test_the_page_of_the_draw_is_served_with_its_token(sampled: Sampled) -> None:
    page = sampled.client.request("GET", "/sample")
    assert b"sample.js" in page.body
    assert sampled.client.page_token.encode() in page.body
    assert sampled.client.request("GET", "/static/sample.html").status == 404


def test_without_a_draw_there_is_nothing_to_judge(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)
    with running(files_catalogue(recording, [labels])) as server:
        client = Client(server).enter()
        assert json.loads(client.request("GET", "/api/trials?reviewer=ada").body)["trials"] == []
        assert json.loads(client.request("GET", "/api/recordings").body)["sample"] is False
