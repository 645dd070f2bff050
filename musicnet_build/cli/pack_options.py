"""What the commands that pack MAPS-style, MAESTRO-style and MusicNet-style folders share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from musicnet_build.cli import parameters

_Command = TypeVar("_Command", bound=Callable[..., Any])

folder_argument = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path)
)  # fmt: skip
output_option = click.option(
    "-o", "--output", type=parameters.OutputFile(".h5", ".hdf5"), required=True, help="HDF5 file to write."
)
workers_option = click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
seed_option = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Settles what is drawn."
)
a_maps_option = click.option(
    "--a-maps", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of A-MAPS, whose MIDI files are then the labels of MAPS.",
)  # fmt: skip
test_bank_option = click.option(
    "--test-bank", "test_banks", multiple=True, help="Bank to test on only; the Disklavier banks of MAPS by default."
)
sustain_option = click.option(
    "--sustain/--no-sustain", default=True, show_default=True, help="Let notes of MIDI labels sound with the pedal."
)


def category_option(default: str) -> Callable[[_Command], _Command]:
    """Return the option that chooses categories of MAPS."""
    return click.option(
        "--category", "categories", type=click.Choice(["ISOL", "RAND", "UCHO", "MUS"]), multiple=True,
        default=(default,), show_default=True, help="Of MAPS; may be given several times.",
    )  # fmt: skip
