"""``musicnet-build build``: from a manifest to a dataset."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import ALIGNMENT_PRESETS
from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.datasets.build import Progress
    from musicnet_build.datasets.job import Row
    from musicnet_build.datasets.manifest import Manifest

_LINES_SHOWN = 40


@click.command(name="build")
@click.argument("manifest", type=parameters.existing_file)
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder of the dataset.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes on this machine; by default one a processor.")
@click.option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster, such as tcp://scheduler:8786.")
@click.option(
    "--preset",
    type=click.Choice(ALIGNMENT_PRESETS),
    default="precise",
    show_default=True,
    help="Recipe to align by.",
)
@parameters.soundfont_option
@parameters.strict_option
@parameters.confidence_option
@click.option("--overlay", is_flag=True, help="Also write three short clips with tones a recording, to listen to.")
@click.option(
    "--include", type=click.Choice(["accepted", "review", "rejected"]), default="review", show_default=True,
    help="The worst verdict with which a recording goes into the sets.",
)  # fmt: skip
@click.option(
    "--drop-condemned", is_flag=True, help="Leave out notes that people found not played or wrong (see `audit`)."
)
@click.option("--allow-outside", is_flag=True, help="Let the manifest name files outside its folder.")
@parameters.verbose_option
@parameters.json_option
def command(
    manifest: Path,
    output: Path,
    workers: int | None,
    cluster: str | None,
    preset: str,
    soundfont: str | None,
    strict: bool,
    with_confidence: bool,
    overlay: bool,
    include: str,
    drop_condemned: bool,
    allow_outside: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Make a dataset in MusicNet's layout of the recordings and scores that MANIFEST names.

    Run it again after any interruption or change: only what is missing or has changed is made. The exit code is 1
    where a recording failed.
    """
    if workers and cluster:
        raise click.UsageError("--workers and --cluster exclude each other.")
    from musicnet_build.datasets.build import Settings, build, local_runner, summary_table
    from musicnet_build.jobs.dask import cluster_runner
    from musicnet_build.jobs.local import default_workers

    started = time.monotonic()
    checked = _read(manifest, allow_outside)
    settings = Settings(preset, soundfont, strict, with_confidence, overlay, include, drop_condemned)
    runner = cluster_runner(cluster) if cluster else local_runner(workers or default_workers())
    with _display(verbose) as progress:
        rows = build(checked, output, settings, run=runner, progress=progress, allow_outside=allow_outside)
    lines = summary_table(rows)
    if len(lines) > _LINES_SHOWN:
        lines = [*lines[:_LINES_SHOWN], f"... and {len(lines) - _LINES_SHOWN} more; see left_out.csv and --json"]
    made = sum(row.made for row in rows)
    lines.append(f"{output}: {made} made, {len(rows) - made} not, in {time.monotonic() - started:.1f} s")
    console.report(_values(output, rows, time.monotonic() - started), lines, as_json)
    return int(any(row.state == "failed" for row in rows))


def _read(path: Path, allow_outside: bool) -> "Manifest":
    """Read the manifest; where it has several problems, print each on a line of its own."""
    from musicnet_build.datasets.manifest import InvalidManifestError, read_manifest
    from musicnet_build.errors import ManifestError

    try:
        return read_manifest(path, allow_outside=allow_outside)
    except InvalidManifestError as error:
        for problem in error.problems:
            click.echo(f"{path}: {problem}", err=True)
        raise ManifestError(f"{path} cannot be used: mend what is named above and run again.") from error


def _values(output: Path, rows: "list[Row]", seconds: float) -> dict[str, Any]:
    import dataclasses

    return {
        "dataset": str(output),
        "recordings": [dataclasses.asdict(row) for row in rows],
        "seconds": round(seconds, 3),
    }


@contextlib.contextmanager
def _display(verbose: bool) -> "Iterator[Callable[[Progress], None]]":
    """Draw a bar with the remaining time on a terminal, or a line for each recording."""
    if verbose or not sys.stderr.isatty():
        yield _line_each if verbose else _say_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("building"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(step: "Progress") -> None:
            bar.update(task, total=step.total, completed=step.done, description=_remaining(step.remaining_s))

        yield advance


def _say_nothing(step: "Progress") -> None:
    """Nobody looks."""


def _line_each(step: "Progress") -> None:
    outcome = step.outcome
    how = outcome.reason or ("made" if outcome.result else "found ready")
    text = f"{step.done}/{step.total}  {outcome.id}  {outcome.seconds:.1f} s  {how}  {_remaining(step.remaining_s)}"
    click.echo(" ".join(text.split("\n")).rstrip(), err=True)


def _remaining(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes = seconds / 60
    if minutes < 1:
        return "less than a minute left"
    return f"about {minutes:.0f} min left" if minutes < 90 else f"about {minutes / 60:.1f} h left"
