"""What is in a dataset, as bars that say what they count."""

from pathlib import Path

from musicnet_build.datasets.statistics import Group, Statistics
from musicnet_build.plots.statistics import draw_statistics, plot_statistics

LONG = "The Mutopia project's string orchestra of a very long name"


def statistics() -> Statistics:
    group = Group(recordings=1, minutes=2.5, labels=30, distinct_notes=7)
    many = {f"composer {k}": group for k in range(25)}
    return Statistics(
        group, {"train": group}, many, {LONG: group}, {"violin": group}, 7, {"Quarter": 30}, {0: 1.0}, 1.5
    )


def test_every_panel_names_its_unit_and_one_bar_does_not_fill_it(tmp_path: Path) -> None:
    figure = draw_statistics(statistics())
    units = [axes.get_xlabel() for axes in figure.axes]
    assert units == ["minutes", "minutes", "minutes", "labels", "% of the time", "different pitches"]
    composers, ensembles, *_ = figure.axes
    assert len(composers.patches) == 20
    assert "first 20 of 25" in composers.get_title(loc="left")
    assert abs(ensembles.get_ylim()[0] - ensembles.get_ylim()[1]) == 10
    (name,) = [text.get_text() for text in ensembles.get_yticklabels()]
    assert name.startswith("The Mutopia")
    assert name.endswith("long name")
    plot_statistics(tmp_path / "a.png", statistics())
    plot_statistics(tmp_path / "b.png", statistics())
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
