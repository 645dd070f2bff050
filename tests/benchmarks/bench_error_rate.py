"""Simulate judgements of known truth: how often the interval of ``audit report`` covers it, and how wide it is.

    PYTHONPATH=. python tests/benchmarks/bench_error_rate.py [--draws 1000]

``clips``: 28 clips of about 120 notes, 4 % wrong, errors nearly even (intraclass correlation 0.02), clustered (0.1),
strongly (0.25). ``derailed``: 5 % of a dataset's clips are 60 % wrong, the others 1 %; the quality report suspects 90 %
of the derailed and 8 % of the others; 28 clips are drawn plainly, and by strata as ``audit sample`` does. ``notes``:
300 single notes drawn by strata of confidence; a confidence that is right, and one that is far too sure.
"""

import argparse

import numpy as np

from musicnet_build.listening.rating.intervals import Judged, bootstrap, rate_of
from musicnet_build.listening.rating.sampling import STRATA, Population, draw

CLIPS, NOTES_PER_CLIP, SINGLE_NOTES, RATE = 28, 120, 300, 0.04
SIZE = 5000


def clips(random, correlation):
    """Clips of an endless population."""
    mean = random.beta(RATE * (1 - correlation) / correlation, (1 - RATE) * (1 - correlation) / correlation, CLIPS)
    notes = random.poisson(NOTES_PER_CLIP, CLIPS)
    wrong = random.binomial(notes, mean)
    return RATE, Judged(np.zeros(CLIPS, int), np.arange(CLIPS), wrong * 1.0, notes * 1.0, np.ones(CLIPS))


def derailed(random, stratified):
    """A dataset of clips, some derailed."""
    off = random.random(SIZE) < 0.05
    notes = random.poisson(NOTES_PER_CLIP, SIZE)
    wrong = random.binomial(notes, np.where(off, 0.6, 0.01))
    suspected = random.random(SIZE) < np.where(off, 0.9, 0.08)
    confidence = np.where(suspected, 0.7, 0.97) if stratified else np.full(SIZE, np.nan)
    return wrong.sum() / notes.sum(), drawn(random, CLIPS, confidence, suspected & stratified, wrong, notes)


def single_notes(random, too_sure):
    """A dataset of notes of which about 4 % are wrong."""
    right = random.beta(12, 0.5, 20 * SIZE)
    wrong = (random.random(20 * SIZE) > right).astype(int)
    told = right ** (0.3 if too_sure else 1.0)
    none = np.zeros(20 * SIZE, bool)
    return wrong.mean(), drawn(random, SINGLE_NOTES, told, none, wrong, np.ones(20 * SIZE))


def drawn(random, count, confidence, suspected, wrong, notes):
    """What ``audit sample`` draws, judged without error."""
    ids = tuple(map(str, range(len(wrong))))
    found = draw(Population(ids, confidence, suspected, ()), count, int(random.integers(2**31)))
    chosen = found.drawn
    return Judged(found.stratum[chosen], chosen, wrong[chosen] * 1.0, notes[chosen] * 1.0, 1 / found.probability)


CASES = {
    "clips, correlation 0.02": lambda random: clips(random, 0.02),
    "clips, correlation 0.1": lambda random: clips(random, 0.1),
    "clips, correlation 0.25": lambda random: clips(random, 0.25),
    "derailed, drawn plainly": lambda random: derailed(random, False),
    "derailed, drawn by strata": lambda random: derailed(random, True),
    "notes, confidence right": lambda random: single_notes(random, False),
    "notes, confidence too sure": lambda random: single_notes(random, True),
}


def measured(case, draws):
    """Coverage of the interval and of the bootstrap, mean error and mean half-width."""
    random = np.random.default_rng(0)
    rows = []
    for _ in range(draws):
        truth, judged = case(random)
        rate, _ = rate_of(judged)
        low, high = bootstrap(judged, draws=500)
        rows.append((rate.low <= truth <= rate.high, low <= truth <= high, rate.value - truth, rate.half_width, truth))
    return np.mean(rows, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    print(f"{'':28} covers  bootstrap  bias    half-width  truth   ({options.draws} draws; strata {', '.join(STRATA)})")
    for name, case in CASES.items():
        covers, boot, bias, half, truth = 100 * measured(case, options.draws)
        print(f"{name:28} {covers:5.1f} %  {boot:5.1f} %  {bias:+6.2f}  {half:8.2f}  {truth:8.2f}", flush=True)


if __name__ == "__main__":
    main()
