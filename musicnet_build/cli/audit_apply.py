"""``musicnet-build audit apply``: from what people judged to the manifest."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.listening.verdicts import Verdicts

_REASON_LENGTH = 1000


@click.command(name="apply")
@click.argument("dataset", type=parameters.existing_folder)
@click.option("--manifest", type=parameters.existing_file, required=True, help="The CSV that DATASET was built of.")
@parameters.json_option
def command(dataset: Path, manifest: Path, as_json: bool) -> None:
    """Write the verdicts of people on DATASET into the columns `verdict` and `reason` of its manifest.

    Where reviewers differ the most pessimistic counts. Verdicts on labels that have changed since are left out, and
    named. Anchors that were kept go into the folder `anchors` beside the manifest, and into its column of that name.
    `musicnet-build build` obeys the manifest.
    """
    from musicnet_build.datasets.manifest import amend_manifest, read_manifest
    from musicnet_build.listening.catalogue import judgements_folder, plain, verdict_word
    from musicnet_build.listening.judgements import Journal, standing
    from musicnet_build.listening.verdicts import label_hashes, verdicts_of

    known = {entry.id for entry in read_manifest(manifest, allow_outside=True).entries}
    verdicts = verdicts_of(standing(Journal(judgements_folder(dataset)).read()), label_hashes(dataset))
    applied = {one: verdict for one, verdict in verdicts.held.items() if one in known}
    fields = {
        one: {"verdict": verdict_word(verdict.value), "reason": plain(verdict.text, _REASON_LENGTH)}
        for one, verdict in applied.items()
    }
    anchored = _copied_anchors(judgements_folder(dataset), manifest, known)
    changes = {one: fields.get(one, {}) | anchored.get(one, {}) for one in (*fields, *anchored)}
    if changes:
        amend_manifest(manifest, changes)
    unknown = sorted(set(verdicts.held) - known)
    values = {**_values(verdicts, fields, unknown), "anchors": anchored}
    told = [f"{'anchors':<9} {one:>6}  {columns['anchors']}" for one, columns in anchored.items()]
    console.report(values, [*told, *_lines(manifest, verdicts, fields, unknown)], as_json)


def _copied_anchors(judgements: Path, manifest: Path, known: set[str]) -> dict[str, dict[str, str]]:
    """Copy the anchors that were kept to the manifest; return the column of each recording that has any."""
    from musicnet_build.anchors import read_anchors, write_anchors
    from musicnet_build.listening.catalogue import ANCHORS_FOLDER

    columns = {}
    for one in sorted(known):
        kept = judgements / ANCHORS_FOLDER / f"{one}.csv"
        if kept.is_file():
            write_anchors(manifest.parent / ANCHORS_FOLDER / kept.name, read_anchors(kept))
            columns[one] = {"anchors": f"{ANCHORS_FOLDER}/{kept.name}"}
    return columns


def _values(verdicts: "Verdicts", fields: dict[str, dict[str, str]], unknown: list[str]) -> dict[str, Any]:
    applied = {one: {**fields[one], "by": dict(verdicts.held[one].by)} for one in fields}
    stale = [{"recording": recording, "reviewer": reviewer} for recording, reviewer in verdicts.stale]
    return {"applied": applied, "stale": stale, "not_in_manifest": unknown}


def _lines(manifest: Path, verdicts: "Verdicts", fields: dict[str, dict[str, str]], unknown: list[str]) -> list[str]:
    lines = []
    for one, values in fields.items():
        why = f" – {values['reason']}" if values["reason"] else ""
        held = verdicts.held[one]
        said = "" if held.agreed else f" ({', '.join(f'{reviewer}: {value}' for reviewer, value in held.by)})"
        lines.append(f"{values['verdict']:<9} {one:>6}{why}{said}")
    lines += [f"{'stale':<9} {recording:>6}  {reviewer} judged other labels" for recording, reviewer in verdicts.stale]
    lines += [f"{'unknown':<9} {one:>6}  not in the manifest" for one in unknown]
    return [*lines, f"{manifest}: {len(fields)} verdicts written"]
