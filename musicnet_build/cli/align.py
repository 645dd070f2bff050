"""``musicnet-build align``: label a recording with the notes of its score."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import STRUCTURES, VELOCITIES
from musicnet_build.cli import console, parameters
from musicnet_build.recipe import RecipeSettings

if TYPE_CHECKING:
    from musicnet_build.align_files import AlignedFiles
    from musicnet_build.labels.files import About
    from musicnet_build.progress import Progress

_MOST_SPANS = 5
# Nothing is to be looked at this long after the last note.
_AFTERGLOW_S = 1.0


@click.command(name="align")
@click.argument("recording", type=parameters.existing_file)
@click.argument("score", type=parameters.existing_file)
@parameters.label_outputs_option
@parameters.preset_option
@parameters.soundfont_option
@parameters.strict_option
@parameters.confidence_option
@parameters.confidence_beside_option
@parameters.played_option
@click.option(
    "--velocity", type=click.Choice(VELOCITIES), default=VELOCITIES[0], show_default=True,
    help="Velocities in formats that have them: the score's, or how loud each note is in the recording.",
)  # fmt: skip
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
    "--export", "export_folder", type=parameters.OutputFolder(),
    help="Also write a folder of beats, measures, MIDI with the bar lines of the music, the score as played, .match.",
)  # fmt: skip
@click.option(
    "--structure", type=click.Choice(STRUCTURES), default=STRUCTURES[0], show_default=True,
    help="Search for passages that were left out or played again, or never.",
)  # fmt: skip
@click.option(
    "--order", metavar="ORDER", default="",
    help="The order in which the score is played, in measures (1-24,9-48) or beats (b0-b96,b32-b192).",
)  # fmt: skip
@click.option(
    "--anchor", "anchors", type=parameters.Anchors(), multiple=True, metavar="SECONDS=MEASURE:BEAT|FILE.csv",
    help="What is heard when: the alignment goes through it. May be given several times.",
)  # fmt: skip
@click.option(
    "--witness", type=parameters.WitnessFile(),
    help="What a transcriber heard in the recording (.mid, .tsv, .jams, .csv, .npz): one more opinion on the onsets.",
)  # fmt: skip
@parameters.witness_offsets_option
@parameters.fail_on_option
@parameters.force_option
@parameters.verbose_option
@parameters.json_option
def command(
    recording: Path,
    score: Path,
    outputs: tuple[Path, ...],
    with_confidence: bool,
    confidence_beside: bool,
    with_played: bool,
    velocity: str,
    overlay_path: Path | None,
    plot_path: Path | None,
    quality_path: Path | None,
    export_folder: Path | None,
    anchors: tuple[str, ...],
    witness: Path | None,
    fail_on: str | None,
    force: bool,
    verbose: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Label RECORDING (a sound file) with the notes of SCORE.

    SCORE is a MIDI file; with the extra `musicxml` also MusicXML, MEI or Humdrum.
    """
    extras = (overlay_path, plot_path, quality_path)
    inputs = [path for path in (recording, score, witness) if path]
    parameters.check_outputs(inputs, [*outputs, *extras, *_export_paths(export_folder)])
    parameters.keep_labels(outputs, force)
    recipe = RecipeSettings(**settings, anchors=",".join(anchors))
    doubts = bool(quality_path or with_confidence or confidence_beside or with_played or fail_on)
    _check_recipe(recipe, doubts, bool(witness))
    started = time.monotonic()
    from musicnet_build.align_files import align_files, listened_again
    from musicnet_build.files import write_json

    with console.progress_bar(verbose) as progress:
        aligned = align_files(recording, score, recipe, witness=witness, progress=progress)
        if with_played or velocity == "recording":
            progress("listening to each note", 1.0)
            aligned = listened_again(aligned, velocity=velocity == "recording", played=with_played)
        _write(aligned, outputs, with_confidence, with_played, overlay_path, plot_path, progress)
        beside = _write_beside(aligned, outputs, confidence_beside)
    exported = _export(export_folder, aligned)
    report = aligned.report()
    console.warn(report["warnings"])
    if quality_path:
        write_json(quality_path, report)
    written = [str(path) for path in (*outputs, *beside, *extras, *exported) if path]
    values = {**report, "outputs": written, "seconds": round(time.monotonic() - started, 3)}
    console.report(values, _lines(values), as_json)
    return console.exit_code([report["verdict"]], fail_on)


def _check_recipe(recipe: RecipeSettings, doubts: bool, witness: bool) -> None:
    """Refuse what a recipe has not: the paper's has neither doubts nor anchors, and hears no witness."""
    if recipe.preset == "musicnet":
        if doubts:
            raise click.UsageError("the preset musicnet does not say how sure it is: take --preset precise.")
        if recipe.anchors:
            raise click.UsageError("the preset musicnet knows no anchors: take --preset precise.")
        if witness:
            raise click.UsageError("the preset musicnet hears no witness: take --preset precise.")
    if recipe.witness_offsets and not witness:
        raise click.UsageError("--witness-offsets needs a --witness.")


