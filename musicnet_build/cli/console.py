"""What commands print: results on standard output; warnings, progress and errors on standard error."""

import contextlib
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import click

from musicnet_build.choices import VERDICTS
from musicnet_build.progress import Progress, ignore

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_QUIET_S = 2.0
_DOUBTED = 3


def report(values: dict[str, Any], lines: Iterable[str], as_json: bool) -> None:
    """Print a result: ``lines`` for people, ``values`` as JSON for programs."""
    text = json.dumps(values, indent=2, allow_nan=False) if as_json else "\n".join(lines)
    # File names may hold bytes that are no text; they go out as they came in.
    click.echo(text.encode("utf-8", "surrogateescape"))


def exit_code(verdicts: Iterable[str], fail_on: str | None) -> int:
    """Return 3 where a verdict is as bad as ``fail_on`` or worse, else 0."""
    failing = VERDICTS[VERDICTS.index(fail_on) :] if fail_on else ()
    return _DOUBTED if any(verdict in failing for verdict in verdicts) else 0


def warn(messages: Iterable[str]) -> None:
    """Print warnings, one per line, on standard error."""
    for message in messages:
        click.echo(f"warning: {_one_line(message)}", err=True)


def fail(message: str) -> None:
    """Print what went wrong, in one line on standard error, and as JSON on standard output where JSON was asked for."""
    click.echo(f"musicnet-build: {_one_line(message)}", err=True)
    fail_as_json(message)


def fail_as_json(message: str) -> None:
    """Print ``{"error": message}`` where the command line asks for JSON: then something can be parsed in any case."""
    if "--json" in sys.argv[1:]:
        report({"error": _one_line(message)}, [], as_json=True)


def warn_in_one_line() -> None:
    """From now on, print what the package warns of as ``warn`` does, without file names and code."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        warn([str(message)])

    warnings.showwarning = show


def leave(code: int) -> NoReturn:
    """End the program, without waiting for threads that still decode or resample: nobody wants what they make."""
    from musicnet_build.threads import in_flight

    if in_flight():
        sys.stdout.flush()
        sys.stderr.flush()
        # An interpreter that is taken down under a native call crashes.
        os._exit(code)
    sys.exit(code)


@contextlib.contextmanager
def progress_bar(verbose: bool = False, *, lines: bool = False) -> Iterator[Progress]:
    """Give a function (what is done, fraction of the whole) that draws a bar once the work takes longer than a moment.

    Parameters
    ----------
    verbose : bool
        Print what is done in lines instead.
    lines : bool
        Print them where standard error is not a terminal, too: for hours of work, of which a log should tell, and which
        tells the time that is left.
    """
    if verbose or (lines and not sys.stderr.isatty()):
        yield _stage_lines()
    elif not sys.stderr.isatty():
        yield ignore
    else:
        with _bar_when_it_takes_long(tells_time_left=lines) as bar:
            yield _bar_moves(bar)


def counting(progress: Progress, stage: str, total: int) -> Callable[[object], None]:
    """Return what moves a progress bar by one job at a time; ``total`` may turn out too low."""
    done = 0

    def on_done(outcome: object) -> None:
        nonlocal done
        done += 1
        progress(stage, done / max(total, done))

    return on_done


def _stage_lines() -> Progress:
    started = time.monotonic()
    last = ""

    def advance(stage: str, fraction: float) -> None:
        nonlocal last
        if stage != last:
            last = stage
            click.echo(f"{time.monotonic() - started:6.1f} s  {_one_line(stage)}", err=True)

    return advance


@contextlib.contextmanager
def _bar_when_it_takes_long(tells_time_left: bool) -> Iterator["Bar"]:
    """A bar that appears after a moment; what tells the time that is left itself needs no column for it."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = [TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()]
    if not tells_time_left:
        columns.append(TimeRemainingColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    timer = threading.Timer(_QUIET_S, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield bar
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def _bar_moves(bar: "Bar") -> Progress:
    task = bar.add_task("", total=None)

    def advance(stage: str, fraction: float) -> None:
        # Without a total the bar only pulses: some work cannot say how far it is.
        bar.update(task, description=_one_line(stage), total=1.0 if fraction > 0 else None, completed=fraction)

    return advance


def _one_line(message: str) -> str:
    return " ".join(message.split())
