"""Writing files so that each is either whole or absent, and naming what is in them by hash."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What `replacing` names its files.
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
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove from a folder, if it is there, what :func:`replacing` was at in processes that were killed.

    Nobody may be writing into the folder.
    """
    for path in folder.glob(".*"):
        if path.is_file() and _TEMPORARY.fullmatch(path.name):
            path.unlink()


def write_json(path: str | os.PathLike[str], values: Any) -> None:
    """Write plain values as indented JSON, whole or not at all."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
