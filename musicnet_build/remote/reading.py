"""Remote files, read whole into local ones; what was read before is known by what its store says of it."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicnet_build.errors import DatasetError
from musicnet_build.files import read_json, replacing, sha256_of, sha256_of_values, write_json
from musicnet_build.remote.urls import open_store, shown, told

_BLOCK_BYTES = 1 << 20
# What stores call the things that are others once a file is another.
_MARKS = ("ETag", "etag", "md5", "md5Hash", "Last-Modified", "LastModified", "last_modified", "mtime", "created")


@dataclass(frozen=True)
class State:
    """What a store says of a file.

    Attributes
    ----------
    size_bytes : int or None
        None where it is not told.
    mark : str or None
        Another for other content; None where nothing tells.
    """

    size_bytes: int | None
    mark: str | None


@dataclass(frozen=True)
class Copy:
    """A remote file and its copy here, which is made when it is asked for.

    Beside the copy, and kept when it is dropped, stands a note of its hash and of what the store said of the file: as
    long as the store says the same, the hash is known without the bytes.

    Attributes
    ----------
    url : str
    path : Path
        Of the copy, in a folder of our own.
    limit : int
        Larger files, in bytes, are refused.
    """

    url: str
    path: Path
    limit: int

    @property
    def note(self) -> Path:
        """The path of the note."""
        return self.path.with_name(f"{self.path.stem}.seen.json")

    def seen_sha256(self) -> str | None:
        """Return the hash of the file as it is now, None where it was not read as it is.

        Raises
        ------
        DatasetError
            When the store cannot be asked.
        """
        noted = self._noted()
        mark = noted.get("mark")
        return noted["sha256"] if mark and mark == state_of(self.url).mark else None

    def fetched(self, sha256: str | None = None) -> Path:
        """Return the path of the copy, made now unless it is there.

        Parameters
        ----------
        sha256 : str, optional
            What the copy must be to be used again; by default, what the store has now.

        Raises
        ------
        DatasetError
            When the file cannot be read, or is larger than the limit.
        """
        wanted = sha256 or (self.seen_sha256() if self.path.is_file() else None)
        if not (wanted and self.path.is_file() and sha256_of(self.path) == wanted):
            state = fetch(self.url, self.path, self.limit)
            write_json(self.note, {"mark": state.mark, "sha256": sha256_of(self.path)})
        return self.path

    def drop(self) -> None:
        """Remove the copy, not the note."""
        self.path.unlink(missing_ok=True)

    def _noted(self) -> dict[str, Any]:
        try:
            noted: dict[str, Any] = read_json(self.note) if self.note.is_file() else {}
        except DatasetError:
            return {}
        return noted if isinstance(noted, dict) and isinstance(noted.get("sha256"), str) else {}


def state_of(url: str) -> State:
    """Ask what a file is like, without reading it.

    Parameters
    ----------
    url : str

    Returns
    -------
    State

    Raises
    ------
    DatasetError
        When it cannot be had, in one line without secrets.
    """
    with told(url, "read"):
        store, path = open_store(url)
        info = store.info(path)
    size = info.get("size")
    marks = [str(info[name]) for name in _MARKS if info.get(name)]
    return State(size, sha256_of_values([url, size, *marks]) if marks else None)


def fetch(url: str, path: Path, limit: int) -> State:
    """Copy a remote file to a path, whole or not at all.

    Parameters
    ----------
    url : str
    path : Path
    limit : int
        In bytes; a larger file is refused, before it is read where its size is told.

    Returns
    -------
    State
        Of the file, the same before and after it was read.

    Raises
    ------
    DatasetError
        When it cannot be read, is larger, or was changed meanwhile.
    """
    before = state_of(url)
    with replacing(path) as temporary:
        size = _copy(url, temporary, limit, before.size_bytes or 0)
        if state_of(url) != before or before.size_bytes not in (None, size):
            raise DatasetError(f"{shown(url)}: was cut short, or changed while it was read; run again.")
    return before


def _copy(url: str, path: Path, limit: int, told_bytes: int) -> int:
    """Copy what is there, as long as it stays within the limit; return how much it was."""
    size = 0
    blocks = _blocks(url)
    with path.open("wb") as target, contextlib.closing(blocks):
        while max(size, told_bytes) <= limit and (block := next(blocks, b"")):
            size += target.write(block)
    if max(size, told_bytes) > limit:
        raise DatasetError(f"{shown(url)}: is larger than {limit >> 20} MiB.")
    return size


def _blocks(url: str) -> Generator[bytes, None, None]:
    with told(url, "read"):
        store, path = open_store(url)
        with store.open(path, "rb") as source:
            while block := source.read(_BLOCK_BYTES):
                yield block
