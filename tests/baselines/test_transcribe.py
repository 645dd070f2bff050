"""A finished training applied to a recording."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from small_corpus import played, sound  # noqa: E402

from musicnet_build.baselines.baseline import Baseline, Plan  # noqa: E402
from musicnet_build.baselines.decoding import Activations  # noqa: E402
from musicnet_build.baselines.runs import Run  # noqa: E402
from musicnet_build.baselines.transcribe import posteriorgram_of, transcribe  # noqa: E402
from musicnet_build.errors import TrainingError  # noqa: E402
from musicnet_build.jobs.resume import Record  # noqa: E402

PLAN = Plan(steps=1, batch_size=1, learning_rate=1.0, validate_every=1)
FRAME_S = 0.05


def energy(network: torch.nn.Module, audio: np.ndarray, settings: Plan) -> Activations:
    """Middle C sounds as loudly as the recording does; for one frame at 0.5 s so does the C above it."""
    length = round(44_100 * FRAME_S)
    loud = np.abs(audio[: len(audio) // length * length]).reshape(-1, length).mean(axis=1)
    frame = np.zeros((len(loud) + 3, 88), np.float32)
    frame[: len(loud), 39] = loud / loud.max()
    frame[10, 51] = 1.0
    frame[len(loud) :, 39] = frame[len(loud) - 1, 39]
    return Activations(frame, None, FRAME_S, 21)


def run(path: Path, activations: object = energy, **figures: float) -> Run:
    baseline = Baseline("m", {"small": PLAN}, torch.nn.Identity, None, "f1", activations)  # type: ignore[arg-type]
    record = Record(made_from={}, files={}, report={"figures": figures})
    return Run("a-model", baseline, PLAN, record, torch.nn.Identity())


AUDIO = sound(played([(0.5, 1.0, 60), (1.5, 2.5, 60)])).astype(np.float32)


def test_notes_are_what_is_above_the_threshold_of_the_training(tmp_path: Path) -> None:
    made = transcribe(run(tmp_path, threshold=0.3), AUDIO, shortest_s=0.06)
    assert made.notes["pitch"].tolist() == [60, 60]
    np.testing.assert_allclose(made.notes["onset_s"], [0.5, 1.5], atol=1e-6)
    np.testing.assert_allclose(made.notes["offset_s"], [1.0, 2.5], atol=1e-6)
    assert made.left_out == 1
    assert (made.posteriorgram.threshold, made.posteriorgram.frame_rate_hz) == (0.3, 20.0)
    assert len(transcribe(run(tmp_path, threshold=0.3), AUDIO, shortest_s=0.05).notes) == 3


def test_what_a_model_says_of_onsets_is_kept_for_the_keys_of_the_piano() -> None:
    frame = np.zeros((9, 128), np.float32)
    onset = frame.copy()
    frame[3:7, 60], onset[3, 60], onset[:, 10] = 0.8, 0.6, 1.0
    made = posteriorgram_of(Activations(frame, onset, 0.01, 0), 0.3)
    assert made.sustain.shape == made.onset.shape == (9, 88)
    assert np.argwhere(made.onset).tolist() == [[3, 39]]
    assert made.notes()["pitch"].tolist() == [60]


def test_a_threshold_that_is_given_goes_before(tmp_path: Path) -> None:
    assert len(transcribe(run(tmp_path, threshold=0.3), AUDIO, threshold=2.0).notes) == 0


def test_no_note_ends_behind_the_recording(tmp_path: Path) -> None:
    audio = AUDIO[: round(2.2 * 44_100)]
    assert transcribe(run(tmp_path, threshold=0.3), audio).notes["offset_s"].max() == pytest.approx(2.2)


def test_a_model_that_hears_no_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="a-model does not transcribe"):
        transcribe(run(tmp_path, None), AUDIO)
