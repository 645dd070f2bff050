"""The listening test of the MusicNet paper on labels of known truth, with simulated reviewers.

    PYTHONPATH=. python tests/benchmarks/bench_listening_test.py TRUTHS LABELS [--unit note|clip] [--times 1]

TRUTHS holds PIECE/truth.json (true onsets by pitch and beat), LABELS holds PIECE/labels.csv. Two reviewers hear what
``audit sample`` draws: one calls a label wrong from 45 ms on, the other from 55 ms, each with 12 ms of chance; both
judge moved tones, too. Prints what ``audit report`` says, and the true rate: labels more than 50 ms from their onset.
With --times it draws anew so often and prints how often the interval held the truth.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from musicnet_build.audio.io import write_audio
from musicnet_build.listening.catalogue import dataset_catalogue
from musicnet_build.listening.judgements import described_note
from musicnet_build.listening.label_set import read_label_set
from musicnet_build.listening.rating import text
from musicnet_build.listening.rating.error_rate import error_rate
from musicnet_build.listening.rating.heard import heard_of
from musicnet_build.listening.rating.listener import SHIFTS_MS
from musicnet_build.listening.rating.sample_file import drawn_sample
from musicnet_build.notes import SAMPLE_RATE

REVIEWERS = {"ada": 0.045, "ben": 0.055}
CHANCE_S, WRONG_S, BEAT_TOLERANCE = 0.012, 0.05, 0.06


def write_dataset(folder, truths, labels):
    """The labels as a dataset whose recordings nobody hears; returns each label's error in seconds."""
    for name in ("train_data", "train_labels", "test_data", "test_labels"):
        (folder / name).mkdir(parents=True)
    pieces = sorted(path.parent.name for path in labels.glob("*/labels.csv"))
    for number, piece in enumerate(pieces, 1):
        shutil.copy(labels / piece / "labels.csv", folder / "train_labels" / f"{number}.csv")
        write_audio(folder / "train_data" / f"{number}.wav", np.full(SAMPLE_RATE, 0.1, np.float32))
    catalogue = dataset_catalogue(folder)
    sets = {item.id: read_label_set(item, 0) for item in catalogue.items}
    known = {str(i): json.loads((truths / piece / "truth.json").read_text()) for i, piece in enumerate(pieces, 1)}
    return catalogue, sets, {one: errors(sets[one].notes, known[one]["notes"]) for one in sets}


def errors(notes, truth):
    """Seconds from the true onset of the same pitch and beat; infinite where the note was not played."""
    found = np.full(len(notes), np.inf)
    for row, note in enumerate(notes):
        near = [
            note["onset_s"] - one["p_on"]
            for one in truth
            if one["pitch"] == note["pitch"] and one["p_on"] is not None
            if abs(one["beat_on"] - note["onset_beats"]) <= BEAT_TOLERANCE
        ]
        found[row] = min(near, key=abs, default=np.inf)
    return found


def events_of(sample, sets, error_s, random):
    """What the reviewers say of the draw, and of moved tones."""
    events = []
    for reviewer, threshold_s in REVIEWERS.items():

        def said(off_s, threshold_s=threshold_s):
            if np.isinf(off_s):
                return "not_played"
            heard = off_s + random.normal(0, CHANCE_S)
            return "fine" if abs(heard) < threshold_s else "tone_late" if heard > 0 else "tone_early"

        def event(recording, kind, reviewer=reviewer, **fields):
            common = {"v": 1, "id": str(len(events)), "reviewer": reviewer, "recording": recording, "kind": kind}
            events.append({**common, "labels": sets[recording].sha256, **fields})

        for unit in sample.units:
            notes = sets[unit.recording].notes
            onset = np.rint(notes["onset_s"] * SAMPLE_RATE)
            inside = (onset >= (unit.start_sample or 0)) & (onset < (unit.end_sample or 0))
            for row in [unit.note.row] if unit.note else np.flatnonzero(inside).tolist():
                value = said(error_s[unit.recording][row])
                event(unit.recording, "note", note=described_note(notes, row), value=value)
            if unit.note is None:
                event(unit.recording, "clip", start_sample=unit.start_sample, end_sample=unit.end_sample)
        for shift in SHIFTS_MS * 4:
            event(sample.units[0].recording, "sham", shift_ms=shift, value=said(shift / 1000))
    return events


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truths", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--unit", choices=["note", "clip"], default="clip")
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        catalogue, sets, error_s = write_dataset(Path(folder) / "set", options.truths, options.labels)
        truth = float(np.mean(np.abs(np.concatenate(list(error_s.values()))) > WRONG_S))
        held, rates = 0, []
        for seed in range(options.times):
            count, seconds = (300, None) if options.unit == "note" else (28, 30.0)
            sample = drawn_sample(catalogue, options.unit, count, seed, seconds)
            events = events_of(sample, sets, error_s, np.random.default_rng(seed))
            report = error_rate(heard_of(sample, events, sets), events, 0.05)
            held += report["rate"]["low"] <= truth <= report["rate"]["high"]
            rates.append(report["rate"]["value"])
            if not seed:
                print("\n".join(text.lines(report)))
        print(f"\ntruth: {100 * truth:.1f} % are more than 50 ms from their onset")
        print(
            f"{options.times} draws: estimated {100 * np.mean(rates):.1f} % on average, interval held it {held} times"
        )


if __name__ == "__main__":
    main()
