"""``musicnet-build evaluate alignment``: labels against the truth."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="alignment")
@click.argument("truth", type=click.Path(exists=True, path_type=Path))
@click.argument("labels", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--plot", "plot_path", type=parameters.OutputFile(".png"), help="Also draw the errors (PNG).")
@click.option("--list", "listed", is_flag=True, help="Also name missing and extra notes, and the largest onset errors.")
@parameters.json_option
def command(truth: Path, labels: tuple[Path, ...], plot_path: Path | None, listed: bool, as_json: bool) -> None:
    """Report how far the onsets and offsets of LABELS are from the TRUTH, and whether their confidence can be trusted.

    TRUTH is a file: MusicNet CSV, MIDI, TSV, JAMS, Audacity labels or JSON. LABELS are one or several files of the same
    recording. Or TRUTH is a folder with a file per piece, and LABELS are folders with files of the same names.
    """
    if any(path.is_dir() != truth.is_dir() for path in labels):
        raise click.UsageError("TRUTH and LABELS must all be files, or all be folders.")
    parameters.check_outputs([truth, *labels], [plot_path])
    from musicnet_build.evaluation.files import evaluate_files
    from musicnet_build.evaluation.report import list_lines, table_lines

    found = evaluate_files(truth, labels)
    if plot_path:
        from musicnet_build.plots.evaluation import plot_evaluation

        plot_evaluation(plot_path, f"Labels against {truth.resolve().name}", found)
    values = {"truth": str(truth), "labels": [each.as_dict(listed=listed) for each in found]}
    console.report(values, [*table_lines(found), *(list_lines(found) if listed else ())], as_json)
