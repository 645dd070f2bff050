"""What each step of the preset ``precise`` earns: align pieces of known truth with one step left out at a time.

    python tests/benchmarks/bench_ablation.py FOLDER... [--steps NAME...] [--soundfont NAME] [--workers N] [--json OUT]

Each FOLDER holds pieces, or is one: a folder with ``recording.flac``, ``score.mid`` and ``truth.json``. Printed for
each FOLDER are means over its pieces. A step is left out by putting something plainer in its place, in this script:
the package has no switches for what nobody should switch off.
"""

import argparse
import dataclasses
from pathlib import Path
from unittest import mock

import measuring
import numpy as np

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.evaluation.alignment import evaluate
from musicnet_build.evaluation.files import read_notes
from musicnet_build.score.reader import read_score
from musicnet_build.sync import precise, refinement
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.soundfonts import choose_soundfont


def _at_score_tempo(score, music_s, soundfont, options, original=precise.render_coarsely):
    notes = precise._pitched(score)
    return original(score, float(notes["offset_s"].max() - notes["onset_s"].min()), soundfont, options)


def _coarse_spectrum_only(seen, floor=precise.FLOORS[0]):
    return precise._normalised(seen.pitch_window, floor)


def _fine_at_coarse_tempo(heard, score, soundfont, options, rough, times_s):
    """The coarse map in the place of all fine passes."""
    return 1.0, rough.guess_s(times_s)[None]


def _fine_spectrum_only(seen, log_gain, fade_s):
    spectrum = np.log1p(np.expm1(seen.pitch_window) * np.float32(log_gain / precise.spectra.BAND_GAIN))
    return precise._normalised(spectrum, 0.0)


def _passes_as_they_are(notes, passes_s, rough_s, evidence, doubt=1.0):
    opinions_s = np.concatenate([passes_s, rough_s])
    onset_s = np.median(passes_s, axis=0)
    return refinement.Refinement(onset_s, onset_s, np.ones(len(onset_s)), opinions_s, 0.0)


STEPS = {
    "nothing": (),
    "one level for both": (mock.patch.object(precise, "level_factor", return_value=1.0),),
    "silence at the ends": (mock.patch.multiple(precise, PADDING_FRAMES=1, PADDING_S=precise.onsets.HOP_S),),
    "tuning": (mock.patch.object(precise.spectra, "estimated_tuning_cents", return_value=0.0),),
    "the recording's tempo": (mock.patch.object(precise, "render_coarsely", _at_score_tempo),),
    "onsets in the coarse passes": (mock.patch.object(precise, "coarse_features", _coarse_spectrum_only),),
    "the second coarse pass": (mock.patch.object(precise, "FLOORS", precise.FLOORS[:1]),),
    "the fine passes": (mock.patch.object(precise, "_align_finely", _fine_at_coarse_tempo),),
    "onsets in the fine passes": (mock.patch.object(precise, "fine_features", _fine_spectrum_only),),
    "two of three fine passes": (mock.patch.object(precise, "FINE_PASSES", precise.FINE_PASSES[:1]),),
    "a time for each note": (mock.patch.multiple(refinement, TRUSTED=2.0, DISTRUSTED=1.9),),
    "the refinement": (mock.patch.object(precise, "refine", _passes_as_they_are),),
}
"""Steps by name, and what stands in their place."""

PRESET_MUSICNET = "everything (preset musicnet)"


def row_of(job):
    """Align a piece without a step; return the errors of its onsets."""
    folder, piece, step, soundfont = job
    audio, score = read_audio(piece / "recording.flac"), read_score(piece / "score.mid")
    preset = "musicnet" if step == PRESET_MUSICNET else "precise"
    for patch in STEPS.get(step, ()):
        patch.start()
    try:
        aligned = align(audio, score, choose_soundfont(soundfont), preset=preset, options=Options(search_order=False))
    finally:
        mock.patch.stopall()
    errors = evaluate(read_notes(piece / "truth.json"), aligned.notes).onset
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
