"""What each step of the preset ``precise`` earns: align pieces of known truth with one step left out at a time.

    python tests/benchmarks/bench_ablation.py FOLDER... [--steps NAME...] [--soundfont NAME] [--workers N] [--json OUT]

Each FOLDER holds pieces, or is one: a folder with ``recording.flac``, ``score.mid`` and ``truth.json``, whose
``p_on_note``, the onset of each player, is taken where it is there. Printed for each FOLDER are means over its pieces.
A step is left out by putting something plainer in its place, in this script: the package has no switches for what
nobody should switch off.
"""

import argparse
import dataclasses
import os
import tempfile
from pathlib import Path
from unittest import mock

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads would only wait for each other

import measuring
import numpy as np

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.evaluation.alignment import evaluate
from musicnet_build.evaluation.files import read_notes
from musicnet_build.features import spectra
from musicnet_build.notes import pitched
from musicnet_build.score.beats import end_beats
from musicnet_build.score.order import PlayingOrder, Span
from musicnet_build.score.reader import read_score
from musicnet_build.sync import chords, passes, precise, refinement
from musicnet_build.sync.jumps import JumpSearch
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.soundfonts import choose_soundfont


def _at_score_tempo(score, music_s, soundfont, options, original=precise.render_coarsely):
    notes = pitched(score.notes)
    return original(score, float(notes["offset_s"].max() - notes["onset_s"].min()), soundfont, options)


def _coarse_spectrum_only(seen, floor=passes.FLOOR):
    return passes._normalised(seen.pitch_window, floor)


def _fine_at_coarse_tempo(heard, score, soundfont, options, coarse, times_s):
    """The coarse map in the place of all fine passes."""
    return 1.0, coarse.guess_s(times_s)[None]


def _fine_spectrum_only(seen, log_gain, fade_s):
    spectrum = np.log1p(np.expm1(seen.pitch_window) * np.float32(log_gain / spectra.BAND_GAIN))
    return passes._normalised(spectrum, 0.0)


def _passes_as_they_are(notes, fine_s, coarse_s, *_):
    onset_s, sure = np.median(fine_s, axis=0), np.ones(len(notes))
    passes_s, gaps_s = np.concatenate([fine_s, coarse_s]), np.full((2, len(notes)), np.inf)
    return refinement.Refinement(onset_s, onset_s, sure, sure, sure, passes_s, gaps_s)


def _found_as_written(score, *_):
    """No silence around the music: the search says nothing."""
    return JumpSearch(PlayingOrder((Span(0.0, end_beats(score)),), 0.0), None)


STEPS = {
    "nothing": (),
    "one level for both": (mock.patch.object(passes, "level_factor", return_value=np.float32(1.0)),),
    "tuning": (mock.patch.object(precise.spectra, "estimated_tuning_cents", return_value=0.0),),
    "the recording's tempo": (mock.patch.object(precise, "render_coarsely", _at_score_tempo),),
    "onsets in the coarse passes": (mock.patch.object(precise, "coarse_features", _coarse_spectrum_only),),
    "two of three coarse passes": (mock.patch.object(precise, "COARSE_PASSES", ((passes.FLOOR, (1.25,)),)),),
    "silence around the music": (mock.patch.object(precise, "search_playing_order", _found_as_written),),
    "the fine passes": (mock.patch.object(precise, "_align_finely", _fine_at_coarse_tempo),),
    "onsets in the fine passes": (mock.patch.object(passes, "fine_features", _fine_spectrum_only),),
    "two of three fine passes": (mock.patch.object(precise, "FINE_PASSES", precise.FINE_PASSES[:1]),),
    "steps that grow with time": (mock.patch.object(chords, "STEP_SHARE", 0.0),),
    "a time for each note": (mock.patch.multiple(refinement, TOGETHER_S=1e-4, APART_S=1e-4),),
    "chords struck together": (mock.patch.object(refinement, "P_TOGETHER", 1e-9),),
    "players who are not together": (mock.patch.object(refinement, "share_together", return_value=1.0),),
    "notes that give way": (mock.patch.object(refinement, "log_changes", return_value=0.0),),
    "adaptation": (mock.patch.object(precise, "sure_examples", return_value=[]),),
    "the refinement": (mock.patch.object(precise, "refine", _passes_as_they_are),),
}
"""Steps by name, and what stands in their place."""

PRESET_MUSICNET = "everything (preset musicnet)"


def row_of(job):
    """Align a piece without a step; return the errors of its onsets."""
    folder, piece, step, soundfont = job
    audio, score = read_audio(next(piece.glob("recording.*"))), read_score(piece / "score.mid")
    preset = "musicnet" if step == PRESET_MUSICNET else "precise"
    for patch in STEPS.get(step, ()):
        patch.start()
    try:
        aligned = align(audio, score, choose_soundfont(soundfont), preset=preset, options=Options(search_order=False))
    finally:
        mock.patch.stopall()
    with tempfile.TemporaryDirectory() as folder_of_truth:
        truth = read_notes(measuring.truth_of(piece, Path(folder_of_truth)))
    errors = evaluate(truth, aligned.notes).onset
    return {"folder": folder.name, "piece": piece.name, "without": step, **dataclasses.asdict(errors)}


def table(rows):
    """Means over the pieces of a folder as a markdown table, a line a step."""
    lines = [
        "| recordings | without | median | p95 | mean | < 25 ms | < 50 ms | < 100 ms | worst piece < 50 ms |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for folder, step in dict.fromkeys((row["folder"], row["without"]) for row in rows):
        here = [row for row in rows if (row["folder"], row["without"]) == (folder, step)]
        times = " | ".join(f"{np.mean([row[key] for row in here]):.1f}" for key in ("median_ms", "p95_ms", "mean_ms"))
        shares = " | ".join(f"{np.mean([row[f'within_{ms}_ms'] for row in here]):.1%}" for ms in (25, 50, 100))
        lines.append(f"| {folder} | {step} | {times} | {shares} | {min(row['within_50_ms'] for row in here):.1%} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="pieces, or folders of pieces")
    names = [*STEPS, PRESET_MUSICNET]
    parser.add_argument("--steps", nargs="+", choices=names, default=names, help="all, if not given")
    parser.add_argument("--soundfont", help="file or name")
    parser.add_argument("--workers", type=int, default=1, help="alignments at a time")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    jobs = [
        (folder, piece, step, options.soundfont)
        for folder in options.folders
        for step in options.steps
        for piece in measuring.pieces_in(folder)
    ]
    rows = measuring.rows_of_all(row_of, jobs, options.workers)
    print(table(rows))
    if options.json:
        measuring.write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
