"""``musicnet-build check``: what is wrong with labels that exist?"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, parameters
from musicnet_build.recipe import RecipeSettings

if TYPE_CHECKING:
    from musicnet_build.checking.files import CheckedFile
    from musicnet_build.jobs.local import Outcome

_LINES_SHOWN = 20


@click.command(name="check")
@click.argument("source", metavar="RECORDING|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.argument("labels", type=parameters.existing_file, required=False)
@click.option("--score", type=parameters.existing_file, help="What was played: also name missing and surplus notes.")
@parameters.soundfont_option
@click.option(
    "-o", "--output", "outputs", type=parameters.OutputFile(".csv", ".json", ".html"), multiple=True,
    help="Errata to write: .csv (a row each), .json or .html (to look at). May be given several times.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), help="Processes for a folder; by default one per processor.")
@parameters.fail_on_option
@parameters.verbose_option
@parameters.json_option
def command(
    source: Path,
    labels: Path | None,
    score: Path | None,
    soundfont: str | None,
    outputs: tuple[Path, ...],
    workers: int | None,
    fail_on: str | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Check the LABELS of RECORDING, or all labels of the dataset in FOLDER; they are not changed.

    It tells of a constant offset, a drifting clock, notes that are not heard where they are labelled, other music,
    labels outside the sound, duplicates, and wrong octaves or keys; the table that -o writes holds every case.
    """
    _check_options(source, labels, score, soundfont, workers)
    parameters.check_outputs([path for path in (source, labels, score) if path], outputs)
    from musicnet_build.checking.tables import write_table

    if labels is None:
        checked, failed = _folder(source, outputs, workers, verbose)
    else:
        checked, failed = [_recording(source, labels, score, soundfont, verbose)], []
    for output in outputs:
        write_table(output, checked)
    console.warn(f"{outcome.id}: {outcome.reason}" for outcome in failed)
    console.report(_values(checked, failed, outputs, folder=labels is None), _lines(checked, outputs), as_json)
    return 1 if failed else console.exit_code([one.found["verdict"] for one in checked], fail_on)


def _check_options(
    source: Path, labels: Path | None, score: Path | None, soundfont: str | None, workers: int | None
) -> None:
    if source.is_dir() and (labels or score):
        raise click.UsageError("give a recording and its label file, or the folder of a dataset alone.")
    if not source.is_dir() and labels is None:
        raise click.UsageError(f"give the label file of {click.format_filename(source)}.")
    if soundfont and not score:
        raise click.UsageError("--soundfont renders a score: give --score.")
    if workers and not source.is_dir():
        raise click.UsageError("--workers is for the folder of a dataset.")


def _recording(
    recording: Path, labels: Path, score: Path | None, soundfont: str | None, verbose: bool
) -> "CheckedFile":
    from musicnet_build.checking.files import CheckedFile, check_files

    with console.progress_bar(verbose) as progress:
        progress("listening", 0.0)
        found = check_files(recording, labels, score, RecipeSettings(soundfont=soundfont))
    return CheckedFile(recording.stem, str(recording), str(labels), found.as_dict())


def _folder(
    folder: Path, outputs: tuple[Path, ...], workers: int | None, verbose: bool
) -> "tuple[list[CheckedFile], list[Outcome]]":
    from musicnet_build.checking.folders import check_folder, find_pairs
    from musicnet_build.jobs.local import default_workers

    with tempfile.TemporaryDirectory() as scratch, console.progress_bar(verbose, lines=True) as progress:
        # What is written tells where to go on after an interruption; where nothing is, there is nothing to go on with.
        work = outputs[0].with_suffix(".parts") if outputs else Path(scratch)
        on_done = console.counting(progress, "checking recordings", len(find_pairs(folder)))
        return check_folder(folder, work, workers=workers or default_workers(), on_done=on_done)


def _values(
    checked: "list[CheckedFile]", failed: "list[Outcome]", outputs: tuple[Path, ...], folder: bool
) -> dict[str, Any]:
    written = {"outputs": [str(path) for path in outputs]}
    if not folder:
        return checked[0].as_dict() | written
    return {
        "recordings": [one.as_dict() for one in checked],
        "failed": [{"name": outcome.id, "reason": outcome.reason} for outcome in failed],
        **written,
    }


def _lines(checked: "list[CheckedFile]", outputs: tuple[Path, ...]) -> Iterator[str]:
    if len(checked) == 1:
        yield from _recording_lines(checked[0])
    else:
        yield from _folder_lines(checked)
    yield from (f"wrote      {path}" for path in outputs)


def _recording_lines(one: "CheckedFile") -> Iterator[str]:
    found = one.found
    yield f"labels     {found['labels']}, {found['confident_share']:.1%} confident"
    if found["offset_s"] is not None:
        offset, drift = ([1000 * end for end in found["offset_interval_s"]], found["drift_interval_ppm"])
        yield f"offset     {1000 * found['offset_s']:+.1f} ms ({offset[0]:+.1f} to {offset[1]:+.1f}); late is positive"
        yield f"drift      {found['drift_ppm']:+.0f} ppm ({drift[0]:+.0f} to {drift[1]:+.0f})"
    for place, text in enumerate([found["verdict"], *found["reasons"]]):
        yield f"{'verdict' if not place else '':<10} {text}"
    shown = found["errata"][:_LINES_SHOWN]
    for place, erratum in enumerate(shown):
        yield f"{'errata' if not place else '':<10} {erratum['message']} ({erratum['sure']:.2f})"
    if len(found["errata"]) > len(shown):
        yield f"{'':<10} and {len(found['errata']) - len(shown)} more: -o writes them all"


def _folder_lines(checked: "list[CheckedFile]") -> Iterator[str]:
    from musicnet_build.checking.tables import kind_counts, verdict_counts

    for one in checked:
        counts = ", ".join(f"{what} {count}" for what, count in kind_counts(dict(one.found)).items())
        yield f"{one.found['verdict']:<7} {one.name}{f': {counts}' if counts else ''}"
    yield ", ".join(f"{count} {verdict}" for verdict, count in verdict_counts(checked).items())
