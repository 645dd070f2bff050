"""Folders and packages, made here and uploaded whole: whoever reads there never takes a part for the whole."""

import json
from pathlib import Path
from typing import Any

from musicnet_build.errors import DatasetError
from musicnet_build.files import locked, sha256_of, sha256_of_values, user_cache
from musicnet_build.progress import Progress, ignore
from musicnet_build.remote.urls import WEB, fault_of, open_store, shown, told

INDEX_FILES = ("index.json", "package.json")
"""What says, in folders that this package makes, that all else is there."""


def staging(url: str) -> Path:
    """Return where a folder or file is made that goes to a URL; it is kept, so that the next run goes on from it.

    Parameters
    ----------
    url : str

    Returns
    -------
    Path
        Named as the last part of the URL, in a folder of its own.

    Raises
    ------
    DatasetError
        When nothing can be written there, or this user has no cache folder.
    """
    fault = fault_of(url)
    if fault is None and url.partition("://")[0].lower() in WEB:
        fault = "cannot be written to: give a bucket, such as s3://bucket/name"
    if fault:
        raise DatasetError(f"{shown(url)}: {fault}.")
    base = user_cache()
    if base is None:
        raise DatasetError(f"{shown(url)}: there is no folder to make it in first: set XDG_CACHE_HOME.")
    url = url.rstrip("/")
    return base / "uploads" / sha256_of_values(url)[:16] / url.rpartition("/")[2]


def publish(path: Path, url: str, progress: Progress = ignore) -> int:
    """Upload a folder, without what is hidden in it, or a file; what was uploaded before is not uploaded again.

    Whoever reads there never sees a part that passes for the whole: before anything of a folder changes, its index
    (:data:`INDEX_FILES`) is taken away, and it is uploaded last. A list beside ``path`` tells what was uploaded, so
    that a run which was interrupted is continued. Files that were uploaded from here and are no longer in the folder
    are removed; files of others are left alone.

    Parameters
    ----------
    path : Path
    url : str
    progress : callable
        Told each file.

    Returns
    -------
    int
        How many files were uploaded.

    Raises
    ------
    DatasetError
        When the store refuses it, another process uploads from here, or the place for a folder holds files that were
        not uploaded from here.
    """
    url = url.rstrip("/")
    ledger = path.with_name(f".{path.name}-uploaded-{sha256_of_values(url)[:8]}")
    with locked(ledger) as is_ours, told(url, "written"):
        if not is_ours:
            raise DatasetError(f"{shown(url)}: another process uploads to it: wait for it, or stop it.")
        return _Upload(path, url, ledger).run(progress)


class _Upload:
    """A folder (or a file, named by nothing in itself), the place for it, and the list of what was uploaded."""

    def __init__(self, path: Path, url: str, ledger: Path) -> None:
        self.files = {"": path} if path.is_file() else _files_of(path)
        self.store, self.base = open_store(url)
        self.url, self.ledger = url, ledger

    def run(self, progress: Progress) -> int:
        digests = {name: sha256_of(path) for name, path in self.files.items()}
        known = self._known()
        gone = sorted(known.keys() - digests.keys())
        if gone or digests != known:
            withdrawn = [name for name in INDEX_FILES if known.pop(name, None)]
            self._remove([*withdrawn, *(name for name in gone if name not in withdrawn)])
        waiting = [name for name, digest in digests.items() if known.get(name) != digest]
        for count, name in enumerate(waiting):
            progress(f"uploading {name or shown(self.url)}", count / len(waiting))
            self.store.put_file(str(self.files[name]), self._place(name))
            self._note(name, digests[name], self.files[name].stat().st_size)
        return len(waiting)

    def _known(self) -> dict[str, str]:
        """Hashes of what was uploaded from here and is still there, by name."""
        there = {path[len(self.base) :].lstrip("/"): info["size"] for path, info in self._listing().items()}
        noted = [_entry(line) for line in self.ledger.read_text(encoding="utf-8").splitlines()]
        if not noted:
            if there.keys() - {""}:
                raise DatasetError(
                    f"{shown(self.url)}: is not empty, and was not uploaded from here: give a new place."
                )
            self._note("", "", -1)
        return {name: sha256 for name, (sha256, size) in dict(filter(None, noted)).items() if there.get(name) == size}

    def _listing(self) -> dict[str, Any]:
        found: dict[str, Any] = self.store.find(self.base, detail=True)
        return found

    def _remove(self, names: list[str]) -> None:
        for name in names:
            self.store.rm_file(self._place(name))
            self._note(name, "", -1)

    def _place(self, name: str) -> str:
        return f"{self.base}/{name}" if name else self.base

    def _note(self, name: str, sha256: str, size: int) -> None:
        with self.ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, [sha256, size]]) + "\n")


def _entry(line: str) -> tuple[str, tuple[str, int]] | None:
    """A line of the list; None where a process was killed at it."""
    try:
        name, (sha256, size) = json.loads(line)
    except (ValueError, TypeError):
        return None
    return name, (sha256, size)


def _files_of(folder: Path) -> dict[str, Path]:
    """The files of a folder by their names from it: those in its folders, those at its top, its index."""
    names = [path.relative_to(folder) for path in folder.rglob("[!.]*") if path.is_file()]
    seen = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    ordered = sorted(seen, key=lambda name: (len(name.parts) == 1, str(name) in INDEX_FILES, name.as_posix()))
    return {name.as_posix(): folder / name for name in ordered}
