"""The audit server: a page, its data, its sound, and the judgements that come back.

Listens on this machine alone. Every id is looked up in the catalogue made at the start: no path comes from a request.
"""

import datetime
import socket
from collections.abc import Callable
from importlib import resources
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from musicnet_build.errors import DatasetError, MusicnetBuildError
from musicnet_build.listening import pictures, streams
from musicnet_build.listening.judgements import Event, Journal, Judgements, judgements_of, reviewers_of, standing
from musicnet_build.listening.web.blind import CONTEXT_SAMPLES, Blind
from musicnet_build.listening.web.guard import Guard
from musicnet_build.listening.web.realigning import Aligner, Realigning, read_request
from musicnet_build.listening.web.session import OpenRecording, Session
from musicnet_build.listening.web.submissions import MAX_BODY_BYTES, completed, read_submissions
from musicnet_build.notes import SAMPLE_RATE

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 2  # after an interrupt, for answers that are under way
_PAGE, _BLIND_PAGE = "index.html", "sample.html"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_BINARY = "application/octet-stream"


class AuditServer:
    """Serves one session to the page.

    Parameters
    ----------
    session : Session
    journal : Journal
    reviewer : str
        Name that the page begins with.
    port : int
        0 for any that is free.
    aligner : Aligner, optional
        Finds labels anew through what the reviewer heard.

    Attributes
    ----------
    address : str
        With the token that lets a browser in.
    """

    def __init__(
        self, session: Session, journal: Journal, reviewer: str, port: int = 0, aligner: Aligner | None = None
    ) -> None:
        self._session, self._journal, self._reviewer = session, journal, reviewer
        self._realigning = Realigning(session, journal.folder, aligner)
        self._blind = Blind(session)
        self._files = _static_files()
        # Bound here rather than by uvicorn, so that the address is true before anything is served.
        self.socket = bound_socket(port)
        port = self.socket.getsockname()[1]
        app = Starlette(routes=self._routes())
        self._guard = Guard(app, port)
        config = uvicorn.Config(
            self._guard,
            log_level="error",
            access_log=False,  # it would show the secret of the address
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
        self._server = uvicorn.Server(config)
        self.address = f"http://{LOOPBACK}:{port}/?token={self._guard.token}"

    def run(self) -> None:
        """Serve until interrupted."""
        self._server.run(sockets=[self.socket])

    def stop(self) -> None:
        """Make ``run`` return."""
        self._server.should_exit = True

    def _routes(self) -> list[Route]:
        one = "/api/recordings/{id}"
        return [
            Route("/", self._page),
            Route("/sample", self._page),
            Route("/api/trials", self._answering(self._trials)),
            Route("/api/trials/{key}/sound", self._answering(self._trial_sound)),
            Route("/static/{name}", self._static),
            Route("/api/recordings", self._answering(self._recordings)),
            Route(one, self._answering(self._facts)),
            Route(f"{one}/notes", self._answering(self._notes)),
            Route(f"{one}/sound", self._answering(self._sound)),
            Route(f"{one}/overview", self._answering(self._overview)),
            Route(f"{one}/tile", self._answering(self._tile)),
            Route(f"{one}/envelope", self._answering(self._envelope)),
            Route(f"{one}/judgements", self._answering(self._judgements)),
            Route(f"{one}/place", self._answering(self._place)),
            Route(f"{one}/anchors", self._answering(self._anchors)),
            Route(f"{one}/anchors", self._realigned, methods=["POST"]),
            Route("/api/events", self._events, methods=["POST"]),
        ]

    def _answering(self, answer: Callable[[HttpRequest], Response]) -> Callable[[HttpRequest], Any]:
        """Run an answer on a thread of its own, and say in JSON what goes wrong."""

        async def endpoint(request: HttpRequest) -> Response:
            try:
                return await run_in_threadpool(answer, request)
            except _RefusedError as refusal:
                return JSONResponse({"error": str(refusal)}, 400)
            except KeyError:
                return JSONResponse({"error": "There is no such recording."}, 404)
            except MusicnetBuildError as error:
                return JSONResponse({"error": str(error)}, 500)

        return endpoint

    # Page

    async def _page(self, request: HttpRequest) -> Response:
        name = _PAGE if request.scope["path"] == "/" else _BLIND_PAGE
        page = self._files[name].decode().replace("%PAGE_TOKEN%", self._guard.page_token)
        return Response(page, media_type="text/html")

    async def _static(self, request: HttpRequest) -> Response:
        name = request.path_params["name"]
        if name not in self._files or name.endswith(".html"):
            return Response(status_code=404)
        return Response(self._files[name], media_type=_TYPES[name[name.rindex(".") :]])

    # Data

    def _recordings(self, request: HttpRequest) -> Response:
        reviewer = _text(request, "reviewer")
        events = standing(self._journal.read())
        return JSONResponse(
            {
                "title": self._session.catalogue.title,
                "reviewer": self._reviewer,
                "folder": str(self._journal.folder),
                "score_voice": self._session.has_score_voice,
                "sample": self._blind.offered,
                "sample_rate": SAMPLE_RATE,
                "recordings": [self._progress(item.id, item.title, events, reviewer) for item in self._items()],
            }
        )

    def _items(self) -> Any:
        return self._session.catalogue.items

    def _progress(self, recording: str, title: str, events: list[Event], reviewer: str) -> dict[str, Any]:
        mine = [event for event in events if event.get("recording") == recording and event.get("reviewer") == reviewer]
        verdicts = [event["value"] for event in mine if event.get("kind") == "verdict"]
        marks = sum(event.get("kind") == "note" and event.get("value") != "clear" for event in mine)
        return {"id": recording, "title": title, "verdict": verdicts[-1] if verdicts else None, "marks": marks}

    def _facts(self, request: HttpRequest) -> Response:
        return JSONResponse(self._opened(request).facts())

    def _notes(self, request: HttpRequest) -> Response:
        opened = self._opened(request)
        return Response(opened.labels[_label_index(request, opened)].block(), media_type=_BINARY)

    def _sound(self, request: HttpRequest) -> Response:
        opened = self._opened(request)
        wanted = _wanted(request)
        return _chunk(opened.streams[_label_index(request, opened)], wanted)

    # The draw

    def _trials(self, request: HttpRequest) -> Response:
        reviewer = _text(request, "reviewer") or self._reviewer
        events = self._journal.read()
        trials = self._blind.listed(reviewer, events) or self._blind.clips(reviewer, events)
        folder = str(self._journal.folder)
        return JSONResponse({"reviewer": reviewer, "folder": folder, "context": CONTEXT_SAMPLES, "trials": trials})

    def _trial_sound(self, request: HttpRequest) -> Response:
        return _chunk(self._blind.stream(_text(request, "reviewer"), request.path_params["key"]), _wanted(request))

    def _overview(self, request: HttpRequest) -> Response:
        return Response(self._opened(request).overview().tobytes(), media_type=_BINARY)

    def _tile(self, request: HttpRequest) -> Response:
        opened, level, column = self._opened(request), _integer(request, "level"), _integer(request, "column")
        if level not in pictures.LEVELS:
            raise _RefusedError("level must be 1, 4, 16 or 64")
        if not 0 <= column <= opened.sound.length // (pictures.COLUMNS * pictures.HOP * level):
            raise _RefusedError("column is out of range")
        return Response(opened.tile(level, column), media_type=_BINARY)

    def _envelope(self, request: HttpRequest) -> Response:
        opened, sample, pitch = self._opened(request), _integer(request, "sample"), _integer(request, "pitch")
        if not 0 <= pitch <= 127 or not 0 <= sample <= opened.sound.length:
            raise _RefusedError("sample or pitch is out of range")
        return Response(opened.envelope(sample, pitch).astype("<f4").tobytes(), media_type=_BINARY)

    def _judgements(self, request: HttpRequest) -> Response:
        recording, reviewer = request.path_params["id"], _text(request, "reviewer")
        labels = self._session.label_set(recording, _integer(request, "labels", 0))
        # What was said of the other label set is no earlier judgement of this one.
        other = {one.sha256 for one in self._session.label_sets(recording)} - {labels.sha256}
        events = [event for event in standing(self._journal.read()) if event.get("labels") not in other]

        def held_by(name: str) -> Judgements:
            return judgements_of(events, name, recording, labels.notes, labels.sha256)

        mine = held_by(reviewer)
        # What others said is shown once one has said oneself: not to follow, but to learn.
        others = [name for name in reviewers_of(events) if name != reviewer] if mine.verdict else []
        verdicts = {name: held_by(name).verdict for name in others}
        return JSONResponse(
            {
                "notes": {row: {"id": event["id"], "value": event["value"]} for row, event in mine.notes.items()},
                "missing": mine.missing,
                "spans": mine.spans,
                "verdict": mine.verdict,
                "stale": [{"event": event, "why": why} for event, why in mine.stale],
                "others": [
                    {"reviewer": name, "value": verdict["value"], "text": verdict.get("text", "")}
                    for name, verdict in verdicts.items()
                    if verdict
                ],
            }
        )

    async def _events(self, request: HttpRequest) -> Response:
        """Keep judgements; the answer comes once they are on the disk."""
        try:
            body = await _json_body(request)
        except _RefusedError as refusal:
            return JSONResponse({"error": str(refusal)}, refusal.status)
        try:
            submissions = read_submissions(body)
            now = datetime.datetime.now(datetime.UTC)
            events = [await run_in_threadpool(completed, one, self._session, now, self._blind) for one in submissions]
            for reviewer in {event["reviewer"] for event in events}:
                self._journal.path_of(reviewer)
        except DatasetError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            for reviewer in sorted({event["reviewer"] for event in events}):
                mine = [event for event in events if event.get("reviewer") == reviewer]
                await run_in_threadpool(self._journal.append, reviewer, mine)
        except DatasetError as error:
            return JSONResponse({"error": str(error)}, 507)
        return Response(status_code=204)

    # Anchors

    def _place(self, request: HttpRequest) -> Response:
        return JSONResponse({"place": self._realigning.place(request.path_params["id"], _integer(request, "row"))})

    def _anchors(self, request: HttpRequest) -> Response:
        return JSONResponse(self._realigning.known(request.path_params["id"]))

    async def _realigned(self, request: HttpRequest) -> Response:
        """Try, keep or discard anchors; the answer comes once the labels are there to be heard."""
        try:
            wanted = read_request(await _json_body(request))
            known = await run_in_threadpool(self._realigning.answer, request.path_params["id"], wanted)
        except _RefusedError as refusal:
            return JSONResponse({"error": str(refusal)}, refusal.status)
        except KeyError:
            return JSONResponse({"error": "There is no such recording, or no score of it."}, 404)
        except MusicnetBuildError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(known)

    def _opened(self, request: HttpRequest) -> OpenRecording:
        return self._session.recording(request.path_params["id"])


def bound_socket(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone.

    Parameters
    ----------
    port : int
        0 for any that is free.

    Returns
    -------
    socket.socket

    Raises
    ------
    DatasetError
        When the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        # From here on connections wait: a browser may be quicker than the server.
        listening.listen()
    except OSError as error:
        listening.close()
        raise DatasetError(f"port {port} cannot be used ({error.strerror}): give another, or none.") from error
    return listening


class _RefusedError(Exception):
    """What is wrong with a request."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def _json_body(request: HttpRequest) -> bytes:
    """What was posted, of bounded size."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise _RefusedError("What is sent here is JSON.", 415)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise _RefusedError("That is too much at once.", 413)
    return body


def _static_files() -> dict[str, bytes]:
    folder = resources.files("musicnet_build.listening.web") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(tuple(_TYPES))}


def _wanted(request: HttpRequest) -> streams.Request:
    """What part of a stream is asked for."""
    instruments = _text(request, "instruments")
    wanted = streams.Request(
        begin=_integer(request, "from"),
        frames=_integer(request, "frames"),
        slowdown=_integer(request, "speed", 1),
        voice=_text(request, "voice", "tones"),
        instruments=_programs(instruments) if "instruments" in request.query_params else None,
    )
    if fault := wanted.fault():
        raise _RefusedError(fault)
    return wanted


def _chunk(stream: streams.Stream, wanted: streams.Request) -> Response:
    return Response(stream.chunk(wanted).astype("<i2").tobytes(), media_type=_BINARY)


def _text(request: HttpRequest, name: str, default: str = "") -> str:
    return request.query_params.get(name, default)[:2000]


def _integer(request: HttpRequest, name: str, default: int | None = None) -> int:
    text = request.query_params.get(name, "" if default is None else str(default))
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15):
        raise _RefusedError(f"{name} must be a whole number")
    return int(text)


def _label_index(request: HttpRequest, opened: OpenRecording) -> int:
    index = _integer(request, "labels", 0)
    if not 0 <= index < len(opened.labels):
        raise _RefusedError("there are no such labels")
    return index


def _programs(text: str) -> frozenset[int]:
    """General MIDI programs of instrument numbers, which are one higher."""
    parts = [part for part in text.split(",") if part]
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise _RefusedError("instruments must be numbers with commas")
    return frozenset(int(part) - 1 for part in parts)
