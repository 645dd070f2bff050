"""Compare the whole ``align`` with a plain script of librosa and pretty_midi that follows the paper's recipe.

    python tests/benchmarks/bench_align.py [--minutes 1 2 4 6 18] [--work FOLDER] [--json OUT.json]

Each runs as a user runs it, in a process of its own, imports included; compilers' caches are warmed before. Ours is
measured with the synthesized score in the cache, and with the cache off. Of every measurement the faster of two is
kept. The script is left out where its matrices (20 bytes a cell) would take more than nine tenths of the free memory.
"""

import argparse
import json
import sys
from pathlib import Path

import measuring

HERE = Path(__file__).parent
ALIGN = [sys.executable, "-c", "from musicnet_build.cli import main; main()", "align"]
BYTES_A_CELL = 20
FRAMES_PER_MINUTE = 60 * 44_100 / 512


def faster_of_two(command, **environment):
    return min((measuring.run(command, **environment) for _ in range(2)), key=lambda usage: usage.wall_s)


def compare(minutes, work, soundfont):
    """Rows of one length."""
    score, recording = measuring.quartet(minutes, work)
    labels, cache = work / "labels.csv", {"XDG_CACHE_HOME": str(work.resolve() / "cache"), "MUSICNET_BUILD_CACHE": ""}
    ours = [*ALIGN, recording, score, "-o", labels, "--preset", "musicnet"]
    measuring.run(ours, **cache)  # fills the cache
    yield "musicnet_build, score cached", faster_of_two(ours, **cache)
    yield "musicnet_build, cache off", faster_of_two(ours, MUSICNET_BUILD_CACHE="off")
    precise = [*ours[:-1], "precise"]
    yield "musicnet_build, preset precise, cache off", faster_of_two(precise, MUSICNET_BUILD_CACHE="off")
    script = [sys.executable, HERE / "paper_recipe.py", recording, score, soundfont, labels]
    needed = BYTES_A_CELL * (minutes * FRAMES_PER_MINUTE) ** 2
    too_large = needed > measuring.MOST_OF_MEMORY * measuring.available_bytes()
    try:
        yield "librosa and pretty_midi", f"needs {needed / 1e9:.0f} GB" if too_large else faster_of_two(script)
    except RuntimeError as error:
        yield "librosa and pretty_midi", str(error)


def rows_of(minutes, work, soundfont):
    for contender, usage in compare(minutes, work, soundfont):
        row = {"minutes": minutes, "contender": contender}
        if isinstance(usage, str):
            row["failed"] = usage
        else:
            row |= {"wall_s": usage.wall_s, "cpu_s": usage.cpu_s, "peak_mb": usage.peak_bytes / 1e6}
        print(json.dumps(row), file=sys.stderr, flush=True)
        yield row


def table(rows):
    """The rows as a markdown table, with ratios to the first of the same length."""
    lines = [
        "| minutes | | wall s | × real time | CPU s | × ours | peak MB | × ours |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        head = f"| {row['minutes']:g} | {row['contender']} |"
        if "failed" in row:
            lines.append(f"{head} {row['failed']} | | | | | |")
            continue
        first = next(other for other in rows if other["minutes"] == row["minutes"])
        cpu, memory = (row[key] / first[key] for key in ("cpu_s", "peak_mb"))
        speed = 60 * row["minutes"] / row["wall_s"]
        lines.append(
            f"{head} {row['wall_s']:.1f} | {speed:.0f} | {row['cpu_s']:.1f} | {cpu:.1f} "
            f"| {row['peak_mb']:.0f} | {memory:.1f} |"
        )
    return "\n".join(lines)


def main():
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=[1.0, 2.0, 4.0, 6.0, 18.0], help="lengths of the music"
    )
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"), help="where the music is kept")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    soundfont = choose_soundfont().path
    list(rows_of(0.2, options.work, soundfont))  # warms the compilers' caches
    rows = [row for minutes in options.minutes for row in rows_of(minutes, options.work, soundfont)]
    print(table(rows))
    if options.json:
        measuring.write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
