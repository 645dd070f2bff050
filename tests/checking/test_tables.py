"""Errata as tables: a row each, whatever names hold, and a page on which text is only text."""

import csv
import io
import json

from heard_labels import evidence_of, melody

from musicnet_build.checking.check import checked
from musicnet_build.checking.files import CheckedFile
from musicnet_build.checking.tables import COLUMNS, csv_text, html_text, json_text, kind_counts


def some_files() -> list[CheckedFile]:
    labels = melody()
    labels["pitch"][[30, 60]] += 30
    found = checked(evidence_of(melody()), labels).as_dict()
    right = checked(evidence_of(melody()), melody()).as_dict()
    return [CheckedFile("right", "a.wav", "a.csv", right), CheckedFile("<b>, &", "b.wav", "b.csv", found)]


def test_the_csv_has_a_row_an_erratum() -> None:
    files = some_files()
    rows = list(csv.DictReader(io.StringIO(csv_text(files))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == sum(len(one.found["errata"]) for one in files) >= 2
    assert {row["recording"] for row in rows if row["what"] == "not_heard"} >= {"<b>, &"}


def test_the_json_has_every_recording() -> None:
    recordings = json.loads(json_text(some_files()))["recordings"]
    assert [one["name"] for one in recordings] == ["right", "<b>, &"]
    assert {"verdict", "offset_s", "drift_ppm", "errata"} <= set(recordings[0])


def test_the_page_escapes_names_and_shows_the_errata() -> None:
    page = html_text(some_files())
    assert "<b>" not in page
    assert "&lt;b&gt;, &amp;" in page
    assert "not heard there" in page


def test_kinds_are_counted() -> None:
    assert kind_counts(dict(some_files()[1].found))["not_heard"] == 2
