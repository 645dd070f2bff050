"""Which recordings train, which validate, which test: drawn by rule, or read from fold files.

Splits are part of a package: they are stored in it by name, recording by recording.
"""

import dataclasses
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build.corpora.maps import DISKLAVIER_BANKS
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError

FOLDS = 4
_FIFTHS = 5
_VALID_SHARE_1 = 26 / 216  # of what is not tested: as many as in Configuration I of Sigtia et al. 2016
_VALID_SHARE_2 = 1 / 7  # 30 of 210 in Configuration II of Kelz et al. 2016

MAX_FOLD_FILE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Fold:
    """Names of recordings; no name is in two of the sets."""

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...]


def configuration_1(recordings: Sequence[Recording], seed: int) -> dict[str, Fold]:
    """Draw Configuration I: four folds in which instruments, and pieces, are in training and test alike.

    The recordings are shuffled and cut in five; fold *k* tests on part *k*, and 26 of 216 of the others validate. With
    the 270 pieces of MAPS that is 190, 26 and 54, as in Sigtia, Benetos and Dixon 2016.

    Parameters
    ----------
    recordings : sequence of Recording
    seed : int

    Returns
    -------
    dict of str to Fold
        ``fold_1`` to ``fold_4``.
    """
    names = _shuffled(recordings, seed)
    parts = [names[i::_FIFTHS] for i in range(_FIFTHS)]
    folds = {}
    for k in range(FOLDS):
        others = [name for i, part in enumerate(parts) if i != k for name in part]
        folds[f"fold_{k + 1}"] = _fold(others, parts[k], _VALID_SHARE_1)
    return folds


def configuration_2(
    recordings: Sequence[Recording], seed: int, test_banks: Collection[str] | None = None
) -> dict[str, Fold]:
    """Draw Configuration II: test only on banks that are not trained on.

    Parameters
    ----------
    recordings : sequence of Recording
    seed : int
    test_banks : collection of str, optional
        By default the two Disklavier banks of MAPS, or where they are not, the last bank by name.

    Returns
    -------
    dict of str to Fold
        ``fold_1`` only.

    Raises
    ------
    DatasetError
        When a bank is not there, or none is left to train on.
    """
    banks = {recording.bank for recording in recordings}
    held_out = set(test_banks or (banks & set(DISKLAVIER_BANKS)) or [max(banks)])
    if unknown := held_out - banks:
        raise DatasetError(f"There is no bank {min(unknown)} to test on: the banks are {', '.join(sorted(banks))}.")
    if held_out == banks:
        raise DatasetError("All banks are held out for testing: leave at least one to train on.")
    others = _shuffled([recording for recording in recordings if recording.bank not in held_out], seed)
    test = [recording.name for recording in recordings if recording.bank in held_out]
    return {"fold_1": _fold(others, test, _VALID_SHARE_2)}


def read_folds(folder: str | os.PathLike[str], recordings: Sequence[Recording]) -> dict[str, Fold]:
    """Read fold files: text files ``train``, ``valid`` (or none) and ``test``, in a folder or in subfolders of it.

    A line names a recording by its path: ``ENSTDkCl/MUS/MAPS_MUS-scn16_3_ENSTDkCl``, with or without folders and
    ending; what follows a comma (the MIDI file, in some) does not matter.

    Parameters
    ----------
    folder : str or PathLike
    recordings : sequence of Recording

    Returns
    -------
    dict of str to Fold
        By the names of the subfolders; ``fold_1`` where there are none.

    Raises
    ------
    DatasetError
        When a file is missing, names a recording that is not there, or a recording is in training and test.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder of fold files.")
    known = {recording.name for recording in recordings}
    if _fold_file(root, "train") is not None:
        return {"fold_1": _read_fold(root, known)}
    inner = sorted(place for place in root.iterdir() if place.is_dir())
    if not inner:
        raise DatasetError(f"{root} holds no file `train`, nor folders with one.")
    return {place.name: _read_fold(place, known) for place in inner}


def four_to_one(names: Sequence[str], seed: int) -> Fold:
    """Draw a fifth of the recordings for testing, and of the others a fifth for validation.

    Parameters
    ----------
    names : sequence of str
    seed : int

    Returns
    -------
    Fold
        With one recording or two, some sets are empty.
    """
    order = np.random.default_rng(seed).permutation(len(names))
    shuffled = [sorted(names)[i] for i in order]
    test = round(len(names) / 5)
    return _fold(shuffled[test:], shuffled[:test], 1 / 5)


def train_and_test(recordings: Sequence[Recording], seed: int, test_banks: Collection[str] = ()) -> Fold:
    """Return one split: the corpus's own; else Configuration II where there are several banks; else 4 : 1."""
    own = given_split(recordings)
    if own != Fold((), (), ()) and not test_banks:
        return own
    if test_banks or len({recording.bank for recording in recordings}) > 1:
        return configuration_2(recordings, seed, test_banks)["fold_1"]
    return four_to_one([recording.name for recording in recordings], seed)


