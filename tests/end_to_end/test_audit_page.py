"""Tests of the page in a real browser: what is heard, seen and judged there."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit_pages import CHROMIUM, FLAGS, Client, Shifter, judgement, running, write_music
from small_dataset import Material

from musicnet_build.audio.io import write_audio
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.listening.catalogue import Catalogue, dataset_catalogue, files_catalogue
from musicnet_build.listening.web.realigning import Aligner
from musicnet_build.notes import SAMPLE_RATE, empty_notes

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")

AXE = Path(__file__).parents[2] / ".devtools" / "node_modules" / "axe-core" / "axe.min.js"
READY = "body[data-ready]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


@dataclass(frozen=True)
class Audited:
    """A page on a served catalogue, and what it complained of."""

    page: Any
    client: Client
    catalogue: Catalogue
    complaints: list[str]

    def state(self, expression: str) -> Any:
        return self.page.evaluate(f"auditPage.{expression}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def kept(self, reviewer: str = "ada") -> list[dict[str, Any]]:
        path = self.catalogue.judgements / "events" / f"{reviewer}.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def until(self, expression: str) -> None:
        """Wait for an expression to hold; Playwright's own way needs the eval that the page forbids."""
        deadline = time.monotonic() + 120
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"never became true: {expression}"
            self.page.wait_for_timeout(30)

    def saved(self) -> None:
        self.until("document.getElementById('saved').textContent.includes('✓')")


