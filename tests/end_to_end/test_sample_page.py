"""Tests of the page that walks a reviewer through a draw, in a real browser."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from audit_pages import CHROMIUM, FLAGS, running, write_music

from musicnet_build.listening.catalogue import Catalogue, files_catalogue
from musicnet_build.listening.judgements import Journal
from musicnet_build.listening.label_set import read_label_set
from musicnet_build.listening.rating.error_rate import error_rate
from musicnet_build.listening.rating.heard import heard_of
from musicnet_build.listening.rating.sample_file import drawn_sample, write_sample

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")

SAVED = "document.getElementById('saved').textContent.includes('✓')"


def until(page: Any, expression: str) -> None:
    deadline = time.monotonic() + 120
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never became true: {expression}"
        page.wait_for_timeout(30)


@contextlib.contextmanager
def opened(catalogue: Catalogue) -> Iterator[Any]:
    """The page of a draw; it may complain of nothing."""
    complaints: list[str] = []
    with running(catalogue) as server, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(server.address)
        page.wait_for_selector("body[data-ready]")
        page.click("#to-sample")
        page.wait_for_selector("body[data-ready=ada]")
        yield page
        browser.close()
    assert complaints == []


def test_a_reviewer_walks_through_the_draw_by_keys_alone(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)
    catalogue = files_catalogue(recording, [labels])
    write_sample(catalogue.judgements, drawn_sample(catalogue, "note", 5, 1))
    with opened(catalogue) as page:
        until(page, "sampleWalk.trials.length > 5")
        count = page.evaluate("sampleWalk.trials.length")
        page.keyboard.press(" ")
        until(page, "sampleWalk.player.state === 'playing'")
        page.keyboard.press("z")
        until(page, "sampleWalk.player.state === 'ended'")
        for key in ("e", *"f" * (count - 1)):
            page.keyboard.press(key)
        until(page, SAVED)
        assert "all are judged" in page.inner_text("#progress")
        page.reload()
        page.wait_for_selector("body[data-ready=ada]")
        assert page.evaluate("sampleWalk.trials.every((trial) => trial.value)")
    events = Journal(catalogue.judgements).read()
    assert len(events) == count
    assert events[0]["value"] == "tone_early"


def test_clips_are_heard_to_their_end_and_wrong_labels_marked(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)
    catalogue = files_catalogue(recording, [labels])
    sample = drawn_sample(catalogue, "clip", 2, 1, seconds=5)
    write_sample(catalogue.judgements, sample)
    with opened(catalogue) as page:
        page.click("#notes button:nth-child(3)")
        until(page, "sampleWalk.player.state === 'playing'")
        page.keyboard.press("w")
        assert "wrong pitch" in page.inner_text("#notes button:nth-child(3)")
        page.keyboard.press("o")
        page.keyboard.press("h")
        page.keyboard.press("h")
        until(page, SAVED)
        assert "all are judged" in page.inner_text("#progress")
    events = Journal(catalogue.judgements).read()
    assert [event["kind"] for event in events] == ["note", "missing", "clip", "clip"]
    label_set = read_label_set(catalogue.items[0], 0)
    report = error_rate(heard_of(sample, events, {"music": label_set}), events)
    assert report["judged"] == 2
    assert report["by_kind"]["wrong_pitch"]["wrong"] == report["rate"]["wrong"] == 1
    assert report["missing"]["wrong"] == 1