def given_split(recordings: Sequence[Recording]) -> Fold:
    """Return the split that the corpus itself states; all its sets are empty where it states none."""
    train, valid, test = (
        tuple(sorted(recording.name for recording in recordings if recording.split == split)) for split in SPLITS
    )
    return Fold(train, valid, test)


def in_sets(recordings: Sequence[Recording], fold: Fold) -> list[Recording]:
    """Return the recordings that are in a set of the fold, with that set as their split."""
    sets = zip(SPLITS, (fold.train, fold.valid, fold.test), strict=True)
    split_of = {name: split for split, names in sets for name in names}
    return [dataclasses.replace(one, split=split_of[one.name]) for one in recordings if one.name in split_of]


def without_test_pieces(recordings: Sequence[Recording], fold: Fold) -> tuple[Fold, int]:
    """Take recordings of pieces that are also in the test set out of training and validation.

    Parameters
    ----------
    recordings : sequence of Recording
    fold : Fold

    Returns
    -------
    fold : Fold
    removed : int
        How many were taken out.
    """
    pieces = {recording.name: recording.piece for recording in recordings}
    tested = {pieces[name] for name in fold.test}
    train, valid = (tuple(name for name in part if pieces[name] not in tested) for part in (fold.train, fold.valid))
    return Fold(train, valid, fold.test), len(fold.train) + len(fold.valid) - len(train) - len(valid)


def _shuffled(recordings: Sequence[Recording], seed: int) -> list[str]:
    names = sorted(recording.name for recording in recordings)
    return [names[i] for i in np.random.default_rng(seed).permutation(len(names))]


def _fold(others: Sequence[str], test: Sequence[str], valid_share: float) -> Fold:
    """Validate on the first of ``others``: they are shuffled."""
    count = round(len(others) * valid_share)
    return Fold(tuple(sorted(others[count:])), tuple(sorted(others[:count])), tuple(sorted(test)))


def _fold_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.txt") if path.is_file()), None)


def _read_fold(folder: Path, known: set[str]) -> Fold:
    train, valid, test = (_read_names(folder, name, known) for name in ("train", "valid", "test"))
    if both := (set(train) | set(valid)) & set(test):
        raise DatasetError(f"{folder}: {min(both)} is in training and test.")
    # Some published splits validate on recordings they also train on; one set is enough.
    return Fold(tuple(name for name in train if name not in valid), valid, test)


def _read_names(folder: Path, name: str, known: set[str]) -> tuple[str, ...]:
    path = _fold_file(folder, name)
    if path is None:
        if name == "valid":
            return ()
        raise DatasetError(f"{folder} holds no file `{name}`.")
    if path.stat().st_size > MAX_FOLD_FILE_BYTES:
        raise DatasetError(f"{path} is too large for a list of recordings.")
    names = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        stem = line.split(",")[0].strip().replace("\\", "/").rsplit("/", 1)[-1]
        stem = stem.removesuffix(".wav").removesuffix(".flac")
        if stem not in known:
            raise DatasetError(f"{path}: line {number}: there is no recording {stem[:100]} in the dataset.")
        names.append(stem)
    return tuple(sorted(set(names)))
