"""The base of all readers of packages: safe in any number of processes, and drawn by one rule.

Arrays that are stored in one piece are read without HDF5: a reader looks up once where each lies in the file; from then
on the file is mapped into memory, and an array is a view of it. Arrays that are stored in chunks are read through a
handle of HDF5. Map and handle are opened when they are first needed, by each process for itself, so that none crosses
a fork and nothing of the data is copied when a worker process is started.

What a reader draws (where a segment begins, how a picture is changed) depends on its seed, on the epoch and on the
index, and on nothing else. An index is in its first epoch when it is asked for the first time, in the second the next
time, whichever process is asked: an epoch of a loader needs no call, and its workers may persist.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from multiprocessing import context
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import UInt8s
from musicnet_build.errors import DatasetError
from musicnet_build.packing.hdf5 import damage_told, opened

Item = TypeVar("Item")

Augment = Callable[[Item, np.random.Generator], Item]
"""Changes an item (audio and labels alike) by what it draws."""

Rows = NDArray[Any]
"""Rows of an array, in memory, or in HDF5 as a dataset that is indexed alike."""


class Place(NamedTuple):
    """Where an array lies in a file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Arrays:
    """The arrays of a package, by name, for any number of processes.

    Parameters
    ----------
    path : str or PathLike
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._places: dict[str, Place] = {}
        self._close_nothing()

    def locate(self, dataset: h5py.Dataset) -> str:
        """Remember where an array lies, if it is stored in one piece; return its name."""
        name = str(dataset.name)
        offset = dataset.id.get_offset()
        if offset is not None or not dataset.size:
            self._places[name] = Place(int(offset or 0), tuple(dataset.shape), dataset.dtype)
        return name

    def __getitem__(self, name: str) -> Rows:
        """Return an array, to be read from only; a view of the file where it was located in one piece."""
        if self._process != os.getpid():
            self._leave_to_the_parent()
        if name not in self._rows:
            self._rows[name] = self._view(self._places[name]) if name in self._places else self._handle()[name]
        return self._rows[name]

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._close_nothing()

    def _close_nothing(self) -> None:
        self._process = os.getpid()
        self._rows: dict[str, Rows] = {}
        self._bytes: UInt8s | None = None
        self._file: h5py.File | None = None

    def _leave_to_the_parent(self) -> None:
        """A handle that came with a fork reads wrong data, and is closed here before the file is opened anew."""
        if self._file is not None:
            self._file.close()
        self._close_nothing()

    def _view(self, place: Place) -> NDArray[Any]:
        if self._bytes is None:
            self._bytes = np.memmap(self.path, dtype=np.uint8, mode="r")
        count = int(np.prod(place.shape, dtype=np.int64))
        if place.offset + count * place.dtype.itemsize > len(self._bytes):
            raise DatasetError(f"{self.path} has changed since it was opened: open it again.")
        # A plain array: views of the subclass memmap cost more each than the reading.
        whole = np.frombuffer(self._bytes.data, dtype=place.dtype, count=count, offset=place.offset)
        return whole.reshape(place.shape)

    def _handle(self) -> h5py.File:
        if self._file is None:
            # What is drawn at random is seldom read twice: a cache of chunks would only be filled.
            self._file = opened(self.path, rdcc_nbytes=0)
        return self._file

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_places": self._places}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._close_nothing()


class Epochs:
    """How often each index was asked for, counted by all processes that share a reader.

    Workers that a process starts with a reader share its counts, forked or spawned; a copy that is made in another way
    (by ``pickle.dumps``, say) has counts of its own.

    Parameters
    ----------
    count : int
        Indices.
    """

    def __init__(self, count: int) -> None:
        self._share(RawArray("I", max(count, 1)))

    def next(self, index: int) -> int:
        """Return the epoch of an index, 0 at first, and count it."""
        epoch = int(self._counts[index])
        self._counts[index] = epoch + 1
        return epoch

    def set(self, epoch: int) -> None:
        """Let all indices be in this epoch next."""
        self._counts[:] = epoch

    def _share(self, memory: Any) -> None:
        self._memory = memory
        self._counts = np.frombuffer(memory, dtype=np.uint32)

    def __getstate__(self) -> Any:
        # Shared memory can be handed to a process only as it is started.
        return self._memory if context.get_spawning_popen() is not None else self._counts.copy()

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, np.ndarray):
            self.__init__(len(state))  # type: ignore[misc]
            self._counts[:] = state
        else:
            self._share(state)


class Reader(ABC, Generic[Item]):
    """A sequence of items for training, such as PyTorch's DataLoader takes.

    Parameters
    ----------
    path : str or PathLike
        Of a package.
    seed : int
        With epoch and index, settles what is drawn.
    augment : callable, optional
        Given an item and a random generator, returns the item to use.
    """

    def __init__(self, path: str | os.PathLike[str], *, seed: int = 0, augment: "Augment[Item] | None" = None) -> None:
        self.path, self.seed, self.augment = Path(path), seed, augment
        self._arrays = Arrays(path)
        self._epochs: Epochs | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of items of an epoch."""

    @abstractmethod
    def _read(self, index: int, epoch: int) -> Item:
        """Read an item, its index being in range."""

    def __getitem__(self, index: int) -> Item:
        index = self._checked(index)
        return self.item(index, self._epochs.next(index) if self._epochs else 0)

    def item(self, index: int, epoch: int) -> Item:
        """Return an item as it is in an epoch, counted from 0: the same whenever and wherever it is asked for."""
        index = self._checked(index)
        with damage_told(self.path):
            item = self._read(index, epoch)
        # A stream of its own: the augmentation must not follow from what was drawn to read the item.
        return item if self.augment is None else self.augment(item, self.generator(index, epoch, 1))

    def set_epoch(self, epoch: int) -> None:
        """Go on with this epoch, in all workers: where a training is taken up again, say."""
        if self._epochs is not None:
            self._epochs.set(epoch)

    def generator(self, index: int, epoch: int, *stream: int) -> np.random.Generator:
        """Return what an item draws from."""
        return np.random.default_rng([self.seed, epoch, index, *stream])

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        self._arrays.close()

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(len(self)))

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return index % len(self)

    def _count_epochs(self, *, draws: bool = False) -> None:
        """To be called by readers that know their length: where nothing is drawn, nothing need be counted."""
        if draws or self.augment is not None:
            self._epochs = Epochs(len(self))


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
