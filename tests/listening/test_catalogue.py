"""Tests of what there is to listen to, and what the reports of both commands say of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Music
from small_dataset import Material

from musicnet_build.errors import DatasetError
from musicnet_build.listening.catalogue import (
    dataset_catalogue,
    files_catalogue,
    judgements_folder,
    plain,
    read_report,
)


def test_a_dataset_lists_its_recordings_with_reports(material: Material, tmp_path: Path) -> None:
    dataset = tmp_path / "set"
    material.build(dataset)
    catalogue = dataset_catalogue(dataset)
    assert [item.id for item in catalogue.items] == ["1", "2", "3"]
    assert catalogue.title == "set"
    assert catalogue.judgements == tmp_path / "set.audit"
    first = catalogue.items[0]
    assert first.title == "Bach, J. S. – Piece 1"
    assert first.audio.is_file()
    assert first.labels[0].is_file()
    # The paper's recipe does not say how sure it is.
    assert read_report(first.report) == {"verdict": None, "reasons": [], "spans": [], "structure": []}


def test_one_recording_is_a_catalogue_too(music: Music) -> None:
    catalogue = files_catalogue(music.recording, [music.truth, music.truth])
    assert [item.title for item in catalogue.items] == ["recording.flac"]
    assert len(catalogue.items[0].labels) == 2
    assert catalogue.judgements == music.truth.with_name("truth.audit")


def test_judgements_lie_beside_what_they_are_about(tmp_path: Path) -> None:
    (tmp_path / "set.v2").mkdir()
    assert judgements_folder(tmp_path / "set.v2") == tmp_path / "set.v2.audit"
    assert judgements_folder(f"{tmp_path}/set.v2/../set.v2/") == tmp_path / "set.v2.audit"


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="train_data"):
        dataset_catalogue(tmp_path)


SPAN = {"start_s": 1.0, "end_s": 2.5, "kind": "wrong score"}


@pytest.mark.parametrize(
    "report",
    [
        {"verdict": "accept", "reasons": ["r"], "quality": {"suspicions": [SPAN], "structure": ["s"]}},
        {"verdict": "accepted", "reasons": ["r"], "measures": {"suspicions": [SPAN], "structure": ["s"]}},
        {"quality": {"verdict": "accept", "reasons": ["r"], "suspicions": [SPAN], "structure": ["s"]}},
    ],
    ids=["of both commands", "of build 0.1.0", "of align 0.1.0"],
)
def test_reports_of_both_commands_are_read_and_those_of_earlier_versions(
    tmp_path: Path, report: dict[str, Any]
) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    assert read_report(path) == {
        "verdict": "accept",
        "reasons": ["r"],
        "spans": [{"start_s": 1.0, "end_s": 2.5, "what": "wrong score"}],
        "structure": ["s"],
    }


@pytest.mark.parametrize("text", ["[]", "{", '{"measures": {"suspicions": [{}]}}', '{"measures": {"suspicions": 3}}'])
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"report\.json"):
        read_report(path)


def test_no_report_says_nothing() -> None:
    assert read_report(None) == {}


def test_text_for_people_has_no_marks_that_turn_it_round() -> None:
    assert plain("a\u202eb\x00c\nd") == "ab c d"
    assert plain("x" * 400) == "x" * 299 + "…"
