"""Reports of a recording, of a dataset, and of an audit."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from musicnet_build.listening.catalogue import Catalogue, Item, read_report
from musicnet_build.listening.label_set import read_label_set
from musicnet_build.listening.rating import text
from musicnet_build.listening.reports.drawings import confidence_curve, spectrogram, strip, tempo_curve
from musicnet_build.listening.reports.excerpts import Excerpt, excerpts, with_sound
from musicnet_build.listening.reports.html import document, escaped, listed, paragraph, section, table
from musicnet_build.listening.web.session import OpenRecording
from musicnet_build.notes import SAMPLE_RATE, NoteTable

WORST = 6
"""Recordings of a dataset of which a passage is heard."""


def recording_page(item: Item) -> str:
    """Return the report of a recording and its labels.

    Parameters
    ----------
    item : Item

    Returns
    -------
    str
        HTML.
    """
    opened = OpenRecording(item, None)
    notes, duration_s = opened.labels[0].notes, opened.sound.length / SAMPLE_RATE
    figures = {"id": item.id, **_figures(item, notes), "labels_sha256": opened.labels[0].sha256}
    spans = [
        (f"{span['start_s']:.1f}", f"{span['end_s']:.1f}", span["what"]) for span in opened.report.get("spans", ())
    ]
    why = (*opened.report.get("reasons", ()), *opened.report.get("structure", ()))
    tempo, times_s = tempo_curve(notes)
    body = "\n".join(
        [
            paragraph(_verdict(figures), "lead"),
            listed([*_behind_the_end(notes, duration_s), *why]),
            table(("about the recording", ""), item.metadata.items()),
            section("Labels over the spectrogram", spectrogram(opened), _LEGEND),
            section("Confidence (0 to 1)", strip(*confidence_curve(notes), duration_s, 1.0, "Mean confidence")),
            section(
                "Tempo (the middle is the median)",
                strip(tempo, times_s, duration_s, 2 * float(np.median(tempo)) if len(tempo) else 1.0, "Local tempo"),
            ),
            section("Suspicious spans", table(("from (s)", "to (s)", "what"), spans)),
        ]
    )
    heard = with_sound(((opened, one) for one in excerpts(opened)), len(body) + 20_000)
    return document(item.title, body + section("To hear", _HOW, heard), figures)


def dataset_page(catalogue: Catalogue, audit: Mapping[str, Any] | None = None) -> str:
    """Return the report of a dataset.

    Parameters
    ----------
    catalogue : Catalogue
    audit : mapping, optional
        What ``error_rate`` found.

    Returns
    -------
    str
        HTML.
    """
    figures = {item.id: _figures(item, read_label_set(item, 0).notes) for item in catalogue.items}
    rows = [
        (
            item.id,
            item.title,
            one["verdict"] or "–",
            one["notes"],
            _share(one["confidence"]),
            one["doubtful"],
            one["spans"],
        )
        for item in catalogue.items
        for one in [figures[item.id]]
    ]
    head = ("id", "title", "verdict", "labels", "mean confidence", "below 0.5", "suspicious spans")
    notes = sum(one["notes"] for one in figures.values())
    lead = paragraph(f"{len(rows)} recordings, {notes} labels.", "lead")
    body = lead + (audit_body(audit) if audit else "") + section("Recordings", table(head, rows))
    heard = with_sound(_worst_passages(catalogue, figures), len(body) + 20_000, names=True)
    everything: dict[str, Any] = {"recordings": figures, **({"audit": audit} if audit else {})}
    return document(catalogue.title, body + section("The least certain passages", _HOW, heard), everything)


def audit_page(title: str, audit: Mapping[str, Any]) -> str:
    """Return the report of an audit.

    Parameters
    ----------
    title : str
    audit : mapping
        What ``error_rate`` found.

    Returns
    -------
    str
        HTML.
    """
    return document(f"How many labels of {title} are wrong", audit_body(audit), audit)


def audit_body(audit: Mapping[str, Any]) -> str:
    """Return the figures of an audit as HTML."""
    report = dict(audit)
    paragraphs = "\n".join(text.lines(report)[1:])
    return section(
        "Judged by people", paragraph(text.sentence(report), "lead"), f"<pre>{_escaped_lines(paragraphs)}</pre>"
    )


_HOW = paragraph("The slider mixes the recording with a short tone at each labelled onset.", "soft")
_LEGEND = paragraph(
    "Boxes are labels: blue from a confidence of 0.9, yellow from 0.5, orange below; red bands are suspicious.", "soft"
)


def _figures(item: Item, notes: NoteTable) -> dict[str, Any]:
    report, confidence = read_report(item.report), notes["confidence"]
    known = confidence[np.isfinite(confidence)]
    return {
        "verdict": report.get("verdict"),
        "notes": len(notes),
        "confidence": round(float(known.mean()), 4) if len(known) else None,
        "doubtful": int((known < 0.5).sum()),
        "spans": len(report.get("spans", ())),
    }


def _verdict(figures: Mapping[str, Any]) -> str:
    verdict = f"Verdict: {figures['verdict']}. " if figures["verdict"] else ""
    sure = f", mean confidence {_share(figures['confidence'])}, {figures['doubtful']} below 0.5"
    return f"{verdict}{figures['notes']} labels{sure if figures['confidence'] is not None else ''}."


def _behind_the_end(notes: NoteTable, duration_s: float) -> list[str]:
    behind = int((notes["onset_s"] >= duration_s).sum())
    return [f"{behind} of the labels begin behind the end of the recording: is it theirs?"] if behind else []


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _worst_passages(catalogue: Catalogue, figures: Mapping[str, Any]) -> Iterator[tuple[OpenRecording, Excerpt]]:
    known = [item for item in catalogue.items if figures[item.id]["confidence"] is not None]
    for item in sorted(known, key=lambda item: figures[item.id]["confidence"])[:WORST]:
        opened = OpenRecording(item, None)
        yield opened, excerpts(opened)[0]


def _escaped_lines(lines: str) -> str:
    return "\n".join(escaped(line) for line in lines.split("\n"))
