"""The curves of a training."""

from pathlib import Path

from musicnet_build.plots.training import draw_curves, plot_curves

HISTORY = [{"step": 10, "loss": 2.0, "f1": 0.1}, {"step": 20, "loss": 1.0, "f1": 0.4}]


def test_curves_show_loss_and_headline_at_every_validation(tmp_path: Path) -> None:
    upper, lower = draw_curves("musicnet-cnn", HISTORY, "f1").axes
    assert upper.lines[0].get_ydata().tolist() == [2.0, 1.0]
    assert lower.lines[0].get_xydata().tolist() == [[10, 0.1], [20, 0.4]]
    plot_curves(tmp_path / "curves.png", "musicnet-cnn", HISTORY[:1], "f1")
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
