"""Plant faults in true labels and count which of them `check` finds; disturb labels and see what `refine` mends.

    python tests/benchmarks/bench_check.py FOLDER... [--cache CACHE] [--json OUT.json]
    python tests/benchmarks/bench_check.py FOLDER... --refine
    python tests/benchmarks/bench_check.py FOLDER... --score
    python tests/benchmarks/bench_check.py FOLDER... --fit --cache CACHE

Each FOLDER holds pieces, or is one: a folder with ``recording.*`` and ``truth.json``, whose notes say when they are
played (``p_on_note`` where it is there, or ``p_on``). What is heard of a recording is kept in CACHE, so that many
faults cost little. Pieces are numbered in the order of the folders; ``half`` 0 are the first, third, …: those on which
thresholds and constants were chosen. ``--fit`` prints the constants of ``checking/hearing.py`` from them.
"""

import argparse
import hashlib
import json
import time
import zlib
from collections import defaultdict
from pathlib import Path

import measuring
import numpy as np

SEED = 1
WHOLE = ("offset", "drift", "transposed", "other_recording", "other_music", "shifted_passage")
FAULTS = (
    "none", "offset", "offset", "drift", "drift", "passage", "octave", "moved", "single", "deleted",
    "transposed", "pitches",
)  # fmt: skip
FITTED_SHARE, REAL_WEIGHT = 0.03, 3.0
SCORED_SHARE = 0.03
NOTE_FAULTS = {"right": 0, "moved": 1, "octave": 2, "inserted": 3}
LONG_S = 90.0
"""Shorter pieces cannot tell a drift of some ppm."""


def truth_of(piece):
    """The true notes of a piece, as labels."""
    from musicnet_build.notes import empty_notes, sorted_by_onset

    rows = json.loads((piece / "truth.json").read_text(encoding="utf-8"))["notes"]
    key = "p_on_note" if "p_on_note" in rows[0] else "p_on"
    rows = [row for row in rows if row.get(key) is not None]
    notes = empty_notes(len(rows))
    notes["onset_s"] = [row[key] for row in rows]
    notes["pitch"] = [row["pitch"] for row in rows]
    notes["onset_beats"] = [row["beat_on"] for row in rows]
    notes["part"] = [row.get("part", 0) for row in rows]
    notes["velocity"] = 64
    notes["offset_s"] = notes["onset_s"] + 0.2
    return sorted_by_onset(notes)


def recording_of(piece):
    return next(path for path in sorted(piece.iterdir()) if path.name.startswith("recording."))


def evidence_of(piece, cache):
    """What is heard of a recording, from the cache where it is there."""
    from musicnet_build.audio.io import read_audio
    from musicnet_build.checking.evidence import HIGHEST_PITCH, LOWEST_PITCH, Evidence, listen

    pitches = range(LOWEST_PITCH, HIGHEST_PITCH + 1)
    kept = (
        cache / f"{hashlib.sha256(str(recording_of(piece).resolve()).encode()).hexdigest()[:16]}.npz" if cache else None
    )
    if kept and kept.is_file():
        with np.load(kept) as found:
            curves = dict(zip(pitches, found["curves"], strict=True))
            return Evidence(curves, float(found["duration_s"]), tuple(found["sound_s"]), float(found["tuning_cents"]))
    evidence = listen(read_audio(recording_of(piece)), pitches)
    if kept:
        cache.mkdir(parents=True, exist_ok=True)
        curves = np.array([evidence.activations[pitch] for pitch in pitches])
        facts = {name: getattr(evidence, name) for name in ("duration_s", "sound_s", "tuning_cents")}
        np.savez(kept, curves=curves, **facts)
    return evidence


# Faults: each gives the labels, and what was done


def with_offset(notes, random):
    by_s = float(np.exp(random.uniform(np.log(0.03), np.log(0.5))) * random.choice([-1, 1]))
    late = notes.copy()
    late["onset_s"] += by_s
    return late, {"offset_s": by_s}


