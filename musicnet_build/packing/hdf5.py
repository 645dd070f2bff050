"""Writing HDF5 files that are whole or absent, and the same bytes for the same content.

A package is written by shards: each job writes one small file (``writing``), then one process copies them into the
package in a fixed order (``merge_shards``). A process that is killed leaves no unreadable package, and the bytes do
not depend on how many workers there were or on who was first.

What is in the files belongs to the modules that write them; see docs/formats.md.
"""

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py

from musicnet_build.errors import DatasetError
from musicnet_build.files import replacing

GZIP_LEVEL = 4

# Files that every HDF5 library since 1.8 (2008) opens; fixed, so that bytes do not change with the library's default.
_FORMAT = ("earliest", "v108")
_COPY_BYTES = 64 * 2**20


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """Open a new HDF5 file that appears under its name once the body has ended without an error.

    Parameters
    ----------
    path : str or PathLike
        A file of that name is replaced.

    Yields
    ------
    h5py.File
        Create datasets in it with :func:`add`, or with ``track_times=False``, to keep the bytes reproducible.

    Raises
    ------
    DatasetError
        When the file cannot be written, as when the disk is full.
    """
    with replacing(path) as temporary, _SafeFile(temporary, Path(path)) as raw:
        try:
            with h5py.File(raw, "w", libver=_FORMAT) as file:
                yield file
        finally:
            # Whatever else went wrong in the body may only be a consequence of this.
            raw.check()


