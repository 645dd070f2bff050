"""``musicnet-build generate maps``: a MAPS-style corpus."""

import time
from pathlib import Path

import click

from musicnet_build.choices import CORPUS_AUDIO, CORPUS_PRESETS
from musicnet_build.cli import console, pack_options, parameters


@click.command(name="maps")
@click.option(
    "--preset", type=click.Choice(CORPUS_PRESETS), help="Recipe that comes with the package; tiny by default."
)
@click.option("--recipe", type=parameters.existing_file, help="Recipe of your own (YAML).")
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder of the corpus.")
@click.option(
    "--pieces", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="MIDI file, or folder of them, to play in every bank. May be given several times.",
)  # fmt: skip
@click.option(
    "--audio", type=click.Choice(CORPUS_AUDIO), default=CORPUS_AUDIO[0], show_default=True,
    help="WAV, or FLAC of the same 16 bits.",
)  # fmt: skip
@pack_options.run_options
def command(
    preset: str | None,
    recipe: Path | None,
    output: Path,
    pieces: tuple[Path, ...],
    audio: str,
    workers: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Generate a MAPS-style corpus from a recipe. Run it again to make what is missing."""
    if preset and recipe:
        raise click.UsageError("Give --preset or --recipe, not both.")
    from musicnet_build.errors import DatasetError
    from musicnet_build.generation.maps import generate_maps
    from musicnet_build.generation.maps_recipe import read_recipe

    started = time.monotonic()
    wanted = read_recipe(recipe or preset or CORPUS_PRESETS[0])
    wanted = wanted.model_copy(update={"pieces": (*wanted.pieces, *map(str, pieces))})
    with console.progress_bar(verbose) as progress:
        result = generate_maps(wanted, output, audio=audio, workers=workers, progress=progress)
    if result.failed:
        reasons = "; ".join(f"{outcome.id}: {outcome.reason}" for outcome in result.failed[:3])
        raise DatasetError(f"{len(result.failed)} jobs failed, the first of them {reasons} Run again to make the rest.")
    values = {
        "output": str(output),
        "banks": [bank.name for bank in wanted.banks],
        "sounds": result.sounds,
        "made": result.made,
        "seconds": round(time.monotonic() - started, 3),
    }
    lines = [
        f"{output}: {result.sounds} sounds in {len(wanted.banks)} banks, {result.made} of them made now",
        f"took {values['seconds']:.1f} s",
    ]
    console.report(values, lines, as_json)