def with_drift(notes, random):
    ppm = float(np.exp(random.uniform(np.log(20), np.log(500))) * random.choice([-1, 1]))
    middle_s = (notes["onset_s"].min() + notes["onset_s"].max()) / 2
    drifting = notes.copy()
    drifting["onset_s"] += 1e-6 * ppm * (notes["onset_s"] - middle_s)
    return drifting, {"drift_ppm": ppm}


def with_transposition(notes, random):
    semitones = int(random.choice([one for one in range(-12, 13) if one]))
    other = notes.copy()
    other["pitch"] += semitones
    return other, {"semitones": semitones}


def with_passage(notes, other, random):
    """Ten seconds of the labels from another piece."""
    from musicnet_build.notes import sorted_by_onset

    length_s = 10.0
    start_s = random.uniform(notes["onset_s"].min(), notes["onset_s"].max() - length_s)
    from_s = random.uniform(other["onset_s"].min(), other["onset_s"].max() - length_s)
    foreign = other[(other["onset_s"] >= from_s) & (other["onset_s"] < from_s + length_s)].copy()
    foreign["onset_s"] += start_s - from_s
    kept = notes[(notes["onset_s"] < start_s) | (notes["onset_s"] >= start_s + length_s)]
    return sorted_by_onset(np.concatenate([kept, foreign])), {"passage_s": (float(start_s), float(start_s + length_s))}


def with_other_pitches(notes, random):
    """Twelve seconds of the labels in their rhythm, each 1 to 7 semitones off."""
    length_s = 12.0
    start_s = random.uniform(notes["onset_s"].min(), notes["onset_s"].max() - length_s)
    inside = (notes["onset_s"] >= start_s) & (notes["onset_s"] < start_s + length_s)
    other = notes.copy()
    other["pitch"][inside] += random.choice([*range(-7, 0), *range(1, 8)], inside.sum())
    return other, {"passage_s": (float(start_s), float(start_s + length_s))}


def with_note_faults(notes, random, moved=0.0, octave=0.0, inserted=0.0):
    """Shares of notes moved by 60 to 300 ms, set an octave off, inserted; what each label then is."""
    labels, fault = notes.copy(), np.zeros(len(notes), np.int64)
    drawn = random.random(len(notes))
    away = drawn < moved
    labels["onset_s"][away] += (random.uniform(0.06, 0.3, len(notes)) * random.choice([-1, 1], len(notes)))[away]
    fault[away] = NOTE_FAULTS["moved"]
    other = (drawn >= moved) & (drawn < moved + octave)
    pitch = notes["pitch"] + random.choice([-12, 12], len(notes))
    other &= (pitch >= 21) & (pitch <= 108)
    labels["pitch"][other] = pitch[other]
    fault[other] = NOTE_FAULTS["octave"]
    extra = labels[random.choice(len(notes), round(inserted * len(notes)))].copy()
    extra["onset_s"] = random.uniform(notes["onset_s"].min(), notes["onset_s"].max(), len(extra))
    both = np.concatenate([labels, extra])
    fault = np.concatenate([fault, np.full(len(extra), NOTE_FAULTS["inserted"])])
    order = np.lexsort((both["pitch"], both["onset_s"]))
    return both[order], fault[order]


def planted(fault, notes, other, random):
    if fault == "offset":
        return *with_offset(notes, random), None
    if fault == "drift":
        return *with_drift(notes, random), None
    if fault == "transposed":
        return *with_transposition(notes, random), None
    if fault == "pitches":
        return *with_other_pitches(notes, random), None
    if fault == "passage":
        return *with_passage(notes, other, random), None
    if fault == "deleted":
        return notes[random.random(len(notes)) >= 0.05], {}, None
    if fault == "none":
        return notes, {}, np.zeros(len(notes), np.int64)
    share = {"moved": {"moved": random.uniform(0.01, 0.05)}, "octave": {"octave": 0.03}, "single": {"inserted": 0.05}}
    labels, kinds = with_note_faults(notes, random, **share[fault])
    return labels, {}, kinds


