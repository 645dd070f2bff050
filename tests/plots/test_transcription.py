"""Evaluations of transcriptions in one picture."""

from pathlib import Path

import numpy as np
from tunes import a_scale

from musicnet_build.evaluation.transcription.files import evaluate_transcriptions
from musicnet_build.labels.files import write_labels
from musicnet_build.labels.pianoroll import label_rolls
from musicnet_build.labels.posteriorgram import Posteriorgram, write_posteriorgram
from musicnet_build.plots.transcription import draw_transcriptions, plot_transcriptions


def test_the_picture_has_a_point_for_each_piece_and_the_curves_of_the_scores(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    for name, count in (("a$x^{$", 40), ("second", 20)):
        write_labels(tmp_path / "truth" / f"{name}.csv", a_scale())
        scores = label_rolls(a_scale(count), 250, 0.032).frame.astype(np.float32)
        write_posteriorgram(tmp_path / "scores" / f"{name}.npz", Posteriorgram(scores, 31.25))
    found = evaluate_transcriptions(tmp_path / "truth", tmp_path / "scores")
    pieces, curves = draw_transcriptions("Title", found).axes
    assert [len(points.get_offsets()) for points in pieces.collections] == [2, 2, 2]
    all_frames = curves.get_lines()[0]
    assert (all_frames.get_ydata()[0], all_frames.get_xdata()[-1]) == (1.0, 1.0)
    for name in ("one.png", "two.png"):
        plot_transcriptions(tmp_path / name, "Title", found)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    plain = evaluate_transcriptions(tmp_path / "truth", tmp_path / "truth")
    assert len(draw_transcriptions("Title", plain).axes) == 1
