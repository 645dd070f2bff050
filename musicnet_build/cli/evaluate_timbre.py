"""``musicnet-build evaluate timbre``: who plays what, predicted and true."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicnet_build.choices import TIMBRE_FRAME_LENGTHS
from musicnet_build.cli import console, parameters, timbre_options

if TYPE_CHECKING:
    from musicnet_build.corpora.timbre_set import Instrument


@click.command(name="timbre")
@click.argument("predicted", type=click.Path(exists=True, path_type=Path))
@click.argument("truth", type=click.Path(exists=True, path_type=Path))
@timbre_options.instrument_option
@click.option("--frame", "frame_length", type=click.Choice(TIMBRE_FRAME_LENGTHS), default=8192, show_default=True,
              help="Samples at 32,768 Hz for a row of an .npy file, where TRUTH is no package.")  # fmt: skip
@parameters.json_option
def command(
    predicted: Path, truth: Path, instruments: "tuple[Instrument, ...]", frame_length: int, as_json: bool
) -> None:
    """Count correct, wrong, false and missed activations of piano rolls at 100 Hz, by instrument and test set.

    TRUTH is a timbre set's folder, a package made of one, or a label file. PREDICTED is a file, or a folder with a file
    per piece: MusicNet CSV, MIDI, or .npy with a row per frame (pitches, 128 for absent; or 129 values each).
    """
    from musicnet_build.evaluation.timbre import evaluate, table_lines
    from musicnet_build.evaluation.timbre_files import read_predictions, read_truth

    true = read_truth(truth, instruments, frame_length)
    report = evaluate(read_predictions(predicted, true), true.notes, true.subsets)
    values = {"predicted": str(predicted), "truth": str(truth), "results": report}
    console.report(values, table_lines(report), as_json)