def row_of(job):
    """Plant a fault, check, and say what was found."""
    from musicnet_build.checking.check import checked

    piece, other, half, number, fault, cache = job
    random = np.random.default_rng([SEED, number, zlib.crc32(piece.name.encode())])
    notes, evidence = truth_of(piece), evidence_of(piece, cache)
    labels, done, kinds = planted(fault, notes, truth_of(other), random)
    started = time.process_time()
    found = checked(evidence, labels)
    whole = [erratum for erratum in found.errata if erratum.what in WHOLE]
    row = {
        "piece": piece.name,
        "half": half,
        "fault": fault,
        "length_s": float(np.ptp(notes["onset_s"])),
        **done,
        "verdict": str(found.verdict),
        "whole": [erratum.what for erratum in whole],
        "by": [erratum.by for erratum in whole],
        "cpu_s": time.process_time() - started,
    }
    if found.clock:
        row |= {"found_s": found.clock.offset_s, "found_ppm": found.clock.drift_ppm}
        row["interval_ppm"] = found.clock.drift_interval_ppm
    if "passage_s" in done:
        row["overlap"] = max((overlap((one.start_s, one.end_s), done["passage_s"]) for one in whole), default=0.0)
    if kinds is not None:
        row |= judged_notes(found, kinds)
    return row


def judged_notes(found, kinds):
    """How well the confidence tells wrong labels from right ones, and how many errata right labels have."""
    confidence, told = found.notes["confidence"], np.zeros(len(kinds), np.bool_)
    told[[one.note - 1 for one in found.errata if one.note and one.what in ("moved", "wrong_octave", "not_heard")]] = (
        True
    )
    wrong = kinds > 0
    figures = {"alarms": float(np.mean(told[~wrong])), "mean_confidence": float(confidence.mean())}
    return figures | (
        {"auc": auc(-confidence[wrong], -confidence[~wrong]), "told": float(np.mean(told[wrong]))}
        if wrong.any()
        else {}
    )


def auc(wrong, right):
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([wrong, right]))[: len(wrong)]
    return float((ranks.sum() - len(wrong) * (len(wrong) + 1) / 2) / (len(wrong) * len(right)))


def overlap(one, other):
    """What two spans share of what they cover together."""
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


def is_found(row):
    if "overlap" in row:
        return row["overlap"] >= 0.5
    if row["fault"] == "transposed":
        return row["by"] == [row["semitones"]]
    return row["fault"] in row["whole"]


def lines(rows):
    """The figures of each half."""
    yield "| half | fault | planted | found | errors (worst) |"
    yield "|---|---|---:|---:|---|"
    for half in (0, 1):
        for fault in ("offset", "drift", "passage", "pitches", "transposed"):
            own = [row for row in rows if row["half"] == half and row["fault"] == fault]
            if fault == "drift":
                own = [row for row in own if row["length_s"] >= LONG_S]
            if own:
                yield f"| {half} | {fault} | {len(own)} | {sum(map(is_found, own))} | {worst(fault, own)} |"
    within = [
        row["interval_ppm"][0] <= row["drift_ppm"] <= row["interval_ppm"][1] for row in rows if "drift_ppm" in row
    ]
    yield f"\n{sum(within)} of {len(within)} planted drifts lie within their intervals\n"
    yield "| half | notes | pieces | mean AUC (least) | told | right labels with an erratum | not accepted or alarmed |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for half in (0, 1):
        for fault in ("none", "moved", "octave", "single", "deleted"):
            own = [row for row in rows if row["half"] == half and row["fault"] == fault]
            if own:
                alarmed = sum(bool(row["whole"]) for row in own)
                yield f"| {half} | {fault} | {len(own)} | {note_figures(own)} | {alarmed} |"


