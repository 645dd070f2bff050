"""``musicnet-build train``: a published model on a package of ours."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import BASELINES
from musicnet_build.cli import baseline_options, console, parameters

if TYPE_CHECKING:
    from musicnet_build.jobs.resume import Record


@click.command(name="train", epilog=f"Models: {', '.join(BASELINES)}.")
@click.argument("model", type=click.Choice(tuple(BASELINES)), metavar="MODEL")
@click.argument("package", type=parameters.existing_file)
@click.option("-o", "--output", type=parameters.OutputFolder(), required=True, help="Folder of the run.")
@baseline_options.preset_option
@baseline_options.device_option
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws weights and batches.")
@parameters.json_option
def command(model: str, package: Path, output: Path, preset: str, device: str, seed: int, as_json: bool) -> None:
    """Train MODEL on a PACKAGE that `pack` made, and write weights, record and curves.

    Run it again to go on where a training was killed; a training that is done is not done again.
    """
    with baseline_options.extra_needed():
        from musicnet_build.baselines.training import train
    with console.progress_bar(lines=True) as progress:
        record = train(model, package, output, preset=preset, seed=seed, device=device, progress=progress)
    values = _values(output, record)
    console.report(values, _lines(values), as_json)


def _values(output: Path, record: "Record") -> dict[str, Any]:
    made_from = record.made_from
    return {
        "output": str(output),
        "model": made_from["model"],
        "steps": made_from["settings"]["steps"],
        "parameters": record.report["parameters"],
        "figures": record.report["figures"],
    }


def _lines(values: dict[str, Any]) -> list[str]:
    return [
        f"{values['output']}: {values['model']}, {values['parameters']:,} parameters, {values['steps']:,} steps",
        *(f"{name:24} {value:.4f}" for name, value in values["figures"].items()),
    ]
