"""All figures of one transcription."""

import mir_eval
import numpy as np
import pytest
from tunes import a_scale, notes

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.transcription.measures import measures
from musicnet_build.labels.pianoroll import label_rolls
from musicnet_build.labels.posteriorgram import Posteriorgram


def test_a_perfect_transcription_and_one_that_is_late() -> None:
    tune = a_scale()
    perfect = measures(tune, tune)
    assert (perfect.frame.f1, perfect.frame.e_tot, perfect.note.f1, perfect.note_with_offset.f1) == (1, 0, 1, 1)
    late = tune.copy()
    late["onset_s"] += 0.03
    assert measures(tune, late).note.f1 == 1
    assert measures(tune, late, tolerance_s=0.025).note.f1 == 0
    late["offset_s"] += 0.09
    assert measures(tune, late).note_with_offset.f1 == 0


def test_a_tolerance_is_that_of_mir_eval() -> None:
    random = np.random.default_rng(0)
    tune = a_scale()
    other = tune.copy()
    other["onset_s"] += random.normal(0, 0.03, len(tune))
    arrays = [np.stack([each["onset_s"], each["offset_s"]], axis=1) for each in (tune, other)]
    hertz = mir_eval.util.midi_to_hz(tune["pitch"])
    for tolerance_s in (0.01, 0.025, 0.05):
        expected = mir_eval.transcription.precision_recall_f1_overlap(
            arrays[0], hertz, arrays[1], hertz, onset_tolerance=tolerance_s, offset_ratio=None
        )
        assert measures(tune, other, tolerance_s=tolerance_s).note.f1 == pytest.approx(expected[2])


def test_scores_are_compared_on_their_own_frames() -> None:
    tune = a_scale()
    roll = label_rolls(tune, 300, 0.032).frame
    found = measures(tune, Posteriorgram(roll.astype(np.float32), 31.25))
    assert found.frame.f1 == 1
    assert found.note.f1 == 1
    assert found.as_dict()["average_precision"] == {"all": 1.0, "one_note": None, "three_notes": None}
    # Half of the frames, the notes of the rest are missed.
    half = measures(tune, Posteriorgram(roll[:110].astype(np.float32), 31.25))
    assert half.frame.precision == 1
    assert half.frame.recall == pytest.approx(roll[:110].sum() / roll.sum())
    assert half.as_dict()["average_precision"]["all"] == pytest.approx(half.frame.recall)


def test_pitches_that_a_model_does_not_know_are_missed() -> None:
    found = measures(notes([0.0, 1.0], pitch=[12, 60]), Posteriorgram(np.zeros((50, 88), np.float32), 31.25))
    assert found.frame.recall == 0
    assert found.frame.e_miss == 1


def test_a_truth_without_ends_is_refused() -> None:
    tune = a_scale()
    tune["offset_s"][3] = np.nan
    with pytest.raises(LabelError, match="has an end"):
        measures(tune, a_scale())