def worst(fault, rows):
    if fault == "transposed":
        return f"{sum(row['verdict'] == 'reject' for row in rows)} rejected"
    if fault in ("passage", "pitches"):
        return f"mean overlap {np.mean([row['overlap'] for row in rows]):.2f}"
    errors = defaultdict(list)
    for row in rows:
        if "found_s" in row:
            errors["ms"].append(1000 * abs(row["found_s"] - row.get("offset_s", 0.0)))
            errors["ppm"].append(abs(row["found_ppm"] - row.get("drift_ppm", 0.0)))
    unit = "ms" if fault == "offset" else "ppm"
    return f"median {np.median(errors[unit]):.1f} {unit} ({max(errors[unit]):.1f})"


def note_figures(rows):
    def mean(name):
        values = [row[name] for row in rows if name in row]
        return np.mean(values) if values else np.nan

    least = min((row["auc"] for row in rows if "auc" in row), default=np.nan)
    return f"{mean('auc'):.3f} ({least:.3f}) | {mean('told'):.2f} | {mean('alarms'):.3f}"


# Refining


def refined_row(job):
    """Refine right labels, and labels disturbed by up to 80 ms."""
    from musicnet_build.audio.io import read_audio
    from musicnet_build.checking.evidence import listen_closely
    from musicnet_build.checking.refine import refined

    piece, half = job
    truth = truth_of(piece)
    started = time.process_time()
    evidence, spectrograms = listen_closely(read_audio(recording_of(piece)), truth["pitch"])
    row = {"piece": piece.name, "half": half}
    for name, reach_s in (("right", 0.0), ("disturbed", 0.08)):
        labels = truth.copy()
        by_s = np.random.default_rng(SEED).uniform(-reach_s, reach_s, len(truth))
        labels["onset_s"] = np.maximum(labels["onset_s"] + by_s, 0.0)
        labels["offset_s"] = np.maximum(labels["offset_s"] + by_s, labels["onset_s"] + 0.01)
        errors_s = np.abs(refined(evidence, spectrograms, labels).notes["onset_s"] - truth["onset_s"])
        row[name] = {f"{1000 * limit_s:.0f}": float(np.mean(errors_s < limit_s)) for limit_s in (0.01, 0.025, 0.05)}
    return row | {"cpu_s": time.process_time() - started}


def refined_lines(rows):
    yield "| piece | right labels: within 10 ms | disturbed: within 10 / 25 / 50 ms |"
    yield "|---|---:|---:|"
    for row in rows:
        shares = " / ".join(f"{row['disturbed'][limit]:.1%}" for limit in ("10", "25", "50"))
        yield f"| {row['piece']} | {row['right']['10']:.1%} | {shares} |"
    means = [np.mean([row["disturbed"][limit] for row in rows]) for limit in ("10", "25", "50")]
    right = np.mean([row["right"]["10"] for row in rows])
    yield f"| mean | {right:.1%} | {' / '.join(f'{mean:.1%}' for mean in means)} |"


# Against a score


def scored_row(job):
    """Delete 3 % of the labels, insert as many that are not in the score, and compare with the score."""
    from musicnet_build import align, choose_soundfont, read_audio, read_score
    from musicnet_build.checking.against_score import against_score
    from musicnet_build.checking.check import checked

    piece, half, cache = job
    random = np.random.default_rng([SEED, zlib.crc32(piece.name.encode())])
    notes = truth_of(piece)
    gone = random.random(len(notes)) < SCORED_SHARE
    labels, kinds = with_note_faults(notes[~gone], random, inserted=SCORED_SHARE)
    alignment = align(read_audio(recording_of(piece)), read_score(piece / "score.mid"), choose_soundfont())
    errata = against_score(checked(evidence_of(piece, cache), labels), alignment).errata
    missing = [(one.pitch, one.start_s) for one in errata if one.what == "missing"]
    surplus = np.array([one.note - 1 for one in errata if one.what == "surplus"], np.int64)
    deleted = [(note["pitch"], note["onset_s"]) for note in notes[gone]]
    found = sum(any(pitch == p and abs(s - onset_s) < 0.5 for p, s in missing) for pitch, onset_s in deleted)
    told = int((kinds[surplus] > 0).sum())
    counts = len(deleted), found, len(missing) - found, int((kinds > 0).sum()), told, len(surplus) - told
    return {"piece": piece.name, "half": half, "labels": len(labels), "counts": counts}


