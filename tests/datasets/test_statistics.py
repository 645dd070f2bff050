"""The figures of a dataset are those that a person counts."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicnet_build.audio.io import write_audio
from musicnet_build.datasets.statistics import dataset_statistics, sounding_time_s, text_tables
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import empty_notes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings of 60 and 30 seconds: a piano chord of three, and a violin note and a piano note."""
    for number, split, seconds in ((1, "train", 60), (2, "test", 30)):
        noise = 0.1 * np.random.default_rng(number).standard_normal(seconds * 44_100)
        write_audio(tmp_path / f"{split}_data" / f"{number}.wav", noise)
    chord, pair = empty_notes(3), empty_notes(2)
    chord["pitch"], chord["offset_s"], chord["duration_beats"] = [60, 64, 67], 30.0, 1.0
    pair["pitch"], pair["program"], pair["duration_beats"] = 60, [0, 40], [1.0, 2.0]
    pair["onset_s"], pair["offset_s"] = [0.0, 15.0], [15.0, 30.0]
    write_labels(tmp_path / "train_labels" / "1.csv", chord)
    write_labels(tmp_path / "test_labels" / "2.csv", pair)
    (tmp_path / "musicnet_metadata.csv").write_text("id,composer,ensemble\n1,Anon,Solo Piano\n2,Bach,\n")
    return tmp_path


def test_the_table_of_the_paper_is_counted_right(folder: Path) -> None:
    found = dataset_statistics(folder)
    assert (found.total.recordings, found.total.minutes, found.total.labels) == (2, 1.5, 5)
    assert (found.total.distinct_notes, found.label_classes) == (3, 4)
    assert list(found.composers) == ["Anon", "Bach"]
    assert (found.composers["Bach"].minutes, found.composers["Bach"].labels) == (0.5, 2)
    assert list(found.ensembles) == ["Solo Piano", "not stated"]
    assert (found.instruments["acoustic grand piano"].labels, found.instruments["violin"].minutes) == (4, 0.5)
    assert found.note_values == {"Quarter": 4, "Half": 1}
    assert found.polyphony == pytest.approx({0: 1 / 3, 1: 1 / 3, 2: 0, 3: 1 / 3})
    assert found.mean_polyphony == pytest.approx(2.0)


def test_time_is_counted_by_how_many_notes_sound() -> None:
    notes = empty_notes(3)
    notes["onset_s"], notes["offset_s"] = [1.0, 2.0, 3.0], [3.0, 3.0, 4.0]
    np.testing.assert_allclose(sounding_time_s(notes, 10.0), [7.0, 2.0, 1.0])
    np.testing.assert_allclose(sounding_time_s(notes[:0], 10.0), [10.0])


def test_people_get_tables(folder: Path) -> None:
    found = dataset_statistics(folder)
    lines = text_tables(found)
    assert "instrument-pitch pairs  4" in lines
    assert any(line.split() == ["violin", "1", "0.5", "1", "1"] for line in lines)


def test_a_folder_that_is_no_dataset_is_refused(folder: Path) -> None:
    with pytest.raises(DatasetError, match="holds no recordings"):
        dataset_statistics(folder / "train_data")
    soundfile.write(folder / "train_data" / "5.wav", np.zeros(9), 44_100)
    with pytest.raises(DatasetError, match=r"5\.wav has no labels"):
        dataset_statistics(folder)
