"""A dataset is read with the names that mirdata's users know."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import musicnet_build as mb
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import read_labels


@pytest.fixture(scope="module")
def tracks(dataset: Path) -> "mb.Dataset":
    return mb.Dataset(dataset)


def test_ids_and_splits_are_those_of_the_folder(tracks: "mb.Dataset") -> None:
    assert tracks.track_ids == ["1", "2", "3"]
    assert tracks.get_track_splits() == {"train": ["1", "2"], "test": ["3"]}
    assert list(tracks.load_tracks()) == tracks.track_ids
    assert len(tracks) == 3


def test_a_track_has_the_sound_and_the_notes_of_its_files(tracks: "mb.Dataset", dataset: Path) -> None:
    track = tracks.track(3)
    audio, rate_hz = track.audio
    np.testing.assert_array_equal(audio, soundfile.read(dataset / "test_data" / "3.wav", dtype="float32")[0])
    assert rate_hz == 44_100
    assert track.notes.tobytes() == read_labels(dataset / "test_labels" / "3.csv").tobytes()
    assert track.to_dataframe().pitch.tolist() == track.notes["pitch"].tolist()
    assert track.metadata["composition"] == "Piece 3"
    assert track.quality["notes"] == len(track.notes)


def test_a_seed_draws_the_same_track_again(tracks: "mb.Dataset") -> None:
    drawn = [tracks.choice_track(seed).track_id for seed in range(20)]
    assert drawn == [tracks.choice_track(seed).track_id for seed in range(20)]
    assert set(drawn) == set(tracks.track_ids)


def test_objects_print_themselves(tracks: "mb.Dataset", dataset: Path) -> None:
    assert repr(tracks) == f"<Dataset {dataset}: 3 tracks (2 train, 1 test)>"
    assert repr(tracks.track(1)) == "<Track 1 (train) Bach, J. S.: Piece 1>"
    shown = tracks.track(1)._repr_html_()
    assert "<audio controls" in shown
    assert "Piece 1" in shown


def test_what_is_not_there_is_named(tracks: "mb.Dataset", tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no track 4"):
        tracks.track(4)
    with pytest.raises(DatasetError, match="holds no recordings"):
        mb.Dataset(tmp_path)
