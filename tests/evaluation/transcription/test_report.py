"""Evaluations of transcriptions as text."""

from pathlib import Path

import numpy as np
from tunes import a_scale

from musicnet_build.evaluation.transcription.files import evaluate_transcriptions
from musicnet_build.evaluation.transcription.report import table_lines
from musicnet_build.labels.files import write_labels
from musicnet_build.labels.pianoroll import label_rolls
from musicnet_build.labels.posteriorgram import Posteriorgram, write_posteriorgram


def test_a_table_for_each_kind_of_measure_and_a_row_for_each_piece(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    for name in ("first", "second"):
        write_labels(tmp_path / "truth" / f"{name}.csv", a_scale())
        roll = label_rolls(a_scale()[: 20 if name == "second" else None], 250, 0.032).frame
        write_posteriorgram(tmp_path / "scores" / f"{name}.npz", Posteriorgram(roll.astype(np.float32), 31.25))
    lines = table_lines(evaluate_transcriptions(tmp_path / "truth", tmp_path / "scores"))
    notes = lines[next(i for i, line in enumerate(lines) if line.startswith("notes (onset ±50 ms)")) :]
    assert notes[1].split() == ["first", "40", "40", "1.0000", "1.0000", "1.0000"]
    assert notes[2].split() == ["second", "40", "20", "1.0000", "0.5000", "0.6667"]
    assert notes[3].split()[-2:] == ["0.7500", "0.8333"]
    assert notes[4].split()[0] == "deviation"
    assert lines[-1].startswith("all frames together")
    single = table_lines(evaluate_transcriptions(tmp_path / "truth/first.csv", tmp_path / "truth/first.csv"))
    assert not any("mean of" in line or line.startswith("average precision") for line in single)