def scored_lines(rows):
    yield "| piece | half | labels | deleted | named | others named | inserted | named | others named |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        yield f"| {row['piece']} | {row['half']} | {row['labels']} | {' | '.join(map(str, row['counts']))} |"


# Fitting


def fit(pieces, cache):
    """Print the constants of ``checking/hearing.py``, from the first half of the pieces."""
    from sklearn.linear_model import LogisticRegression

    from musicnet_build.checking.clock import measured_clock
    from musicnet_build.checking.hearing import heard_features

    features, faults, weights = [], [], []
    for piece in pieces[::2]:
        evidence = evidence_of(piece, cache)
        for seed in (1, 2):
            random = np.random.default_rng(seed)
            share = dict.fromkeys(("moved", "octave", "inserted"), FITTED_SHARE)
            labels, kinds = with_note_faults(truth_of(piece), random, **share)
            expected_s = labels["onset_s"] - measured_clock(evidence, labels).late_s(labels["onset_s"])
            features.append(heard_features(evidence, labels, expected_s)[0])
            faults.append(kinds)
            weights.append(np.full(len(kinds), REAL_WEIGHT if piece.parent.name == "real" else 1.0))
    table = np.concatenate(features)
    centres, scales = table.mean(axis=0), table.std(axis=0)
    model = LogisticRegression(max_iter=3000)
    model.fit((table - centres) / scales, np.concatenate(faults), sample_weight=np.concatenate(weights))
    print(f"_CENTRES = {literal(centres)}\n_SCALES = {literal(scales)}")
    rows = "".join(f"    {literal(row)},\n" for row in model.coef_)
    print(f"_WEIGHTS = (\n{rows})\n_BIAS = {literal(model.intercept_)}")


def literal(values):
    return f"({', '.join(f'{value:.3f}' for value in values)})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="pieces, or folders of pieces")
    parser.add_argument("--cache", type=Path, help="folder for what is heard of the recordings")
    parser.add_argument("--refine", action="store_true", help="refine instead of checking")
    parser.add_argument("--score", action="store_true", help="plant missing and surplus notes, and give the score")
    parser.add_argument("--fit", action="store_true", help="print the constants of checking/hearing.py")
    parser.add_argument("--workers", type=int, default=1, help="pieces at a time")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    pieces = [piece for folder in options.folders for piece in measuring.pieces_in(folder)]
    if options.fit:
        fit(pieces, options.cache)
        return
    if options.score:
        jobs = [(piece, k % 2, options.cache) for k, piece in enumerate(pieces)]
        rows = measuring.rows_of_all(scored_row, jobs, options.workers)
        print("\n".join(scored_lines(rows)))
    elif options.refine:
        rows = measuring.rows_of_all(refined_row, [(piece, k % 2) for k, piece in enumerate(pieces)], options.workers)
        print("\n".join(refined_lines(rows)))
    else:
        jobs = [
            (piece, pieces[(k + 1 + number) % len(pieces)], k % 2, number, fault, options.cache)
            for k, piece in enumerate(pieces)
            for number, fault in enumerate(FAULTS)
        ]
        rows = measuring.rows_of_all(row_of, jobs, options.workers)
        print("\n".join(lines(rows)))
    if options.json:
        measuring.write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
