"""How evaluations of labels are shown as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from musicnet_build.evaluation.alignment import joint_calibration
from musicnet_build.evaluation.calibration import CORRECT_S, ConfidenceBin
from musicnet_build.evaluation.files import Labelling
from musicnet_build.evaluation.metrics import TOLERANCES_S

Column = tuple[str, Callable[[Mapping[str, Any]], float | None], str]
"""Heading, the figure of a row, and its format."""


LONGEST_NAME = 36


def figure(*path: str) -> Callable[[Mapping[str, Any]], float | None]:
    """A function that finds a figure by its names in nested dicts; None where a part is missing."""

    def find(values: Mapping[str, Any]) -> float | None:
        found: Any = values
        for name in path:
            found = None if found is None else found[name]
        figure: float | None = found
        return figure

    return find


def _error_columns(kind: str) -> list[Column]:
    in_ms = {"signed": "median_signed_ms", "median": "median_ms", "mean": "mean_ms", "p95": "p95_ms", "max": "max_ms"}
    return [
        *((name, figure(kind, field), "+.1f" if name == "signed" else ".1f") for name, field in in_ms.items()),
        *((f"<{1000 * t:.0f} ms", figure(kind, f"within_{1000 * t:.0f}_ms"), ".1%") for t in TOLERANCES_S),
    ]


_BLOCKS: dict[str, list[Column]] = {
    "onsets (ms)": [
        ("notes", figure("true_notes"), "d"),
        ("missing", figure("notes_without_label"), "d"),
        ("extra", figure("labels_without_note"), "d"),
        *_error_columns("onset"),
    ],
    "offsets (ms)": [
        ("notes", figure("offset", "notes"), "d"),
        ("matched", figure("offset", "matched"), "d"),
        *_error_columns("offset"),
    ],
    "score time (ms)": [
        ("TimeErr", figure("score_time", "time_err_ms"), ".1f"),
        ("TimeDev", figure("score_time", "time_dev_ms"), ".1f"),
        ("F1 on", figure("notes_by_onset", "f1"), ".4f"),
        ("F1 on+off", figure("notes_by_onset_and_offset", "f1"), ".4f"),
    ],
    "confidence": [
        ("labels", figure("calibration", "labels"), "d"),
        ("mean", figure("calibration", "mean_confidence"), ".3f"),
        ("correct", figure("calibration", "correct"), ".3f"),
        ("ECE", figure("calibration", "expected_calibration_error"), ".3f"),
        ("AUC", figure("calibration", "auc"), ".3f"),
        ("Brier", figure("calibration", "brier"), ".4f"),
    ],
}


_LISTS = {
    "missing": "{} true notes without a label",
    "extra": "{} labels without a true note",
    "largest_errors": "the {} largest onset errors",
}


def table_lines(labellings: Sequence[Labelling]) -> list[str]:
    """Return evaluations as lines of text: a table per kind of measure, a row per label file.

    Parameters
    ----------
    labellings : sequence of Labelling

    Returns
    -------
    list of str
    """
    groups = [_rows(labelling) for labelling in labellings]
    names = [name for group in groups for name in group]
    width = min(max(map(len, (*names, *_BLOCKS))), LONGEST_NAME)
    lines: list[str] = []
    for title, columns in _BLOCKS.items():
        rows = [row for group in groups for row in filled_rows(columns, group)]
        if rows:
            lines.append(heading_line(title, columns, width))
            lines += [f"{shortened(name, width):{width}}{cells}".rstrip() for name, cells in rows]
            lines.append("")
    for labelling in labellings:
        lines += _reliability_lines(labelling)
    return lines[:-1]


def shortened(name: str, width: int) -> str:
    """Leave out the middle of a long name: what tells names apart is at either end."""
    if len(name) <= width:
        return name
    return f"{name[: width // 2]}…{name[len(name) - (width - 1) // 2 :]}"


def list_lines(labellings: Sequence[Labelling]) -> list[str]:
    """Name the notes without a label, the labels without a note, and the largest onset errors, as lines of text.

    Parameters
    ----------
    labellings : sequence of Labelling

    Returns
    -------
    list of str
        A block per label file; times are those of the truth, or of the label where there is no true note.
    """
    lines: list[str] = []
    for labelling in labellings:
        for piece in labelling.pieces:
            listed = piece.evaluation.listed()
            for kind, title in _LISTS.items():
                notes = listed[kind]
                lines += ["", f"{piece.labels}: {title.format(len(notes))}", *map(_note_line, notes)]
    return lines


def _rows(labelling: Labelling) -> dict[str, Mapping[str, Any] | None]:
    """Figures by name of the row; None for a heading."""
    values = labelling.as_dict()
    if values["mean"] is None:
        return {labelling.name: values["pieces"][0]}
    pieces = {f"  {piece['name']}": piece for piece in values["pieces"]}
    return {labelling.name: None} | pieces | {f"  mean of {len(pieces)} pieces": values["mean"]}


def heading_line(title: str, columns: Sequence[Column], width: int) -> str:
    """Return the title of a table and the headings of its columns, the names of rows being ``width`` wide."""
    headings = "".join(f" {heading:>{column_width(heading)}}" for heading, _, _ in columns)
    return f"{title:{width}}{headings}"


def filled_rows(columns: Sequence[Column], group: Mapping[str, Mapping[str, Any] | None]) -> list[tuple[str, str]]:
    """Names and cells of the rows in which there is something to show, and of headings over such rows."""
    rows = [
        (name, figures)
        for name, figures in group.items()
        if figures is None or any(find(figures) is not None for _, find, _ in columns)
    ]
    if all(figures is None for _, figures in rows):
        return []
    return [(name, "" if figures is None else _cells(columns, figures)) for name, figures in rows]


def _cells(columns: Sequence[Column], figures: Mapping[str, Any]) -> str:
    return "".join(f" {shown(find(figures), form):>{column_width(heading)}}" for heading, find, form in columns)


def column_width(heading: str) -> int:
    return max(len(heading), 7)


def _reliability_lines(labelling: Labelling) -> Iterator[str]:
    found = joint_calibration([piece.evaluation for piece in labelling.pieces])
    if found is None:
        return
    yield f"{labelling.name}: confidence against the share of onsets within {1000 * CORRECT_S:.0f} ms"
    yield f"{'confidence':>12}{'labels':>10}{'mean':>10}{'correct':>10}"
    for one in filter(_has_labels, found.bins):
        mean, correct = shown(one.mean_confidence, ".3f"), shown(one.correct, ".3f")
        yield f"{f'{one.low:.1f} to {one.high:.1f}':>12}{one.labels:>10}{mean:>10}{correct:>10}"
    yield ""


def _has_labels(one: ConfidenceBin) -> bool:
    return one.labels > 0


def shown(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _note_line(note: Mapping[str, Any]) -> str:
    error = f"  {note['error_ms']:+9.1f} ms" if "error_ms" in note else ""
    return f"{note['onset_s']:11.3f} s  {note['name']:4}{error}"
