"""Options that commands share which generate and pack datasets."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from musicnet_build.choices import MAPS_CATEGORIES
from musicnet_build.cli import parameters

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _workers(context: click.Context, parameter: click.Parameter, value: int | None) -> int:
    from musicnet_build.jobs.local import default_workers

    return value or default_workers()


folder_argument = click.argument("folder", type=parameters.existing_folder)
output_option = click.option(
    "-o", "--output", type=parameters.OutputFile(".h5", ".hdf5"), required=True, help="HDF5 file to write."
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 256), help="Processes; by default one for each processor.",
    callback=_workers,
)  # fmt: skip
seed_option = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Settles what is drawn."
)
a_maps_option = click.option(
    "--a-maps", type=parameters.existing_folder,
    help="Folder of A-MAPS, whose MIDI files are then the labels of MAPS.",
)  # fmt: skip
test_bank_option = click.option(
    "--test-bank", "test_banks", multiple=True, help="Bank to test on only; the Disklavier banks of MAPS by default."
)
sustain_option = click.option(
    "--sustain/--no-sustain", default=True, show_default=True, help="Let notes of MIDI labels sound with the pedal."
)


def run_options(command: _Command) -> _Command:
    """Add the options of how a command runs: workers, progress, result."""
    return workers_option(parameters.verbose_option(parameters.json_option(command)))


def recordings_options(category: str) -> Callable[[_Command], _Command]:
    """Return what packers of recordings begin with: folder, file to write, categories of MAPS."""

    def add(command: _Command) -> _Command:
        return folder_argument(output_option(category_option(category)(command)))

    return add


def category_option(default: str) -> Callable[[_Command], _Command]:
    """Return the option that chooses categories of MAPS."""
    return click.option(
        "--category", "categories", type=click.Choice(MAPS_CATEGORIES), multiple=True,
        default=(default,), show_default=True, help="Of MAPS; may be given several times.",
    )  # fmt: skip
