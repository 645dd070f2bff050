"""``musicnet-build demo``: the main job on music that the project makes itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.notes import NoteTable


@click.command(name="demo")
@click.option(
    "-o", "--output", "folder", type=parameters.OutputFolder(), default=Path("demo"), show_default=True,
    help="Folder to write.",
)  # fmt: skip
@parameters.soundfont_option
@parameters.verbose_option
@parameters.json_option
def command(folder: Path, soundfont: str | None, verbose: bool, as_json: bool) -> None:
    """Write out a canon, have it performed with human-like timing, align the two, and report the errors of the labels.

    The performance is synthetic, so its true note times are known: the errors printed are real ones.
    """
    from musicnet_build.alignment import align
    from musicnet_build.audio.io import read_audio, write_audio
    from musicnet_build.generation.demo import prepare_demo
    from musicnet_build.labels.files import read_labels, write_labels
    from musicnet_build.listening.overlay import overlay
    from musicnet_build.notes import SAMPLE_RATE
    from musicnet_build.plots.alignment import plot_alignment
    from musicnet_build.plots.alignment_picture import alignment_picture
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    chosen = choose_soundfont(soundfont)
    with console.progress_bar(verbose) as progress:
        progress("performing the score", 0.0)
        files = prepare_demo(folder, chosen)
        score, recording = read_score(files.score), read_audio(files.recording)
        result = align(recording, score, chosen, progress=progress)
        progress("writing", 0.0)
        write_labels(folder / "labels.csv", result.notes)
        write_audio(folder / "overlay.wav", overlay(recording, result.notes), SAMPLE_RATE)
        picture = alignment_picture("The demo: a canon and its performance", recording, result)
        plot_alignment(folder / "alignment.png", picture)
    console.warn(result.warnings)
    values = {
        "folder": str(folder),
        "soundfont": chosen.name,
        "duration_s": len(recording) / SAMPLE_RATE,
        "notes": len(result.notes),
        **_errors(read_labels(files.truth), result.notes),
    }
    console.report(values, _lines(values), as_json)


def _errors(truth: "NoteTable", labels: "NoteTable") -> dict[str, float]:
    import numpy as np

    from musicnet_build.generation.demo import onset_errors

    errors_ms = 1000 * np.abs(onset_errors(truth, labels))
    return {
        "median_error_ms": float(np.median(errors_ms)),
        "p95_error_ms": float(np.percentile(errors_ms, 95)),
        "within_50_ms": float(np.mean(errors_ms < 50)),
    }


def _lines(values: dict[str, Any]) -> list[str]:
    folder = values["folder"]
    return [
        f"{folder}/recording.flac  {values['duration_s']:.0f} s, performed from {folder}/score.mid",
        f"{folder}/labels.csv      {values['notes']} labelled notes",
        f"{folder}/overlay.wav     the recording with a sine tone at every labelled onset",
        f"{folder}/alignment.png   the alignment in one picture",
        f"Onset error against the true times: median {values['median_error_ms']:.1f} ms, "
        f"95 % under {values['p95_error_ms']:.1f} ms, {values['within_50_ms']:.1%} within 50 ms.",
    ]
