"""``musicnet-build refine``: nearly right labels, moved to where their notes are heard."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.checking.refine import Refined


@click.command(name="refine")
@click.argument("recording", type=parameters.existing_file)
@click.argument("labels", type=parameters.existing_file)
@click.option(
    "-o", "--output", type=parameters.LabelOutputFile(), required=True,
    help="Labels to write; the ending names the format.",
)  # fmt: skip
@click.option(
    "--within", "within_s", type=click.FloatRange(min=0, min_open=True, max=2.0), default=0.2, show_default=True,
    help="Move no note by more than this, in seconds.",
)  # fmt: skip
@parameters.force_option
@parameters.verbose_option
@parameters.json_option
def command(
    recording: Path, labels: Path, output: Path, within_s: float, force: bool, verbose: bool, as_json: bool
) -> None:
    """Move the notes of LABELS (or of a MIDI file in time) to where RECORDING has them.

    First a constant offset and a drift, then note by note. Notes of one pitch keep their order; what the recording
    does not settle stays where it was.
    """
    parameters.check_outputs([recording, labels], [output])
    parameters.keep_labels([output], force)
    from musicnet_build.checking.files import refine_files

    with console.progress_bar(verbose) as progress:
        progress("listening", 0.0)
        refined = refine_files(recording, labels, output, within_s=within_s)
    values = _values(refined, output)
    console.report(values, _lines(values), as_json)


def _values(refined: "Refined", output: Path) -> dict[str, Any]:
    import numpy as np

    moved_s, clock = np.abs(refined.moved_s), refined.clock
    return {
        "output": str(output),
        "notes": len(refined.notes),
        "offset_s": clock.offset_s if clock else None,
        "drift_ppm": clock.drift_ppm if clock else None,
        "moved_notes": int(np.sum(moved_s > 1e-6)),
        "median_move_s": float(np.median(moved_s)),
        "largest_move_s": float(moved_s.max()),
    }


def _lines(values: dict[str, Any]) -> list[str]:
    clock = ""
    if values["offset_s"] is not None:
        clock = f" (they were {1000 * values['offset_s']:+.0f} ms late, drifting {values['drift_ppm']:+.0f} ppm)"
    return [
        f"moved      {values['moved_notes']} of {values['notes']} notes{clock}",
        f"by         {1000 * values['median_move_s']:.0f} ms in the median, {1000 * values['largest_move_s']:.0f} at "
        "most",
        f"wrote      {values['output']}",
    ]
