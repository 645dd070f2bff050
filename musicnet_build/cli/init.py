"""``musicnet-build init``: pair recordings and scores into a manifest."""

import itertools
import time
from pathlib import Path

import click

from musicnet_build.cli import console, parameters

_SHOWN = 20


@click.command(name="init")
@click.argument("recordings", type=parameters.existing_folder)
@click.argument("scores", type=parameters.existing_folder)
@click.option("-o", "--output", type=parameters.OutputFile(".csv"), required=True, help="Manifest to write.")
@parameters.verbose_option
@parameters.json_option
def command(recordings: Path, scores: Path, output: Path, verbose: bool, as_json: bool) -> None:
    """Find the score of each recording below RECORDINGS among those below SCORES, by name and by content.

    Look at the manifest before you build: lines with something in the column `check` are doubtful.
    """
    if output.exists():
        raise click.UsageError(f"{click.format_filename(output)} exists already: give another name, or remove it.")
    from musicnet_build.datasets.manifest import inside, write_manifest
    from musicnet_build.datasets.pairing import is_writable_name, manifest_rows, pair_files

    started = time.monotonic()
    with console.progress_bar(verbose) as progress:
        pairs = pair_files(recordings, scores, progress=progress)
    writable = [is_writable_name(pair.recording) and is_writable_name(pair.score or Path()) for pair in pairs]
    named = list(itertools.compress(pairs, writable))
    unnamed = [pair for pair, is_so in zip(pairs, writable, strict=True) if not is_so]
    rows = manifest_rows(named, output.absolute().parent)
    write_manifest(output, rows)
    unpaired = [(str(pair.recording), pair.doubt) for pair in named if pair.score is None]
    unpaired += [(repr(str(pair.recording)), "its path, or its score's, is no plain text") for pair in unnamed]
    console.warn([f"{path} is not in the manifest: {reason}" for path, reason in unpaired[:_SHOWN]])
    if len(unpaired) > _SHOWN:
        console.warn([f"{len(unpaired) - _SHOWN} more recordings are not in the manifest"])
    if rows and not all(
        inside(output.absolute().parent, row[name]) for row in rows[:1] for name in ("recording", "score")
    ):
        console.warn(["files lie outside the manifest's folder: `build` wants --allow-outside for this manifest"])
    doubtful = sum(bool(row["check"]) for row in rows)
    seconds = time.monotonic() - started
    console.report(
        {
            "manifest": str(output),
            "paired": len(rows),
            "doubtful": doubtful,
            "unpaired": [{"recording": path, "reason": reason} for path, reason in unpaired],
            "seconds": round(seconds, 3),
        },
        [f"{output}: {len(rows)} pairs, {doubtful} of them doubtful, {len(unpaired)} left out, in {seconds:.1f} s"],
        as_json,
    )
