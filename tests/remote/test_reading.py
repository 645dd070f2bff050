"""Remote files are read whole, once, and no further than is allowed."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.files import sha256_of, sha256_of_bytes
from musicnet_build.remote.reading import Copy, fetch, state_of

fsspec = pytest.importorskip("fsspec")
CONTENT = bytes(range(256)) * 9000
LIMIT = 1 << 24


@pytest.fixture
def store() -> Iterator[object]:
    """A file system in memory with a file."""
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/reading/a.flac", CONTENT)
    yield memory
    memory.rm("/reading", recursive=True)


@pytest.fixture
def copy(store: object, tmp_path: Path) -> Copy:
    return Copy("memory://reading/a.flac", tmp_path / "copies" / "1-recording.flac", LIMIT)


def test_a_copy_is_made_once_and_its_hash_outlives_it(copy: Copy) -> None:
    assert copy.seen_sha256() is None
    path = copy.fetched()
    assert path.read_bytes() == CONTENT
    made = path.stat().st_ino
    assert copy.fetched().stat().st_ino == copy.fetched(sha256_of(path)).stat().st_ino == made
    copy.drop()
    assert copy.seen_sha256() == sha256_of_bytes(CONTENT)
    assert not path.exists()


def test_what_has_changed_is_read_again(copy: Copy, store: object) -> None:
    copy.fetched()
    store.pipe_file("/reading/a.flac", b"other")  # type: ignore[attr-defined]
    assert copy.seen_sha256() is None
    assert copy.fetched().read_bytes() == b"other"
    copy.path.write_bytes(b"damaged")
    assert copy.fetched(sha256_of_bytes(b"other")).read_bytes() == b"other"
    copy.note.write_text("[1, 2]")
    assert copy.seen_sha256() is None


def test_what_is_too_large_or_not_there_leaves_nothing(copy: Copy, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"^memory://reading/a\.flac: is larger than 1 MiB\.$"):
        fetch(copy.url, tmp_path / "a.flac", 1 << 20)
    with pytest.raises(DatasetError, match=r"^memory://reading/none: cannot be read: it does not exist\.$"):
        fetch("memory://reading/none", tmp_path / "a.flac", LIMIT)
    assert not list(tmp_path.iterdir())


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, and one whose length is not told."""

    def do_GET(self) -> None:
        if self.path.startswith("/endless"):
            self.do_HEAD()
            self.wfile.write(CONTENT)
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        if self.path.startswith("/endless"):
            self.send_response(200)
            self.end_headers()
        else:
            super().do_HEAD()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a.flac").write_bytes(CONTENT)
    handler = partial(_Handler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_web_is_read_within_the_limit_and_its_refusals_hold_no_secret(server: str, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    copy = Copy(f"{server}/a.flac?signature=secret", tmp_path / "a.flac", LIMIT)
    assert copy.fetched().read_bytes() == CONTENT
    assert copy.seen_sha256() == sha256_of_bytes(CONTENT)
    assert state_of(f"{server}/endless").size_bytes is None
    fetch(f"{server}/endless", tmp_path / "b.flac", LIMIT)
    assert (tmp_path / "b.flac").read_bytes() == CONTENT
    with pytest.raises(DatasetError, match=r"/endless: is larger than 1 MiB"):
        fetch(f"{server}/endless?secret", tmp_path / "c.flac", 1 << 20)
    with pytest.raises(DatasetError, match=r"/none: cannot be read: the server answers 404 [\w ]+\.$"):
        fetch(f"{server}/none?secret", tmp_path / "c.flac", LIMIT)
    assert not (tmp_path / "c.flac").exists()
