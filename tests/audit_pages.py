"""A running audit server, and plain requests to it, for the tests of the page and of what may talk to it."""

import contextlib
import http.client
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build.anchors import Anchor
from musicnet_build.audio.io import write_audio
from musicnet_build.errors import AlignmentError
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.listening.catalogue import Catalogue
from musicnet_build.listening.judgements import Journal
from musicnet_build.listening.streams import Player
from musicnet_build.listening.web.realigning import Aligner
from musicnet_build.listening.web.server import AuditServer
from musicnet_build.listening.web.session import Session
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came back from a request."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A browser's place: knows the address, may have entered, and sends what it is told."""

    def __init__(self, server: AuditServer) -> None:
        self.address = server.address
        self.port = server.socket.getsockname()[1]
        self.cookie = self.page_token = ""

    def enter(self) -> "Client":
        """Open the printed address and the page behind it."""
        answer = self.request("GET", self.address.partition(str(self.port))[2])
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        match = re.search(rb'name="audit-token" content="([^"]+)"', self.request("GET", "/").body)
        assert match
        self.page_token = match[1].decode()
        return self

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send exactly these headers, and the cookie where there is one; a value of None leaves one away."""
        all_headers = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in all_headers.items():
            if value:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        result = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return result

    def post(self, body: bytes, path: str = "/api/events", **headers: str) -> Answer:
        """Send judgements, or what else is posted, as the page does."""
        usual = {
            "Content-Type": "application/json",
            "X-Audit-Token": self.page_token,
            "Origin": f"http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site": "same-origin",
        }
        return self.request("POST", path, body, usual | headers)


@contextlib.contextmanager
def running(
    catalogue: Catalogue, *, play: Player | None = None, reviewer: str = "ada", aligner: Aligner | None = None
) -> Iterator[AuditServer]:
    """Serve a catalogue on a thread."""
    server = AuditServer(Session(catalogue, play), Journal(catalogue.judgements), reviewer, aligner=aligner)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


class Shifter:
    """Aligns by moving all labels as far as the first anchor says: its measures last a second."""

    def __init__(self, labels: Path) -> None:
        self._labels = labels

    def anchors(self, recording_id: str) -> tuple[Anchor, ...] | None:
        return ()

    def place(self, recording_id: str, beats: float) -> str:
        return f"{1 + int(beats // 2)}:{1 + beats % 2:g}"

    def labels(self, recording_id: str, anchors: tuple[Anchor, ...]) -> NoteTable:
        if not anchors[0].measure.isdecimal():
            raise AlignmentError(f"the score has no measure {anchors[0].measure}.")
        notes = read_labels(self._labels)
        by_s = anchors[0].recording_s - (int(anchors[0].measure) - 0.5)
        notes["onset_s"] += by_s
        notes["offset_s"] += by_s
        return notes


def write_music(
    folder: Path, duration_s: float = 20.0, *, shifted: tuple[int, ...] = (), seed: int = 0
) -> tuple[Path, Path]:
    """Write struck notes four a second with labels; those of the rows ``shifted`` are 100 ms late and doubtful."""
    random = np.random.default_rng(seed)
    notes = struck_notes(duration_s, random)
    audio = random.normal(0, 1e-4, round(duration_s * SAMPLE_RATE))
    for note in notes:
        start = round(note["onset_s"] * SAMPLE_RATE)
        clock = np.arange(min(20_000, len(audio) - start)) / SAMPLE_RATE
        hz = 440 * 2 ** ((note["pitch"] - 69) / 12)
        audio[start : start + len(clock)] += 0.2 * np.exp(-6 * clock) * np.sin(2 * np.pi * hz * clock)
    rows = list(shifted)
    notes["onset_s"][rows] += 0.1
    notes["offset_s"][rows] += 0.1
    notes["confidence"][rows] = 0.2
    recording, labels = folder / "music.wav", folder / "music.csv"
    write_audio(recording, audio.astype(np.float32))
    write_labels(labels, notes, with_confidence=True)
    return recording, labels


def struck_notes(duration_s: float, random: np.random.Generator) -> NoteTable:
    notes = empty_notes(round((duration_s - 1.5) * 4))
    notes["onset_s"] = np.rint((0.5 + 0.25 * np.arange(len(notes))) * SAMPLE_RATE) / SAMPLE_RATE
    notes["offset_s"] = notes["onset_s"] + 0.2
    notes["onset_beats"] = 0.5 * np.arange(len(notes))
    notes["duration_beats"] = 0.5
    notes["pitch"] = random.integers(48, 84, len(notes))
    notes["program"] = np.where(np.arange(len(notes)) % 2, 40, 42)
    notes["confidence"] = random.uniform(0.6, 1.0, len(notes))
    return notes


def judgement(number: int, **fields: Any) -> dict[str, Any]:
    """A judgement as the page sends it."""
    return {
        "id": f"{number:026d}",
        "reviewer": "ada",
        "recording": "music",
        "kind": "note",
        "row": 3,
        "value": "fine",
    } | fields