Open = Callable[..., Audited]


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Open a catalogue in a fresh browser context; at the end nothing may have gone wrong in the page."""
    closing: list[Any] = []
    pages: list[Audited] = []

    def open_page(catalogue: Catalogue, aligner: Aligner | None = None, **options: Any) -> Audited:
        serving = running(catalogue, aligner=aligner)
        server = serving.__enter__()
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        closing.extend([lambda: serving.__exit__(None, None, None), context.close])
        page, complaints = context.new_page(), []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.goto(server.address)
        page.wait_for_selector(READY)
        pages.append(Audited(page, Client(server).enter(), catalogue, complaints))
        return pages[-1]

    yield open_page
    complaints = [complaint for audited in pages for complaint in audited.complaints]
    while closing:
        closing.pop()()
    assert complaints == []


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_music(tmp_path_factory.mktemp("music"), 20.0, shifted=(7, 31))


@pytest.fixture
def catalogue(music: tuple[Path, Path], tmp_path: Path) -> Catalogue:
    """The same music, judged in a folder of its own."""
    original = files_catalogue(music[0], [music[1]])
    return Catalogue(original.title, original.items, tmp_path / "music.audit")


def clicks(folder: Path) -> tuple[Path, Path]:
    """Ten clicks a second apart, with labels on them."""
    notes = empty_notes(10)
    starts = 22_050 + SAMPLE_RATE * np.arange(10)
    notes["onset_s"], notes["offset_s"], notes["pitch"] = starts / SAMPLE_RATE, starts / SAMPLE_RATE + 0.3, 69
    audio = np.zeros(11 * SAMPLE_RATE, np.float32)
    audio[starts] = 0.9
    write_audio(folder / "clicks.wav", audio)
    write_labels(folder / "clicks.csv", notes)
    return folder / "clicks.wav", folder / "clicks.csv"


# Sound

FIFTY_JUMPS = """async () => {
  const { audioBuffer, mixer, schedule, RATE } = await import('/static/player.js');
  const get = async (from, frames) =>
    (await fetch(`/api/recordings/music/sound?from=${from}&frames=${frames}`)).arrayBuffer();
  const whole = new Int16Array(await get(0, 441000));
  const jumps = 50, chunk = 1500, chunks = 2;
  const context = new OfflineAudioContext(2, jumps * chunk * chunks, RATE);
  const merger = context.createChannelMerger(2);
  merger.connect(context.destination);
  const { input, recording, labels } = mixer(context, context.createGain());
  recording.connect(merger, 0, 0);
  labels.connect(merger, 0, 1);
  const places = [];
  for (let jump = 0; jump < jumps; jump += 1) {
    const from = Math.floor(Math.random() * (441000 - chunk * chunks));
    for (let k = 0; k < chunks; k += 1) {
      const frame = (jump * chunks + k) * chunk;
      places.push([frame, from + k * chunk]);
      schedule(context, audioBuffer(context, await get(from + k * chunk, chunk)), input, frame);
    }
  }
  const rendered = await context.startRendering();
  let worst = 0, loudest = 0;
  for (const channel of [0, 1]) {
    const data = rendered.getChannelData(channel);
    for (const [frame, sample] of places) {
      for (let i = 0; i < chunk; i += 1) {
        const expected = whole[2 * (sample + i) + channel] / (32767 * 0.5);
        worst = Math.max(worst, Math.abs(data[frame + i] - expected));
        loudest = Math.max(loudest, Math.abs(expected));
      }
    }
  }
  return [worst, loudest];
}"""


def test_after_fifty_jumps_every_sample_of_both_sides_is_in_its_place(opened: Open, catalogue: Catalogue) -> None:
    worst, loudest = opened(catalogue).page.evaluate(FIFTY_JUMPS)
    assert worst < 1e-6
    assert loudest > 0.1


RECORD = """() => {
  const { player } = auditPage;
  player.open();
  const { context } = player;
  const recorder = context.createScriptProcessor(4096, 2, 1);
  window.heard = [[], []];
  recorder.onaudioprocess = ({ inputBuffer }) => {
    for (const channel of [0, 1]) window.heard[channel].push(inputBuffer.getChannelData(channel).slice());
  };
  recorder.connect(context.destination);
  const merger = context.createChannelMerger(2);
  merger.connect(recorder);
  const play = player.play.bind(player);
  player.play = (passage) => {
    const playing = play(passage);
    player.graph.recording.connect(merger, 0, 0);
    player.graph.labels.connect(merger, 0, 1);
    return playing;
  };
}"""

STEPS = """() => {
  const [recording, labels] = window.heard.map((parts) => parts.flatMap((part) => [...part]));
  const steps = [];
  recording.forEach((value, i) => {
    if (value < 0.5 || i < 200 || i > labels.length - 3000) return;
    // Half a step of the 16 bits: a start at 1e-10 of a sample's length leaves traces that are no sound.
    const from = labels.slice(i - 200, i + 200).findIndex((sample) => Math.abs(sample) > 3e-5);
    steps.push(from - 200);
  });
  return steps;
}"""


def test_recording_and_tones_stay_in_step_when_chunks_are_late(opened: Open, tmp_path: Path) -> None:
    audited = opened(files_catalogue(*_one(clicks(tmp_path))))
    page = audited.page
    page.click("#title")
    page.evaluate(RECORD)
    held: list[Any] = []
    seen: list[Any] = []

    def third_and_sixth_wait(route: Any) -> None:
        seen.append(route)
        held.append(route) if len(seen) in (3, 6) else route.continue_()

    page.route("**/sound?*", third_and_sixth_wait)
    page.keyboard.press("Home")
    for _ in range(2):
        while not held:  # it may wait for others, on a busy machine
            assert audited.state("player.state") != "ended"
            page.wait_for_timeout(30)
        audited.until("auditPage.player.state === 'waiting'")
        assert page.inner_text("#state") == "waiting for sound …"
        page.wait_for_timeout(100)  # what is under way to the loudspeaker
        stopped = audited.state("player.position()")
        page.wait_for_timeout(200)
        assert audited.state("player.position()") == stopped
        held.pop().continue_()
        audited.until("auditPage.player.state === 'playing'")
    audited.until("auditPage.player.position() > 7 * 44100")
    steps = page.evaluate(STEPS)
    served = audited.client.request("GET", "/api/recordings/clicks/sound?from=22050&frames=1000").body
    # A tone as faint as this music rises above zero after some samples: as many as in what is served.
    expected = int(np.flatnonzero(np.frombuffer(served, "<i2")[1::2])[0])
    assert len(steps) >= 5
    assert set(steps) == {expected}


def _one(files: tuple[Path, Path]) -> tuple[Path, list[Path]]:
    return files[0], [files[1]]


def test_the_cut_ends_at_the_label_or_begins_on_it(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    page, asked = audited.page, []
    page.on("request", lambda request: "voice=none" in request.url and asked.append(request.url))
    page.click("#title")
    audited.press("z")
    audited.until("document.getElementById('state').textContent === 'choose a note first'")
    audited.press(".", ".", ".")
    onset = audited.state("state.notes.onset[auditPage.state.chosen]")
    audited.press("z")
    audited.until("auditPage.player.state === 'ended'")
    assert [f"from={onset - 17_640}&frames={17_640 + 132}&speed=1&voice=none" in url for url in asked] == [True]
    audited.press("x")
    audited.until("auditPage.player.state === 'ended'")
    assert f"from={onset}&frames=17640&speed=1&voice=none" in asked[-1]


def test_a_cut_fades_within_three_milliseconds(opened: Open, catalogue: Catalogue) -> None:
    faded = opened(catalogue).page.evaluate("""async () => {
      const { audioBuffer, RATE } = await import('/static/player.js');
      const context = new OfflineAudioContext(2, 10, RATE);
      const ones = new Int16Array(2 * 1000).fill(32767 / 2);
      return [...audioBuffer(context, ones.buffer, { fadeIn: true, fadeOut: true }).getChannelData(0)];
    }""")
    assert faded[0] == faded[-1] == 0
    assert min(faded[132:868]) > 0.99
    assert max(np.abs(np.diff(faded))) < 0.01


@pytest.mark.parametrize(("key", "slowdown"), [("1", 1), ("2", 2), ("4", 4)])
def test_the_clock_runs_at_the_speed_chosen(opened: Open, catalogue: Catalogue, key: str, slowdown: int) -> None:
    audited = opened(catalogue)
    audited.page.click("#title")
    audited.press(key, "Home")
    audited.until("auditPage.player.position() > 4410")
    ratio = audited.page.evaluate("""async () => {
      const { player } = auditPage;
      const before = [player.heardS(), player.position()];
      await new Promise((resolve) => setTimeout(resolve, 700));
      return (player.position() - before[1]) / 44100 / (player.heardS() - before[0]);
    }""")
    assert ratio == pytest.approx(1 / slowdown, rel=0.03)


# Judging


def test_judging_by_keyboard_is_saved_found_again_and_undone(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    page = audited.page
    page.click("#title")
    audited.press("n")
    assert "confidence 0.20" in page.inner_text("#note")
    audited.press("d", "n", "f", "o", "Backspace", "Control+z")
    audited.saved()
    assert [event.get("value", event["kind"]) for event in audited.kept()] == [
        "tone_late", "fine", "missing", "clear", "undo",
    ]  # fmt: skip
    assert {event["note"]["row"] for event in audited.kept()[:2]} == {7, 31}
    page.fill("#reason", "misaligned")
    page.click("#title")
    audited.press("r")
    audited.until("document.getElementById('saved').textContent.includes('✓')")
    page.reload()
    page.wait_for_selector(READY)
    assert audited.state("judge.judged.size") == 2
    assert audited.state("judge.missing.size") == 1
    assert audited.state("judge.verdict") == {"value": "rejected", "text": "misaligned"}
    assert page.get_attribute("[data-action=rejected]", "aria-pressed") == "true"


def test_undo_and_redo_in_the_page_agree_with_the_file(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    audited.page.click("#title")
    audited.press("n", "f", "w", "Control+z", "Control+z", "Control+y", "Control+y", "Control+z")
    audited.saved()
    row = audited.state("state.chosen")
    known = json.loads(audited.client.request("GET", "/api/recordings/music/judgements?reviewer=ada").body)
    assert known["notes"][str(row)]["value"] == audited.state(f"judge.judged.get({row}).value") == "fine"


def test_every_key_is_also_a_button_or_a_gesture(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    gestures = {"play-selection", "mix-recording", "mix-labels", "only", "back", "forward", "back-far", "forward-far",
                "zoom-in", "zoom-out", "swap-labels", "single-keys"}  # fmt: skip
    keyed = audited.page.evaluate("[...auditPage.keyboard.actions.values()]")
    buttons = audited.page.evaluate("[...document.querySelectorAll('[data-action]')].map((b) => b.dataset.action)")
    assert set(keyed) - set(buttons) == gestures
    assert set(buttons) <= set(audited.page.evaluate("Object.keys(auditPage.actions)"))
    assert set(keyed) <= set(audited.page.evaluate("Object.keys(auditPage.actions)"))


def test_single_keys_can_be_switched_off(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    audited.page.click("#title")
    audited.press("k", "n")
    assert audited.state("state.chosen") is None
    audited.press("k", "n")
    assert audited.state("state.chosen") is not None


def test_keys_typed_into_a_field_judge_nothing(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    audited.page.click("#title")
    audited.press("n")
    audited.page.click("#reason")
    audited.page.keyboard.type("far worse")
    assert audited.page.input_value("#reason") == "far worse"
    assert audited.state("judge.judged.size") == 0


def test_what_cannot_be_sent_waits_and_is_sent_once(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    page = audited.page
    page.route("**/api/events", lambda route: route.abort())
    page.click("#title")
    audited.press("n", "f", "n", "e")
    page.wait_for_selector("#banner:not([hidden])")
    assert "2 judgements wait" in page.inner_text("#banner")
    assert audited.kept() == []
    page.unroute("**/api/events")
    page.reload()
    page.wait_for_selector(READY)
    audited.until("auditPage.outbox.waiting.length === 0")
    page.wait_for_selector("#banner", state="hidden")
    assert [event["value"] for event in audited.kept()] == ["fine", "tone_early"]
    audited.complaints.clear()


def test_a_judgement_that_reached_the_disk_unheard_is_kept_once(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    page, answers = audited.page, []

    def unheard(route: Any) -> None:
        answers.append(route.fetch())
        route.abort() if len(answers) == 1 else route.fulfill(response=answers[-1])

    page.route("**/api/events", unheard)
    page.click("#title")
    audited.press("n", "f")
    audited.until("auditPage.outbox.waiting.length === 0")
    assert len(answers) == 2
    assert len(audited.kept()) == 1
    audited.complaints.clear()


def test_reviewers_are_blind_to_each_other_until_they_have_judged(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    page = audited.page
    theirs = [judgement(1, reviewer="ben"), judgement(2, reviewer="ben", kind="verdict", row=None, value="rejected")]
    assert audited.client.post(json.dumps(theirs).encode()).status == 204
    page.reload()
    page.wait_for_selector(READY)
    assert "ben" not in page.inner_text("body")
    page.click("#title")
    audited.press("a")
    audited.saved()
    page.reload()
    page.wait_for_selector(READY)
    assert page.inner_text("#people") == "People: ben reject"


# Pictures, lists, label sets


def test_a_dataset_is_walked_through(opened: Open, material: Material, tmp_path: Path) -> None:
    material.build(tmp_path / "set")
    audited = opened(dataset_catalogue(tmp_path / "set"))
    page = audited.page
    assert page.inner_text("#recordings").count("Piece") == 3
    page.click("#recordings button >> nth=1")
    page.wait_for_selector("body[data-ready='2']")
    assert page.inner_text("#title") == "Anon – Piece 2"
    page.click("#title")
    audited.press("a")
    audited.saved()
    page.click("#recordings button >> nth=0")
    page.wait_for_selector("body[data-ready='1']")
    audited.until("document.getElementById('recordings').textContent.includes('accept')")


def test_two_label_sets_are_compared(opened: Open, music: tuple[Path, Path], tmp_path: Path) -> None:
    notes = read_labels(music[1])
    notes["onset_s"][[10, 40]] -= 0.06
    write_labels(tmp_path / "other.csv", np.delete(notes, 60))
    audited = opened(
        Catalogue("two", files_catalogue(music[0], [music[1], tmp_path / "other.csv"]).items, tmp_path / "a")
    )
    page = audited.page
    assert [one["row"] for one in audited.state("state.differences")] == [10, 40, 60]
    page.click("#title")
    audited.press("v")
    assert "60 ms earlier" in page.inner_text("#note")
    audited.press("v", "v")
    assert "not in the other labels" in page.inner_text("#note")
    audited.press("b")
    audited.until("auditPage.state.heard === 1 && auditPage.judge.labels === 1")
    assert page.get_attribute("#labels-heard button >> nth=1", "aria-pressed") == "true"


def test_judgements_of_one_label_set_are_not_taken_for_the_others(
    opened: Open, music: tuple[Path, Path], tmp_path: Path
) -> None:
    notes = read_labels(music[1])
    notes["onset_s"] -= 0.06
    write_labels(tmp_path / "other.csv", notes)
    items = files_catalogue(music[0], [music[1], tmp_path / "other.csv"]).items
    audited = opened(Catalogue("two", items, tmp_path / "a"))
    audited.page.click("#title")
    audited.press(".", "e")
    audited.saved()
    audited.press("b")
    audited.until("auditPage.judge.labels === 1")
    assert audited.state("judge.judged.size") == 0
    assert audited.page.is_hidden("#stale")
    audited.press("b")
    audited.until("auditPage.judge.labels === 0 && auditPage.judge.judged.size === 1")


def test_labels_without_confidences_have_no_queue(opened: Open, music: tuple[Path, Path], tmp_path: Path) -> None:
    write_labels(tmp_path / "plain.csv", read_labels(music[1]))
    audited = opened(files_catalogue(music[0], [tmp_path / "plain.csv"]))
    audited.page.click("#title")
    audited.press("n")
    assert "have no confidences" in audited.page.inner_text("#state")
    assert audited.state("state.chosen") is None


def test_a_reason_given_after_the_verdict_belongs_to_it(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    audited.page.click("#title")
    audited.press("r")
    audited.page.fill("#reason", "misaligned")
    audited.page.press("#reason", "Enter")
    audited.until("auditPage.outbox.waiting.length === 0 && auditPage.judge.done.length === 2")
    assert [(event["value"], event.get("text")) for event in audited.kept()] == [
        ("rejected", None), ("rejected", "misaligned"),
    ]  # fmt: skip


def test_a_click_chooses_the_note_that_is_drawn_there(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    point = audited.page.evaluate("""() => {
      const { roll, state } = auditPage;
      return [roll.x(state.notes.onsetS(9)) + 6, roll.y(state.notes.pitch[9]) + roll.rowHeight / 2];
    }""")
    box = audited.page.locator("#roll").bounding_box()
    audited.page.mouse.click(box["x"] + point[0], box["y"] + point[1])
    assert audited.state("state.chosen") == 9
    audited.until("auditPage.zoom.envelope !== null")
    envelope = np.array(audited.page.evaluate("[...auditPage.zoom.envelope]"))
    assert envelope[175:].mean() > 3 * envelope[:120].mean()


def test_the_table_says_what_the_picture_shows(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue)
    audited.page.click("#table-card summary")
    rows = audited.page.locator("#table tr")
    audited.until("document.querySelectorAll('#table tr').length > 30")
    assert rows.count() == audited.page.evaluate("auditPage.state.notes.rowsWithin(0, 10)[1]")
    rows.nth(3).locator("button").click()
    assert audited.state("state.chosen") == 3


def test_pictures_stand_still_where_motion_is_unwanted(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue, reduced_motion="reduce")
    audited.page.click("#title")
    audited.press("Home")
    audited.until("auditPage.player.position() > 4410")
    first = audited.state("state.window.startS")
    audited.page.wait_for_timeout(500)
    assert audited.state("state.window.startS") == first


@pytest.mark.parametrize(
    "options",
    [
        {"viewport": {"width": 360, "height": 800}},
        {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    ],
    ids=["telephone", "200 per cent"],
)
def test_nothing_is_wider_than_the_screen(opened: Open, catalogue: Catalogue, options: dict[str, Any]) -> None:
    audited = opened(catalogue)
    audited.page.set_viewport_size(options["viewport"])
    audited.until(f"innerWidth === {options['viewport']['width']}")
    # Two frames on, the page has been laid out for it.
    audited.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert audited.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.skipif(not AXE.exists(), reason=f"{AXE} is missing: npm install --prefix .devtools axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, catalogue: Catalogue, scheme: str) -> None:
    audited = opened(catalogue, color_scheme=scheme)
    audited.page.click("#title")
    audited.press("n", "f")
    audited.page.click("#table-card summary")
    audited.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = audited.page.evaluate("axe.run(document)")["violations"]
    assert [(one["id"], [node["html"][:100] for node in one["nodes"]]) for one in found] == []


# Hostile texts

HOSTILE = "<img src=x onerror=window.harmed=1>\u202e&amp;"


def test_names_and_texts_are_shown_and_do_nothing(opened: Open, music: tuple[Path, Path], tmp_path: Path) -> None:
    labels = tmp_path / f"{HOSTILE.replace('/', '')}.csv"
    labels.write_bytes(music[1].read_bytes())
    report = tmp_path / "report.json"
    span = {"start_s": 1.0, "end_s": 2.0, "kind": HOSTILE}
    report.write_text(
        json.dumps({"verdict": "review", "reasons": [HOSTILE], "measures": {"suspicions": [span]}}), "utf-8"
    )
    audited = opened(files_catalogue(music[0], [labels, music[1]], report))
    page = audited.page
    page.click("#title")
    page.fill("#reviewer", "<b>ada</b>")
    page.press("#reviewer", "Tab")
    page.fill("#reason", HOSTILE)
    page.click("[data-action=rejected]")
    audited.saved()
    page.keyboard.press("g")
    page.reload()
    page.wait_for_selector(READY)
    shown = HOSTILE.replace("\u202e", "")
    assert shown in page.inner_text("#machine")
    assert page.inner_text("#labels-heard button >> nth=0") == f"{shown}.csv"
    assert page.evaluate("[window.harmed, document.querySelectorAll('img, b').length]") == [None, 0]
    assert audited.kept("%3Cb%3Eada%3C%2Fb%3E")[0]["text"] == HOSTILE


# Speed


def test_ten_thousand_notes_are_drawn_in_time(opened: Open, tmp_path: Path) -> None:
    seconds, count = 18 * 60, 10_000
    random = np.random.default_rng(0)
    write_audio(tmp_path / "long.wav", random.uniform(-0.1, 0.1, 8_000 * seconds).astype(np.float32), 8_000)
    notes = empty_notes(count)
    notes["onset_s"] = np.sort(random.uniform(0, seconds - 1, count))
    notes["offset_s"] = notes["onset_s"] + random.uniform(0.05, 1.0, count)
    notes["offset_s"][5] = notes["onset_s"][5] + 300
    notes["onset_s"][500:560] = notes["onset_s"][500]
    notes["offset_s"] = np.maximum(notes["offset_s"], notes["onset_s"] + 0.05)
    notes["pitch"], notes["confidence"] = random.integers(36, 96, count), random.uniform(0, 1, count)
    write_labels(tmp_path / "long.csv", notes, with_confidence=True)
    audited = opened(files_catalogue(tmp_path / "long.wav", [tmp_path / "long.csv"]))
    audited.page.click("#title")
    for span_s in (10, seconds):
        assert _frame_ms(audited, span_s) < 16


def _frame_ms(audited: Audited, span_s: float) -> float:
    """Script time of a frame while playing: the shortest of many, as others may wait for a busy processor."""
    audited.page.evaluate(f"auditPage.state.window.spanS = {span_s}; performance.clearMeasures('draw')")
    audited.press("m")
    audited.until("performance.getEntriesByName('draw').length > 30")
    return float(audited.page.evaluate("Math.min(...performance.getEntriesByName('draw').map((one) => one.duration))"))


def test_an_anchor_at_the_playhead_brings_new_labels_to_hear_and_to_keep(opened: Open, catalogue: Catalogue) -> None:
    audited = opened(catalogue, Shifter(catalogue.items[0].labels[0]))
    page = audited.page
    before = audited.state("state.notes.onset[0]")
    page.evaluate("auditPage.player.rest = 2.5 * 44100")
    page.fill("#place", "two: 1")
    page.press("#place", "Enter")
    assert "as in 33:1" in page.inner_text("#anchors-state")
    page.fill("#place", "2:1")
    page.press("#place", "Enter")
    assert "0:02.50 is 2:1" in page.inner_text("#anchors")
    page.click("[data-action=anchors-try]")
    audited.until("!document.querySelector('[data-action=anchors-keep]').disabled")
    assert "new labels" in page.inner_text("#anchors-state")
    assert audited.state("state.heard") == 1
    assert audited.state("state.notes.onset[0]") - before == pytest.approx(SAMPLE_RATE, abs=1)
    page.click("[data-action=anchors-keep]")
    audited.until("document.getElementById('anchors-state').textContent.includes('kept in')")
    assert (catalogue.judgements / "anchors" / "music.csv").read_text() == "recording_s,measure,beat\n2.5,2,1\n"
    page.evaluate("auditPage.player.rest = 15 * 44100")
    page.click("[data-action=anchors-try]")
    audited.until("!document.querySelector('[data-action=anchors-discard]').disabled")
    page.click("[data-action=anchors-discard]")
    audited.until("auditPage.state.sets.length === 1 && !auditPage.anchors.busy")
    assert 5.0 < audited.state("state.window.startS") <= 15.0
