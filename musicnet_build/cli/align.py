"""``musicnet-build align``: label a recording with the notes of its score."""

import dataclasses
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import ALIGNMENT_PRESETS
from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.alignment import Alignment
    from musicnet_build.score.reader import Score
    from musicnet_build.synthesis.soundfonts import Soundfont


@click.command(name="align")
@click.argument("recording", type=parameters.existing_file)
@click.argument("score", type=parameters.existing_file)
@parameters.label_outputs_option
@click.option(
    "--preset",
    type=click.Choice(ALIGNMENT_PRESETS),
    default="precise",
    show_default=True,
    help="Recipe to align by.",
)
@parameters.soundfont_option
@parameters.strict_option
@parameters.confidence_option
@click.option(
    "--overlay", "overlay_path", type=parameters.OutputFile(".wav", ".flac"),
    help="Also write the recording with a sine tone at every onset (WAV or FLAC).",
)  # fmt: skip
@click.option("--plot", "plot_path", type=parameters.OutputFile(".png"), help="Also draw the alignment (PNG).")
@click.option(
    "--quality", "quality_path", type=parameters.OutputFile(".json"),
    help="Also write a report: verdict, reasons, suspicious spans (JSON).",
)  # fmt: skip
@click.option(
    "--structure", type=click.Choice(["search", "never"]), default="search", show_default=True,
    help="Whether to find out which passages were left out or played again.",
)  # fmt: skip
@click.option(
    "--order", "order_text", metavar="ORDER",
    help="The order in which the score is played, in measures (1-24,9-48) or beats (b0-b96,b32-b192).",
)  # fmt: skip
@parameters.verbose_option
@parameters.json_option
def command(
    recording: Path,
    score: Path,
    outputs: tuple[Path, ...],
    preset: str,
    soundfont: str | None,
    strict: bool,
    with_confidence: bool,
    overlay_path: Path | None,
    plot_path: Path | None,
    quality_path: Path | None,
    structure: str,
    order_text: str | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Label RECORDING (a sound file) with the notes of SCORE (a MIDI file)."""
    parameters.check_outputs([recording, score], [*outputs, overlay_path, plot_path, quality_path])
    if preset == "musicnet" and (quality_path or with_confidence):
        raise click.UsageError("the preset musicnet does not say how sure it is: take --preset precise.")
    started = time.monotonic()
    from musicnet_build.audio.io import read_audio, write_audio
    from musicnet_build.threads import in_background

    # Read while this thread imports the rest, which takes as long.
    reading = in_background(read_audio, recording)
    from musicnet_build.alignment import align
    from musicnet_build.files import write_json
    from musicnet_build.labels.files import write_labels
    from musicnet_build.listening.overlay import overlay
    from musicnet_build.notes import SAMPLE_RATE
    from musicnet_build.plots.alignment import plot_alignment
    from musicnet_build.plots.alignment_picture import alignment_picture
    from musicnet_build.score.order import parse_order
    from musicnet_build.score.reader import read_score
    from musicnet_build.sync.result import Options
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    music = read_score(score)
    order = parse_order(order_text, music) if order_text else None
    options = Options(strict=strict, search_order=structure == "search")
    chosen = choose_soundfont(soundfont)
    with console.progress_bar(verbose) as progress:
        progress("reading the recording", 0.0)
        audio = reading.result()
        result = align(audio, music, chosen, preset=preset, order=order, options=options, progress=progress)
        progress("writing", 0.0)
        for output in outputs:
            write_labels(output, result.notes, with_confidence=with_confidence)
        if overlay_path:
            write_audio(overlay_path, overlay(audio, result.notes), SAMPLE_RATE)
        if plot_path:
            plot_alignment(plot_path, alignment_picture(f"{recording.name} and {score.name}", audio, result))
    console.warn(result.warnings)
    outputs_written = (*outputs, overlay_path, plot_path, quality_path)
    values = {
        "recording": _made_from(recording, len(audio) / SAMPLE_RATE),
        "score": _made_from(score, music.duration_s),
        **_summary(music, result, chosen),
        "preset": preset,
        "outputs": [str(path) for path in outputs_written if path],
        "seconds": round(time.monotonic() - started, 3),
    }
    if quality_path:
        report = {name: value for name, value in values.items() if name not in ("outputs", "seconds")}
        write_json(quality_path, report)
    console.report(values, _lines(values), as_json)


def _made_from(path: Path, duration_s: float) -> dict[str, Any]:
    from musicnet_build.files import sha256_of

    return {"path": str(path), "sha256": sha256_of(path), "duration_s": duration_s}


def _summary(music: "Score", result: "Alignment", soundfont: "Soundfont") -> dict[str, Any]:
    from musicnet_build import __version__
    from musicnet_build.synthesis.fluidsynth import library_version

    return {
        "notes": len(result.notes),
        "drum_notes": result.drum_notes,
        "lost_notes": dataclasses.asdict(music.lost),
        "offset_s": result.offset_s,
        "tempo_ratio": result.tempo_ratio if math.isfinite(result.tempo_ratio) else None,
        "quality": result.quality.as_dict() if result.quality else None,
        "warnings": list(result.warnings),
        "soundfont": {"name": soundfont.name, "path": str(soundfont.path), "sha256": soundfont.sha256()},
        "versions": {"musicnet_build": __version__, "fluidsynth": library_version()},
    }


def _lines(values: dict[str, Any]) -> list[str]:
    drums = f", {values['drum_notes']} drum notes left out" if values["drum_notes"] else ""
    ratio = values["tempo_ratio"]
    tempo = f", played at {ratio:.2f} times the score's tempo" if ratio is not None else ""
    return [
        f"recording  {values['recording']['duration_s']:.1f} s, score {values['score']['duration_s']:.1f} s",
        f"labelled   {values['notes']} notes{drums}",
        f"soundfont  {values['soundfont']['name']} ({values['soundfont']['sha256'][:12]}), preset {values['preset']}",
        f"timing     first onset {values['offset_s']:+.2f} s from the score's{tempo}",
        *_verdict(values["quality"]),
        f"took       {values['seconds']:.1f} s",
        *(f"wrote      {path}" for path in values["outputs"]),
    ]


def _verdict(quality: dict[str, Any] | None) -> list[str]:
    if quality is None:
        return []
    spans = [
        f"           {span['start_s']:.1f} to {span['end_s']:.1f} s: {span['message']}"
        for span in quality["suspicions"]
    ]
    return [
        f"verdict    {quality['verdict']}, {quality['confident_share']:.1%} of the labels confident "
        f"(mean confidence {quality['mean_confidence']:.2f})",
        *(f"           {reason}" for reason in quality["reasons"]),
        *([f"           labels in the order played: {quality['verdict_as_played']}"] if quality["structure"] else []),
        *spans,
    ]
