"""Tests of reading what a transcriber heard: any label file, probabilities, and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from label_notes import one_note

from musicnet_build.errors import LabelError
from musicnet_build.features.onsets import HOP_S
from musicnet_build.labels.files import write_labels
from musicnet_build.labels.witness import HeardNotes, HeardProbabilities, read_witness
from musicnet_build.notes import empty_notes

RATE_HZ = 31.25


def arrays() -> dict[str, Any]:
    onset = np.zeros((88, 100), np.float32)
    onset[60 - 21, 50] = 1
    return {"onset": onset, "sustain": onset, "frame_rate": RATE_HZ}


def saved(path: Path, **values: Any) -> Path:
    np.savez_compressed(path, **values)
    return path


@pytest.mark.parametrize("ending", [".mid", ".tsv", ".jams", ".csv"])
def test_the_notes_of_any_label_file_are_a_witness(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"heard{ending}"
    write_labels(path, one_note())
    witness = read_witness(path)
    assert isinstance(witness, HeardNotes)
    assert len(witness.notes) > 0
    assert not witness.notes["is_drum"].any()


def test_onsets_are_counted_at_the_two_frames_beside_them() -> None:
    notes = empty_notes(3)
    notes["onset_s"], notes["pitch"] = [10.25 * HOP_S, 20 * HOP_S, -1.0], 60
    curve = HeardNotes(notes).onset_curve(60, 30)
    assert np.allclose(curve[[10, 11, 20]], [0.75, 0.25, 1.0])
    assert curve.sum() == pytest.approx(2)
    assert HeardNotes(notes, start_s=10 * HOP_S).onset_curve(60, 30)[10] == pytest.approx(1)
    assert not HeardNotes(notes).onset_curve(61, 30).any()


def test_a_key_sounds_from_onset_to_offset_of_any_of_its_notes() -> None:
    notes = empty_notes(2)
    notes["onset_s"], notes["offset_s"], notes["pitch"] = [5 * HOP_S, 8 * HOP_S], [9 * HOP_S, 90 * HOP_S], 60
    curve = HeardNotes(notes).sustain_curve(60, 30)
    assert (curve == (np.arange(30) >= 5)).all()


def test_probabilities_are_read_at_our_frames(tmp_path: Path) -> None:
    witness = read_witness(saved(tmp_path / "heard.npz", **arrays()))
    assert isinstance(witness, HeardProbabilities)
    curve = witness.onset_curve(60, 700)
    assert int(np.argmax(curve)) == round(50 / RATE_HZ / HOP_S)
    assert (curve[600:] == 0).all()  # behind its end
    assert not witness.onset_curve(10, 700).any()


def test_a_witness_need_not_know_what_sounds(tmp_path: Path) -> None:
    values = arrays()
    del values["sustain"]
    assert not read_witness(saved(tmp_path / "heard.npz", **values)).sustain_curve(60, 100).any()


def test_what_is_no_witness_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"a witness is a file that ends in .*\.npz"):
        read_witness(tmp_path / "heard.txt")
    without_onsets = arrays()
    del without_onsets["onset"]
    with pytest.raises(LabelError, match="has no array 'onset'"):
        read_witness(saved(tmp_path / "heard.npz", **without_onsets))
    empty = tmp_path / "empty.tsv"
    empty.write_text("# onset,offset,note,velocity\n")
    with pytest.raises(LabelError, match="holds no notes"):
        read_witness(empty)
