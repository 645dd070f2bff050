"""What commands print: results on standard output; warnings, progress and errors on standard error."""

import contextlib
import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.progress import Progress

Advance = Callable[[str, float], None]
"""Told the name of a stage and the fraction of it that is done."""

_QUIET_S = 2.0


def report(values: dict[str, Any], lines: Iterable[str], as_json: bool) -> None:
    """Print a result: ``lines`` for people, ``values`` as JSON for programs."""
    text = json.dumps(values, indent=2, allow_nan=False) if as_json else "\n".join(lines)
    # File names may hold bytes that are no text; they go out as they came in.
    click.echo(text.encode("utf-8", "surrogateescape"))


def warn(messages: Iterable[str]) -> None:
    """Print warnings, one a line, on standard error."""
    for message in messages:
        click.echo(f"warning: {_one_line(message)}", err=True)


def fail(message: str) -> None:
    """Print what went wrong, in one line on standard error."""
    click.echo(f"musicnet-build: {_one_line(message)}", err=True)


def warn_in_one_line() -> None:
    """From now on, print what the package warns of as ``warn`` does, without file names and code."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        warn([str(message)])

    warnings.showwarning = show


@contextlib.contextmanager
def progress_bar(verbose: bool = False) -> Iterator[Advance]:
    """Give a function (stage, fraction done) that draws a bar once the work takes longer than two seconds.

    Nothing is drawn where standard error is not a terminal; ``verbose`` says each stage in a line instead.
    """
    if verbose:
        yield _stage_lines()
    elif not sys.stderr.isatty():
        yield _draw_nothing
    else:
        with _bar_when_it_takes_long() as bar:
            yield _bar_moves(bar)


def counting(progress: Advance, stage: str, total: int) -> Callable[[object], None]:
    """Return what moves a progress bar by one job at a time; ``total`` may turn out too low."""
    done = 0

    def on_done(outcome: object) -> None:
        nonlocal done
        done += 1
        progress(stage, done / max(total, done))

    return on_done


def _draw_nothing(stage: str, fraction: float) -> None:
    """Nobody looks."""


def _stage_lines() -> Advance:
    started = time.monotonic()
    seen: set[str] = set()

    def advance(stage: str, fraction: float) -> None:
        if stage not in seen:
            seen.add(stage)
            click.echo(f"{time.monotonic() - started:6.1f} s  {stage}", err=True)

    return advance


@contextlib.contextmanager
def _bar_when_it_takes_long() -> Iterator["Progress"]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    timer = threading.Timer(_QUIET_S, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield bar
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def _bar_moves(bar: "Progress") -> Advance:
    tasks: dict[str, Any] = {}

    def advance(stage: str, fraction: float) -> None:
        if stage not in tasks:
            # Without a total the bar only pulses: some stages cannot say how far they are.
            tasks[stage] = bar.add_task(stage, total=None)
        if fraction > 0:
            bar.update(tasks[stage], total=1.0, completed=fraction)

    return advance


def _one_line(message: str) -> str:
    return " ".join(message.split())
