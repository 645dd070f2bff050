"""Align recordings with the scores of other pieces, and count the verdicts.

    python tests/benchmarks/bench_wrong_pairs.py FOLDER... [--within 1.5] [--soundfont NAME] [--json OUT.json]

Each FOLDER is a piece, or holds pieces: `score.mid` and `recording.*`; no truth is needed. Every recording is aligned
with its own score, and with that of every other piece whose recording lasts at most so many times as long or as short.
The features of a recording are taken once. What the onset network learns from a pair changes labels, and so does the
verdict stand before that: where it has learnt something, the pair is aligned once more without.
"""

import dataclasses
import math
import os
from unittest import mock

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads would only wait for each other

import measuring
import numpy as np
from bench_structure import pieces_in

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.notes import SAMPLE_RATE, pitched
from musicnet_build.score.reader import read_score
from musicnet_build.sync import precise
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.soundfonts import choose_soundfont

VERDICTS = ("accept", "review", "reject")


def whole_keyboard(score):
    """A score with a note of each pitch of a piano: what is listened for, whatever score comes."""
    notes = np.resize(pitched(score.notes)[:1], 88)
    notes["pitch"] = np.arange(21, 109)
    return dataclasses.replace(score, notes=notes)


def judged(recording, score, soundfont):
    """The quality of a pair's labels, and whether the network has learnt from it."""
    aligned = align(recording, score, soundfont, options=Options(examples=True))
    return aligned.quality, bool(aligned.warping.examples)


def row_of(recording, score, soundfont):
    """What is said of a pair, and what would be said had the network learnt nothing."""
    quality, learnt = judged(recording, score, soundfont)
    before = quality
    if learnt:
        with mock.patch.object(precise, "sure_examples", return_value=[]):
            before, _ = judged(recording, score, soundfont)
    return {
        "verdict": str(quality.verdict),
        "reasons": quality.reasons,
        "learnt": learnt,
        "verdict_before": str(before.verdict),
        "confidence": round(quality.mean_confidence, 3),
        "unsure": round(1 - quality.confident_share, 3),
        "transposition_ratio": round(quality.transposition_ratio, 3),
        "tempo_spread": round(quality.tempo_spread, 2),
    }


def rows_of(own, others, soundfont):
    """A recording with its own score and with others, a row each."""
    recording, score = read_audio(next(own.glob("recording.*"))), read_score(own / "score.mid")
    heard = precise.extract_features(recording, whole_keyboard(score), Options())
    with mock.patch.object(precise, "extract_features", return_value=heard):
        for other in (own, *others):
            row = row_of(recording, read_score(other / "score.mid"), soundfont)
            yield {"recording": own.name, "score": other.name, **row}


def table(rows):
    """The rows as a markdown table: right pairs, wrong ones, and the wrong ones that the network has learnt from."""
    own = [row for row in rows if row["recording"] == row["score"]]
    wrong = [row for row in rows if row["recording"] != row["score"]]
    learnt = [row for row in wrong if row["learnt"]]
    kinds = (
        ("own score", own, "verdict"),
        ("another piece's", wrong, "verdict"),
        ("another piece's, learnt from", learnt, "verdict"),
        ("the same, had nothing been learnt", learnt, "verdict_before"),
    )
    lines = ["| score | pairs | accept | review | reject | mean confidence | unsure |", "|---|--:|--:|--:|--:|---|---|"]
    for kind, here, verdict in kinds:
        counts = [sum(row[verdict] == name for row in here) for name in VERDICTS]
        spans = [span([row[key] for row in here]) for key in ("confidence", "unsure")]
        lines.append(f"| {' | '.join(map(str, (kind, len(here), *counts, *spans)))} |")
    return "\n".join(lines)


def span(values):
    return f"{min(values):.2f} to {max(values):.2f}" if values else ""


def all_rows(options):
    """All recordings with their own scores and with those of others."""
    pieces, soundfont = list(pieces_in(options.folders)), choose_soundfont(options.soundfont)
    length_s = {piece: len(read_audio(next(piece.glob("recording.*")))) / SAMPLE_RATE for piece in pieces}
    for piece in pieces:
        apart = {other: abs(math.log(length_s[other] / length_s[piece])) for other in pieces if other != piece}
        near = [other for other in apart if apart[other] <= math.log(options.within)]
        yield from rows_of(piece, near, soundfont)


def main():
    parser = measuring.arguments(__doc__)
    parser.add_argument("--within", type=float, default=1.5, metavar="RATIO", help="of the recordings' lengths")
    options = parser.parse_args()
    measuring.report(all_rows(options), table, options.json)


if __name__ == "__main__":
    main()
