"""Peak memory of a recording's job, beside what `build` reckons with when it starts as many as fit.

    python tests/benchmarks/bench_memory.py FOLDER [--minutes 1 4 8 18]

Every job runs in a process of its own, on a string quartet made in FOLDER, with clips to listen to and the cache off:
with its score as written; with half a minute left out of the recording, which the preset precise finds and aligns
again; and with a score twice as long. Exits with 1 where a job takes more than the estimate.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import measuring
from quartet import write_quartet

PRESETS = ("precise", "musicnet")
LEFT_OUT_S = 30


def job(recording, score, preset):
    """Do a recording's job in this process; print its peak and what `build` reckons with, in bytes."""
    from musicnet_build.datasets.job import make_recording
    from musicnet_build.datasets.tables.columns import Entry
    from musicnet_build.datasets.tasks.needs import memory_needed
    from musicnet_build.datasets.tasks.task import Task
    from musicnet_build.recipe import RecipeSettings
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    with tempfile.TemporaryDirectory() as folder:
        entry = Entry(id="1", recording=str(recording), score=str(score))
        settings = RecipeSettings(preset=preset, soundfont=str(choose_soundfont().path))
        task = Task(folder, folder, entry, settings, overlay=True)
        make_recording(task)
        print(json.dumps({"peak": peak_bytes(), "reckoned": memory_needed(task)}))


def peak_bytes():
    """Of this process since its program began; `getrusage` would count the memory of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def without_a_passage(recording, path):
    """Write a recording again without half a minute in its middle."""
    import numpy as np

    from musicnet_build.audio.io import read_audio, write_audio
    from musicnet_build.notes import SAMPLE_RATE

    if not path.exists():
        audio = read_audio(recording)
        middle = len(audio) // 2
        write_audio(path, np.delete(audio, np.s_[middle : middle + LEFT_OUT_S * SAMPLE_RATE]))
    return path


def cases(minutes, folder):
    """Name, recording and score of each case."""
    score, recording = write_quartet(minutes, folder / f"quartet-{minutes:g}")
    longer_score, _ = write_quartet(2 * minutes, folder / f"quartet-{2 * minutes:g}")
    yield "as written", recording, score
    yield "half a minute left out", without_a_passage(recording, recording.with_name("cut.flac")), score
    yield "score twice as long", recording, longer_score


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 4, 8, 18])
    arguments = parser.parse_args()
    exceeded = False
    print("| minutes | | preset | peak MB | reckoned with MB |\n|---:|---|---|---:|---:|", flush=True)
    for minutes in arguments.minutes:
        for case, recording, score in cases(minutes, arguments.folder):
            for preset in PRESETS:
                command = [sys.executable, __file__, "--job", recording, score, preset]
                threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
                usage = measuring.run(command, timeout_s=3600, MUSICNET_BUILD_CACHE="off", **threads)
                found = measuring.last_line_as_json(usage.output)
                exceeded |= found["peak"] > found["reckoned"]
                numbers = " | ".join(f"{found[name] / 1e6:.0f}" for name in ("peak", "reckoned"))
                print(f"| {minutes:g} | {case} | {preset} | {numbers} |", flush=True)
    sys.exit(exceeded)


if __name__ == "__main__":
    job(*sys.argv[2:]) if sys.argv[1:2] == ["--job"] else main()
