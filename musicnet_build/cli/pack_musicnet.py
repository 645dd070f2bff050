"""``musicnet-build pack musicnet``: the layout of MusicNet's first release."""

import time
from pathlib import Path

import click

from musicnet_build.choices import SAMPLE_FORMATS
from musicnet_build.cli import console, pack_options, pack_report, parameters


@click.command(name="musicnet")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("-o", "--output", type=parameters.OutputFile(".h5", ".hdf5"), required=True, help="HDF5 file to write.")
@click.option(
    "--samples", "sample_format", type=click.Choice(SAMPLE_FORMATS), default="float32", show_default=True,
    help="Format of the audio.",
)  # fmt: skip
@click.option("--gzip", "compress", is_flag=True, help="Compress: about a third of the size, slower to read.")
@pack_options.run_options
def command(
    dataset: Path, output: Path, sample_format: str, compress: bool, workers: int, verbose: bool, as_json: bool
) -> None:
    """Write DATASET as one HDF5 file in the layout of MusicNet's first release."""
    from musicnet_build.packing.musicnet_h5 import pack_musicnet

    started = time.monotonic()
    with console.progress_bar(verbose) as progress:
        count = pack_musicnet(
            dataset,
            output,
            sample_format=sample_format,
            compress=compress,
            workers=workers,
            on_done=console.counting(progress, "packing", pack_report.recordings_in(dataset)),
        )
    pack_report.report(output, count, output.stat().st_size, time.monotonic() - started, as_json)
