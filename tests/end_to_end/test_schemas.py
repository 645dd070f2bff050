"""The JSON that commands write is what the schemas in docs/schemas describe."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import as_json
from conftest import Music
from documents import ROOT
from jsonschema import Draft202012Validator


def faults(schema: str, value: Any) -> list[str]:
    content = json.loads((ROOT / "docs" / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(content).iter_errors(value)]


@pytest.mark.parametrize("preset", ["precise", "musicnet"])
def test_align_prints_and_writes_a_report(music: Music, tmp_path: Path, preset: str) -> None:
    report = ("--quality", tmp_path / "report.json") if preset == "precise" else ()
    printed = as_json("align", music.recording, music.score, "-o", tmp_path / "l.csv", "--preset", preset, *report)
    assert faults("report", printed) == []
    for path in tmp_path.glob("report.json"):
        assert faults("report", json.loads(path.read_text(encoding="utf-8"))) == []


def test_a_dataset_holds_reports_an_index_and_its_provenance(dataset: Path) -> None:
    reports = sorted((dataset / "quality").glob("*.json"))
    assert len(reports) == 3
    for path in (*reports, dataset / "index.json", dataset / "provenance.json"):
        schema = "report" if path in reports else path.stem
        assert faults(schema, json.loads(path.read_text(encoding="utf-8"))) == []


def test_a_schema_refuses_what_it_does_not_describe() -> None:
    assert faults("report", {"verdict": "accepted"}) != []
    assert faults("index", {"version": "1.0", "tracks": {"1": {"audio": ["a.wav"]}}, "metadata": {}}) != []
