"""Label the same pieces with this package and with others, each as its authors show it, and compare with the truth.

    python tests/benchmarks/bench_peers_alignment.py FOLDER... --peers PYTHON [--soundfont NAME] [--json OUT.json]

Each FOLDER holds pieces, or is one: a folder with a recording, ``score.mid`` and ``truth.json`` (notes with ``pitch``,
``beat_on``, ``p_on`` in recording seconds, and ``p_on_note`` where players have their own), or ``truth.csv``, as the
demo writes it. PYTHON is the interpreter of an environment with librosa, synctoolbox, parangonar (which needs tqdm) and
basic-pitch; what it lacks is named and left out. All get the same recording and the same score, but transcribers, which
get the recording alone; where sound is asked for, the score is rendered with the soundfont. Seconds are those of
processor, in one thread, starting the program and rendering included; memory is the peak of the process that took most.

A label of an aligner belongs to one note of the score, and is compared with that note. What a transcriber hears
belongs to none: a true note counts as found where it hears its pitch so near, once for each. F is that of a list of
notes, for all alike.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

import measuring
import numpy as np
from peer_aligners import TRANSCRIBERS

PEERS = Path(__file__).with_name("peer_aligners.py")
OURS = {"musicnet_build, precise": "precise", "musicnet_build, musicnet": "musicnet"}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"), "1")
WITHIN_S = (0.025, 0.05, 0.1)
F_WITHIN_S = WITHIN_S[:2]


def recording_of(piece):
    endings = (".flac", ".wav", ".ogg", ".mp3")
    return next(path for path in sorted(piece.glob("recording.*")) if path.suffix in endings)


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


def rendered(piece, folder, soundfont):
    """Have a process write a score as others want it; what rendering took."""
    call = "import sys; from bench_peers_alignment import write_score; write_score(*map(__import__('pathlib').Path, "
    command = [sys.executable, "-c", f"{call} sys.argv[1:3]), {soundfont!r})", piece, folder]
    return measuring.run(command, PYTHONPATH=python_path(), **ONE_THREAD)


def python_path():
    return ":".join([str(Path(__file__).parent), *filter(None, sys.path)])


def ours(piece, folder, preset, soundfont):
    """The labels of a preset, what they took, and the verdict."""
    labels = folder / f"{preset}.csv"
    files = [recording_of(piece), piece / "score.mid", "-o", labels, "--preset", preset, "--json"]
    chosen = ["--soundfont", soundfont] if soundfont else []
    command = [sys.executable, "-m", "musicnet_build", "align", *files, *chosen]
    usage = measuring.run(command, MUSICNET_BUILD_CACHE="off", **ONE_THREAD)
    return labels, [usage], json.loads(usage.output)["verdict"]


def theirs(piece, folder, name, python, rendering):
    """The same of a peer, which gives no verdict."""
    files = [recording_of(piece), folder / "notes.csv", folder / "rendered.wav"]
    usage = measuring.run([python, PEERS, name, *files], **ONE_THREAD)
    found = measuring.last_line_as_json(usage.output)
    if name in TRANSCRIBERS:
        labels = folder / "heard.json"
        labels.write_text(json.dumps(found), encoding="utf-8")
    else:
        labels = write_times(piece, folder, found)
    return labels, [usage, rendering] if name.startswith("librosa") else [usage], None


def write_times(piece, folder, times_s):
    """The notes of a score at other times, as a label file."""
    from musicnet_build.labels.files import write_labels
    from musicnet_build.notes import pitched
    from musicnet_build.score.reader import read_score

    notes = pitched(read_score(piece / "score.mid").notes)
    notes["onset_s"] = np.maximum(times_s, 0.0)
    notes["offset_s"] = notes["onset_s"] + 0.1  # ends are not compared
    write_labels(folder / "theirs.csv", notes)
    return folder / "theirs.csv"


def figures(truth, labels, is_transcription):
    """How many true notes have their label so near, how many labels and true notes make pairs, the median error."""
    from musicnet_build.evaluation.alignment import evaluate
    from musicnet_build.evaluation.metrics import note_match

    matches = [note_match(truth, labels, with_offsets=False, tolerance_s=limit_s) for limit_s in WITHIN_S]
    paired = [round(match.recall * len(truth)) for match in matches]
    values = {"labels": len(labels), "paired": paired[: len(F_WITHIN_S)]}
    if is_transcription:
        return values | {"within": paired}
    errors_s = np.abs(evaluate(truth, labels).onset_error_s)
    within = [int(np.sum(errors_s < limit_s)) for limit_s in WITHIN_S]
    return values | {"within": within, "median_s": float(np.nanmedian(errors_s))}


def compared(piece, aligners, python, soundfont):
    """A row for each aligner: figures, what it took, verdict; or why there are none."""
    from musicnet_build.evaluation.files import read_any_notes, read_notes

    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = read_notes(measuring.truth_of(piece, folder))
        rendering = rendered(piece, folder, soundfont)
        for aligner in aligners:
            row = {"set": piece.parent.name, "piece": piece.name, "aligner": aligner, "notes": len(truth)}
            try:
                if aligner in OURS:
                    labels, usages, verdict = ours(piece, folder, OURS[aligner], soundfont)
                else:
                    labels, usages, verdict = theirs(piece, folder, aligner, python, rendering)
            except RuntimeError as error:
                row |= {"fault": str(error)}
            else:
                row |= figures(truth, read_any_notes(labels), aligner in TRANSCRIBERS)
                cpu_s = sum(usage.cpu_s for usage in usages)
                row |= {"cpu_s": cpu_s, "peak_bytes": max(usage.peak_bytes for usage in usages), "verdict": verdict}
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def table(rows):
    """Of each set and aligner: shares within, mean of the median errors, F, what it took, what was said or failed."""
    figures = "< 25 ms | < 50 ms | < 100 ms | median | F 25 ms | F 50 ms | CPU s | MB"
    lines = [f"| recordings | aligner | {figures} | refused |", f"|---|---|{'---:|' * 8}---|"]
    for group in dict.fromkeys((row["set"], row["aligner"]) for row in rows):
        own = [row for row in rows if (row["set"], row["aligner"]) == group]
        whole = [row for row in own if "within" in row]
        cells = figure_cells(whole, sum(row["notes"] for row in own)) if whole else [""] * 8
        lines.append(f"| {group[0]} ({len(own)}) | {' | '.join([group[1], *cells, refused(own)])} |")
    return lines


def figure_cells(rows, notes):
    """The figures of rows of one aligner, among so many true notes."""
    within, paired = (np.sum([row[key] for row in rows], axis=0) for key in ("within", "paired"))
    f1 = 2 * paired / (notes + sum(row["labels"] for row in rows))
    medians_s = [row["median_s"] for row in rows if "median_s" in row]
    median = f"{1000 * np.mean(medians_s):.1f} ms" if medians_s else "–"
    cpu_s, peak_mb = sum(row["cpu_s"] for row in rows), max(row["peak_bytes"] for row in rows) / 1e6
    shares = [f"{100 * share:.1f} %" for share in (*within / notes, *f1)]
    return [*shares[: len(WITHIN_S)], median, *shares[len(WITHIN_S) :], f"{cpu_s:.0f}", f"{peak_mb:.0f}"]


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