def _write(
    aligned: "AlignedFiles",
    outputs: tuple[Path, ...],
    with_confidence: bool,
    with_played: bool,
    overlay_path: Path | None,
    plot_path: Path | None,
    progress: "Progress",
) -> None:
    from musicnet_build.labels.files import write_labels

    progress("writing", 1.0)
    about = _about(aligned)
    for output in outputs:
        write_labels(output, aligned.notes, with_confidence=with_confidence, with_played=with_played, about=about)
    if overlay_path:
        from musicnet_build.audio.io import write_audio
        from musicnet_build.listening.overlay import overlay

        write_audio(overlay_path, overlay(aligned.audio, aligned.notes))
    if plot_path:
        from musicnet_build.plots.alignment import plot_alignment
        from musicnet_build.plots.alignment_picture import alignment_picture, picture_title

        title = picture_title(aligned.recording, aligned.score)
        plot_alignment(plot_path, alignment_picture(title, aligned.audio, aligned.alignment))


def _about(aligned: "AlignedFiles") -> "About":
    """What the recording's tags and its length tell."""
    from musicnet_build.audio.io import audio_info
    from musicnet_build.labels.files import About
    from musicnet_build.notes import SAMPLE_RATE

    tags = audio_info(aligned.recording)
    return About(tags.title, tags.artist, len(aligned.audio) / SAMPLE_RATE)


def _write_beside(aligned: "AlignedFiles", outputs: tuple[Path, ...], confidence: bool) -> list[Path]:
    """Write what goes row by row with the labels: note ids where the score has any, confidence where asked for."""
    from musicnet_build.files import write_bytes
    from musicnet_build.labels.csv import confidence_rows, write_csv
    from musicnet_build.labels.score_notes import write_score_notes

    score_notes = sorted({output.with_suffix(".score.csv") for output in outputs}) if aligned.music.note_ids else []
    for path in score_notes:
        write_score_notes(path, aligned.notes, aligned.music)
    confidences = sorted({output.with_suffix(".confidence.csv") for output in outputs}) if confidence else []
    for path in confidences:
        write_bytes(path, confidence_rows(write_csv(aligned.notes, True)))
    return [*score_notes, *confidences]


def _export_paths(folder: Path | None) -> list[Path]:
    from musicnet_build.exports.names import EXPORTS

    return [folder / name for name in EXPORTS] if folder else []


def _export(folder: Path | None, aligned: "AlignedFiles") -> list[Path]:
    if folder is None:
        return []
    from musicnet_build.exports.folder import write_exports

    paths, remarks = write_exports(folder, aligned.alignment, aligned.music, aligned.score)
    console.warn(remarks)
    return paths


def _lines(values: dict[str, Any]) -> list[str]:
    counts = ((values["drum_notes"], "drum note"), (values["duplicate_notes"], "exact duplicate"))
    left_out = [f"{count} {what}{'s' if count > 1 else ''} left out" for count, what in counts if count]
    without = f" ({', '.join(left_out)})" if left_out else ""
    ratio = values["tempo_ratio"]
    tempo = f", played at {ratio:.2f} times the score's tempo" if ratio is not None else ""
    return [
        f"recording  {values['recording']['duration_s']:.1f} s, score {values['score']['duration_s']:.1f} s",
        f"labelled   {values['notes']} notes{without}",
        f"soundfont  {values['soundfont']['name']} ({values['soundfont']['sha256'][:12]}), preset {values['preset']}",
        f"timing     first note at {values['first_onset_s']:.2f} s{tempo}",
        *_witness(values.get("witness")),
        *_verdict(values["quality"], values["last_offset_s"]),
        f"took       {values['seconds']:.1f} s",
        *(f"wrote      {path}" for path in values["outputs"]),
    ]


def _witness(witness: dict[str, Any] | None) -> list[str]:
    if not witness or not witness["believed"]:
        return []
    return [f"witness    {witness['path']} was heard, {1000 * witness['delay_s']:+.0f} ms from the recording"]


def _verdict(quality: dict[str, Any] | None, last_offset_s: float) -> list[str]:
    if quality is None:
        return []
    lines = [
        f"{quality['verdict']}, {quality['confident_share']:.1%} of the labels confident "
        f"(mean confidence {quality['mean_confidence']:.2f})",
        *quality["reasons"],
    ]
    if quality["structure"]:
        lines.append(f"{quality['verdict_as_played']} on the labels in the order played")
    spans = [span for span in quality["suspicions"] if span["start_s"] < last_offset_s + _AFTERGLOW_S]
    if spans:
        lines.append("look at:")
        lines += [
            f"  {span['start_s']:.1f} to {span['end_s']:.1f} s: {span['message']}" for span in spans[:_MOST_SPANS]
        ]
    if len(spans) > _MOST_SPANS:
        lines.append(f"  and {len(spans) - _MOST_SPANS} more: --quality writes them all")
    return [f"{'verdict' if not place else '':<10} {line}" for place, line in enumerate(lines)]
