"""``musicnet-build generate performances``: scores, recordings of them, and the truth."""

import time
from pathlib import Path

import click

from musicnet_build.cli import console, pack_options, parameters


@click.command(name="performances")
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder to write into.")
@click.option("--pieces", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option(
    "--bars", type=click.IntRange(2, 400), default=12, show_default=True, help="Of each; four take some 10 s."
)
@parameters.soundfont_option
@pack_options.seed_option
@pack_options.run_options
def command(
    output: Path,
    pieces: int,
    bars: int,
    soundfont: str | None,
    seed: int,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Compose pieces and play them as people do: scores, recordings, and the true time of each note.

    For pianos and ensembles; with rubato, in another tempo than written, in a room. Align them with another soundfont
    than they are played with. Run it again to make what is missing.
    """
    from musicnet_build.generation.performances import PerformanceSettings, generate_performances
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    started, font = time.monotonic(), choose_soundfont(soundfont)
    with console.progress_bar(verbose) as progress:
        on_done = console.counting(progress, "playing", pieces)
        settings = PerformanceSettings(pieces, bars, seed)
        names = generate_performances(output, font, settings, workers=workers, on_done=on_done)
    seconds = round(time.monotonic() - started, 3)
    values = {"output": str(output), "pieces": len(names), "soundfont": font.name, "seconds": seconds}
    console.report(values, [f"{output}: {len(names)} pieces, played with {font.name}, in {seconds:.1f} s"], as_json)
