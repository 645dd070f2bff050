"""Probabilities of frames: their file, their notes, and files that are none."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tunes import a_scale

from musicnet_build.errors import LabelError
from musicnet_build.labels import posteriorgram
from musicnet_build.labels.pianoroll import PIANO, label_rolls
from musicnet_build.labels.posteriorgram import (
    ONSET,
    Posteriorgram,
    notes_of_frames,
    read_posteriorgram,
    write_posteriorgram,
)
from musicnet_build.notes import sorted_by_onset

SAID = np.random.default_rng(0).random((50, 88), dtype=np.float32)


def test_notes_of_a_roll_are_the_notes_that_made_it() -> None:
    tune = sorted_by_onset(a_scale())
    tune["onset_s"], tune["offset_s"] = np.round(tune["onset_s"], 1), np.round(tune["offset_s"], 1)
    roll = label_rolls(tune, 200, 0.1).frame
    found = notes_of_frames(roll, 0.1, lowest_pitch=PIANO[0])
    assert found["pitch"].tolist() == tune["pitch"].tolist()
    np.testing.assert_allclose(found["onset_s"], tune["onset_s"])
    np.testing.assert_allclose(found["offset_s"], tune["offset_s"])
    longer = notes_of_frames(roll, 0.1, lowest_pitch=PIANO[0], shortest_s=0.45)
    assert len(longer) == 0
    assert len(notes_of_frames(roll, 0.1, shortest_s=0.4)) == len(tune)


def test_a_file_keeps_everything_and_the_same_probabilities_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_posteriorgram(tmp_path / name, Posteriorgram(SAID, 31.25, 0.3, SAID**2))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = read_posteriorgram(tmp_path / "one.npz")
    np.testing.assert_array_equal(found.sustain, SAID)
    np.testing.assert_array_equal(found.onset, SAID**2)
    assert (found.frame_rate_hz, found.threshold) == (31.25, 0.3)
    assert read_posteriorgram(tmp_path / "one.npz", 0.7).threshold == 0.7
    wide = found.over_all_pitches()
    np.testing.assert_array_equal(wide[:, 21:109], SAID)
    assert np.isneginf(np.delete(wide, np.s_[21:109], axis=1)).all()


def test_what_is_not_needed_may_be_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "onset.npz", onset=SAID.T, frame_rate=20)
    assert not read_posteriorgram(tmp_path / "onset.npz", needed=ONSET).sustain.any()
    with pytest.raises(LabelError, match="has no array 'sustain'; it needs sustain"):
        read_posteriorgram(tmp_path / "onset.npz")
    write_posteriorgram(tmp_path / "sustain.npz", Posteriorgram(SAID, 20.0))
    assert read_posteriorgram(tmp_path / "sustain.npz").onset is None
    with pytest.raises(LabelError, match="has no array 'onset'; it needs onset"):
        read_posteriorgram(tmp_path / "sustain.npz", needed=ONSET)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"frame_rate": None}, "has no array 'frame_rate'"),
        ({"sustain": SAID}, r"sustain is not an array of floats \[88, frames\]"),
        ({"sustain": SAID.T.astype(np.int64)}, "sustain is not an array of floats"),
        ({"onset": SAID.T[:, 1:]}, "onset has 49 frames and sustain 50"),
        ({"sustain": SAID.T * 2}, "no probabilities from 0 to 1"),
        ({"sustain": SAID.T * np.nan}, "no probabilities from 0 to 1"),
        ({"frame_rate": 0.0}, "frame_rate is not one number"),
        ({"frame_rate": np.array([1.0, 2.0])}, "frame_rate is not one number"),
        ({"frame_rate": "fast"}, "frame_rate is not one number"),
        ({"threshold": np.nan}, "threshold is not one number"),
        ({"sustain": np.array([None, 1], dtype=object)}, "not a whole .npz file of plain numbers"),
    ],
)
def test_what_is_no_posteriorgram_is_refused(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    arrays = {"onset": SAID.T, "sustain": SAID.T, "frame_rate": 31.25} | changes
    np.savez(tmp_path / "a.npz", **{name: values for name, values in arrays.items() if values is not None})
    with pytest.raises(LabelError, match=reason):
        read_posteriorgram(tmp_path / "a.npz")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("sustain.npy", pickle.dumps([1, 2]))
        archive.writestr("frame_rate.npy", pickle.dumps(1.0))
    with pytest.raises(LabelError, match="plain numbers"):
        read_posteriorgram(tmp_path / "a.npz")


def test_an_array_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_posteriorgram(tmp_path / "a.npz", Posteriorgram(SAID, 31.25))
    monkeypatch.setattr(posteriorgram, "MAX_ARRAY_BYTES", 1000)
    with pytest.raises(LabelError, match="unpacks to more than"):
        read_posteriorgram(tmp_path / "a.npz")


def test_a_damaged_file_and_a_header_that_claims_terabytes_are_refused(tmp_path: Path) -> None:
    write_posteriorgram(tmp_path / "a.npz", Posteriorgram(SAID, 31.25))
    (tmp_path / "half.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (88, 10**11)})
    with zipfile.ZipFile(tmp_path / "claims.npz", "w") as archive:
        archive.writestr("sustain.npy", head.getvalue() + bytes(100))
    for name, reason in (("half", "not a whole"), ("claims", "not a whole"), ("absent", "cannot be read")):
        with pytest.raises(LabelError, match=reason):
            read_posteriorgram(tmp_path / f"{name}.npz")
