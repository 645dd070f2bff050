"""``musicnet-build pack``: from a dataset to the files that trainings read."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from musicnet_build.datasets.jobs import Outcome

_workers_option = click.option(
    "--workers", type=click.IntRange(min=1), help="Processes; by default one for each processor."
)


@click.group(name="pack")
def command() -> None:
    """Pack a dataset into the files that trainings read (each form takes --json)."""


@command.command(name="musicnet")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("-o", "--output", type=parameters.OutputFile(".h5", ".hdf5"), required=True, help="HDF5 file to write.")
@click.option(
    "--samples", "sample_format", type=click.Choice(["float32", "int16"]), default="float32", show_default=True,
    help="Format of the audio.",
)  # fmt: skip
@click.option("--gzip", "compress", is_flag=True, help="Compress: about a third of the size, slower to read.")
@_workers_option
@parameters.verbose_option
@parameters.json_option
def musicnet(
    dataset: Path, output: Path, sample_format: str, compress: bool, workers: int | None, verbose: bool, as_json: bool
) -> None:
    """Write DATASET as one HDF5 file in the layout of MusicNet's first release."""
    from musicnet_build.datasets.jobs import default_workers
    from musicnet_build.datasets.packages import pack_musicnet

    started = time.monotonic()
    with console.progress_bar(verbose) as progress:
        count = pack_musicnet(
            dataset,
            output,
            sample_format=sample_format,
            compress=compress,
            workers=workers or default_workers(),
            on_done=_counting(progress, _recordings_in(dataset)),
        )
    _report(output, count, output.stat().st_size, time.monotonic() - started, as_json)


@command.command(name="transcription")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder to write.")
@_workers_option
@parameters.verbose_option
@parameters.json_option
def transcription(dataset: Path, output: Path, workers: int | None, verbose: bool, as_json: bool) -> None:
    """Write DATASET as the files of piano transcription: HDF5 a recording, and 16 kHz FLAC with TSV."""
    from musicnet_build.datasets.jobs import default_workers
    from musicnet_build.datasets.packages import pack_transcription

    started = time.monotonic()
    with console.progress_bar(verbose) as progress:
        on_done = _counting(progress, _recordings_in(dataset))
        count = pack_transcription(dataset, output, workers=workers or default_workers(), on_done=on_done)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    _report(output, count, size, time.monotonic() - started, as_json)


def _recordings_in(dataset: Path) -> int:
    from musicnet_build.datasets.musicnet import read_dataset

    return len(read_dataset(dataset))


def _counting(progress: console.Advance, total: int) -> "Callable[[Outcome], None]":
    done = 0

    def on_done(outcome: "Outcome") -> None:
        nonlocal done
        done += 1
        progress("packing", done / total)

    return on_done


def _report(output: Path, count: int, size: int, seconds: float, as_json: bool) -> None:
    values = {"output": str(output), "recordings": count, "bytes": size, "seconds": round(seconds, 3)}
    console.report(values, [f"{output}: {count} recordings, {size / 1e6:.1f} MB, in {seconds:.1f} s"], as_json)
