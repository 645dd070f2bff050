"""Tests of the kept draw: it can be read again, is extended, and is not replaced by accident."""

from pathlib import Path

import pytest
from judged_dataset import NOTES, RECORDINGS, made_dataset

from musicnet_build.errors import DatasetError
from musicnet_build.listening.catalogue import dataset_catalogue
from musicnet_build.listening.rating.sample_file import (
    SAMPLE_FILE,
    check_extends,
    drawn_sample,
    read_sample,
    write_sample,
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_dataset(tmp_path_factory.mktemp("rated") / "set")


def test_a_draw_is_read_as_it_was_written_with_the_same_bytes_each_time(dataset: Path, tmp_path: Path) -> None:
    sample = drawn_sample(dataset_catalogue(dataset), "note", 100, 3)
    write_sample(tmp_path / "a", sample)
    write_sample(tmp_path / "b", drawn_sample(dataset_catalogue(dataset), "note", 100, 3))
    assert read_sample(tmp_path / "a") == sample
    assert (tmp_path / "a" / SAMPLE_FILE).read_bytes() == (tmp_path / "b" / SAMPLE_FILE).read_bytes()


def test_the_weights_of_notes_sum_to_all_labels(dataset: Path) -> None:
    sample = drawn_sample(dataset_catalogue(dataset), "note", 100, 3)
    assert sum(1 / unit.probability for unit in sample.units) == pytest.approx(RECORDINGS * NOTES)
    assert sum(stratum.notes for stratum in sample.strata.values()) == RECORDINGS * NOTES


def test_clips_cover_all_labels_and_weigh_what_they_stand_for(dataset: Path) -> None:
    sample = drawn_sample(dataset_catalogue(dataset), "clip", 6, 3, seconds=10)
    assert {unit.end_sample - unit.start_sample for unit in sample.units} == {441_000}  # type: ignore[operator]
    assert sum(stratum.units for stratum in sample.strata.values()) == RECORDINGS * 6
    assert sum(stratum.notes for stratum in sample.strata.values()) == RECORDINGS * NOTES
    assert sum(1 / unit.probability for unit in sample.units) == pytest.approx(RECORDINGS * 6)


def test_a_longer_draw_extends_and_another_does_not(dataset: Path, tmp_path: Path) -> None:
    catalogue = dataset_catalogue(dataset)
    short, long = (drawn_sample(catalogue, "note", count, 3) for count in (50, 120))
    notes = [{(unit.recording, unit.note.row) for unit in sample.units if unit.note} for sample in (short, long)]
    assert notes[0] < notes[1]
    check_extends(short, long, "sample.json")
    for other in (drawn_sample(catalogue, "note", 120, 4), drawn_sample(catalogue, "note", 20, 3)):
        with pytest.raises(DatasetError, match="--anew"):
            check_extends(short, other, "sample.json")
    with pytest.raises(DatasetError, match="other labels"):
        check_extends(short, long.model_copy(update={"labels": {}}), "sample.json")


def test_a_missing_or_faulty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="audit sample"):
        read_sample(tmp_path)
    (tmp_path / SAMPLE_FILE).write_text('{"v": 1, "unit": "page"}', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"sample\.json is no sample"):
        read_sample(tmp_path)
