"""``musicnet-build audit report``: the error rate that the judgements come to."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import console, parameters


@click.command(name="report")
@click.argument("dataset", type=parameters.existing_folder)
@click.option(
    "--accept-below", type=click.FloatRange(0.01, 99), metavar="PERCENT",
    help="Say whether fewer labels than this are wrong, and how many notes it takes to show it.",
)  # fmt: skip
@click.option("-o", "--output", type=parameters.OutputFile(".html"), help="Also write the report as HTML.")
@parameters.json_option
def command(dataset: Path, accept_below: float | None, output: Path | None, as_json: bool) -> None:
    """Estimate how many labels of DATASET are wrong, from the judgements about what `audit sample` drew.

    The rate has a 95 % interval that allows for the way the sample was drawn and for errors that come in clusters.
    """
    from musicnet_build.listening.catalogue import dataset_catalogue
    from musicnet_build.listening.rating import text
    from musicnet_build.listening.rating.error_rate import audited

    catalogue = dataset_catalogue(dataset)
    report = audited(catalogue, accept_below and accept_below / 100)
    if output:
        _write(output, catalogue.title, report)
    console.report({"sentence": text.sentence(report), **report}, text.lines(report), as_json)


def _write(output: Path, title: str, report: dict[str, Any]) -> None:
    from musicnet_build.files import write_text
    from musicnet_build.listening.reports.pages import audit_page

    write_text(output, audit_page(title, report))
