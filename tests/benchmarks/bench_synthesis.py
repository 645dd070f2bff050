"""Compare ways to render a score: seconds, times faster than real time, peak memory.

    python tests/benchmarks/bench_synthesis.py [--minutes 6] [--work FOLDER] [--json OUT.json]

All play the same quartet with the same soundfont at 44.1 kHz. pretty_midi and the fluidsynth program are run as their
manuals say, without reverberation and chorus where they have a switch for it. Seconds are of the rendering alone for
the two libraries (without imports and reading the score), and of the whole process for the program.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import measuring


def musicnet_build(score, soundfont):
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.render import synthesize
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    music, chosen = read_score(score), choose_soundfont(soundfont)
    return lambda: synthesize(music, chosen).audio


def pretty_midi(score, soundfont):
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(score)
    return lambda: midi.fluidsynth(fs=44_100, sf2_path=soundfont)


LIBRARIES = {"musicnet_build": musicnet_build, "pretty_midi": pretty_midi}
PROGRAM = "fluidsynth program"


def render(name, score, soundfont):
    """Render once in this process; print what it took."""
    start = LIBRARIES[name](score, soundfont)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    samples = len(start())
    figures = {"cpu_s": time.process_time() - cpu_s, "wall_s": time.perf_counter() - wall_s, "samples": samples}
    print(json.dumps(figures))


def measure_library(name, score, soundfont):
    usage = measuring.run([sys.executable, __file__, "--render", name, score, soundfont])
    return measuring.last_line_as_json(usage.output) | {"peak_mb": usage.peak_bytes / 1e6}


def measure_program(score, soundfont, output):
    program = shutil.which("fluidsynth")
    if program is None:
        raise RuntimeError("not installed")
    switches = ["-ni", "-q", "-r", "44100", "-R", "0", "-C", "0", "-F", output]
    usage = measuring.run([program, *switches, soundfont, score])
    samples = (output.stat().st_size - 44) // 4  # 16-bit stereo
    output.unlink()
    return {"cpu_s": usage.cpu_s, "wall_s": usage.wall_s, "samples": samples, "peak_mb": usage.peak_bytes / 1e6}


def compare(minutes, work):
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    score, _ = measuring.quartet(minutes, work)
    soundfont = choose_soundfont()
    rows = []
    for name in (*LIBRARIES, PROGRAM):
        try:
            if name == PROGRAM:
                figures = measure_program(score, soundfont.path, work / "rendered.wav")
            else:
                figures = measure_library(name, score, soundfont.path)
        except RuntimeError as error:
            figures = {"failed": str(error)}
        rows.append({"contender": name, **figures})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return {"minutes": minutes, "soundfont": soundfont.name, "rows": rows}


def table(results):
    """The rows as a markdown table, with ratios to the first."""
    lines = ["| renderer | CPU s | × ours | × real time | peak MB |", "|---|---:|---:|---:|---:|"]
    ours = results["rows"][0]
    for row in results["rows"]:
        if "failed" in row:
            lines.append(f"| {row['contender']} | {row['failed']} | | | |")
            continue
        speed = row["samples"] / 44_100 / row["cpu_s"]
        ratio = row["cpu_s"] / ours["cpu_s"]
        lines.append(f"| {row['contender']} | {row['cpu_s']:.2f} | {ratio:.1f} | {speed:.0f} | {row['peak_mb']:.0f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=6.0, help="length of the quartet")
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"), help="where the music is kept")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--render", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.render:
        render(*options.render)
        return
    results = compare(options.minutes, options.work)
    print(table(results))
    if options.json:
        measuring.write_json(options.json, results)


if __name__ == "__main__":
    main()
