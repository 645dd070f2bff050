"""Label the same pieces with this package and with others, each as its authors show it, and compare with the truth.

    python tests/benchmarks/bench_peers_alignment.py FOLDER... --peers PYTHON [--soundfont NAME] [--json OUT.json]

Each FOLDER holds pieces, or is one: a folder with a recording, ``score.mid`` and ``truth.json`` (notes with ``pitch``,
``beat_on``, ``p_on`` in recording seconds, and ``p_on_note`` where players have their own). PYTHON is the interpreter
of an environment with librosa, synctoolbox and parangonar (which needs tqdm); what it lacks is named and left out. All
get the same recording and the same score; where sound is asked for, the score is rendered with the soundfont. Seconds
are those of processor, in one thread, starting the program and rendering included.
"""

import argparse
import csv
import functools
import json
import sys
import tempfile
from pathlib import Path

import measuring
import numpy as np

PEERS = Path(__file__).with_name("peer_aligners.py")
OURS = {"musicnet_build, precise": "precise", "musicnet_build, musicnet": "musicnet"}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"), "1")
WITHIN_S = (0.025, 0.05, 0.1)


def recording_of(piece):
    return next(path for path in sorted(piece.iterdir()) if path.suffix in (".flac", ".wav", ".ogg", ".mp3"))


def write_score(piece, folder, soundfont):
    """The notes of a score as a table, and its sound."""
    from musicnet_build.audio.io import write_audio
    from musicnet_build.notes import pitched
    from musicnet_build.score.programs import PROGRAM_NAMES
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.render import synthesize
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    score = read_score(piece / "score.mid")
    notes = pitched(score.notes)
    with (folder / "notes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["start", "duration", "pitch", "velocity", "instrument", "onset_beat"])
        for note in notes:
            times = note["onset_s"], note["offset_s"] - note["onset_s"]
            instrument = PROGRAM_NAMES[note["program"]].replace(",", "")
            writer.writerow([*times, note["pitch"], note["velocity"] / 127, instrument, note["onset_beats"]])
    write_audio(folder / "rendered.wav", synthesize(score, choose_soundfont(soundfont)).audio)


def ours(piece, folder, preset, soundfont):
    """The labels of a preset, what they took, and the verdict."""
    labels = folder / f"{preset}.csv"
    files = [recording_of(piece), piece / "score.mid", "-o", labels, "--preset", preset, "--json"]
    chosen = ["--soundfont", soundfont] if soundfont else []
    command = [sys.executable, "-m", "musicnet_build", "align", *files, *chosen]
    usage = measuring.run(command, MUSICNET_BUILD_CACHE="off", **ONE_THREAD)
    return labels, usage.cpu_s, json.loads(usage.output)["verdict"]


def theirs(piece, folder, name, python, soundfont):
    """The same of a peer, which gives no verdict."""
    from musicnet_build.labels.files import write_labels
    from musicnet_build.notes import pitched
    from musicnet_build.score.reader import read_score

    files = [recording_of(piece), folder / "notes.csv", folder / "rendered.wav"]
    usage = measuring.run([python, PEERS, name, *files], **ONE_THREAD)
    notes = pitched(read_score(piece / "score.mid").notes)
    notes["onset_s"] = np.maximum(measuring.last_line_as_json(usage.output), 0.0)
    notes["offset_s"] = notes["onset_s"] + 0.1  # ends are not compared
    labels = folder / "theirs.csv"
    write_labels(labels, notes)
    return labels, usage.cpu_s + (rendering_s(piece, soundfont) if name.startswith("librosa") else 0.0), None


@functools.cache
def rendering_s(piece, soundfont):
    """Seconds of processor that rendering a score takes, in a process of its own."""
    call = "import sys; from bench_peers_alignment import write_score; write_score(*map(__import__('pathlib').Path, "
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", f"{call} sys.argv[1:3]), {soundfont!r})", piece, folder]
        return measuring.run(command, PYTHONPATH=python_path(), **ONE_THREAD).cpu_s


def python_path():
    return ":".join([str(Path(__file__).parent), *filter(None, sys.path)])


def compared(piece, aligners, python, soundfont):
    """A row for each aligner: shares of all true notes, seconds, verdict; or why there are none."""
    from musicnet_build.evaluation.alignment import evaluate
    from musicnet_build.evaluation.files import read_notes

    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = read_notes(measuring.truth_of(piece, folder))
        write_score(piece, folder, soundfont)
        for aligner in aligners:
            row = {"set": piece.parent.name, "piece": piece.name, "aligner": aligner, "notes": len(truth)}
            try:
                if aligner in OURS:
                    labels, cpu_s, verdict = ours(piece, folder, OURS[aligner], soundfont)
                else:
                    labels, cpu_s, verdict = theirs(piece, folder, aligner, python, soundfont)
            except RuntimeError as error:
                row |= {"fault": str(error)}
            else:
                errors_s = np.abs(evaluate(truth, read_notes(labels)).onset_error_s)
                within = [int(np.sum(errors_s < limit_s)) for limit_s in WITHIN_S]
                row |= {"within": within, "median_s": float(np.nanmedian(errors_s)), "cpu_s": cpu_s, "verdict": verdict}
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def table(rows):
    """Of each set and aligner: shares within, mean of the median errors, seconds, and what was said or failed."""
    lines = ["| recordings | aligner | < 25 ms | < 50 ms | < 100 ms | median | CPU s | refused |"]
    lines.append("|---|---|---:|---:|---:|---:|---:|---|")
    for group in dict.fromkeys((row["set"], row["aligner"]) for row in rows):
        own = [row for row in rows if (row["set"], row["aligner"]) == group]
        whole = [row for row in own if "within" in row]
        notes = sum(row["notes"] for row in own)
        shares = np.sum([row["within"] for row in whole], axis=0) / notes if whole else [0.0] * len(WITHIN_S)
        cells = [f"{100 * share:.1f} %" for share in shares]
        median = f"{1000 * np.mean([row['median_s'] for row in whole]):.1f} ms" if whole else ""
        cells += [median, f"{sum(row['cpu_s'] for row in whole):.0f}" if whole else "", refused(own)]
        lines.append(f"| {group[0]} ({len(own)}) | {group[1]} | {' | '.join(cells)} |")
    return lines


def refused(rows):
    """Verdicts that are not ``accept``, and failures."""
    if all(row.get("verdict", "") is None for row in rows):
        return "gives no verdict"
    told = [f"{row['piece']}: {row.get('verdict') or row.get('fault')}" for row in rows]
    return "; ".join(line for line in told if not line.endswith(": accept")) or "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--soundfont")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    have = {}
    if options.peers:
        have = measuring.last_line_as_json(measuring.run([options.peers, PEERS, "--have"]).output)
    for name in (name for name, version in have.items() if version is None):
        print(f"{name}: missing in the environment of {options.peers}, left out", file=sys.stderr)
    aligners = [*OURS, *(name for name, version in have.items() if version)]
    pieces = [piece for folder in options.folders for piece in measuring.pieces_in(folder.absolute())]
    rows = [row for piece in pieces for row in compared(piece, aligners, options.peers, options.soundfont)]
    if options.json:
        measuring.write_json(options.json, {"versions": have, "rows": rows})
    print(measuring.machine(), *sorted({version for version in have.values() if version}), sep="\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
