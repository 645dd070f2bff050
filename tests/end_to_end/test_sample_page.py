"""Tests of the page that walks a reviewer through a draw, in a real browser."""

import time
from pathlib import Path
from typing import Any

import pytest
from audit_pages import CHROMIUM, FLAGS, running, write_music

from musicnet_build.listening.catalogue import files_catalogue
from musicnet_build.listening.judgements import Journal
from musicnet_build.listening.rating.sample_file import drawn_sample, write_sample

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")


def until(page: Any, expression: str) -> None:
    deadline = time.monotonic() + 20
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never became true: {expression}"
        page.wait_for_timeout(30)


def test_a_reviewer_walks_through_the_draw_by_keys_alone(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)
    catalogue = files_catalogue(recording, [labels])
    write_sample(catalogue.judgements, drawn_sample(catalogue, "note", 5, 1))
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
        until(page, "sampleWalk.trials.length > 5")
        count = page.evaluate("sampleWalk.trials.length")
        page.keyboard.press(" ")
        until(page, "sampleWalk.player.state === 'playing'")
        page.keyboard.press("z")
        until(page, "sampleWalk.player.state === 'ended'")
        for key in ("e", *"f" * (count - 1)):
            page.keyboard.press(key)
        until(page, "document.getElementById('saved').textContent.includes('✓')")
        assert "all are judged" in page.inner_text("#progress")
        page.keyboard.press("b")
        page.reload()
        page.wait_for_selector("body[data-ready=ada]")
        assert page.evaluate("sampleWalk.trials.every((trial) => trial.value)")
        browser.close()
    events = Journal(catalogue.judgements).read()
    assert len(events) == count
    assert events[0]["value"] == "tone_early"
    assert complaints == []
