"""``musicnet-build init``: pair recordings and scores into a manifest."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.datasets.pairing import Pairing

_SHOWN = 20


@click.command(name="init")
@click.argument("recordings", type=parameters.existing_folder)
@click.argument("scores", type=parameters.existing_folder)
@click.option("-o", "--output", type=parameters.OutputFile(".csv"), help="Manifest to write.")
@click.option(
    "--update", type=parameters.existing_file,
    help="Manifest to extend instead: its lines, ids and edits stay as they are, new recordings are appended.",
)  # fmt: skip
@click.option("--test", "test_share", type=click.FloatRange(0, 1), help="Draw this share for the test set.")
@click.option("--validation", "validation_share", type=click.FloatRange(0, 1), help="And this share for validation.")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed of the draw.")
@parameters.verbose_option
@parameters.json_option
def command(
    recordings: Path,
    scores: Path,
    output: Path | None,
    update: Path | None,
    test_share: float | None,
    validation_share: float | None,
    seed: int,
    verbose: bool,
    as_json: bool,
) -> None:
    """Find the score of each recording below RECORDINGS among those below SCORES, by name and by content.

    Look at the manifest before you build: lines with something in the column `check` are doubtful. Test and validation
    sets are drawn by composition.
    """
    manifest = _manifest(output, update)
    from musicnet_build.corpora.splits import draw_splits
    from musicnet_build.datasets.manifest import extend_manifest, manifest_fields, write_manifest
    from musicnet_build.datasets.pairing import manifest_rows, pair_files

    started = time.monotonic()
    folder = manifest.absolute().parent
    present = manifest_fields(update) if update else []
    known = [folder / row[name] for row in present for name in ("recording", "score") if name in row]
    with console.progress_bar(verbose) as progress:
        pairing = pair_files(recordings, scores, known=known, progress=progress)
    rows = manifest_rows([pair for pair in pairing.pairs if _is_text(pair)], folder, present)
    shares = {"test": test_share, "validation": validation_share}
    drawn = {split: share for split, share in shares.items() if share is not None}
    if drawn:
        splits = draw_splits(rows, drawn, seed, present)
        rows = [row | {"split": split} for row, split in zip(rows, splits, strict=True)]
    if update:
        extend_manifest(update, rows)
    else:
        write_manifest(manifest, rows)
    gone = [row["recording"] for row in present if "recording" in row and not (folder / row["recording"]).is_file()]
    values = _values(manifest, pairing, rows, gone, round(time.monotonic() - started, 3))
    _warn(values, folder, rows)
    console.report(values, _lines(values), as_json)


def _manifest(output: Path | None, update: Path | None) -> Path:
    if (output is None) == (update is None):
        raise click.UsageError("give either -o, a manifest to write, or --update, one to extend.")
    if output is not None and output.exists():
        raise click.UsageError(
            f"{click.format_filename(output)} exists already: give another name, or extend it with --update."
        )
    return output or update or Path()


def _is_text(pair: Any) -> bool:
    from musicnet_build.datasets.pairing import is_writable_name

    return is_writable_name(pair.recording) and is_writable_name(pair.score or Path())


def _values(
    manifest: Path, pairing: "Pairing", rows: Sequence[dict[str, Any]], gone: list[str], seconds: float
) -> dict[str, Any]:
    unpaired = [
        {"recording": str(pair.recording), "reason": pair.doubt}
        for pair in pairing.pairs
        if pair.score is None and _is_text(pair)
    ]
    unpaired += [
        {"recording": repr(str(pair.recording)), "reason": "its path, or its score's, is no plain text"}
        for pair in pairing.pairs
        if not _is_text(pair)
    ]
    return {
        "manifest": str(manifest),
        "paired": len(rows),
        "by_content": sum(row["paired_by"].startswith("content") for row in rows),
        "doubtful": sum(bool(row["check"]) for row in rows),
        "splits": dict(Counter(row["split"] for row in rows)),
        "unpaired": unpaired,
        "unused_scores": list(map(str, pairing.unused)),
        "passed_over": list(map(str, pairing.passed_over)),
        "gone": gone,
        "seconds": seconds,
    }


def _warn(values: dict[str, Any], folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    from musicnet_build.datasets.manifest import inside

    told = [f"{one['recording']} is not in the manifest: {one['reason']}" for one in values["unpaired"]]
    told += [f"{path} is used by no recording" for path in values["unused_scores"]]
    told += [f"{path} is in the manifest, and is gone" for path in values["gone"]]
    console.warn(told[:_SHOWN])
    if len(told) > _SHOWN:
        console.warn([f"{len(told) - _SHOWN} more of the kind; --json names all"])
    if values["passed_over"]:
        endings = Counter(Path(path).suffix.lower() or "no ending" for path in values["passed_over"])
        listed = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(8))
        example = values["passed_over"][0]
        console.warn([f"passed over, neither recording nor score by the ending: {listed} (such as {example})"])
    if rows and not all(inside(folder, rows[0][name]) for name in ("recording", "score")):
        console.warn(["files lie outside the manifest's folder: `build` wants --allow-outside for this manifest"])


def _lines(values: dict[str, Any]) -> list[str]:
    sets = ", ".join(f"{count} {split}" for split, count in sorted(values["splits"].items()))
    return [
        f"{values['manifest']}: {values['paired']} pairs ({values['by_content']} by content), {values['doubtful']} of "
        f"them doubtful, {len(values['unpaired'])} left out, in {values['seconds']:.1f} s",
        *([f"sets: {sets}"] if sets else []),
    ]
