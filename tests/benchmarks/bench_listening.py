"""Measure the audit page: how quick a jump is, what memory a long session takes, and what its queue finds.

    PYTHONPATH=tests python tests/benchmarks/bench_listening.py jumps [--minutes 60]
    PYTHONPATH=tests python tests/benchmarks/bench_listening.py memory [--minutes 60]
    PYTHONPATH=tests python tests/benchmarks/bench_listening.py frames
    PYTHONPATH=tests python tests/benchmarks/bench_listening.py queue [FOLDER...] [--seeds 3]

``jumps``: 200 random jumps in a WAV and in an MP3 file of variable bit rate, in headless Chromium: milliseconds from
the command to the moment at which sound is on its way to the loudspeaker, and those of the request behind it.
``memory``: resident memory of the server over 1,000 requests of every kind, and of the page's process over 500 jumps.
``frames``: milliseconds of script per frame while 18 minutes with 10,800 notes play, ten seconds in view, and all.
``queue``: 28 of the first 300 notes of a score are moved by 100 ms, the score is aligned, and the notes are taken in
the order of their confidence as the page does: how many of the 28 are among the first 60. Without a FOLDER (as those of
``bench_quality.py``) the music is the demo's.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from audit_pages import CHROMIUM, FLAGS, Client

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.generation.demo import SEED, perform, stand_in_recording, write_canon
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE, empty_notes
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont

JUMPS, REQUESTS, PAGE_JUMPS = 200, 1_000, 500
NOTES, SHIFTED, SHIFT_S, LISTENED = 300, 28, 0.1, 60

JUMP = """async (seconds) => {
  const { player } = auditPage;
  const started = performance.now();
  auditPage.playFrom(seconds);
  while (player.state !== 'playing') await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now() - started;
}"""


def write_long_music(folder, minutes, ending):
    """An hour of changing noise and its labels: what it sounds like matters to nobody here."""
    recording, labels = folder / f"long{ending}", folder / "long.csv"
    source = np.random.default_rng(0)
    form = {"format": "MP3", "bitrate_mode": "VARIABLE"} if ending == ".mp3" else {"subtype": "FLOAT"}
    with soundfile.SoundFile(recording, "w", SAMPLE_RATE, 1, **form) as file:
        for second in range(60 * minutes):
            level = 0.01 + 0.2 * abs(np.sin(second / 7))
            file.write((level * source.standard_normal(SAMPLE_RATE)).clip(-1, 1).astype(np.float32))
    notes = empty_notes(600 * minutes)
    notes["onset_s"] = np.sort(source.uniform(0, 60 * minutes - 1, len(notes)))
    notes["offset_s"] = notes["onset_s"] + 0.3
    notes["pitch"], notes["confidence"] = source.integers(36, 96, len(notes)), source.uniform(0, 1, len(notes))
    write_labels(labels, notes, with_confidence=True)
    return recording, labels


@contextlib.contextmanager
def audited(recording, labels):
    """The installed command in a process of its own."""
    command = [
        str(Path(sys.executable).with_name("musicnet-build")),
        "audit",
        str(recording),
        str(labels),
        "--no-browser",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


class _Address:
    """Stands in for the server object that a client is made of."""

    def __init__(self, address):
        self.address = address
        self.port = int(address.partition("//")[2].partition("/")[0].partition(":")[2])

    @property
    def socket(self):
        return self

    def getsockname(self):
        return "127.0.0.1", self.port


@contextlib.contextmanager
def opened(address):
    """The page in headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_selector("body[data-ready]", timeout=120_000)
        page.click("#title")
        yield browser, page
        browser.close()


def resident_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def renderer_mb(browser_command="--type=renderer"):
    """The largest of the renderer processes: the page's."""
    sizes = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError, StopIteration):
            if browser_command.encode() in path.read_bytes():
                sizes.append(resident_mb(path.parent.name))
    return max(sizes, default=0.0)


def quantiles(values):
    return {f"{share:.0%}": round(float(np.quantile(values, share)), 1) for share in (0.5, 0.95, 1.0)}


def measure_jumps(folder, minutes):
    result = {}
    for ending in (".wav", ".mp3"):
        recording, labels = write_long_music(folder, minutes, ending)
        started = time.monotonic()
        with audited(recording, labels) as (_, address):
            opening_s = time.monotonic() - started
            client = Client(_Address(address)).enter()
            places = [random.Random(1).uniform(0, 60 * minutes - 20) for _ in range(JUMPS)]
            requests = []
            for place in places:
                begun = time.perf_counter()
                client.request("GET", f"/api/recordings/long/sound?from={int(place * SAMPLE_RATE)}&frames=17640")
                requests.append(1000 * (time.perf_counter() - begun))
            with opened(address) as (_, page):
                jumps = [page.evaluate(JUMP, place) for place in places]
        recording.unlink()
        result[ending] = {
            "opening_s": round(opening_s, 1),
            "request_ms": quantiles(requests),
            "jump_ms": quantiles(jumps),
        }
        print(ending, json.dumps(result[ending]), flush=True)
    return result


