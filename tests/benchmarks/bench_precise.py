"""Where the CPU seconds of one alignment by ``precise`` go, stage by stage.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MUSICNET_BUILD_CACHE=off \\
        python tests/benchmarks/bench_precise.py RECORDING SCORE [--runs 3]

Stages do not overlap: what otherwise runs in the background runs at once, and a stage does not count those in it. Of
each stage the least of several runs is told; the first run, which may compile, is not counted.
"""

import argparse
import contextlib
import functools
import time
from collections import Counter
from concurrent.futures import Future
from unittest import mock

import musicnet_build.alignment
from musicnet_build import align_files
from musicnet_build.features import onsets, spectra
from musicnet_build.sync import precise

IMPORTED_S = time.process_time()
STAGES = (
    ("reading", align_files, "read_hashed"),
    ("rendering, twice", precise, "cached_synthesize"),
    ("rendering, twice", precise, "synthesize"),
    ("spectra", spectra, "band_spectrogram"),
    ("onset network, twice", onsets, "onset_activations"),
    ("playing order", precise, "search_playing_order"),
    ("coarse passes", precise, "coarse_band"),
    ("coarse passes", precise, "coarse_maps"),
    ("fine passes", precise, "fine_map"),
    ("learning from sure notes", precise, "sure_examples"),
    ("learning from sure notes", precise, "fine_tuned"),
    ("placing notes, twice", precise, "refine"),
    ("quality", musicnet_build.alignment, "assess"),
)


class Clock:
    """CPU seconds by stage; those of a stage within another count for the inner one."""

    def __init__(self):
        self.taken_s, self._running, self._since = Counter(), ["all else"], time.process_time()

    def _turn(self):
        now = time.process_time()
        self.taken_s[self._running[-1]] += now - self._since
        self._since = now

    def timed(self, stage, function):
        @functools.wraps(function)
        def call(*arguments, **keywords):
            self._turn()
            self._running.append(stage)
            try:
                return function(*arguments, **keywords)
            finally:
                self._turn()
                self._running.pop()

        return call

    def stopped(self):
        self._turn()
        return self.taken_s


def at_once(function, *arguments):
    """In place of ``in_background``."""
    done = Future()
    done.set_result(function(*arguments))
    return done


def stages_s(recording, score):
    """CPU seconds of each stage of one alignment."""
    with contextlib.ExitStack() as stack:
        for module in (align_files, precise):
            stack.enter_context(mock.patch.object(module, "in_background", at_once))
        clock = Clock()
        for stage, module, name in STAGES:
            stack.enter_context(mock.patch.object(module, name, clock.timed(stage, getattr(module, name))))
        align_files.align_files(recording, score)
        return clock.stopped()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording")
    parser.add_argument("score")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    runs = [stages_s(options.recording, options.score) for _ in range(options.runs + 1)][1:]
    least_s = {"imports": IMPORTED_S} | {stage: min(run[stage] for run in runs) for stage in runs[0]}
    print("| stage | CPU s | share |\n|---|---:|---:|")
    for stage, taken_s in sorted(least_s.items(), key=lambda item: -item[1]):
        print(f"| {stage} | {taken_s:.2f} | {taken_s / sum(least_s.values()):.0%} |")
    print(f"| all | {sum(least_s.values()):.2f} | |")


if __name__ == "__main__":
    main()
