"""Make the pictures of docs/listening.md: the page on the demo's music, driven in headless Chromium.

    python tools/listening_pictures.py [FOLDER]

The demo's recording is aligned by both recipes, the default and the paper's, so that there is something to compare.
Needs the extras ``audit`` and ``test``, and Chromium. Where FOLDER holds the music from an earlier call it is used.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright
from shrink_picture import main as shrink

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE = {"width": 1280, "height": 940}
PROGRAM = Path(sys.executable).with_name("musicnet-build")


def make_music(folder: Path) -> None:
    """The demo's recording, and its labels by both recipes."""
    if (folder / "paper.csv").exists():
        return
    music = (folder / "recording.flac", folder / "score.mid")
    call("demo", "-o", folder)
    call("align", *music, "-o", folder / "precise.csv", "--with-confidence", "--quality", folder / "quality.json")
    call("align", *music, "-o", folder / "paper.csv", "--preset", "musicnet")


def call(*arguments: str | Path) -> None:
    subprocess.run([PROGRAM, *map(str, arguments)], check=True)


def serve(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    """The page's process and its address."""
    files = [folder / name for name in ("recording.flac", "precise.csv", "paper.csv")]
    command = [PROGRAM, "audit", *files, "--quality", folder / "quality.json", "--reviewer", "ada", "--no-browser"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def until(page: Any, expression: str) -> None:
    while not page.evaluate(expression):
        page.wait_for_timeout(50)


def settle(page: Any) -> None:
    """Wait until nothing plays and every tile in view is here."""
    until(page, "!auditPage.player.active() && auditPage.zoom.envelope !== null")
    until(page, "[...auditPage.roll.tiles.kept.values()].every((tile) => tile.bitmap)")
    page.wait_for_timeout(300)


def photograph(page: Any, folder: Path) -> None:
    """Take the pictures, one after another, as in an audit."""
    page.click("#title")
    page.evaluate("auditPage.state.window.startS = 20; auditPage.player.rest = 24 * 44100; auditPage.redraw()")
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / "1.png")
    page.keyboard.press("n")
    settle(page)
    page.screenshot(path=folder / "2.png")
    shrink(str(folder / "2.png"), str(IMAGES / "listening.png"))
    page.keyboard.press("d")
    page.keyboard.press("n")
    settle(page)
    page.keyboard.press("f")
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "3.png")
    page.fill("#reason", "one doubtful note is late, the rest is right")
    page.click("[data-action=accepted]")
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "4.png")
    page.click("#theme")
    page.keyboard.press("v")
    settle(page)
    page.screenshot(path=folder / "compare.png")
    shrink(str(folder / "compare.png"), str(IMAGES / "listening_compare.png"))


def film_strip(folder: Path) -> None:
    """Four moments of the audit in one picture."""
    width, height = (SIZE[side] // 2 for side in ("width", "height"))
    strip = Image.new("RGB", (2 * width, 2 * height))
    for number in range(4):
        frame = Image.open(folder / f"{number + 1}.png").resize((width, height), Image.Resampling.LANCZOS)
        strip.paste(frame, (number % 2 * width, number // 2 * height))
    strip.save(folder / "strip.png")
    shrink(str(folder / "strip.png"), str(IMAGES / "listening_audit.png"))


def main(folder: Path) -> None:
    """Make the music, open the page, take the pictures."""
    make_music(folder)
    process, address = serve(folder)
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            photograph(page, folder)
            browser.close()
    finally:
        process.terminate()
    film_strip(folder)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
