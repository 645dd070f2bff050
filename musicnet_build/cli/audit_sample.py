"""``musicnet-build audit sample``: draw what to listen to."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.listening.rating.sample_file import Sample

_COUNTS = {"note": 300, "clip": 28}


@click.command(name="sample")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("--unit", type=click.Choice(["note", "clip"]), default="note", show_default=True, help="What is drawn.")
@click.option("--n", "count", type=click.IntRange(1, 100_000), help="How many; by default 300 notes, or 28 clips.")
@click.option("--clips", type=click.IntRange(1, 100_000), help="Draw so many clips: short for --unit clip --n.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed draws the same sample.")
@click.option("--seconds", type=click.FloatRange(1, 600), default=30.0, show_default=True, help="Length of a clip.")
@click.option("--anew", is_flag=True, help="Replace a draw from other labels or with another seed.")
@parameters.json_option
def command(
    dataset: Path,
    unit: Literal["note", "clip"],
    count: int | None,
    clips: int | None,
    seed: int,
    seconds: float,
    anew: bool,
    as_json: bool,
) -> None:
    """Draw notes or clips of DATASET to be judged, so that an error rate can be quoted (`audit report`).

    More are drawn where our own confidence is low; each with a known probability, by which the rate makes up for it.
    With a greater --n an earlier draw is extended. The draw is kept in DATASET.audit/sample.json.
    """
    if clips is not None:
        if count is not None:
            raise click.UsageError("--clips is the number of clips itself: leave out --n.")
        unit, count = "clip", clips
    from musicnet_build.listening.catalogue import dataset_catalogue
    from musicnet_build.listening.rating.sample_file import (
        SAMPLE_FILE,
        check_extends,
        drawn_sample,
        read_sample,
        write_sample,
    )

    catalogue = dataset_catalogue(dataset)
    folder, path = catalogue.judgements, catalogue.judgements / SAMPLE_FILE
    sample = drawn_sample(catalogue, unit, count or _COUNTS[unit], seed, seconds if unit == "clip" else None)
    if path.exists() and not anew:
        check_extends(read_sample(folder), sample, path)
    write_sample(folder, sample)
    strata = {name: stratum.model_dump() for name, stratum in sample.strata.items()}
    values = {"sample": str(path), "unit": unit, "seed": seed, "drawn": len(sample.units), "strata": strata}
    console.report(values, _lines(sample, path), as_json)


def _lines(sample: "Sample", path: Path) -> list[str]:
    what = "notes" if sample.unit == "note" else f"clips of {sample.seconds:g} s"
    rows = [f"{name:<10} {one.drawn:>6} of {one.units:>8} {what}" for name, one in sample.strata.items()]
    return [*rows, f"{path}: {len(sample.units)} {what} of {len({one.recording for one in sample.units})} recordings"]
