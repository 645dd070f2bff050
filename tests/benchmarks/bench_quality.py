"""Edit recordings in ways that a verdict should notice, and in ways that it should not; count what is noticed.

    python tests/benchmarks/bench_quality.py FOLDER... [--edits drop double] [--soundfont NAME] [--json OUT.json]

Each FOLDER holds pieces, or is one: a folder with ``recording.*``, ``score.mid`` and ``truth.json``, which says when
each note of the score is played: ``{"notes": [{"s_on": score seconds, "p_on": recording seconds or null}, ...]}``.
A span counts as found where a suspicion that is not silence or noise and the true span share 80 % of what they cover
together. Music that is missing is looked for on the score's clock, extra music on the recording's: there either copy
of a doubled passage will do. A label is wrong where it is more than 100 ms from every time at which its note is heard
in the edited recording; notes that the player left out are not counted.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import measuring
import numpy as np

SAMPLE_RATE = 44_100
SHARE = 0.15  # of the recording that is cut or doubled
SHORT_S = 4.0  # the same, too short for the search for the playing order
FADE_S = 0.02
FOUND = 0.8
WRONG_S = 0.1
TOO_MANY_WRONG = 0.05
SAME_BEAT = 0.06
SEED = 1

HOPED_FOR = {
    "none": ("accept",),
    "noise": ("accept",),
    "mistuned": ("accept",),
    "drop": ("review", "reject"),
    "double": ("review", "reject"),
    "start": ("review", "reject"),
    "end": ("review", "reject"),
    "drop-4s": ("review", "reject"),
    "double-4s": ("review", "reject"),
    "start-4s": ("review", "reject"),
    "end-4s": ("review", "reject"),
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
    "drop-4s": "4 s dropped",
    "double-4s": "4 s doubled",
    "start-4s": "start cut by 4 s",
    "end-4s": "end cut by 4 s",
    "wrong": "another piece's score",
}


class Heard(NamedTuple):
    """A passage of the original recording that is heard in the edited one; in seconds, and how much slower."""

    start_s: float
    end_s: float
    begins_s: float
    slower: float = 1.0


@dataclass(frozen=True)
class Edited:
    """A recording after an edit.

    Of the extra spans any one is enough, as the copies of a passage cannot be told apart.
    """

    audio: np.ndarray
    heard: tuple[Heard, ...]
    missing: tuple[tuple[float, float], ...] = ()  # of the original
    extra: tuple[tuple[float, float], ...] = ()  # of the result


def edited(audio, edit, random):
    """A recording after the edit of this name."""
    kind, _, short = edit.partition("-")
    length = len(audio)
    cut = int(SHORT_S * SAMPLE_RATE) if short else int(SHARE * length)
    start = int(random.integers(int(0.2 * length), int(0.6 * length)))
    if kind == "noise":
        noise = 0.5 * audio.std() * random.standard_normal(7 * SAMPLE_RATE)
        return Edited(np.concatenate([noise.astype(np.float32), audio]), (Heard(0.0, length / SAMPLE_RATE, 7.0),))
    if kind == "mistuned":
        import soxr

        rate = SAMPLE_RATE * 2 ** (30 / 1200)
        sharp = soxr.resample(audio, rate, SAMPLE_RATE)
        return Edited(sharp, (Heard(0.0, length / SAMPLE_RATE, 0.0, SAMPLE_RATE / rate),))
    if kind == "drop":
        return spliced(audio, (0, start), (start + cut, length), missing=(seconds(start, start + cut),))
    if kind == "double":
        copies = seconds(start, start + cut), seconds(start + cut, start + 2 * cut)
        return spliced(audio, (0, start + cut), (start, length), extra=copies)
    if kind == "start":
        return spliced(audio, (cut, length), missing=(seconds(0, cut),))
    if kind == "end":
        return spliced(audio, (0, length - cut), missing=(seconds(length - cut, length),))
    return spliced(audio, (0, length))


def spliced(audio, *passages, **spans):
    """One or two passages of a recording, the second behind the first, with a short cross-fade."""
    (start, end), *second = passages
    parts, heard = audio[start:end], [Heard(*seconds(start, end), 0.0)]
    for start, end in second:
        begins = len(parts) - int(FADE_S * SAMPLE_RATE)
        parts = crossfaded(parts, audio[start:end])
        heard.append(Heard(*seconds(start, end), begins / SAMPLE_RATE))
    return Edited(parts, tuple(heard), **spans)


def crossfaded(first, second):
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


def share_wrong(notes, truth, heard):
    """Share of labels that are not where their note is heard; None where no label's note is known."""
    true = [note for note in json.loads(truth.read_text(encoding="utf-8"))["notes"] if note["p_on"] is not None]
    pitch, beat = np.array([(note["pitch"], note["beat_on"]) for note in true]).T
    own_s = (note.get("p_on_note") for note in true)  # a player's own onset, where it is known
    played_s = np.array([note["p_on"] if time_s is None else time_s for time_s, note in zip(own_s, true, strict=True)])
    wrong = []
    for note in notes:
        own = played_s[(pitch == note["pitch"]) & (np.abs(beat - note["onset_beats"]) <= SAME_BEAT)]
        if len(own):
            times_s = [at.begins_s + (time_s - at.start_s) * at.slower for at in heard for time_s in within(own, at)]
            wrong.append(all(abs(time_s - note["onset_s"]) > WRONG_S for time_s in times_s))
    return float(np.mean(wrong)) if wrong else None


def within(times_s, passage):
    """Those of some times of the original that a passage has."""
    return times_s[(times_s >= passage.start_s) & (times_s < passage.end_s)]


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
    after = edited(recording, edit, np.random.default_rng(SEED))
    aligned = align(after.audio, music, choose_soundfont(soundfont))
    quality, truth = aligned.quality, piece / "truth.json"
    wrong = 1.0 if edit == "wrong" else share_wrong(aligned.notes, truth, after.heard)
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
        "overlap": best_overlap(quality, in_score_seconds(truth, after.missing, ends_s), after.extra),
        "wrong": round(wrong, 4),
    }


def table(rows):
    """The rows as a markdown table, one line an edit."""
    lines = [
        "| edit | pieces | accept | review | reject | as hoped for | span found | mean overlap "
        "| labels wrong, accepted | accepted, over 5 % wrong |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|",
    ]
    for edit, hoped_for in HOPED_FOR.items():
        verdicts = [row["verdict"] for row in rows if row["edit"] == edit]
        overlaps = [row["overlap"] for row in rows if row["edit"] == edit and row["overlap"] is not None]
        if not verdicts:
            continue
        counts = " | ".join(str(verdicts.count(verdict)) for verdict in ("accept", "review", "reject"))
        right = np.mean([verdict in hoped_for for verdict in verdicts])
        spans = f"{np.mean(np.array(overlaps) >= FOUND):.0%} | {np.mean(overlaps):.2f}" if overlaps else "| "
        wrong = [row["wrong"] for row in rows if row["edit"] == edit and row["verdict"] == "accept"]
        figures = (
            f"{counts} | {right:.0%} | {spans} | {span_of(wrong)} | {sum(share > TOO_MANY_WRONG for share in wrong)}"
        )
        lines.append(f"| {TITLES[edit]} | {len(verdicts)} | {figures} |")
    return "\n".join(lines)


def span_of(shares):
    return f"{min(shares):.1%} to {max(shares):.1%}" if shares else ""


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
