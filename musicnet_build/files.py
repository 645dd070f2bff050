"""Files without knowledge of what is in them: bounded reading, whole-or-absent writing, JSON, hashes and locks.

Each of these is done here and nowhere else. What a file *means* belongs to the room that reads it.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from musicnet_build.errors import DatasetError, MusicnetBuildError

MAX_JSON_BYTES = 256 * 2**20
"""Of the lists and records that this package writes: some hundred thousand recordings."""

Read = TypeVar("Read")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# What replacing() names its temporary files.
_TEMPORARY = re.compile(r"\..+-[a-z0-9_]{8}(\.\w+)?")


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success fsync it and rename it into place.

    When the body raises, or the process dies, ``path`` is as it was before.

    Parameters
    ----------
    path : str or PathLike
        The file to write. Its folder is made when it is missing.

    Yields
    ------
    Path
        An empty file in the same folder with the same ending, to be written by the caller.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem[:20]}-", suffix=target.suffix[-20:], dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _apply_default_mode(temporary)
        _fsync(temporary)
        temporary.replace(target)
        _fsync(target.parent)
    except OSError as error:
        # The system names no file where a disk is full.
        if error.errno in _NO_ROOM:
            error.filename = str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove the temporary files that killed processes left in a folder; nobody may be writing there.

    Parameters
    ----------
    folder : str or PathLike
        One that is ours alone, or that does not exist.
    """
    for path in Path(folder).glob(".*"):
        if path.is_file() and _TEMPORARY.fullmatch(path.name):
            path.unlink()


# Reading


def read_bounded(
    path: str | os.PathLike[str], limit: int, *, what: str, error: type[MusicnetBuildError] = DatasetError
) -> bytes:
    """Read a file of at most ``limit`` bytes; a larger one is refused before it fills the memory.

    Parameters
    ----------
    path : str or PathLike
    limit : int
        In bytes.
    what : str
        What the file is to be, for the sentence that refuses it: ``a manifest``.
    error : type
        Raised with that sentence.

    Returns
    -------
    bytes

    Raises
    ------
    error
        When the file cannot be read, or is larger.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except OSError as fault:
        raise error(f"{path}: cannot be read ({fault.strerror}).") from fault
    if len(data) > limit:
        raise error(f"{path}: is larger than {limit >> 20} MiB, too large for {what}.")
    return data


def read_json(path: str | os.PathLike[str], *, limit: int = MAX_JSON_BYTES) -> Any:
    """Read JSON.

    Raises
    ------
    DatasetError
        When the file is missing, too large, or no JSON.
    """
    data = read_bounded(path, limit, what="a list or record of this package")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not JSON, it is damaged.") from error


def read_hashed(path: str | os.PathLike[str], read: Callable[[Path], Read]) -> tuple[Read, str]:
    """Read a file, and return with what came of it the SHA-256 of the very bytes that were read.

    Parameters
    ----------
    path : str or PathLike
    read : callable
        Such as ``read_audio`` or ``read_score``.

    Returns
    -------
    result : object
        What ``read`` returns.
    sha256 : str

    Raises
    ------
    DatasetError
        When the file is replaced or written to meanwhile: its hash would speak of other bytes.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("notes")
    >>> text, sha256 = read_hashed(path, Path.read_text)
    >>> text, sha256[:8]
    ('notes', 'ab5aa970')
    """
    source = Path(path)
    before = _identity(source)
    result = read(source)
    digest = sha256_of(source)
    if _identity(source) != before:
        raise DatasetError(f"{path}: was changed while it was read; run again once it is written.")
    return result, digest


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells a file from another, or from itself before it was written to; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        # The reader says why.
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


# Writing


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text, whole or not at all; a file that holds it already is left alone.

    File names that are no text (surrogates) are written as the bytes they stand for.
    """
    write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_json(path: str | os.PathLike[str], values: Any) -> None:
    """Write plain values as indented JSON, whole or not at all; a file that holds them already is left alone."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # What cannot be UTF-8, as parts of odd file names, comes out as JSON's own \udc80.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write bytes, whole or not at all; a file that holds them already is left alone."""
    if Path(path).is_file() and Path(path).read_bytes() == data:
        return
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def user_cache() -> Path | None:
    """Return the folder for what this user can do without, which need not exist; None where there is no place."""
    # The XDG base directory specification: a relative path is to be ignored. A user without a home has no cache.
    home_cache = os.path.expanduser("~/.cache")  # noqa: PTH111 - Path's own raises where there is no home
    candidates = Path(os.environ.get("XDG_CACHE_HOME", "")), Path(home_cache)
    return next((base / "musicnet_build" for base in candidates if base.is_absolute()), None)


# Hashes


@dataclass(frozen=True)
class Digests:
    """The hashes of a file's bytes, in hexadecimal."""

    sha256: str
    md5: str


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digests_of(path: str | os.PathLike[str]) -> Digests:
    """Return both hashes of a file in one reading: SHA-256, and the MD5 that mirdata's indexes want."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            sha256.update(block)
            md5.update(block)
    return Digests(sha256.hexdigest(), md5.hexdigest())


def sha256_of_values(values: Any) -> str:
    """Return a hash of plain values (what JSON can hold), the same for the same values on every machine.

    Examples
    --------
    >>> sha256_of_values({"a": 1, "b": (2, 3)}) == sha256_of_values({"b": [2, 3], "a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, allow_nan=False)
    return sha256_of_bytes(text.encode("utf-8", "surrogateescape"))


# Locks


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], *, shared: bool = False) -> Iterator[bool]:
    """Hold a lock for as long as the body runs; it goes with the process, however it ends.

    Parameters
    ----------
    path : str or PathLike
        A file for the lock alone, made where it is missing and left there.
    shared : bool
        Let others hold it who share it, too.

    Yields
    ------
    bool
        False where another process holds it: the body must then leave.

    Warns
    -----
    UserWarning
        Where the file system has no locks (some NFS, Lustre and FUSE): the body runs without one.
    """
    with Path(path).open("a", encoding="ascii") as file:
        yield _lock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        warnings.warn(
            f"{file.name} cannot be locked on this file system ({error.strerror}): see that nobody else writes there.",
            stacklevel=2,
        )
    return True


def is_locked(path: str | os.PathLike[str]) -> bool:
    """Return whether a process holds the lock of :func:`locked` alone; False where locks cannot be asked for."""
    try:
        with Path(path).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _apply_default_mode(path: Path) -> None:
    """mkstemp makes private files; give this one the permissions an ordinary ``open`` would."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
