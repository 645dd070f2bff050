"""``musicnet-build generate ascension``: every note of some instruments, and every pair of them."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, pack_options, parameters, timbre_options

if TYPE_CHECKING:
    from musicnet_build.corpora.timbre_set import Instrument, TimbreSet


@click.command(name="ascension")
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder of the set.")
@timbre_options.instrument_option
@timbre_options.soundfonts_option
@click.option(
    "--velocity", "velocities", type=click.IntRange(1, 127), multiple=True, default=(64, 90, 116), show_default=True,
    help="Velocity of the notes. May be given several times.",
)  # fmt: skip
@click.option("--passes", type=click.IntRange(1), default=1, show_default=True, help="How often every pair is played.")
@click.option("--rest", "rest_beats", type=click.FloatRange(0, 16), default=0.0, show_default=True,
              help="Beats of rest after each note.")  # fmt: skip
@pack_options.seed_option
@click.option(
    "--check-presets/--no-check-presets", default=True, show_default=True,
    help="Leave out presets that are silent, end early or sound at another pitch than written.",
)  # fmt: skip
@pack_options.run_options
def command(
    output: Path,
    instruments: "tuple[Instrument, ...]",
    soundfonts: tuple[str, ...],
    velocities: tuple[int, ...],
    passes: int,
    rest_beats: float,
    seed: int,
    check_presets: bool,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Render instruments alone and in pairs, every note of their ranges, as WAV, MIDI and labels.

    Each part of the set (an instrument alone, a pair) has the same number of notes, each a quarter note at 120. Without
    --soundfont the two best are taken, but one is always left for the tests. Run it again to make what is missing.
    """
    from musicnet_build.generation.ascension import AscensionSettings, default_soundfonts, generate_ascension
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    started = time.monotonic()
    settings = AscensionSettings(instruments, velocities, passes, rest_beats, seed, check_presets)
    fonts = [choose_soundfont(name) for name in soundfonts] or default_soundfonts() or [choose_soundfont()]
    with console.progress_bar(verbose) as progress:
        progress("rendering", 0.0)
        on_done = console.counting(progress, "rendering", settings.pieces)
        made = generate_ascension(output, fonts, settings, workers=workers, on_done=on_done)
    console.warn(made.warnings)
    values = _values(output, made) | {"seconds": round(time.monotonic() - started, 3)}
    console.report(values, _lines(values), as_json)


def _values(output: Path, made: "TimbreSet") -> dict[str, Any]:
    counts = timbre_options.quarter_notes_by_part(made)
    return {
        "output": str(output),
        "pieces": len(made.pieces),
        "sound_s": sum(piece.duration_s for piece in made.pieces),
        "notes": timbre_options.notes_by_part(made),
        "quarter_notes": counts,
        "balance": min(counts.values()) / max(counts.values()),
        "soundfonts": list(made.soundfonts),
        "warnings": list(made.warnings),
    }


def _lines(values: dict[str, Any]) -> list[str]:
    minutes, seconds = values["sound_s"] / 60, values["seconds"]
    return [
        f"{values['output']}: {values['pieces']} pieces, {minutes:.1f} minutes, in {seconds:.1f} s",
        *(
            f"{name:24} {count:6} quarter notes, {values['notes'][name]:6} notes"
            for name, count in values["quarter_notes"].items()
        ),
        f"soundfonts: {', '.join(font['name'] for font in values['soundfonts'])}",
    ]
