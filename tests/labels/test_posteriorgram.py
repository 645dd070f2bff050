"""Scores of frames: their file, their notes, and files that are none."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from tunes import a_scale

from musicnet_build.errors import LabelError
from musicnet_build.labels.pianoroll import PIANO, label_rolls
from musicnet_build.labels.posteriorgram import Posteriorgram, notes_of_frames, read_posteriorgram, write_posteriorgram
from musicnet_build.notes import sorted_by_onset

SCORES = np.random.default_rng(0).random((50, 88), dtype=np.float32)


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


def test_a_file_keeps_everything_and_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_posteriorgram(tmp_path / name, Posteriorgram(SCORES, 31.25, 0.3))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = read_posteriorgram(tmp_path / "one.npz")
    np.testing.assert_array_equal(found.scores, SCORES)
    assert (found.frame_rate_hz, found.threshold, found.lowest_pitch) == (31.25, 0.3, 21)
    assert read_posteriorgram(tmp_path / "one.npz", 0.7).threshold == 0.7
    wide = found.over_all_pitches()
    np.testing.assert_array_equal(wide[:, 21:109], SCORES)
    assert np.isneginf(np.delete(wide, np.s_[21:109], axis=1)).all()


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"scores": SCORES}, "has no array frame_rate_hz"),
        ({"frame_rate_hz": 31.25}, "has no array scores"),
        ({"scores": SCORES[:, :80], "frame_rate_hz": 31.25}, r"float32 \[50, 80\]"),
        ({"scores": SCORES.astype(str), "frame_rate_hz": 31.25}, "not numbers"),
        ({"scores": SCORES * np.nan, "frame_rate_hz": 31.25}, "not finite"),
        ({"scores": SCORES, "frame_rate_hz": 0.0}, "from 1 to 200"),
        ({"scores": SCORES, "frame_rate_hz": np.array([1.0, 2.0])}, "not one number"),
        ({"scores": SCORES, "frame_rate_hz": 31.25, "threshold": np.nan}, "threshold is not one number"),
        ({"scores": np.array([{}], dtype=object), "frame_rate_hz": 31.25}, "no .npz file of plain arrays"),
    ],
)
def test_what_is_no_posteriorgram_is_refused(arrays: dict[str, object], reason: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(LabelError, match=reason):
        read_posteriorgram(tmp_path / "a.npz")


def test_a_damaged_file_and_a_header_that_claims_terabytes_are_refused(tmp_path: Path) -> None:
    write_posteriorgram(tmp_path / "a.npz", Posteriorgram(SCORES, 31.25))
    (tmp_path / "half.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 88), }"
    header = header.ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "claims.npz", "w") as archive:
        archive.writestr("scores.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    for name in ("half", "claims"):
        with pytest.raises(LabelError, match="or it is damaged"):
            read_posteriorgram(tmp_path / f"{name}.npz")
