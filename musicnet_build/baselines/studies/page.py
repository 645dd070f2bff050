"""A study's page as files: ``README.md``, which shows the pictures beside it, and ``study.json`` with all numbers."""

import math
from pathlib import Path
from typing import Any

from musicnet_build.baselines.studies.study import Cell, Page, Setup, Spread, Study, Table
from musicnet_build.files import write_json, write_text

PAGE, NUMBERS = "README.md", "study.json"


def write_page(page: Page, study: Study, name: str, setup: Setup) -> None:
    """Write a page into the folder of its setup.

    Parameters
    ----------
    page : Page
    study : Study
    name : str
        Of the study, as the command takes it.
    setup : Setup
        What it was run with.
    """
    write_text(setup.output / PAGE, "\n".join(_lines(page, study, name, setup)) + "\n")
    write_json(setup.output / NUMBERS, plain_page(page, name, setup))


def plain_page(page: Page, name: str, setup: Setup) -> dict[str, Any]:
    """Return a page as plain values."""
    return {
        "study": name,
        "preset": setup.preset,
        "seeds": setup.seeds,
        "title": page.title,
        "finding": page.finding,
        "differences": list(page.differences),
        "tables": [_plain_table(table) for table in page.tables],
        "values": dict(page.values),
    }


def table_lines(table: Table) -> list[str]:
    """Return a table as lines of Markdown.

    Examples
    --------
    >>> rows = [["CNN", Spread(61.25, 0.5), 67.8], ["MLP", 52.1, None]]
    >>> table_lines(Table("F", ["model", "ours", "published"], rows))
    ['| model | ours | published |', '|---|---:|---:|', '| CNN | 61.2 ± 0.5 | 67.8 |', '| MLP | 52.1 | – |']
    """
    rows = [[_shown(cell, table.decimals) for cell in row] for row in table.rows]
    rule = "|" + "|".join(["---", *["---:"] * (len(table.columns) - 1)]) + "|"
    return [_row(table.columns), rule, *map(_row, rows)]


def _lines(page: Page, study: Study, name: str, setup: Setup) -> list[str]:
    command = f"musicnet-build study {name} {Path(setup.data).name} -o {setup.output.name} --preset {setup.preset}"
    lines = [f"# {page.title}", "", study.reference, "", page.finding, ""]
    for table in page.tables:
        lines += [f"**{table.caption}**", "", *table_lines(table), ""]
    for picture, caption in page.pictures.items():
        lines += [f"![{caption}]({picture})", "", caption, ""]
    lines += ["## What differs from the publication", "", *(f"- {line}" for line in page.differences), ""]
    return [*lines, "## Made by", "", f"    {command} --seeds {setup.seeds}", "", f"Data: {study.data}"]


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(cell: Cell, decimals: int) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, Spread):
        deviation = "" if math.isnan(cell.deviation) else f" ± {cell.deviation:.{decimals}f}"
        return f"{cell.mean:.{decimals}f}{deviation}"
    return f"{cell:.{decimals}f}" if isinstance(cell, float) else str(cell)


def _plain_table(table: Table) -> dict[str, Any]:
    """JSON has no nan: a deviation of one value is null."""
    rows = [[_plain(cell) for cell in row] for row in table.rows]
    return {"caption": table.caption, "columns": list(table.columns), "rows": rows}


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Spread):
        return {"mean": cell.mean, "deviation": None if math.isnan(cell.deviation) else cell.deviation}
    return cell
