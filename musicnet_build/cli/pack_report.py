"""How the commands that pack a dataset of this package count and report."""

from pathlib import Path
from typing import TYPE_CHECKING

from musicnet_build.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from musicnet_build.datasets.jobs import Outcome


def recordings_in(dataset: Path) -> int:
    """Count the recordings of a dataset of this package."""
    from musicnet_build.datasets.musicnet import read_dataset

    return len(read_dataset(dataset))


def counting(progress: console.Advance, total: int) -> "Callable[[Outcome], None]":
    """Return what to call with each outcome, so that the progress is that of ``total`` of them."""
    done = 0

    def on_done(outcome: "Outcome") -> None:
        nonlocal done
        done += 1
        progress("packing", done / total)

    return on_done


def report(output: Path, count: int, size: int, seconds: float, as_json: bool) -> None:
    """Print what was written."""
    values = {"output": str(output), "recordings": count, "bytes": size, "seconds": round(seconds, 3)}
    console.report(values, [f"{output}: {count} recordings, {size / 1e6:.1f} MB, in {seconds:.1f} s"], as_json)
