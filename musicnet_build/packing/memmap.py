"""Reading arrays of an HDF5 package without HDF5, safely from any number of processes.

The packages store arrays contiguously. A reader looks up once where each lies in the file; from then on the file is
mapped into memory, and an array is a view of it. No HDF5 handle stays open, so none can cross a fork, and nothing of
the data is copied when a worker process is started.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import UInt8s
from musicnet_build.errors import DatasetError


class Place(NamedTuple):
    """Where an array lies in a file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class MappedFile:
    """A file mapped into memory when it is first read, anew in each process that it is sent to.

    Parameters
    ----------
    path : str or PathLike
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._bytes: UInt8s | None = None

    def array(self, place: Place) -> NDArray[Any]:
        """Return a read-only view of an array of the file."""
        if self._bytes is None:
            self._bytes = np.memmap(self.path, dtype=np.uint8, mode="r")
        count = int(np.prod(place.shape, dtype=np.int64))
        if place.offset + count * place.dtype.itemsize > len(self._bytes):
            raise DatasetError(f"{self.path} has changed since it was opened: open it again.")
        # A plain array: views of the subclass memmap cost more each than the reading.
        whole = np.frombuffer(self._bytes.data, dtype=place.dtype, count=count, offset=place.offset)
        return whole.reshape(place.shape)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_bytes": None}


def place_of(dataset: h5py.Dataset) -> Place:
    """Return where a contiguous dataset lies.

    Raises
    ------
    DatasetError
        When it is stored in chunks, and so not as one array.
    """
    offset = dataset.id.get_offset()
    if offset is None:
        if dataset.size:
            raise DatasetError(f"{dataset.file.filename}: {dataset.name} is stored in chunks; pack the dataset again.")
        offset = 0
    return Place(int(offset), tuple(dataset.shape), dataset.dtype)


def check_kind(file: h5py.File, kind: str) -> None:
    """Refuse a file that is not the kind of package that its reader reads."""
    found = file.attrs.get("kind")
    if found != kind:
        raise DatasetError(f"{file.filename} is not a package of {kind}, but of {found or 'another origin'}.")


def names_in(file: h5py.File, split: str) -> list[str]:
    """Return the names of the recordings of a split, such as ``configuration_1/fold_1/train``.

    Raises
    ------
    DatasetError
        When there is no such split; the message lists those there are.
    """
    known: list[str] = []
    file["splits"].visititems(lambda name, item: known.append(name) if isinstance(item, h5py.Dataset) else None)
    if split not in known:
        raise DatasetError(f"{file.filename} has no split {split!r}: it has {', '.join(known)}.")
    return [name.decode() for name in file["splits"][split][:]]
