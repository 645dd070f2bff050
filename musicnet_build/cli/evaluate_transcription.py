"""``musicnet-build evaluate transcription``: frames and notes against the truth."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="transcription")
@click.argument("truth", type=click.Path(exists=True, path_type=Path))
@click.argument("prediction", type=click.Path(exists=True, path_type=Path))
@click.option("--tolerance", "tolerance_ms", type=click.FloatRange(1, 1000), default=50, show_default=True,
              metavar="MS", help="How far the onset of a note may be off.")  # fmt: skip
@click.option("--threshold", type=float,
              help="From which score on a pitch sounds; by default what the .npz file says, or 0.5.")  # fmt: skip
@click.option("--plot", "plot_path", type=parameters.OutputFile(".png"), help="Also draw the figures (PNG).")
@parameters.json_option
def command(
    truth: Path, prediction: Path, tolerance_ms: float, threshold: float | None, plot_path: Path | None, as_json: bool
) -> None:
    """Report how well the frames and the notes of a PREDICTION agree with the TRUTH, by the measures of mir_eval.

    TRUTH is a file: MusicNet CSV, MIDI, TSV, JAMS, Audacity labels or JSON. PREDICTION is such a file of the same
    recording, or an .npz file with `scores` [frames, 88 or 128] and `frame_rate_hz`; then there are precision and
    recall at every threshold, too. Or both are folders, with a file per piece of the same name.
    """
    if truth.is_dir() != prediction.is_dir():
        raise click.UsageError("TRUTH and PREDICTION must both be files, or both be folders.")
    parameters.check_outputs([truth, prediction], [plot_path])
    from musicnet_build.evaluation.transcription.files import evaluate_transcriptions
    from musicnet_build.evaluation.transcription.report import table_lines

    found = evaluate_transcriptions(truth, prediction, tolerance_s=tolerance_ms / 1000, threshold=threshold)
    if plot_path:
        from musicnet_build.plots.transcription import plot_transcriptions

        plot_transcriptions(plot_path, f"{prediction.resolve().name} against {truth.resolve().name}", found)
    values = {"truth": str(truth), "prediction": str(prediction)} | found.as_dict()
    console.report(values, table_lines(found), as_json)
