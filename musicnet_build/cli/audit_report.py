"""``musicnet-build audit report``: the error rate that the judgements come to."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="report")
@click.argument("dataset", type=parameters.existing_folder)
@click.option(
    "--accept-below", type=click.FloatRange(0.01, 99), metavar="PERCENT",
    help="Say whether fewer labels than this are wrong, and how many notes it takes to show it.",
)  # fmt: skip
@parameters.json_option
def command(dataset: Path, accept_below: float | None, as_json: bool) -> None:
    """Estimate how many labels of DATASET are wrong, from the judgements about what `audit sample` drew.

    The rate has a 95 % interval that allows for the way the sample was drawn and for errors that come in clusters.
    """
    from musicnet_build.listening.catalogue import dataset_catalogue
    from musicnet_build.listening.judgements import Journal, standing
    from musicnet_build.listening.rating import text
    from musicnet_build.listening.rating.error_rate import error_rate
    from musicnet_build.listening.rating.heard import heard_of
    from musicnet_build.listening.rating.sample_file import read_sample
    from musicnet_build.listening.web.session import read_label_set

    catalogue = dataset_catalogue(dataset)
    sample = read_sample(catalogue.judgements)
    wanted = {unit.recording for unit in sample.units}
    labels = {item.id: read_label_set(item, 0) for item in catalogue.items if item.id in wanted}
    events = standing(Journal(catalogue.judgements).read())
    report = error_rate(heard_of(sample, events, labels), events, accept_below and accept_below / 100)
    console.report({"sentence": text.sentence(report), **report}, text.lines(report), as_json)
