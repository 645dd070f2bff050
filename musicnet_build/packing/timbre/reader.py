"""Reading a timbre package: pictures with their labels, by subset and fold."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Int64s, UInt8s
from musicnet_build.errors import DatasetError
from musicnet_build.packing.hdf5 import reading_package
from musicnet_build.packing.reader import Augment, Reader
from musicnet_build.packing.timbre.package import FORMAT

Item = tuple[NDArray[np.generic], UInt8s]


class TimbreFrames(Reader[Item]):
    """The frames of a subset, or of one side of one of its folds, as a sequence of (picture, label).

    A picture is uint8 [shape=(128, 512, 3)] or float32 [shape=(128, 512)], a label uint8 [shape=(instruments, 129)],
    or [shape=(129,)] in packages with single labels.

    Parameters
    ----------
    path : str or PathLike
        Of a package made by ``pack timbre``.
    subset : str
        ``combined``, ``guitar_alone`` and so on; an unknown name is refused with those that there are.
    fold : int, optional
        0 to 4, in training packages.
    train : bool
        Which side of the fold.
    seed, augment
        As of :class:`~musicnet_build.packing.reader.Reader`.

    Raises
    ------
    DatasetError
        When the file is no timbre package, or has no such subset or fold.

    Examples
    --------
    >>> from musicnet_build.datasets.timbre_reader import TimbreFrames
    >>> frames = TimbreFrames("timbre.h5", "combined_balanced", fold=0)
    >>> picture, label = frames[0]
    >>> picture.shape, label.shape
    ((128, 512, 3), (2, 129))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        subset: str = "combined",
        *,
        fold: int | None = None,
        train: bool = True,
        seed: int = 0,
        augment: Augment[Item] | None = None,
    ) -> None:
        super().__init__(path, seed=seed, augment=augment)
        with reading_package(self.path) as file:
            self.attributes = {name: _plain(value) for name, value in file.attrs.items()}
            if self.attributes.get("format") != FORMAT:
                raise DatasetError(f"{path} is no timbre package: make one with `pack timbre`.")
            self.instruments = [str(each["name"]) for each in json.loads(str(self.attributes["instruments"]))]
            self.indices = _indices(file, self.path, subset, fold, train)
            for name in ("image", "label", "pitch"):
                self._arrays.locate(file[name])
        self._count_epochs()

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.indices)

    def _read(self, index: int, epoch: int) -> Item:
        frame = int(self.indices[index])
        return self._arrays["/image"][frame], self._arrays["/label"][frame]

    def pitches(self) -> UInt8s:
        """Return the pitch of each instrument in every frame, 128 where it is absent [shape=(n, instruments)]."""
        pitch: UInt8s = self._arrays["/pitch"][...][self.indices]
        return pitch


def _plain(value: object) -> str | int | float:
    return value.item() if isinstance(value, np.generic) else str(value)


def _indices(file: h5py.File, path: Path, subset: str, fold: int | None, train: bool) -> Int64s:
    if subset not in file["subsets"]:
        raise DatasetError(f"{path} has no subset {subset}: it has {', '.join(sorted(file['subsets']))}.")
    group = file["subsets"][subset]
    if fold is None:
        indices: Int64s = group["indices"][...]
        return indices
    if f"fold_{fold}" not in group:
        raise DatasetError(f"{path} has no fold {fold} of {subset}: training packages have folds 0 to 4.")
    side: Int64s = group[f"fold_{fold}"]["train" if train else "test"][...]
    return side
