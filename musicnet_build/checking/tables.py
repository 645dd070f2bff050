"""What was found as tables: CSV, JSON, and a page of HTML."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from musicnet_build.checking.errata import MESSAGES
from musicnet_build.checking.files import CheckedFile
from musicnet_build.choices import VERDICTS
from musicnet_build.files import write_text
from musicnet_build.listening.reports.html import document, listed, paragraph, section, table

ENDINGS = (".csv", ".json", ".html")
COLUMNS = ("recording", "verdict", "what", "start_s", "end_s", "note", "pitch", "by", "unit", "sure", "message")

_MOST_ROWS = 200  # of a recording on the page


def write_table(path: str | os.PathLike[str], checked: Sequence[CheckedFile]) -> None:
    """Write what was found to a file of the format that its ending names; it appears whole or not at all.

    Parameters
    ----------
    path : str or PathLike
        Ends in .csv (a row an erratum), .json (all that is known) or .html (to look at).
    checked : sequence of CheckedFile
    """
    forms = {".csv": csv_text, ".json": json_text, ".html": html_text}
    write_text(path, forms[Path(path).suffix.lower()](checked))


def csv_text(checked: Sequence[CheckedFile]) -> str:
    """Return a row an erratum under ``COLUMNS``."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one in checked:
        for erratum in one.found["errata"]:
            writer.writerow({"recording": one.name, "verdict": one.found["verdict"], **erratum})
    return buffer.getvalue()


def json_text(checked: Sequence[CheckedFile]) -> str:
    """Return all that is known of each recording."""
    return json.dumps({"recordings": [one.as_dict() for one in checked]}, indent=1, allow_nan=False) + "\n"


def html_text(checked: Sequence[CheckedFile]) -> str:
    """Return a page: the recordings, the worst first, and the errata of each."""
    ordered = sorted(checked, key=lambda one: -VERDICTS.index(one.found["verdict"]))
    counts = verdict_counts(checked)
    lead = paragraph(", ".join(f"{count} {verdict}" for verdict, count in counts.items()), "lead")
    overview = table(
        ("recording", "verdict", "labels", "mean confidence", "offset", "drift", "errata"), map(_overview_row, ordered)
    )
    parts = [section(one.name, *_recording_parts(one)) for one in ordered if one.found["errata"]]
    return document("Labels checked", "\n".join([lead, overview, *parts]), {"recordings": len(checked), **counts})


def verdict_counts(checked: Sequence[CheckedFile]) -> dict[str, int]:
    """Return how many recordings have each verdict."""
    counts = Counter(one.found["verdict"] for one in checked)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def kind_counts(found: dict[str, Any]) -> dict[str, int]:
    """Return how many errata of each kind there are, in the order of ``MESSAGES``."""
    counts = Counter(erratum["what"] for erratum in found["errata"])
    return {what: counts[what] for what in MESSAGES if counts[what]}


def _overview_row(one: CheckedFile) -> tuple[object, ...]:
    found = one.found
    offset, drift = found["offset_s"], found["drift_ppm"]
    return (
        one.name,
        found["verdict"],
        found["labels"],
        f"{found['mean_confidence']:.2f}",
        "" if offset is None else f"{1000 * offset:+.0f} ms",
        "" if drift is None else f"{drift:+.0f} ppm",
        ", ".join(f"{what} {count}" for what, count in kind_counts(dict(found)).items()),
    )


def _recording_parts(one: CheckedFile) -> list[str]:
    errata = one.found["errata"]
    rows = [(f"{row['start_s']:.2f}", MESSAGES[row["what"]], row["message"], f"{row['sure']:.2f}") for row in errata]
    more = len(rows) - _MOST_ROWS
    return [
        listed(one.found["reasons"]),
        table(("at (s)", "what", "which", "how sure"), rows[:_MOST_ROWS]),
        paragraph(f"and {more} more: the CSV has them all.") if more > 0 else "",
    ]
