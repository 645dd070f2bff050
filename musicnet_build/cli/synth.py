"""``musicnet-build synth``: render a score to audio."""

from pathlib import Path

import click

from musicnet_build.cli import console, parameters


@click.command(name="synth")
@click.argument("score", type=parameters.existing_file)
@parameters.audio_output_option
@parameters.soundfont_option
@parameters.strict_option
@parameters.verbose_option
@parameters.json_option
def command(score: Path, output: Path, soundfont: str | None, strict: bool, verbose: bool, as_json: bool) -> None:
    """Render SCORE to mono audio at 44.1 kHz: score second 0 is sample 0.

    SCORE is a MIDI file; with the extra `musicxml` also MusicXML, MEI or Humdrum.
    """
    parameters.check_outputs([score], [output])
    from musicnet_build.audio.io import write_audio
    from musicnet_build.notes import SAMPLE_RATE
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.render import synthesize
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    music = read_score(score)
    chosen = choose_soundfont(soundfont)
    with console.progress_bar(verbose) as progress:
        progress("synthesizing the score", 0.0)
        rendered = synthesize(music, chosen, strict=strict)
        progress("writing", 0.0)
        write_audio(output, rendered.audio, SAMPLE_RATE)
    warnings = [*music.warnings, *rendered.warnings]
    console.warn(warnings)
    duration_s = len(rendered.audio) / SAMPLE_RATE
    console.report(
        {
            "output": str(output),
            "duration_s": duration_s,
            "notes": len(music.notes),
            "soundfont": {"name": chosen.name, "path": str(chosen.path), "sha256": chosen.sha256()},
            "warnings": warnings,
        },
        [f"{output}: {duration_s:.1f} s, {len(music.notes)} notes, soundfont {chosen.name}"],
        as_json,
    )
