"""``musicnet-build build``: from a manifest to a dataset."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import ADAPTATIONS, VERDICTS
from musicnet_build.cli import console, parameters
from musicnet_build.recipe import RecipeSettings

if TYPE_CHECKING:
    from musicnet_build.datasets.job import Row
    from musicnet_build.datasets.manifest import Manifest
    from musicnet_build.datasets.plan import Plan

_LINES_SHOWN = 40


@click.command(name="build")
@click.argument("manifest", type=parameters.existing_file)
@click.option(
    "-o", "--output", type=parameters.OutputFolder(remote=True), required=True, help="Folder of the dataset, or a URL."
)
@click.option("--workers", type=click.IntRange(min=1), help="Processes on this machine; by default one per processor.")
@click.option("--cluster", metavar="ADDRESS", help="Run on a Dask cluster, such as tcp://scheduler:8786.")
@parameters.preset_option
@parameters.soundfont_option
@parameters.strict_option
@click.option(
    "--adapt", type=click.Choice(ADAPTATIONS), default=ADAPTATIONS[0], show_default=True,
    help="Let the onset network learn from each recording, or from all of one instrumentation: takes twice as long.",
)  # fmt: skip
@parameters.witness_offsets_option
@parameters.confidence_option
@parameters.confidence_beside_option
@click.option(
    "--heard-beside", is_flag=True,
    help="Write how loud each note is in the recording, and how probably it was played, into a file of its own.",
)  # fmt: skip
@click.option("--overlay", is_flag=True, help="Also write three short clips per recording, with tones at the notes.")
@click.option(
    "--include", type=parameters.Verdict(), default=VERDICTS[1], show_default=True,
    help="Worst verdict with which a recording still goes into the sets.",
)  # fmt: skip
@click.option(
    "--remake", metavar="ID", multiple=True,
    help="Find the labels of this recording anew, even where they were changed by hand; may be given several times.",
)  # fmt: skip
@click.option(
    "--shard", type=parameters.Shard(),
    help="Make only this part of the recordings, as one of several machines; `build` without it then writes the lists.",
)  # fmt: skip
@click.option("--prune", is_flag=True, help="Remove recordings from the dataset that the manifest does not name.")
@click.option("--dry-run", is_flag=True, help="List what would be made, and why; change nothing.")
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
    with_confidence: bool,
    confidence_beside: bool,
    heard_beside: bool,
    overlay: bool,
    include: str,
    remake: tuple[str, ...],
    shard: tuple[int, int] | None,
    prune: bool,
    dry_run: bool,
    drop_condemned: bool,
    adapt: str,
    allow_outside: bool,
    verbose: bool,
    as_json: bool,
    **recipe: Any,
) -> int:
    """Build a dataset in MusicNet's layout from the recordings and scores that MANIFEST names.

    Run it again after any interruption or change: only what is missing or has changed is made. The exit code is 1
    where a recording failed.
    """
    _check_options(workers, cluster, shard, prune, adapt)
    from musicnet_build.datasets.build import carry_out
    from musicnet_build.datasets.plan import Settings, plan_build
    from musicnet_build.jobs.dask import cluster_runner
    from musicnet_build.jobs.local import LocalRunner, default_workers

    started = time.monotonic()
    shown = with_confidence, overlay, include, drop_condemned, confidence_beside, heard_beside
    settings = Settings(RecipeSettings(**recipe), *shown, adapt_collection=adapt == ADAPTATIONS[1])
    plan = plan_build(
        _read(manifest, allow_outside), output, settings, remake=remake, allow_outside=allow_outside, shard=shard
    )
    if dry_run:
        console.report(_planned(plan), _planned_lines(plan), as_json)
        return 0
    for line in plan.lines(prune=prune):
        click.echo(line, err=True)
    with console.progress_bar(verbose, lines=True) as progress:
        runner = cluster_runner(cluster) if cluster else LocalRunner(workers or default_workers())
        rows = carry_out(plan, run=runner, progress=progress, prune=prune)
        place = str(output) if shard else parameters.upload(output, progress)
    values = {
        "dataset": place,
        "recordings": [row.as_dict() for row in rows],
        "removed": sorted(plan.gone),
        "seconds": round(time.monotonic() - started, 3),
    }
    console.report(values, _lines(values, rows, plan), as_json)
    return int(any(row.state == "failed" for row in rows))


def _check_options(
    workers: int | None, cluster: str | None, shard: tuple[int, int] | None, prune: bool, adapt: str
) -> None:
    if workers and cluster:
        raise click.UsageError("--workers and --cluster exclude each other.")
    if shard and prune:
        raise click.UsageError("--prune is for the build that writes the lists, without --shard.")
    if shard and adapt != ADAPTATIONS[0]:
        raise click.UsageError("--adapt collection needs all recordings at once: build without --shard.")


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


def _planned(plan: "Plan") -> dict[str, Any]:
    recordings = [
        {
            "id": task.id,
            "name": task.entry.named("recording"),
            "make": bool(plan.reasons[task.id]),
            "why": plan.reasons[task.id],
        }
        for task in plan.tasks
    ]
    return {"recordings": recordings, "kept": list(plan.corrected), "not_in_manifest": sorted(plan.gone)}


def _planned_lines(plan: "Plan") -> list[str]:
    lines = []
    for task in plan.tasks:
        why = "; ".join(plan.reasons[task.id])
        kept = "labels changed by hand, kept" if task.id in plan.corrected else "up to date"
        lines.append(f"{task.id:>6}  {task.entry.named('recording')}: {f'to be made: {why}' if why else kept}")
    by_hand = " and its labels, which were changed by hand"
    lines += [
        f"{one:>6}  not in the manifest: --prune removes it{by_hand if one in plan.gone_corrected else ''}"
        for one in sorted(plan.gone)
    ]
    return [*lines, f"{sum(map(bool, plan.reasons.values()))} to be made; nothing was changed"]


def _lines(values: dict[str, Any], rows: "list[Row]", plan: "Plan") -> list[str]:
    from musicnet_build.datasets.lists import summary_table

    lines = summary_table(rows)
    if len(lines) > _LINES_SHOWN:
        lines = [*lines[:_LINES_SHOWN], f"... and {len(lines) - _LINES_SHOWN} more; see left_out.csv and --json"]
    if gone := values["removed"]:
        lines.append(f"removed {len(gone)}: {', '.join(gone)}")
    failed = sum(row.state == "failed" for row in rows)
    made = sum(row.made and bool(plan.reasons[row.id]) for row in rows)
    beside = sum(row.made for row in rows) - made
    counts = f"{len(rows) - failed - made - beside} up to date, {made} made"
    counts += f", {beside} with the same labels in other files" if beside else ""
    counts += f", {failed} failed" if failed else ""
    lines.append(f"{values['dataset']}: {counts}, in {values['seconds']:.1f} s")
    return [*lines, "once all parts have ended, the same without --shard writes the lists"] if plan.is_part else lines
