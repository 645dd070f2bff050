"""What is wrong with the lines of a manifest, in sentences: a line to an entry, or to what keeps it from being one."""

from typing import Any, NamedTuple

from pydantic import ValidationError

from musicnet_build.choices import SPLITS, VERDICTS
from musicnet_build.datasets.tables.columns import COLUMNS, Entry
from musicnet_build.datasets.tables.spreadsheet import Row, fault_of_number, unknown_field
from musicnet_build.remote.urls import shown

_CHOICES = {"split": SPLITS, "verdict": VERDICTS}
_UNITS = {"start_s": "seconds", "end_s": "seconds", "tuning_cents": "cents", "transposition": "semitones"}


class Fault(NamedTuple):
    """What is wrong with a line; faults of one kind are told together."""

    line: int
    kind: str
    text: str


def checked_entry(row: Row, faults: list[Fault]) -> Entry | None:
    """Return the entry that a row makes; None where it makes none, and its faults are added to the list."""
    faults += [Fault(row.line, fault, fault) for fault in row.faults]
    if not row.fields:
        return None
    if not row.fields.keys() & {"score", "labels"}:
        faults.append(Fault(row.line, f"{row.line} score", "score is empty"))
    try:
        return Entry.model_validate(row.fields)
    except ValidationError as error:
        found = error.errors()
        faults += [Fault(row.line, _kind(fault), _sentence(fault)) for fault in found]
        return None


def _kind(fault: Any) -> str:
    """Faults of form, such as decimal commas, are one fault in all lines; others are told line by line."""
    return (
        f"{fault['loc']} {fault['type']}" if fault["type"].endswith(("_parsing", "literal_error")) else _sentence(fault)
    )


def _sentence(fault: Any) -> str:
    """Say in our own words what is wrong with a field."""
    name, kind = ".".join(map(str, fault["loc"])), fault["type"]
    if kind == "extra_forbidden":
        return unknown_field(name, COLUMNS)
    if kind == "missing":
        return f"{name} is empty"
    told = str(fault["msg"]).removeprefix("Value error, ")
    if not name:
        return told
    value = shown(str(fault["input"]))[:60]
    limits = fault.get("ctx", {})
    told_as = {
        "string_pattern_mismatch": "is not a whole number of at most nine digits",
        "string_too_long": f"is longer than {limits.get('max_length', 0):,} characters",
        "literal_error": f"is none of {', '.join(_CHOICES.get(name, ()))}",
        "float_parsing": fault_of_number(value, _UNITS.get(name, "")),
        "int_parsing": f"write a whole number of {_UNITS.get(name, '')}, as in -2",
        "greater_than_equal": f"is less than {limits.get('ge')}",
        "greater_than": f"is not above {limits.get('gt')}",
        "less_than_equal": f"is more than {limits.get('le')}",
        "finite_number": "is no number",
    }
    return f"{name} {value!r}: {told_as.get(kind, told)}"


def sentences(faults: list[Fault]) -> list[str]:
    """Return one sentence for each kind of fault, at its first line, ordered by line."""
    lines: dict[str, list[Fault]] = {}
    for fault in sorted(faults):
        lines.setdefault(fault.kind, []).append(fault)
    return [
        f"line {first.line}: {first.text}{_elsewhere([fault.line for fault in others])}"
        for first, *others in sorted(lines.values(), key=lambda group: (group[0].line, group[0].text))
    ]


def _elsewhere(lines: list[int]) -> str:
    if not lines:
        return ""
    named = ", ".join(map(str, lines[:5])) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")
    return f" (likewise in line{'s' if len(lines) > 1 else ''} {named})"
