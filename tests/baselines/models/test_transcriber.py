"""The transcriber for comparing labels: what it is taught, and that it learns it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from made_package import PITCHES, sines, tune, write_package  # noqa: E402

from musicnet_build.baselines.decoding import Activations, notes_in  # noqa: E402
from musicnet_build.baselines.models import transcriber  # noqa: E402
from musicnet_build.baselines.runs import load_run  # noqa: E402
from musicnet_build.baselines.training import train  # noqa: E402

SMALL = transcriber.MODELS["transcriber"].presets["small"]


def test_what_is_taught_decodes_to_the_notes_it_was_made_of() -> None:
    notes = tune(3, 4.0)
    for name in ("onset_s", "offset_s"):
        notes[name] += 0.1033
    onset, frame = transcriber.targets_of(notes, 0, 440)
    said = notes_in(Activations(frame, onset, transcriber.FRAME_LENGTH_S, transcriber.LOWEST_PITCH), 0.5, 0.3)
    assert said["pitch"].tolist() == notes["pitch"].tolist()
    assert said["onset_s"] == pytest.approx(notes["onset_s"], abs=0.002)
    assert said["offset_s"] == pytest.approx(notes["offset_s"], abs=0.0101)


def test_an_excerpt_is_taught_what_the_whole_is_taught_there() -> None:
    notes = tune(4, 4.0)
    whole = transcriber.targets_of(notes, 0, 400)
    assert np.array_equal(transcriber.targets_of(notes, 130, 100), whole[:, 130:230])


def test_each_pitch_is_given_the_bands_at_its_harmonics() -> None:
    bands = torch.arange(112.0).expand(1, 2, 3, 112)
    stacked = transcriber.HarmonicStack()(bands)
    assert stacked.shape == (1, 20, 3, 88)
    octave = 2 * transcriber.HARMONICS.index(12)
    assert stacked[0, octave, 0].tolist() == list(range(12, 100))
    # Below the lowest band there is nothing.
    assert stacked[0, 0, 0, :12].tolist() == [0.0] * 12


def test_a_long_recording_is_heard_in_blocks_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    network = transcriber.network(SMALL).eval()
    audio = sines(tune(5, 3.0), 3.0)
    whole = transcriber.activations(network, audio, SMALL)
    monkeypatch.setattr(transcriber, "_BLOCK_FRAMES", 70)
    pieces = transcriber.activations(network, audio, SMALL)
    assert whole.frame.shape == (301, 88)
    assert np.allclose(whole.frame, pieces.frame, atol=1e-6)
    assert np.allclose(whole.onset, pieces.onset, atol=1e-6)


def test_it_learns_to_transcribe_tunes(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p.h5", seconds=8.0)
    settings = replace(
        SMALL, steps=150, validate_every=150, learning_rate=0.02, batch_size=2, excerpt_frames=100, channels=6, taps=5
    )
    train("transcriber", package, tmp_path / "run", settings=settings)
    run = load_run(tmp_path / "run")
    figures = run.record.report["figures"]
    truth = tune(9, 5.0)
    said = transcriber.activations(run.network, sines(truth, 5.0), settings)
    found = transcriber.note_figures(said, truth, figures["frame threshold"], figures["onset threshold"])
    assert found["note f1, 50 ms"] > 0.7
    assert found["frame f1"] > 0.7
    assert set(truth["pitch"].tolist()) <= set(PITCHES)
