"""``musicnet-build generate timbre-test``: test sets out of real MIDI files."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, pack_options, parameters, timbre_options

if TYPE_CHECKING:
    from musicnet_build.corpora.timbre_set import Instrument


@click.command(name="timbre-test")
@click.argument("scores", type=parameters.existing_file, nargs=-1, required=True)
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder of the set.")
@click.option(
    "--training", type=parameters.existing_folder, multiple=True,
    help="Folder of a training set, whose soundfonts are not used. May be given several times.",
)  # fmt: skip
@timbre_options.soundfonts_option
@timbre_options.instrument_option
@click.option("--amplifier", is_flag=True, help="Send guitars through soft clipping and a loudspeaker's filter.")
@click.option("--pack", "package", type=parameters.OutputFile(".h5", ".hdf5"),
              help="Also pack the set, with the default settings of `pack timbre`.")  # fmt: skip
@pack_options.run_options
def command(
    scores: tuple[Path, ...],
    output: Path,
    training: tuple[Path, ...],
    soundfonts: tuple[str, ...],
    instruments: "tuple[Instrument, ...]",
    amplifier: bool,
    package: Path | None,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Render MIDI files that have all the instruments as a test set: combined, and each instrument alone.

    Each instrument's longest part becomes a melody, played at 120. Files that do not fit are refused with the reason.
    """
    if not training and not soundfonts:
        raise click.UsageError("Give --training (its soundfonts are then avoided) or --soundfont.")
    from musicnet_build.generation.melodies import TimbreTestSettings, generate_timbre_test, unused_soundfonts
    from musicnet_build.packing.timbre.package import pack_timbre
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    started = time.monotonic()
    fonts = unused_soundfonts(training, [choose_soundfont(name) for name in soundfonts])
    with console.progress_bar(verbose) as progress:
        progress("rendering", 0.0)
        on_done = console.counting(progress, "rendering", len(scores) * (1 + len(instruments)))
        made, refused = generate_timbre_test(
            output, scores, fonts, TimbreTestSettings(instruments, amplifier), workers=workers, on_done=on_done
        )
        if package is not None:
            pack_timbre(output, package, workers=workers, progress=progress)
    console.warn(made.warnings)
    values = {
        "output": str(output),
        "package": str(package) if package else None,
        "pieces": len(made.pieces),
        "notes": timbre_options.notes_by_part(made),
        "refused": [{"path": str(each.path), "reason": each.reason} for each in refused],
        "soundfonts": list(made.soundfonts),
        "warnings": list(made.warnings),
        "seconds": round(time.monotonic() - started, 3),
    }
    console.report(values, _lines(values, len(scores)), as_json)


def _lines(values: dict[str, Any], scores: int) -> list[str]:
    fitting = scores - len(values["refused"])
    lines = [f"{values['output']}: {fitting} of {scores} MIDI files, {values['pieces']} pieces"]
    lines += [f"{name:24} {count:6} notes" for name, count in values["notes"].items()]
    return lines + ([values["package"]] if values["package"] else [])
