"""What a study is: a function from data to a page of tables and pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from musicnet_build.progress import Progress, ignore


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a study is run with.

    Attributes
    ----------
    data : Path
        The package or folder that it studies.
    output : Path
        Folder for its page, pictures and trainings.
    preset : {"small", "paper"}
    seeds : int
        Trainings of each kind, of seeds 0, 1, …
    device : str
        ``cpu`` or ``cuda``.
    progress : callable
        Told what is done, and the fraction of the whole.
    """

    data: Path
    output: Path
    preset: str = "small"
    seeds: int = 3
    device: str = "cpu"
    progress: Progress = ignore


class Spread(NamedTuple):
    """Mean and standard deviation (n − 1) of a figure over seeds; the deviation of one value is nan."""

    mean: float
    deviation: float


Cell = str | float | int | Spread | None
"""What stands in a table; None for what was not measured or not published."""


@dataclass(frozen=True)
class Table:
    """Rows under headings.

    Attributes
    ----------
    caption : str
    columns : sequence of str
    rows : sequence of sequence of Cell
    decimals : int
        Of the numbers.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    decimals: int = 1


@dataclass(frozen=True)
class Page:
    """What a study found.

    Attributes
    ----------
    title : str
    finding : str
        What came out, in a sentence or two, drawn from the numbers.
    differences : sequence of str
        In what the experiment is not that of the publication: data, scale, choices that it leaves open.
    tables : sequence of Table
    pictures : mapping of str to str
        Captions of the PNG files in the output folder, by their names.
    values : mapping
        All numbers, as plain values.
    """

    title: str
    finding: str
    differences: Sequence[str]
    tables: Sequence[Table]
    pictures: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """An experiment of a publication, or of ours.

    Attributes
    ----------
    reference : str
        The publication.
    data : str
        What it reads, and the command that makes such data.
    run : callable
        From a setup to a page. Writes pictures and trainings into ``setup.output``; the page is written by its caller.
    """

    reference: str
    data: str
    run: Callable[[Setup], Page]


def spread_of(values: Sequence[float]) -> Spread:
    """Return mean and deviation of a figure.

    Examples
    --------
    >>> spread_of([0.5, 0.6, 0.7])
    Spread(mean=0.6, deviation=0.1)
    """
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Spread(round(float(np.mean(values)), 12), round(deviation, 12))


def part_of(progress: Progress, first: float, last: float, name: str) -> Progress:
    """Return a progress for a part of the work, from one fraction of it to another; its stages begin with a name."""

    def advance(stage: str, fraction: float) -> None:
        progress(f"{name}: {stage}", first + (last - first) * fraction)

    return advance
