"""How evaluations of transcriptions are shown as text."""

from collections.abc import Mapping
from typing import Any

from musicnet_build.evaluation.report import LONGEST_NAME, Column, figure, filled_rows, heading_line, shortened
from musicnet_build.evaluation.transcription.files import Transcriptions

_MATCH = (("P", "precision"), ("R", "recall"), ("F1", "f1"))
_ERRORS = (("accuracy", "accuracy"), ("Etot", "e_tot"), ("Esub", "e_sub"), ("Emiss", "e_miss"), ("Efa", "e_fa"))
_COUNTS: list[Column] = [("true", figure("true_notes"), ".0f"), ("found", figure("predicted_notes"), ".0f")]


def _shares(kind: str, names: tuple[tuple[str, str], ...]) -> list[Column]:
    return [(heading, figure(kind, name), ".4f") for heading, name in names]


def table_lines(found: Transcriptions) -> list[str]:
    """Return an evaluation as lines of text: a table per kind of measure, a row per piece.

    Parameters
    ----------
    found : Transcriptions

    Returns
    -------
    list of str
    """
    rows = _rows(found)
    blocks = _blocks(found.tolerance_s)
    width = min(max(map(len, (*rows, *blocks))), LONGEST_NAME)
    lines: list[str] = []
    for title, columns in blocks.items():
        filled = filled_rows(columns, rows)
        if filled:
            lines.append(heading_line(title, columns, width))
            lines += [f"{shortened(name, width):{width}}{cells}".rstrip() for name, cells in filled]
            lines.append("")
    return lines[:-1]


def _blocks(tolerance_s: float) -> dict[str, list[Column]]:
    precisions = (("all", "all"), ("1 note", "one_note"), ("3 notes", "three_notes"))
    return {
        "frames": _shares("frame", (*_MATCH, *_ERRORS)),
        f"notes (onset ±{1000 * tolerance_s:g} ms)": [*_COUNTS, *_shares("note", _MATCH)],
        "notes with offsets": _shares("note_with_offset", _MATCH),
        "average precision of frames": _shares("average_precision", precisions),
    }


def _rows(found: Transcriptions) -> dict[str, Mapping[str, Any] | None]:
    values = found.as_dict()
    rows: dict[str, Mapping[str, Any] | None] = {piece["name"]: piece for piece in values["pieces"]}
    if len(rows) == 1:
        return rows
    of_all = {
        "true_notes": None, "predicted_notes": None, "frame": None, "note": None, "note_with_offset": None,
        "average_precision": values["average_precision"],
    }  # fmt: skip
    about = {f"mean of {len(rows)} pieces": values["mean"], "deviation": values["deviation"]}
    return rows | about | {"all frames together": of_all}
