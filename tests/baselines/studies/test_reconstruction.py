"""The study of reconstruction: its figures by hand, and the whole of it on sines."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.baselines.models import reconstruction  # noqa: E402
from musicnet_build.baselines.studies import reconstruction as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup  # noqa: E402


def test_figures_are_those_of_a_transcription_counted_by_hand() -> None:
    truth = {"frame": np.zeros((60, 88), np.uint8), "onset": np.zeros((60, 88), np.uint8)}
    for start, pitch in ((5, 30), (15, 30), (25, 40)):
        truth["frame"][start : start + 10, pitch], truth["onset"][start, pitch] = 1, 1
    said = np.zeros((60, 88), np.float32)
    said[5:15, 30] = said[25:45, 40] = 1.0
    found = study.figures_of(truth, said)
    # Of three notes two are found, one of them with its end; 20 of 30 frames, and 10 too many.
    assert found["note precision"] == 100
    assert found["note recall"] == pytest.approx(200 / 3)
    assert found["offset f1"] == pytest.approx(100 * 2 * 1 / 5)
    assert found["frame precision"] == found["frame recall"] == pytest.approx(200 / 3)


def test_baseline_and_model_are_compared_on_both_spectra(
    segments_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in reconstruction.PRESETS:
        tiny = replace(
            reconstruction.PRESETS[name]["small"], steps=1, batch_size=1, frames=8, channels=(2, 2), hidden=4
        )
        monkeypatch.setitem(reconstruction.PRESETS[name], "small", tiny)
    page = study.run(Setup(data=segments_package, output=tmp_path, seeds=1))
    (table,) = page.tables
    assert [row[0] for row in table.rows] == [
        "mel, baseline", "mel, with reconstruction", "mel, with reconstruction: transcribed again",
        "cqt, baseline", "cqt, with reconstruction", "cqt, with reconstruction: transcribed again",
    ]  # fmt: skip
    assert [row[-2:] for row in table.rows[:2]] == [[60.1, 36.3], [66.3, 38.5]]
    assert (tmp_path / study.PICTURE).read_bytes().startswith(b"\x89PNG")
    assert "With reconstruction (mel): frame P" in page.finding
