"""``musicnet-build report``: labels heard and seen in one file that can be sent by mail."""

from pathlib import Path
from typing import Any

import click

from musicnet_build.cli import console, parameters


@click.command(name="report")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("labels", type=parameters.existing_file, required=False)
@click.option("-o", "--output", type=parameters.OutputFile(".html"), required=True, help="HTML file to write.")
@click.option("--quality", type=parameters.existing_file, help="Report of `align --quality`: suspicious spans (JSON).")
@parameters.json_option
def command(source: Path, labels: Path | None, output: Path, quality: Path | None, as_json: bool) -> None:
    """Report on a recording and its LABELS, or on the dataset in the folder SOURCE, in one file of HTML.

    It opens in a browser without anything else: verdict, suspicious spans, confidence, tempo, the spectrogram with the
    labels over it, and excerpts with a slider between recording and labels; 10 MB at most. Of a dataset that people
    judged (`audit`) it holds the error rate, too.
    """
    from musicnet_build.files import write_text

    if source.is_dir() == bool(labels or quality):
        raise click.UsageError("give a recording and its label file, or the folder of a dataset alone.")
    parameters.check_outputs([path for path in (source, labels, quality) if path], [output])
    page = _dataset_page(source) if source.is_dir() else _recording_page(source, labels, quality)
    write_text(output, page)
    values: dict[str, Any] = {"report": str(output), "bytes": output.stat().st_size}
    console.report(values, [f"{output}: {values['bytes'] / 2**20:.1f} MiB"], as_json)


def _recording_page(recording: Path, labels: Path | None, quality: Path | None) -> str:
    from musicnet_build.listening.catalogue import files_catalogue
    from musicnet_build.listening.reports.pages import recording_page

    if labels is None:
        raise click.UsageError(f"give the label file of {recording}.")
    return recording_page(files_catalogue(recording, [labels], quality).items[0])


def _dataset_page(dataset: Path) -> str:
    from musicnet_build.listening.catalogue import dataset_catalogue
    from musicnet_build.listening.rating.error_rate import audited
    from musicnet_build.listening.rating.sample_file import SAMPLE_FILE
    from musicnet_build.listening.reports.pages import dataset_page

    catalogue = dataset_catalogue(dataset)
    drawn = (catalogue.judgements / SAMPLE_FILE).is_file()
    return dataset_page(catalogue, audited(catalogue) if drawn else None)
