"""A study's page: tables as people read them, numbers as programs do."""

import json
from pathlib import Path

from musicnet_build.baselines.studies.page import table_lines, write_page
from musicnet_build.baselines.studies.study import Page, Setup, Spread, Study, Table, part_of, spread_of

TABLE = Table(
    "F1",
    ["model", "ours", "published"],
    [["CNN", spread_of([60.0, 61.0]), 67.8], ["MLP", Spread(5, float("nan")), None]],
)
PAGE = Page("Title", "It comes out.", ["Less data."], [TABLE], {"a.png": "A picture."}, {"f1": [60.0, 61.0]})
STUDY = Study("Somebody 2017.", "a package", lambda setup: PAGE)


def test_a_page_has_tables_pictures_differences_and_the_command(tmp_path: Path) -> None:
    write_page(PAGE, STUDY, "musicnet", Setup(data=tmp_path / "m.h5", output=tmp_path / "out", seeds=2))
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| CNN | 60.5 ± 0.7 | 67.8 |\n| MLP | 5.0 | – |" in page
    assert "![A picture.](a.png)" in page
    assert "- Less data." in page
    assert "musicnet-build study musicnet m.h5 -o out --preset small --seeds 2" in page


def test_the_numbers_are_json_without_nan(tmp_path: Path) -> None:
    write_page(PAGE, STUDY, "musicnet", Setup(data=tmp_path / "m.h5", output=tmp_path, seeds=2))
    values = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    assert values["tables"][0]["rows"][1] == ["MLP", {"mean": 5, "deviation": None}, None]
    assert values["values"] == {"f1": [60.0, 61.0]}


def test_whole_numbers_keep_no_decimals() -> None:
    assert table_lines(Table("t", ["a", "b"], [["x", 2048]]))[-1] == "| x | 2048 |"


def test_the_progress_of_a_part_is_a_part_of_the_progress() -> None:
    told = []
    part_of(lambda stage, fraction: told.append((stage, fraction)), 0.5, 0.7, "seed 1")("step 3", 0.5)
    assert told == [("seed 1: step 3", 0.6)]
