"""The frame of a report: one file of HTML in which text is escaped and only its own script runs."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from musicnet_build.listening.catalogue import plain


def document(title: str, body: str, figures: Mapping[str, Any]) -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
    body : str
        HTML.
    figures : mapping
        What the page shows, as JSON in the element ``figures``.

    Returns
    -------
    str
    """
    script, style = _static("report.js"), _static("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Nothing from elsewhere, and no script but this one: whatever a text may hold, it does nothing.
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    # In a script element nothing but its end is read as HTML.
    data = json.dumps(figures, allow_nan=False).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<h1>{escaped(title)}</h1>\n{body}\n"
        f'<script type="application/json" id="figures">{data}</script>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def escaped(text: object) -> str:
    """Return text as HTML that shows it, without characters that turn or break lines."""
    return html.escape(plain(str(text), 1000))


def paragraph(text: object, style: str = "") -> str:
    """Return a paragraph of plain text."""
    return f'<p class="{style}">{escaped(text)}</p>' if style else f"<p>{escaped(text)}</p>"


def section(title: str, *parts: str) -> str:
    """Return parts of HTML under a heading; nothing where they are empty."""
    body = "\n".join(filter(None, parts))
    return f"<h2>{escaped(title)}</h2>\n{body}\n" if body else ""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of plain texts; nothing where it has no rows."""
    body = "".join(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    columns = "".join(f'<th scope="col">{escaped(name)}</th>' for name in head)
    return (
        f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>' if body else ""
    )


def listed(texts: Iterable[object]) -> str:
    """Return a list of plain texts; nothing where there are none."""
    items = "".join(f"<li>{escaped(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _static(name: str) -> str:
    file = resources.files("musicnet_build.listening.reports") / "static" / name
    return file.read_text(encoding="utf-8")
