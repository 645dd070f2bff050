"""Reading a timbre package: pictures with their labels, by subset and fold."""

import json
import os
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from musicnet_build._typing import Int64s, UInt8s
from musicnet_build.errors import DatasetError
from musicnet_build.packing.timbre import FORMAT


class TimbreFrames:
    """The frames of a subset, or of one side of one of its folds, as a sequence of (picture, label).

    The file is opened when the first frame is read, anew in each process: a loader's workers share no handle. So an
    object may be handed to PyTorch's DataLoader as it is.

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

    Raises
    ------
    DatasetError
        When the file is no timbre package, or has no such subset or fold.
    """

    def __init__(
        self, path: str | os.PathLike[str], subset: str = "combined", *, fold: int | None = None, train: bool = True
    ) -> None:
        self._path = Path(path)
        self._process = -1
        self._file: h5py.File | None = None
        with _opened(self._path) as file:
            self.attributes = {name: _plain(value) for name, value in file.attrs.items()}
            if self.attributes.get("format") != FORMAT:
                raise DatasetError(f"{path} is no timbre package: make one with `pack timbre`.")
            self.instruments = [str(each["name"]) for each in json.loads(str(self.attributes["instruments"]))]
            self.indices = _indices(file, self._path, subset, fold, train)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.indices)

    def __getitem__(self, place: int) -> tuple[NDArray[np.generic], UInt8s]:
        """Return a picture and its label.

        Returns
        -------
        picture : ndarray of uint8 [shape=(128, 512, 3)] or of float32 [shape=(128, 512)]
        label : ndarray of uint8 [shape=(instruments, 129)], or [shape=(129,)] in packages with single labels
        """
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        frame = int(self.indices[place])
        file = self._own_file()
        return file["image"][frame], file["label"][frame]

    def pitches(self) -> UInt8s:
        """Return the pitch of each instrument in every frame, 128 where it is absent [shape=(n, instruments)]."""
        pitch: UInt8s = self._own_file()["pitch"][...][self.indices]
        return pitch

    def _own_file(self) -> h5py.File:
        """Open the file, once a process: a handle must not cross a fork."""
        if self._file is None or self._process != os.getpid():
            self._file, self._process = _opened(self._path), os.getpid()
        return self._file

    def __getstate__(self) -> dict[str, object]:
        """Leave the handle behind when sent to another process."""
        return self.__dict__ | {"_file": None, "_process": -1}


def _opened(path: Path) -> h5py.File:
    if not path.is_file():
        raise DatasetError(f"{path} does not exist.")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read as an HDF5 file; make it again ({error}).") from error


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
