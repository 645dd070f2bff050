"""Which recordings train, which validate and which test, by rule or by fold files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from musicnet_build.corpora import folds
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError


def fake(banks: list[str], pieces: int) -> list[Recording]:
    return [
        Recording(f"MAPS_MUS-p{i}_{bank}", Path("a"), Path("b"), bank, "MUS", f"p{i}")
        for bank in banks
        for i in range(pieces)
    ]


NINE = ["AkPnBcht", "AkPnBsdf", "AkPnCGdD", "AkPnStgb", "ENSTDkAm", "ENSTDkCl", "SptkBGAm", "SptkBGCl", "StbgTGd2"]


def is_partition(fold: folds.Fold, recordings: list[Recording]) -> bool:
    names = [*fold.train, *fold.valid, *fold.test]
    return sorted(names) == sorted(recording.name for recording in recordings)


def test_configuration_1_has_four_folds_of_the_published_sizes_that_test_on_different_pieces() -> None:
    recordings = fake(NINE, 30)
    drawn = folds.configuration_1(recordings, 0)
    assert list(drawn) == ["fold_1", "fold_2", "fold_3", "fold_4"]
    for fold in drawn.values():
        assert (len(fold.train), len(fold.valid), len(fold.test)) == (190, 26, 54)
        assert is_partition(fold, recordings)
    tested = [name for fold in drawn.values() for name in fold.test]
    assert len(set(tested)) == len(tested)
    assert folds.configuration_1(recordings, 0) == drawn != folds.configuration_1(recordings, 1)


def test_configuration_2_tests_on_the_real_pianos_and_trains_on_no_other_bank_of_them() -> None:
    recordings = fake(NINE, 30)
    fold = folds.configuration_2(recordings, 0)["fold_1"]
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (180, 30, 60)
    assert {name[-8:] for name in fold.test} == {"ENSTDkAm", "ENSTDkCl"}
    assert is_partition(fold, recordings)
    other = folds.configuration_2(recordings, 0, ["AkPnBcht"])["fold_1"]
    assert {name[-8:] for name in other.test} == {"AkPnBcht"}
    with pytest.raises(DatasetError, match="no bank Nowhere1"):
        folds.configuration_2(recordings, 0, ["Nowhere1"])
    with pytest.raises(DatasetError, match="at least one"):
        folds.configuration_2(recordings, 0, NINE)


def test_pieces_that_are_tested_on_are_taken_out_of_training() -> None:
    recordings = [*fake(["AkPnBcht"], 10), *fake(["ENSTDkCl"], 4)]
    fold, removed = folds.without_test_pieces(recordings, folds.configuration_2(recordings, 0)["fold_1"])
    assert removed == 4
    pieces = {recording.name: recording.piece for recording in recordings}
    assert {pieces[name] for name in (*fold.train, *fold.valid)} == {f"p{i}" for i in range(4, 10)}
    assert len(fold.test) == 4


def test_four_to_one_puts_every_recording_in_one_set() -> None:
    names = [f"r{i}" for i in range(100)]
    fold = folds.four_to_one(names, 0)
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (64, 16, 20)
    assert sorted([*fold.train, *fold.valid, *fold.test]) == sorted(names)
    assert folds.four_to_one(["only"], 0) == folds.Fold(("only",), (), ())


def write_folds(folder: Path, train: str, test: str, valid: str | None = None) -> Path:
    folder.mkdir(parents=True)
    for name, text in (("train", train), ("test", test), ("valid", valid)):
        if text is not None:
            (folder / name).write_text(text)
    return folder


def test_fold_files_of_the_published_kinds_are_read(tmp_path: Path) -> None:
    recordings = fake(["AkPnBcht", "ENSTDkCl"], 2)
    pairs = "data/AkPnBcht/MUS/MAPS_MUS-p1_AkPnBcht.wav,data/AkPnBcht/MUS/MAPS_MUS-p1_AkPnBcht.mid\n"
    train = "AkPnBcht/MUS/MAPS_MUS-p0_AkPnBcht\n" + pairs
    write_folds(tmp_path / "all" / "fold_1", train, "ENSTDkCl/MUS/MAPS_MUS-p0_ENSTDkCl\n", valid=pairs)
    (fold,) = folds.read_folds(tmp_path / "all", recordings).values()
    assert fold == folds.Fold(("MAPS_MUS-p0_AkPnBcht",), ("MAPS_MUS-p1_AkPnBcht",), ("MAPS_MUS-p0_ENSTDkCl",))
    assert folds.read_folds(tmp_path / "all" / "fold_1", recordings) == {"fold_1": fold}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            lambda folder: write_folds(folder, "MAPS_MUS-none_AkPnBcht\n", ""),
            "line 1: there is no recording MAPS_MUS-none",
        ),
        (lambda folder: write_folds(folder, "MAPS_MUS-p0_AkPnBcht", "MAPS_MUS-p0_AkPnBcht"), "in training and test"),
        (lambda folder: folder.mkdir(), "holds no file `train`"),
        (lambda folder: (folder / "fold_1").mkdir(parents=True), "holds no file `train`"),
    ],
)
def test_fold_files_that_do_not_fit_are_refused(files: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    files(tmp_path / "folds")
    with pytest.raises(DatasetError, match=words):
        folds.read_folds(tmp_path / "folds", fake(["AkPnBcht"], 1))


def test_the_split_a_corpus_states_is_used() -> None:
    recordings = [
        Recording(str(i), Path("a"), Path("b"), "x", "MUS", "p", split) for i, split in enumerate(["train", "test"])
    ]
    assert folds.train_and_test(recordings, 0) == folds.Fold(("0",), (), ("1",))
    assert np.array_equal(
        [len(part) for part in vars(folds.train_and_test(fake(["AkPnBcht"], 10), 0)).values()], [6, 2, 2]
    )
