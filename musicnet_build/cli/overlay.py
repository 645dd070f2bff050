"""``musicnet-build overlay``: hear whether labels are right."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAUSE_S = 1.0


@click.command(name="overlay")
@click.argument("recording", type=parameters.existing_file)
@click.argument("labels", type=parameters.existing_file)
@parameters.audio_output_option
@click.option("--split", is_flag=True, help="Recording on the left channel, tones on the right.")
@click.option(
    "--instrument", "instruments", type=parameters.Instrument(), multiple=True,
    help="Only this MusicNet instrument: General MIDI program + 1, or its name; may be given several times.",
)  # fmt: skip
@click.option("--start", "start_s", type=click.FloatRange(min=0), default=0.0, help="Begin here, in seconds.")
@click.option("--end", "end_s", type=click.FloatRange(min=0), default=None, help="End here, in seconds.")
@click.option(
    "--speed", "slowdown", type=click.Choice(["1", "2", "4"]), default="1", show_default=True,
    help="2 is half and 4 a quarter of the speed, at the same pitch.",
)  # fmt: skip
@click.option("--clips", is_flag=True, help="Only the beginning, two passages from the middle, and the end.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Random seed of the passages that --clips takes.",
)
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
    slowdown: str,
    clips: bool,
    seed: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Mix a short sine tone into RECORDING at every onset of LABELS."""
    parameters.check_outputs([recording, labels], [output])
    if end_s is not None and end_s <= start_s:
        raise click.UsageError(f"--end {end_s:g} is not after --start {start_s:g}.")
    if clips and (start_s or end_s is not None):
        raise click.UsageError("--clips chooses what is heard: leave --start and --end away.")
    from musicnet_build.audio.io import read_audio, write_audio
    from musicnet_build.labels.files import read_labels
    from musicnet_build.listening.overlay import clip_spans, overlay
    from musicnet_build.notes import SAMPLE_RATE

    notes = read_labels(labels)
    with console.progress_bar(verbose) as progress:
        progress("reading the recording", 0.0)
        audio = read_audio(recording)
        progress("laying tones over it", 0.0)
        duration_s = len(audio) / SAMPLE_RATE
        if start_s >= duration_s:
            raise click.UsageError(
                f"--start {start_s:g} is behind the end of {recording}, which lasts {duration_s:.1f} s."
            )
        behind = int((notes["onset_s"] >= duration_s).sum())
        whole_s = (start_s, duration_s if end_s is None else min(end_s, duration_s))
        spans_s = clip_spans(duration_s, seed) if clips else [whole_s]
        programs = [instrument - 1 for instrument in instruments] or None
        parts = [
            overlay(audio, notes, split=split, instruments=programs, span_s=span_s, slowdown=int(slowdown))
            for span_s in spans_s
        ]
        mixed = _joined(parts, round(_PAUSE_S * SAMPLE_RATE))
        write_audio(output, mixed, SAMPLE_RATE)
    if behind:
        console.warn(
            [f"{behind} of the {len(notes)} labels begin behind the end of {recording}: no tone is heard there."]
        )
    values = {"output": str(output), "duration_s": len(mixed) / SAMPLE_RATE, "split": split, "spans_s": spans_s}
    heard = [f"  {first_s:.1f} to {last_s:.1f} s" for first_s, last_s in spans_s] if clips else []
    console.report(values, [f"{output}: {len(mixed) / SAMPLE_RATE:.1f} s", *heard], as_json)


def _joined(parts: "list[NDArray[np.float32]]", pause_samples: int) -> "NDArray[np.float32]":
    """The parts one after another, with silence between them."""
    import numpy as np

    pause = np.zeros((pause_samples, *parts[0].shape[1:]), np.float32)
    return np.concatenate([piece for part in parts for piece in (pause, part)][1:])
