"""``musicnet-build validate``: is a dataset what it says?"""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="validate")
@click.argument("dataset", type=parameters.existing_folder)
@parameters.verbose_option
@parameters.json_option
def command(dataset: Path, verbose: bool, as_json: bool) -> int:
    """Check structure, checksums, audio, labels and sets of DATASET; the exit code is 1 where anything is wrong."""
    from musicnet_build.datasets.validate import find_problems

    with console.progress_bar(verbose) as progress:
        problems = find_problems(dataset, progress=progress)
    lines = [str(problem) for problem in problems] or [f"{dataset}: nothing is wrong with it"]
    values = {
        "dataset": str(dataset),
        "problems": [{"path": problem.path, "fault": problem.fault} for problem in problems],
    }
    console.report(values, lines, as_json)
    return int(bool(problems))
