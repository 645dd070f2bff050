"""``musicnet-build overlay``: hear whether labels are right."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="overlay")
@click.argument("recording", type=parameters.existing_file)
@click.argument("labels", type=parameters.existing_file)
@parameters.audio_output_option
@click.option("--split", is_flag=True, help="Recording on the left channel, tones on the right.")
@click.option(
    "--instrument", "instruments", type=click.IntRange(1, 128), multiple=True,
    help="Only this MusicNet instrument (General MIDI program + 1); may be given several times.",
)  # fmt: skip
@click.option("--start", "start_s", type=click.FloatRange(min=0), default=0.0, help="Begin here, in seconds.")
@click.option("--end", "end_s", type=click.FloatRange(min=0), default=None, help="End here, in seconds.")
@parameters.verbose_option
@parameters.json_option
def command(
    recording: Path,
    labels: Path,
    output: Path,
    split: bool,
    instruments: tuple[int, ...],
    start_s: float,
    end_s: float | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Lay a short sine tone at every onset of LABELS over RECORDING."""
    parameters.check_outputs([recording, labels], [output])
    if end_s is not None and end_s <= start_s:
        raise click.UsageError(f"--end {end_s:g} is not after --start {start_s:g}.")
    from musicnet_build.audio.io import read_audio, write_audio
    from musicnet_build.labels.files import read_labels
    from musicnet_build.listening.overlay import overlay
    from musicnet_build.notes import SAMPLE_RATE

    notes = read_labels(labels)
    with console.progress_bar(verbose) as progress:
        progress("reading the recording", 0.0)
        audio = read_audio(recording)
        progress("laying tones over it", 0.0)
        duration_s = len(audio) / SAMPLE_RATE
        span_s = (start_s, duration_s if end_s is None else min(end_s, duration_s))
        programs = [instrument - 1 for instrument in instruments] or None
        mixed = overlay(audio, notes, split=split, instruments=programs, span_s=span_s)
        write_audio(output, mixed, SAMPLE_RATE)
    console.report(
        {"output": str(output), "duration_s": len(mixed) / SAMPLE_RATE, "split": split},
        [f"{output}: {len(mixed) / SAMPLE_RATE:.1f} s"],
        as_json,
    )