def measure_memory(folder, minutes):
    recording, labels = write_long_music(folder, minutes, ".wav")
    one, chance = "/api/recordings/long", random.Random(2)
    with audited(recording, labels) as (process, address):
        client = Client(_Address(address)).enter()
        server = []
        for number in range(REQUESTS + 1):
            if number % 250 == 0:
                server.append(round(resident_mb(process.pid)))
            sample = chance.randrange((60 * minutes - 20) * SAMPLE_RATE)
            path = chance.choice(
                ["", "/notes", "/overview", "/judgements?reviewer=ada", f"/envelope?sample={sample}&pitch=60",
                 f"/tile?level=1&column={sample // (441 * 512)}", f"/tile?level=4&column={sample // (441 * 2048)}",
                 *(f"/sound?from={sample}&frames=35280&speed={speed}" for speed in (1, 2, 4))]
            )  # fmt: skip
            assert client.request("GET", one + path).status == 200, path
        with opened(address) as (_, page):
            renderer, heap = [], []
            for number in range(PAGE_JUMPS + 1):
                if number % 100 == 0:
                    renderer.append(round(renderer_mb()))
                    heap.append(round(page.evaluate("performance.memory.usedJSHeapSize") / 2**20, 1))
                page.evaluate(JUMP, chance.uniform(0, 60 * minutes - 20))
    result = {"server_mb": server, "renderer_mb": renderer, "page_heap_mb": heap}
    print(json.dumps(result))
    return result


def measure_frames(folder, minutes):
    recording, labels = write_long_music(folder, minutes, ".wav")
    result = {}
    with audited(recording, labels) as (_, address), opened(address) as (_, page):
        for span_s in (10, 60 * minutes):
            page.evaluate(f"auditPage.state.window.spanS = {span_s}; performance.clearMeasures('draw')")
            page.keyboard.press("m")
            page.wait_for_timeout(20_000)
            frames = page.evaluate("performance.getEntriesByName('draw').map((entry) => entry.duration)")
            result[f"{span_s} s"] = {"frames": len(frames), "ms": quantiles(frames)}
    print(json.dumps(result))


def demo_music(folder):
    write_canon(folder / "whole.mid")
    performance = perform(read_score(folder / "whole.mid"), SEED)
    return "demo", read_score(folder / "whole.mid"), stand_in_recording(performance, choose_soundfont(), SEED)


def music_of(folder):
    recording = next(iter(folder.glob("recording.*")))
    return folder.name, read_score(folder / "score.mid"), read_audio(recording)


def labels_of(notes, audio, folder):
    """The first notes of the score as they are aligned, and the time of each by its place in the score."""
    write_labels(folder / "score.mid", notes)
    score = read_score(folder / "score.mid")
    places = [place_of(note) for note in score.notes[:NOTES]]
    labels = align(audio, score, choose_soundfont()).notes
    return labels[np.isin([place_of(note) for note in labels], places)], places


def place_of(note):
    return f"{note['pitch']} {note['program']} {note['onset_beats']:.2f}"


def found_by_queue(score, audio, seed, folder):
    """How many of the moved notes, and of the labels that are wrong by 50 ms for it, are among the first 60."""
    moved_score = score.notes.copy()
    moved = np.sort(np.random.default_rng(seed).choice(NOTES, SHIFTED, replace=False))
    straight, _ = labels_of(score.notes, audio, folder)
    right = {place_of(note): float(note["onset_s"]) for note in straight}
    moved_score["onset_s"][moved] += SHIFT_S
    moved_score["offset_s"][moved] = np.maximum(score.notes["offset_s"][moved], moved_score["onset_s"][moved] + 0.05)
    labels, _ = labels_of(moved_score, audio, folder)
    beats_per_second = float(score_beats_per_second(folder))
    came_from = {}
    for index in moved:
        note = score.notes[index]
        place = f"{note['pitch']} {note['program']} {(note['onset_s'] + SHIFT_S) * beats_per_second:.2f}"
        came_from[place] = f"{note['pitch']} {note['program']} {note['onset_s'] * beats_per_second:.2f}"
    first = set(np.argsort(labels["confidence"], kind="stable")[:LISTENED].tolist())
    is_moved = [place_of(note) in came_from for note in labels]
    wrong = []
    for note in labels:
        place = place_of(note)
        wrong.append(abs(float(note["onset_s"]) - right.get(came_from.get(place, place), np.inf)) > 0.05)
    return {
        name: [sum(1 for row in first if flags[row]), sum(flags)]
        for name, flags in (("moved", is_moved), ("wrong", wrong))
    }


def score_beats_per_second(folder):
    """Of the scores that are written here: one tempo throughout."""
    notes = read_score(folder / "score.mid").notes
    return notes["onset_beats"][-1] / notes["onset_s"][-1]


def measure_queue(folder, folders, seeds):
    pieces = [music_of(piece) for piece in folders] or [demo_music(folder)]
    result = {}
    for name, score, audio in pieces:
        result[name] = [found_by_queue(score, audio, seed, folder) for seed in range(1, seeds + 1)]
        print(name, json.dumps(result[name]), flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["jumps", "memory", "frames", "queue"])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if arguments.what == "queue":
            measure_queue(Path(name), arguments.folders, arguments.seeds)
        else:
            measure = {"jumps": measure_jumps, "memory": measure_memory, "frames": measure_frames}[arguments.what]
            measure(Path(name), 18 if arguments.what == "frames" else arguments.minutes)


if __name__ == "__main__":
    main()
