"""``musicnet-build stats``: what is in a dataset."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="stats")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("--plot", "plot_path", type=parameters.OutputFile(".png"), help="Also draw the tables as bars (PNG).")
@parameters.json_option
def command(dataset: Path, plot_path: Path | None, as_json: bool) -> None:
    """Count minutes, labels, composers, ensembles, instruments, note values and polyphony of DATASET."""
    from musicnet_build.datasets.statistics import dataset_statistics, text_tables

    found = dataset_statistics(dataset)
    if plot_path:
        from musicnet_build.plots.statistics import plot_statistics

        plot_statistics(plot_path, found)
    console.report(found.as_dict(), text_tables(found), as_json)
