"""``musicnet-build transcribe``: the notes of a recording, as a trained model hears them."""

from pathlib import Path

import click

from musicnet_build.cli import baseline_options, console, parameters


class TranscriptFile(parameters.LabelOutputFile):
    """A label file to write, or an .npz file for a posteriorgram."""

    def ending_fault(self, path: Path) -> str | None:
        """Return what is wrong with the ending, None where nothing is."""
        return None if path.suffix.lower() == ".npz" else super().ending_fault(path)


@click.command(name="transcribe")
@click.argument("run", type=parameters.existing_folder)
@click.argument("recording", type=parameters.existing_file)
@click.option("-o", "--output", "outputs", type=TranscriptFile(), required=True, multiple=True,
              help="Notes to write: .mid, .csv (MusicNet), .tsv, .jams, .txt; or .npz, how probable each key of "
              "the piano is in each frame, for `align --witness`. May be given several times.")  # fmt: skip
@click.option(
    "--threshold", type=float, help="From which score on a pitch sounds; by default what training found best."
)
@click.option("--shortest", "shortest_ms", type=click.FloatRange(0, 1000), default=50, show_default=True, metavar="MS",
              help="Leave out shorter notes.")  # fmt: skip
@baseline_options.device_option
@parameters.force_option
@parameters.json_option
def command(
    run: Path,
    recording: Path,
    outputs: tuple[Path, ...],
    threshold: float | None,
    shortest_ms: float,
    device: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write the notes of a RECORDING as the model of RUN, a folder that `train` wrote, hears them.

    They are a model's guess, and no labels: no score was at hand.
    """
    parameters.check_outputs([recording], outputs)
    parameters.keep_labels(outputs, force)
    with baseline_options.extra_needed():
        from musicnet_build.baselines.runs import load_run
        from musicnet_build.baselines.transcribe import transcribe
    from musicnet_build.audio.io import read_audio
    from musicnet_build.labels.files import write_labels
    from musicnet_build.labels.posteriorgram import write_posteriorgram

    found = load_run(run, device)
    with console.progress_bar() as progress:
        progress("listening", 0.0)
        made = transcribe(found, read_audio(recording), threshold=threshold, shortest_s=shortest_ms / 1000)
    for path in outputs:
        if path.suffix.lower() == ".npz":
            write_posteriorgram(path, made.posteriorgram)
        else:
            write_labels(path, made.notes)
    values = {
        "recording": str(recording),
        "model": found.model,
        "outputs": [str(path) for path in outputs],
        "notes": len(made.notes),
        "too_short": made.left_out,
        "threshold": made.posteriorgram.threshold,
    }
    lines = [
        f"{recording}: {len(made.notes)} notes heard by {found.model}, {made.left_out} shorter than {shortest_ms:g} ms "
        "left out",
        *map(str, outputs),
    ]
    console.report(values, lines, as_json)
