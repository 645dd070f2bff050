"""Measure how the cost of ``align`` grows with the length of the music, stage by stage.

    python tests/benchmarks/bench_growth.py [--minutes 1 2 4 8 15 30 60] [--work FOLDER] [--json OUT.json]

The cache is off. CPU seconds are split where the stages change: before the first (start-up, reading and decoding),
synthesis and spectra, alignment, writing.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import measuring

STAGES = ("start and reading", "synthesis and spectra", "alignment", "writing")


def align_once(score, recording, labels):
    """Align in this process; print CPU seconds of each stage, wall seconds, and what the estimate was."""
    os.environ["MUSICNET_BUILD_CACHE"] = "off"
    from musicnet_build.alignment import align
    from musicnet_build.audio.io import read_audio
    from musicnet_build.labels.files import write_labels
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    starts = {}

    def note(stage, fraction):
        starts.setdefault(stage.split(",")[0], (time.process_time(), stage))

    result = align(read_audio(recording), read_score(score), choose_soundfont(), preset="musicnet", progress=note)
    done_s = time.process_time()
    write_labels(labels, result.notes)
    marks = [0.0, starts["synthesizing the score"][0], starts["aligning"][0], done_s, time.process_time()]
    spent = {stage: end - start for stage, start, end in zip(STAGES, marks, marks[1:], strict=False)}
    frames = [len(result.warping.score_features), len(result.warping.recording_features)]
    print(json.dumps({"stages": spent, "said": starts["aligning"][1], "frames": frames}))


def measure(minutes, work):
    score, recording = measuring.quartet(minutes, work)
    usage = measuring.run([sys.executable, __file__, "--align", score, recording, work / "labels.csv"], timeout_s=3600)
    row = {"minutes": minutes, "cpu_s": usage.cpu_s, "wall_s": usage.wall_s, "peak_mb": usage.peak_bytes / 1e6}
    row |= measuring.last_line_as_json(usage.output)
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def fit(rows):
    """Exponents of the growth, and CPU seconds as start + linear · t + quadratic · t² with t in minutes."""
    import numpy as np

    minutes = np.array([row["minutes"] for row in rows])
    long = minutes >= minutes.max() / 8  # where constant costs no longer count

    def exponent(values):
        return float(np.polyfit(np.log(minutes[long]), np.log(np.array(values)[long]), 1)[0])

    def stage(name):
        return np.array([row["stages"][name] for row in rows])

    cpu_s = np.array([row["cpu_s"] for row in rows])
    warping, rendering = stage("alignment"), stage("synthesis and spectra")
    # Weighted by 1 / seconds, so that every length counts the same relative error.
    linear_s, start_s = np.polyfit(minutes, cpu_s - warping, 1, w=1 / (cpu_s - warping))
    quadratic_s = float(np.mean(warping[long] / minutes[long] ** 2))
    return {
        "exponents": {
            "CPU seconds": exponent(cpu_s),
            "of synthesis and spectra": exponent(rendering),
            "of the alignment": exponent(warping),
            "peak memory": exponent([row["peak_mb"] for row in rows]),
        },
        "start_s": float(start_s),
        "linear_s_per_minute": float(linear_s),
        "quadratic_s_per_minute2": quadratic_s,
    }


def table(rows):
    """The rows as a markdown table."""
    lines = [
        "| minutes | frames | CPU s | start, reading | rendering, spectra | DTW | peak MB |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        stages = " | ".join(f"{row['stages'][name]:.1f}" for name in STAGES[:3])
        frames = "{} × {}".format(*row["frames"])
        lines.append(f"| {row['minutes']:g} | {frames} | {row['cpu_s']:.1f} | {stages} | {row['peak_mb']:.0f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 2, 4, 8, 15, 18, 30, 60], help="lengths")
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"), help="where the music is kept")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--align", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.align:
        align_once(*options.align)
        return
    measure(0.2, options.work)  # warms the compiler's cache
    rows = [measure(minutes, options.work) for minutes in options.minutes]
    print(table(rows))
    print(json.dumps(fit(rows), indent=1))
    if options.json:
        measuring.write_json(options.json, {"rows": rows, **fit(rows)})


if __name__ == "__main__":
    main()
