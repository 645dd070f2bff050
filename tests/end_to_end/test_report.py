"""Reports from the command line, opened in a real browser from the file alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audit_pages import CHROMIUM, FLAGS, write_music
from command_line import as_json, misused
from judged_dataset import made_dataset, note_event

from musicnet_build.listening.catalogue import judgements_folder
from musicnet_build.listening.judgements import Journal
from musicnet_build.listening.rating.sample_file import read_sample

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: page.complaints.append(dialog.message) or dialog.dismiss())
        page.on(
            "request", lambda one: None if one.url.startswith(("file:", "data:")) else page.complaints.append(one.url)
        )
        yield page
        assert page.complaints == []
        browser.close()


def figures(page: Any) -> Any:
    return json.loads(page.inner_text("#figures") or page.text_content("#figures"))


def test_a_recordings_report_opens_from_the_file_and_plays(page: Any, tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path, shifted=(5, 6))
    recording = recording.rename(tmp_path / f"{HOSTILE}.wav")
    span = {"start_s": 2.0, "end_s": 4.0, "message": HOSTILE}
    quality = tmp_path / "quality.json"
    quality.write_text(json.dumps({"verdict": "review", "quality": {"suspicions": [span]}}), encoding="utf-8")
    made = as_json("report", recording, labels, "-o", tmp_path / "report.html", "--quality", quality)
    assert made["bytes"] < 10 * 2**20
    page.goto((tmp_path / "report.html").as_uri())
    assert HOSTILE in page.inner_text("h1")
    assert "review" in page.inner_text(".lead")
    assert figures(page)["spans"] == 1
    page.click(".clip button")
    page.wait_for_selector(".clip[data-played]")
    assert float(page.get_attribute(".clip[data-played]", "data-played")) == pytest.approx(10.0, abs=0.01)
    page.fill(".clip input", "1")


def test_an_audits_report_says_what_the_json_says(page: Any, tmp_path: Path) -> None:
    dataset = made_dataset(tmp_path / "set")
    as_json("audit", "sample", dataset, "--n", "60")
    folder = judgements_folder(dataset)
    units = read_sample(folder).units
    events = [note_event(i, dataset, unit.recording, unit.note.row) for i, unit in enumerate(units) if unit.note]
    Journal(folder).append("ada", events)
    report = as_json("audit", "report", dataset, "-o", tmp_path / "audit.html")
    sentence = report.pop("sentence")
    page.goto((tmp_path / "audit.html").as_uri())
    assert figures(page) == report
    assert page.inner_text(".lead") == sentence
    as_json("report", dataset, "-o", tmp_path / "dataset.html")
    page.goto((tmp_path / "dataset.html").as_uri())
    assert figures(page)["audit"] == report
    assert page.locator("tbody tr").count() == 4
    assert page.locator(".clip").count() == 4


def test_misuse_is_said(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)
    assert "give a recording and its label file" in misused("report", recording, "-o", tmp_path / "a.html")
    assert "must end in .html" in misused("report", recording, labels, "-o", tmp_path / "a.pdf")
