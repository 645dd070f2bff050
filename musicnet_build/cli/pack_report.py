"""How the commands that pack a dataset of this package count and report."""

from pathlib import Path

from musicnet_build.cli import console


def recordings_in(dataset: Path) -> int:
    """Count the recordings of a dataset of this package."""
    from musicnet_build.corpora.musicnet import read_dataset

    return len(read_dataset(dataset))


def report(output: Path, count: int, size: int, seconds: float, as_json: bool) -> None:
    """Print what was written."""
    values = {"output": str(output), "recordings": count, "bytes": size, "seconds": round(seconds, 3)}
    console.report(values, [f"{output}: {count} recordings, {size / 1e6:.1f} MB, in {seconds:.1f} s"], as_json)