def add(
    group: h5py.Group,
    name: str,
    data: Any,
    *,
    compress: bool = False,
    chunks: tuple[int, ...] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> h5py.Dataset:
    """Store an array in a file or group.

    Parameters
    ----------
    group : h5py.Group
    name : str
    data : array_like
    compress : bool
        With gzip and byte shuffling, in chunks.
    chunks : tuple of int, optional
        Shape of a chunk; without it, and uncompressed, the array is stored contiguously, which reads fastest.
    attributes : mapping, optional
        Stored with the dataset.

    Returns
    -------
    h5py.Dataset
    """
    filters: dict[str, Any] = {"compression": "gzip", "compression_opts": GZIP_LEVEL, "shuffle": True}
    dataset = group.create_dataset(
        name, data=data, chunks=chunks or (True if compress else None), track_times=False, **filters if compress else {}
    )
    dataset.attrs.update(attributes or {})
    return dataset


def merge_shards(
    path: str | os.PathLike[str], shards: Sequence[Path], *, attributes: Mapping[str, Any] | None = None
) -> None:
    """Copy everything at the top of each shard into one new file, shard by shard in the order given.

    Names must differ between shards. Memory does not grow with their size.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    shards : sequence of Path
        HDF5 files; they stay as they are.
    attributes : mapping, optional
        Attributes of the new file's root; those of the shards' roots are not copied.

    Raises
    ------
    DatasetError
        When a shard is missing or damaged, when two hold the same name, or when the file cannot be written.
    """
    _check_space(Path(path), sum(shard.stat().st_size for shard in shards if shard.is_file()))
    with writing(path) as file:
        file.attrs.update(attributes or {})
        for shard in shards:
            with reading(shard) as source:
                for name in source:
                    if name in file:
                        raise DatasetError(f"{shard}: {name} is in an earlier shard already.")
                    source.copy(name, file)
            file.flush()


def stack_shards(
    path: str | os.PathLike[str],
    shards: Sequence[Path],
    *,
    attributes: Mapping[str, Any] | None = None,
    finish: Callable[[h5py.File], object] | None = None,
) -> None:
    """Join shards that hold the same datasets: each dataset of the new file has the shards' rows one after another.

    Type, chunks, compression and attributes of a dataset are those of the first shard.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    shards : sequence of Path
        HDF5 files, at least one, with datasets (no groups) of the same names, row shapes and types.
    attributes : mapping, optional
        Attributes of the new file's root.
    finish : callable, optional
        Adds to the new file what is not in the shards, once their rows are in it and before it appears.

    Raises
    ------
    DatasetError
        When a shard is missing, damaged or unlike the first, or when the file cannot be written.
    """
    rows = [_rows_of(shard) for shard in shards]
    for shard, found in zip(shards, rows, strict=True):
        if found.keys() != rows[0].keys():
            raise DatasetError(f"{shard} does not hold the same datasets as {shards[0]}.")
    _check_space(Path(path), sum(shard.stat().st_size for shard in shards))
    with writing(path) as file:
        file.attrs.update(attributes or {})
        with reading(shards[0]) as first:
            for name, dataset in first.items():
                _create_like(file, name, dataset, sum(found[name] for found in rows))
        starts = dict.fromkeys(rows[0], 0)
        for shard in shards:
            with reading(shard) as source:
                for name in source:
                    starts[name] = _copy_rows(shard, source[name], file[name], starts[name])
        if finish is not None:
            finish(file)


@contextlib.contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """Open an HDF5 file to read, with one plain error where that cannot be done.

    Raises
    ------
    DatasetError
        When it is missing, damaged, or no HDF5 file.
    """
    with opened(path) as file:
        yield file


@contextlib.contextmanager
def reading_package(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """Open a package to read, with one plain error where it is damaged in what is read of it, too."""
    with damage_told(path), reading(path) as file:
        yield file


@contextlib.contextmanager
def damage_told(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise what h5py and numpy make of a damaged or foreign package as one plain error."""
    try:
        yield
    except _DAMAGE as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{path} is damaged, or no package of this kind; make it again ({reason}).") from error


def opened(path: str | os.PathLike[str], **options: Any) -> h5py.File:
    """Open an HDF5 file to read and leave it open; see :func:`reading`.

    Where the file system has no locks, as some network file systems, without one: packages are never changed in place,
    only replaced whole. Not so everywhere, for HDF5 refuses to open a file in a process twice in different ways.
    """
    try:
        return _opened(path, options)
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist.") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read as an HDF5 file; make it again ({error}).") from error


_DAMAGE = (AttributeError, IndexError, KeyError, OSError, RuntimeError, TypeError, ValueError)


def _opened(path: str | os.PathLike[str], options: Mapping[str, Any]) -> h5py.File:
    try:
        return h5py.File(path, "r", **options)
    except OSError as error:
        if "lock" not in str(error):
            raise
        return h5py.File(path, "r", locking=False, **options)


class _SafeFile(io.FileIO):
    """What HDF5 writes to: it keeps the first error, and lets HDF5 believe that all is well.

    HDF5 cannot close a file whose last writes fail: it keeps it open, tries again at the end of the process, and
    crashes. So a full disk is hidden from it here, and reported by ``check``.
    """

    def __init__(self, path: Path, shown: Path) -> None:
        super().__init__(path, "r+")
        self._shown = shown
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise what went wrong."""
        if self._error is not None:
            raise DatasetError(_complaint(self._shown, self._error)) from self._error

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._error is None and done < len(view):
                # One call may take fewer bytes than it is given, on a disk that fills up or beyond 2 GiB.
                done += super().write(view[done:]) or 0
        except OSError as error:
            self._error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = 0
        while count < len(view) and (more := super().readinto(view[count:])):
            count += more
        view[count:] = bytes(len(view) - count)
        return len(view)


def _complaint(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"{path} cannot be written, as there is no space left for it ({error.strerror}): make room and run again."
        )
    return f"{path} cannot be written: {error.strerror}."


def _check_space(path: Path, needed_bytes: int) -> None:
    """Say now, and not after an hour of copying, that the disk is too small."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    status = os.statvfs(folder)
    free_bytes = status.f_bavail * status.f_frsize
    if free_bytes < needed_bytes:
        raise DatasetError(
            f"{path} needs {needed_bytes / 1e9:.2f} GB and the disk has {free_bytes / 1e9:.2f} GB left: make room and "
            "run again."
        )


def _rows_of(shard: Path) -> dict[str, int]:
    with reading(shard) as source:
        for name, dataset in source.items():
            if not isinstance(dataset, h5py.Dataset) or not dataset.shape:
                raise DatasetError(f"{shard}: {name} is no dataset with rows.")
        return {name: dataset.shape[0] for name, dataset in source.items()}


def _create_like(file: h5py.File, name: str, model: h5py.Dataset, rows: int) -> None:
    shape = (rows, *model.shape[1:])
    chunks = model.chunks and tuple(min(chunk, max(1, size)) for chunk, size in zip(model.chunks, shape, strict=True))
    dataset = file.create_dataset(
        name,
        shape=shape,
        dtype=model.dtype,
        chunks=chunks,
        compression=model.compression,
        compression_opts=model.compression_opts,
        shuffle=model.shuffle or None,
        track_times=False,
    )
    dataset.attrs.update(model.attrs)


def _copy_rows(shard: Path, source: h5py.Dataset, target: h5py.Dataset, start: int) -> int:
    """Copy block by block; return where the next shard's rows begin."""
    if source.shape[1:] != target.shape[1:] or source.dtype != target.dtype:
        raise DatasetError(f"{shard}: the rows of {source.name} are not of the shape and type of the first shard's.")
    if _row_a_chunk(source) and _row_a_chunk(target) and _filters(source) == _filters(target):
        return _copy_chunks(source, target, start)
    row_bytes = max(1, source.nbytes // max(1, len(source)))
    step = max(1, _COPY_BYTES // row_bytes)
    if target.chunks:
        # Whole chunks, so that none is compressed twice.
        step = -(-step // target.chunks[0]) * target.chunks[0]
    for first in range(0, len(source), step):
        block = source[first : first + step]
        target[start + first : start + first + len(block)] = block
    return start + len(source)


def _row_a_chunk(dataset: h5py.Dataset) -> bool:
    return bool(dataset.chunks == (1, *dataset.shape[1:]))


def _filters(dataset: h5py.Dataset) -> tuple[object, ...]:
    return dataset.compression, dataset.compression_opts, dataset.shuffle, dataset.fletcher32, dataset.scaleoffset


def _copy_chunks(source: h5py.Dataset, target: h5py.Dataset, start: int) -> int:
    """Copy rows as they lie in the file, compressed: many times as fast as packing them again."""
    rest = (0,) * (source.ndim - 1)
    for row in range(len(source)):
        mask, data = source.id.read_direct_chunk((row, *rest))
        target.id.write_direct_chunk((start + row, *rest), data, mask)
    return start + len(source)
