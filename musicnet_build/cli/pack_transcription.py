"""``musicnet-build pack transcription``: the files of piano transcription."""

import time
from pathlib import Path

import click

from musicnet_build.cli import console, pack_options, pack_report, parameters


@click.command(name="transcription")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder to write.")
@pack_options.run_options
def command(dataset: Path, output: Path, workers: int, verbose: bool, as_json: bool) -> None:
    """Write DATASET as the files of piano transcription: HDF5 a recording, and 16 kHz FLAC with TSV."""
    from musicnet_build.packing.musicnet_h5 import pack_transcription

    started = time.monotonic()
    with console.progress_bar(verbose) as progress:
        on_done = console.counting(progress, "packing", pack_report.recordings_in(dataset))
        count = pack_transcription(dataset, output, workers=workers, on_done=on_done)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    pack_report.report(output, count, size, time.monotonic() - started, as_json)
