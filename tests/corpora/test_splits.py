"""One rule of test sets: the folders decide, and published ids only where a publication is named."""

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from musicnet_build.corpora.folds import given_split
from musicnet_build.corpora.recording import Recording
from musicnet_build.corpora.splits import (
    PUBLISHED_TEST_IDS,
    draw_splits,
    find_leaks,
    with_published_split,
    with_validation,
)
from musicnet_build.errors import DatasetError


def recording(name: str, split: str, title: str = "") -> Recording:
    metadata = {"composer": "Anon", "composition": title}
    return Recording(name, Path("a.wav"), Path("a.csv"), "musicnet", "MUS", name, split, metadata)


OWN = [recording(str(number), "test" if number % 10 == 0 else "train") for number in range(1, 2701)]
"""Ids 1 to 2,700, all published ones among them, in a split of their own."""


def test_ids_alone_never_move_a_recording_to_another_set() -> None:
    assert with_published_split(OWN, None) == OWN
    fold = given_split(with_published_split(OWN, None))
    assert set(fold.test) == {str(number) for number in range(10, 2701, 10)}
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (2430, 0, 270)


@pytest.mark.parametrize(("name", "count"), [("paper", 3), ("second-release", 10)])
def test_a_published_split_tests_on_its_recordings_and_on_no_others(name: str, count: int) -> None:
    fold = given_split(with_published_split([*OWN, recording("5000", "validation")], name))
    assert sorted(fold.test) == sorted(PUBLISHED_TEST_IDS[name])
    assert (len(fold.test), fold.valid, len(fold.train)) == (count, ("5000",), 2700 - count)


def test_a_published_split_of_other_recordings_is_refused() -> None:
    with pytest.raises(DatasetError, match="None of the test recordings of MusicNet"):
        with_published_split([recording("1", "train")], "paper")


def test_a_composition_may_not_be_in_several_sets() -> None:
    leaks = find_leaks([recording("1", "train", "Fugue"), recording("2", "validation", "Fugue")], {})
    assert leaks == ["the composition Anon: Fugue is in both sets (train: 1; validation: 2)"]
    three = [recording(name, split) for name, split in (("1", "train"), ("1", "validation"), ("1", "test"))]
    assert find_leaks(three, {}) == ["the recording 1 is in several sets (train: 1; validation: 1; test: 1)"]


def test_validation_takes_whole_compositions_out_of_training_alone() -> None:
    versions = [recording(f"{title}{player}", "train", str(title)) for title in range(20) for player in "abc"]
    tested = [recording("t", "test", "0")]
    dealt = with_validation([*versions, *tested], 0.1, seed=1)
    validating = [one for one in dealt if one.split == "validation"]
    assert len(validating) == 6
    assert find_leaks([one for one in dealt if one.split != "test"], {}) == []
    assert dealt == with_validation([*versions, *tested], 0.1, seed=1) != with_validation(versions, 0.1, seed=2)
    assert dealt[-1] == tested[0]


def test_validation_keeps_performers_and_pieces_on_one_side() -> None:
    played = [
        dataclasses.replace(one, metadata={**one.metadata, "performer": f"player {number // 2}"})
        for number, one in enumerate(recording(str(number), "train", str(number % 7)) for number in range(40))
    ]
    alone = [recording(str(number), "train", str(number)) for number in range(40, 80)]
    for seed in range(5):
        dealt = with_validation([*played, *alone], 0.25, seed)
        validating = [one for one in dealt if one.split == "validation"]
        assert len(validating) == 20
        for name in ("performer", "composition"):
            sides = [{one.metadata[name] for one in dealt if one.split == split and one.metadata.get(name)}
                     for split in ("train", "validation")]  # fmt: skip
            assert not sides[0] & sides[1]
    reversed_ = with_validation([*alone[::-1], *played[::-1]], 0.25, 4)
    assert {one.name for one in reversed_ if one.split == "validation"} == {one.name for one in validating}


def test_a_small_share_still_validates_on_one_composition() -> None:
    dealt = with_validation([recording(str(number), "train", str(number)) for number in range(3)], 0.01)
    assert sorted(one.split for one in dealt) == ["train", "train", "validation"]
    assert [one.split for one in with_validation([recording("1", "train")], 0.5)] == ["train"]


def test_sets_are_drawn_by_composition_and_what_has_a_set_keeps_it() -> None:
    rows = [{"score": f"{piece}.mid", "composition": f"Piece {piece}"} for piece in "aabbccddeeffgghhiijj"]
    drawn = draw_splits(rows, {"test": 0.2, "validation": 0.1}, seed=3)
    assert Counter(drawn) == {"train": 14, "test": 4, "validation": 2}
    assert drawn[::2] == drawn[1::2]
    assert drawn == draw_splits(rows, {"test": 0.2, "validation": 0.1}, seed=3)
    assert drawn != draw_splits(rows, {"test": 0.2, "validation": 0.1}, seed=4)
    present = [row | {"split": split} for row, split in zip(rows, drawn, strict=True)]
    again = [{"score": f"other {row['score']}", "composition": row["composition"]} for row in rows]
    assert draw_splits(again, {"test": 0.5}, seed=9, present=present) == drawn
