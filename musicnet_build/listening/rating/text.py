"""The error rate in words: what ``audit report`` prints."""

from typing import Any

from musicnet_build.listening.catalogue import plain


def sentence(report: dict[str, Any]) -> str:
    """Return the figure as it can be quoted.

    Parameters
    ----------
    report : dict
        What ``error_rate`` returns.

    Returns
    -------
    str
    """
    if not report["judged"]:
        return "Nothing that was drawn has been judged: there is no error rate."
    what = "notes" if report["unit"] == "note" else f"clips of {report['seconds']:g} s"
    heard = f"{report['judged']} {what} of {report['recordings']} recordings, drawn by chance within strata"
    by = f"{len(report['by_reviewer'])} reviewer{'s' if len(report['by_reviewer']) > 1 else ''}"
    return f"{_percent(report['rate'])} of the labels are wrong ({heard}, judged by {by})."


def lines(report: dict[str, Any]) -> list[str]:
    """Return the report as lines of text.

    Parameters
    ----------
    report : dict

    Returns
    -------
    list of str
    """
    if not report["judged"]:
        return [sentence(report)]
    low, high = report["bootstrap"]
    parts = [
        [sentence(report), f"check: a bootstrap gives {_share(low)} to {_share(high)}"],
        _whole(report),
        _table("stratum", report["strata"], lambda row: f"  {row['judged']} of {row['drawn']} judged"),
        _table("kind", report["by_kind"]),
        _table("instrument", report["by_instrument"]),
        _table("confidence", {f"{row['from']:g}–{row['to']:g}": row for row in report["by_confidence"]}, _expected),
        _table("reviewer", report["by_reviewer"]),
        _listeners(report),
        _agreement(report),
        _next(report),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part).split("\n")


def _whole(report: dict[str, Any]) -> list[str]:
    result = [f"the more pessimistic reviewer alone: {_percent(report['pessimistic'])}"]
    if report["corrected"]:
        result.append(f"corrected for what the ear misses and imagines: {_percent(report['corrected'])}")
    if report["missing"]:
        result.append(f"notes that sound and have no label: {_percent(report['missing'])} of all notes")
    if report["judged"] < report["drawn"]:
        result.append(f"{report['drawn'] - report['judged']} of {report['drawn']} are not judged yet")
    if report["stale"]:
        result.append(f"{report['stale']} judgements are about labels that have changed; they count in nothing")
    return result


def _table(title: str, rows: dict[str, Any], more: Any = lambda row: "") -> list[str]:
    names = [plain(name, 40) for name in rows]
    width = max((len(name) for name in (*names, title)), default=0)
    body = [
        f"{name:<{width}}  {row['wrong']:>5g} of {row['notes']:<6} {_percent(row)}{more(row)}"
        for name, row in zip(names, rows.values(), strict=True)
    ]
    return [f"{title:<{width}}  {'wrong':>5}", *body] if body else []


def _expected(row: dict[str, Any]) -> str:
    return f"  we expected {_share(1 - row['confidence'])}"


def _listeners(report: dict[str, Any]) -> list[str]:
    result = []
    for name, one in report["listeners"].items():
        middle, low, high = one["threshold_ms"]
        result += [
            f"{plain(name, 40)} hears a tone moved by {middle:.0f} ms ({low:.0f} to {high:.0f}) in half of the trials; "
            f"of those moved by 60 ms or more {_percent(one['heard'])}; calls {_percent(one['imagined'])} of the "
            "right ones wrong"
        ]
    return result


def _agreement(report: dict[str, Any]) -> list[str]:
    result = []
    for pair in report["agreement"]:
        names = " and ".join(plain(name, 40) for name in pair["reviewers"])
        measures = (f"{title} {_measure(pair[key])}" for key, title in _MEASURES.items())
        result.append(f"{names} on {pair['notes']} labels: {', '.join(measures)}")
    return result


_MEASURES = {"raw": "same", "on_wrong": "same on wrong", "kappa": "kappa", "ac1": "AC1"}


def _measure(values: list[float | None]) -> str:
    if any(value is None for value in values):
        return "–"
    value, low, high = values
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _next(report: dict[str, Any]) -> list[str]:
    more = {name: count for name, count in report["to_halve"].items() if count}
    units = "notes" if report["unit"] == "note" else "clips"
    listed = ", ".join(f"{count} {name}" for name, count in more.items())
    result = [f"half as wide an interval takes about {sum(more.values())} {units} more: {listed}"] if more else []
    if "acceptance" in report:
        result += _acceptance(report["acceptance"])
    return result


def _acceptance(plan: dict[str, Any]) -> list[str]:
    limit = _share(plan["below"])
    none, one, two = plan["notes_needed"]
    verdict = "this is shown" if plan["accepted"] else "this is not shown yet"
    return [
        f"fewer than {limit} wrong: {verdict} (probability {plan['probability']:.3f}, 0.95 is needed)",
        f"a plan for notes drawn with equal chances: accept below {limit} after {none} notes without an error, "
        f"{one} with one, {two} with two",
    ]


def _percent(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "unknown"
    return f"{_share(row['value'])} (95 %: {_share(row['low'])} to {_share(row['high'])})"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
