"""Edit recordings in ways that a verdict should notice, and in ways that it should not; count what is noticed.

    python tests/benchmarks/bench_quality.py FOLDER... [--edits drop double] [--soundfont NAME] [--json OUT.json]

Each FOLDER holds pieces, or is one: a folder with ``recording.*``, ``score.mid`` and ``truth.json``, which says when
each note of the score is played: ``{"notes": [{"s_on": score seconds, "p_on": recording seconds or null}, ...]}``.
A span counts as found where a suspicion that is not silence or noise and the true span share 80 % of what they cover
together. Music that is missing is looked for on the score's clock, extra music on the recording's: there either copy
of a doubled passage will do.
"""

import argparse
import json
from pathlib import Path

import measuring
import numpy as np

SAMPLE_RATE = 44_100
SHARE = 0.15  # of the recording that is cut or doubled
FADE_S = 0.02
FOUND = 0.8
SEED = 1

HOPED_FOR = {
    "none": ("accept",),
    "noise": ("accept",),
    "mistuned": ("accept",),
    "drop": ("review", "reject"),
    "double": ("review", "reject"),
    "start": ("review", "reject"),
    "end": ("review", "reject"),
    "wrong": ("reject",),
}
"""Edits by name, and the verdicts that are right."""

TITLES = {
    "none": "unedited",
    "noise": "7 s of noise in front",
    "mistuned": "30 cents sharp",
    "drop": "15 % dropped",
    "double": "15 % doubled",
    "start": "start cut by 15 %",
    "end": "end cut by 15 %",
    "wrong": "another piece's score",
}


def edited(audio, edit, random):
    """The edited recording; the spans of the original that are missing; the spans of the result that are extra.

    Spans are in seconds. Of the extra spans any one is enough, as the copies of a passage cannot be told apart.
    """
    length = len(audio)
    cut = int(SHARE * length)
    start = int(random.integers(int(0.2 * length), int(0.6 * length)))
    if edit == "noise":
        noise = 0.5 * audio.std() * random.standard_normal(7 * SAMPLE_RATE)
        return np.concatenate([noise.astype(np.float32), audio]), [], []
    if edit == "mistuned":
        import soxr

        return soxr.resample(audio, SAMPLE_RATE * 2 ** (30 / 1200), SAMPLE_RATE), [], []
    if edit == "drop":
        return spliced(audio[:start], audio[start + cut :]), [seconds(start, start + cut)], []
    if edit == "double":
        copies = [seconds(start, start + cut), seconds(start + cut, start + 2 * cut)]
        return spliced(audio[: start + cut], audio[start:]), [], copies
    if edit == "start":
        return audio[cut:], [seconds(0, cut)], []
    if edit == "end":
        return audio[:-cut], [seconds(length - cut, length)], []
    return audio, [], []


def spliced(first, second):
    """The one after the other, with a short cross-fade."""
    fade = int(FADE_S * SAMPLE_RATE)
    rising = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    middle = first[-fade:] * (1 - rising) + second[:fade] * rising
    return np.concatenate([first[:-fade], middle, second[fade:]])


def seconds(start, end):
    return start / SAMPLE_RATE, end / SAMPLE_RATE


def in_score_seconds(truth, spans, ends_s):
    """Spans of the unedited recording on the score's clock; the ends of the recording are those of the score."""
    notes = [note for note in json.loads(truth.read_text(encoding="utf-8"))["notes"] if note["p_on"] is not None]
    score_s, chord = np.unique([note["s_on"] for note in notes], return_inverse=True)
    played_s = np.bincount(chord, [note["p_on"] for note in notes]) / np.bincount(chord)
    recording_end_s, score_end_s = ends_s
    knots_s = np.maximum.accumulate([0.0, *played_s, recording_end_s])
    return [tuple(np.interp(span, knots_s, [0.0, *score_s, score_end_s])) for span in spans]


def overlap(one, other):
    """What two spans share of what they cover together."""
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def best_overlap(quality, missing, extra):
    """Of the suspicion that comes nearest to what was done; None where nothing was."""
    from musicnet_build.quality.flags import NOT_MUSIC

    suspicions = [suspicion for suspicion in quality.suspicions if suspicion.kind != NOT_MUSIC]
    in_score = [(suspicion.score_start_s, suspicion.score_end_s) for suspicion in suspicions]
    in_recording = [(suspicion.start_s, suspicion.end_s) for suspicion in suspicions]
    if not missing and not extra:
        return None
    pairs = [(a, b) for true, found in ((missing, in_score), (extra, in_recording)) for a in true for b in found]
    return max((overlap(a, b) for a, b in pairs), default=0.0)


def row_of(job):
    """Edit, align, and say what the verdict is."""
    piece, score, edit, soundfont = job
    from musicnet_build.alignment import align
    from musicnet_build.audio.io import read_audio
    from musicnet_build.score.reader import read_score
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    recording, music = read_audio(next(piece.glob("recording.*"))), read_score(score / "score.mid")
    ends_s = len(recording) / SAMPLE_RATE, music.duration_s
    audio, missing, extra = edited(recording, edit, np.random.default_rng(SEED))
    quality = align(audio, music, choose_soundfont(soundfont)).quality
    return {
        "piece": piece.name,
        "edit": edit,
        "verdict": quality.verdict,
        "reasons": quality.reasons,
        "mean_confidence": round(quality.mean_confidence, 3),
        "confident_share": round(quality.confident_share, 3),
        "tempo_spread": round(quality.tempo_spread, 3),
        "transposition_ratio": round(quality.transposition_ratio, 3),
        "tuning_cents": quality.tuning_cents,
        "kinds": sorted({suspicion.kind for suspicion in quality.suspicions}),
        "overlap": best_overlap(quality, in_score_seconds(piece / "truth.json", missing, ends_s), extra),
    }


def table(rows):
    """The rows as a markdown table, one line an edit."""
    lines = [
        "| edit | pieces | accept | review | reject | as hoped for | span found | mean overlap |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for edit, hoped_for in HOPED_FOR.items():
        verdicts = [row["verdict"] for row in rows if row["edit"] == edit]
        overlaps = [row["overlap"] for row in rows if row["edit"] == edit and row["overlap"] is not None]
        if not verdicts:
            continue
        counts = " | ".join(str(verdicts.count(verdict)) for verdict in ("accept", "review", "reject"))
        right = np.mean([verdict in hoped_for for verdict in verdicts])
        spans = f"{np.mean(np.array(overlaps) >= FOUND):.0%} | {np.mean(overlaps):.2f}" if overlaps else "| "
        lines.append(f"| {TITLES[edit]} | {len(verdicts)} | {counts} | {right:.0%} | {spans} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="pieces, or folders of pieces")
    parser.add_argument("--edits", nargs="+", choices=HOPED_FOR, default=list(HOPED_FOR), help="all, if not given")
    parser.add_argument("--soundfont", help="file or name")
    parser.add_argument("--workers", type=int, default=1, help="alignments at a time")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    pieces = [piece for folder in options.folders for piece in measuring.pieces_in(folder)]
    jobs = [
        (piece, pieces[(index + 1) % len(pieces)] if edit == "wrong" else piece, edit, options.soundfont)
        for edit in options.edits
        for index, piece in enumerate(pieces)
    ]
    rows = measuring.rows_of_all(row_of, jobs, options.workers)
    print(table(rows))
    if options.json:
        measuring.write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
