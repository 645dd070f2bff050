"""``musicnet-build study``: from data to the tables and pictures of an experiment."""

from pathlib import Path

import click

from musicnet_build.choices import STUDIES
from musicnet_build.cli import baseline_options, console, parameters


@click.command(name="study", epilog=baseline_options.listed(STUDIES))
@click.argument("name", type=click.Choice(tuple(STUDIES)), metavar="NAME")
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder of page and trainings.")
@baseline_options.preset_option
@baseline_options.device_option
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Trainings of each kind.")
@parameters.json_option
def command(name: str, data: Path, output: Path, preset: str, device: str, seeds: int, as_json: bool) -> None:
    """Run an experiment on DATA: train its models, and write README.md, study.json and pictures.

    Run it again to go on where it was interrupted. docs/studies.md says which DATA each takes, and shows its table.
    """
    with baseline_options.extra_needed():
        from musicnet_build.baselines.catalogue import find_study
        from musicnet_build.baselines.studies.page import PAGE, plain_page, table_lines, write_page
        from musicnet_build.baselines.studies.study import Setup

        study = find_study(name)
    with console.progress_bar(lines=True) as progress:
        setup = Setup(data=data, output=output, preset=preset, seeds=seeds, device=device, progress=progress)
        page = study.run(setup)
    write_page(page, study, name, setup)
    tables = [line for table in page.tables for line in (table.caption, *table_lines(table), "")]
    console.report(plain_page(page, name, setup), [*tables, page.finding, str(output / PAGE)], as_json)
