"""Albarosa 2021: what must a network hear to tell a guitar from a trumpet? Training sets and depths compared.

The shallow network learns from each subset of a training package: one instrument alone, both alone, everything, and
everything balanced; from the balanced one also in frames of half the length, and with single labels (a network for each
instrument), and a deeper network learns from it. Tested are the pieces of another package, packed in frames of the same
length, by ``evaluate timbre``. Seed *k* holds out fold *k*.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musicnet_build._typing import Int64s
from musicnet_build.baselines.baseline import Metrics
from musicnet_build.baselines.models.timbre import PRESETS, predicted, steps_in
from musicnet_build.baselines.runs import Run
from musicnet_build.baselines.studies.study import Cell, Page, Setup, Spread, Study, Table
from musicnet_build.baselines.studies.trials import Trial, spreads, tried
from musicnet_build.errors import DatasetError
from musicnet_build.evaluation.timbre import ALL, ROLL_FRAME_S, evaluate
from musicnet_build.evaluation.timbre_files import Truth, notes_of_package, read_truth
from musicnet_build.labels.pianoroll import label_rolls
from musicnet_build.plots.panels import Panel, plot_panels

LONG, SHORT = 8192, 4096
"""Samples of the frames of all sets, and of Combined_2.1."""

EPOCHS = {"small": 6, "paper": 20}
PICTURE = "rolls.png"
_MOST_FRAMES = 6000


class Case(NamedTuple):
    """A row of the table: what learns from what, and what was published (F of the average; tables III, IV and VI)."""

    name: str
    model: str
    subset: str
    published: float | None = None
    frame_length: int = LONG


CASES = (
    Case("shallow, guitar alone", "timbre", "guitar_alone", 0.509),
    Case("shallow, trumpet alone", "timbre", "trumpet_alone", 0.454),
    Case("shallow, both alone", "timbre", "both_alone", 0.843),
    Case("shallow, combined", "timbre", "combined", 0.877),
    Case("shallow, combined, balanced", "timbre", "combined_balanced", 0.894),
    Case("shallow, combined, balanced, short frames", "timbre", "combined_balanced", 0.928, SHORT),
    Case("deep, combined, balanced", "timbre-deep", "combined_balanced", 0.862),
)
BALANCED, SHORTENED = CASES[4:6]
SINGLE = "shallow, combined, balanced, single labels"
"""The balanced set once more, by networks that know one instrument each."""

COMBINED, KINDS = "combined", ("correct", "wrong", "false", "missed")


def run(setup: Setup) -> Page:
    """Train, predict the pieces for the test, and compare."""
    tests = {length: _package(setup, "tests", length) for length in (LONG, SHORT)}
    truths = {length: read_truth(path, ()) for length, path in tests.items()}
    singles = [f"{SINGLE}, {name}" for name in truths[LONG].instruments]
    cases = [*CASES, *(Case(name, BALANCED.model, BALANCED.subset) for name in singles)]
    known = [*([(0, 1)] * len(CASES)), *((place,) for place in range(len(singles)))]
    trials = [_trial(setup, case, instruments) for case, instruments in zip(cases, known, strict=True)]
    lengths = {case.name: case.frame_length for case in cases} | {SINGLE: LONG}
    named: dict[str, list[Int64s]] = {}

    def keep(trial: Trial, finished: Run) -> Metrics:
        named.setdefault(trial.name, []).append(predicted(finished.network, tests[lengths[trial.name]]))
        return {}

    tried(setup, trials, keep)
    named[SINGLE] = [np.concatenate(both, axis=1) for both in zip(*(named.pop(name) for name in singles), strict=True)]
    found = {name: [_figures(pitches, truths[lengths[name]]) for pitches in seeds] for name, seeds in named.items()}
    _draw(setup, named[SHORTENED.name][0], truths[SHORT])
    return _page(setup, truths[LONG], found)


def _package(setup: Setup, kind: str, frame_length: int) -> Path:
    """Return one of the four packages, or say that it is missing."""
    path = setup.data / f"{kind}-{frame_length}.h5"
    if not path.is_file():
        needed = ", ".join(f"{kind}-{length}.h5" for kind in ("training", "tests") for length in (LONG, SHORT))
        raise DatasetError(f"{path}: is missing; the study takes a folder with {needed}.")
    return path


def _trial(setup: Setup, case: Case, instruments: tuple[int, ...]) -> Trial:
    """A training of as many steps as the epochs take."""
    package = _package(setup, "training", case.frame_length)
    settings = replace(PRESETS[case.model][setup.preset], subset=case.subset, instruments=instruments)
    steps = steps_in(package, settings, EPOCHS[setup.preset])
    settings = replace(settings, steps=steps, validate_every=-(-steps // 2))
    return Trial(case.name, case.name.replace(",", "").replace(" ", "-"), case.model, package, settings)


def _figures(pitches: Int64s, truth: Truth) -> Metrics:
    """F of each test set and of their average, and the four kinds in the set where both play; all instruments."""
    report = evaluate(notes_of_package(pitches, truth), truth.notes, truth.subsets)
    f = {f"F {name}": float(of_set[ALL]["f_measure"] or 0.0) for name, of_set in report.items()}
    return f | {kind: float(report[COMBINED][ALL][kind] or 0.0) for kind in KINDS}


def _draw(setup: Setup, pitches: Int64s, truth: Truth) -> None:
    """The first piece for the test in which both play: what was to be played, and what was heard."""
    piece = next(name for name, subset in truth.subsets.items() if subset == COMBINED)
    found = notes_of_package(pitches, truth)[piece]
    end_s = max(float(notes["offset_s"].max()) for notes in truth.notes[piece].values())
    frames, panels = min(_MOST_FRAMES, 1 + int(end_s / ROLL_FRAME_S)), []
    for instrument, wanted in truth.notes[piece].items():
        low, high = int(wanted["pitch"].min()) - 3, int(wanted["pitch"].max()) + 3
        for said, notes in (("desired", wanted), ("predicted", found[instrument])):
            roll = label_rolls(notes, frames, ROLL_FRAME_S, pitches=(low, high)).frame
            panels.append(Panel(f"{instrument}, {said}", roll, low, "pitch"))
    plot_panels(setup.output / PICTURE, f"Desired and predicted: {piece}", panels, ROLL_FRAME_S)


def _page(setup: Setup, truth: Truth, found: dict[str, list[Metrics]]) -> Page:
    ours = {name: spreads(seeds) for name, seeds in found.items()}
    published = {case.name: case.published for case in CASES}
    sets = [*dict.fromkeys(truth.subsets.values())]
    f_rows: list[list[Cell]] = [
        [name, figures["F average"], published.get(name), *(figures[f"F {each}"] for each in sets)]
        for name, figures in ours.items()
    ]
    kinds: list[list[Cell]] = [[name, *(figures[kind] for kind in KINDS)] for name, figures in ours.items()]
    return Page(
        title="Which instrument plays which pitch",
        finding=_finding({name: figures["F average"] for name, figures in ours.items()}),
        differences=[
            "The training set is read as: Both Alone = both_alone, Combined_1 = combined, Combined_2.0 = "
            f"combined_balanced, in frames of {LONG} samples; Combined_2.1 = combined_balanced in frames of {SHORT}.",
            "The set as it is generated is nearly balanced; Combined_1 had three frames of both for one of an "
            "instrument alone.",
            "Fewer pitches, one soundfont for training and test, and composed pieces. One branch of fewer filters for "
            "both instruments, on pictures of 8 columns; there 16 filters for each, on 512. The deep network has three "
            "convolutions, four there.",
            f"{EPOCHS[setup.preset]} epochs, 20 there; seed k holds out fold k of five, and all are tested; there the "
            "fold with the best training accuracy.",
        ],
        tables=[
            Table("F of the four kinds, all instruments: average of the test sets, and each of them",
                  ["network, training set", "average", "published", *sets], f_rows, decimals=3),
            Table("Frames of 10 ms where both play", ["network, training set", *KINDS], kinds, decimals=0),
        ],
        pictures={PICTURE: "Piano rolls of a piece for the test, as it was written and as the shallow network, trained "
                  "on the balanced set in short frames, heard it"},
        values={"seeds": found},
    )  # fmt: skip


def _finding(average: dict[str, Spread]) -> str:
    best = max((case.name for case in CASES), key=lambda name: average[name].mean)
    balanced, alone, short = (average[name] for name in (BALANCED.name, "shallow, both alone", SHORTENED.name))
    return (
        f"Best is {best} (F {average[best].mean:.3f}). The balanced set, {balanced.mean:.3f}, is "
        f"{_compared(balanced, alone)} than both instruments alone, {alone.mean:.3f} (published 0.894 and 0.843), and "
        f"in short frames, {short.mean:.3f}, it is {_compared(short, balanced)} than in long ones (published 0.928)."
    )


def _compared(one: Spread, other: Spread) -> str:
    return "better" if one.mean - other.mean > 2 * max(one.deviation, other.deviation) else "not clearly better"


STUDY = Study(
    reference="Albarosa: Timbre Separation of Monophonic Mixes Using Convolutional Neural Networks. Project report, "
    "University of Durham, 2021.",
    data="a folder with training-8192.h5, training-4096.h5, tests-8192.h5 and tests-4096.h5, made by `pack timbre` of "
    "sets of `generate ascension --rest 1` and `generate timbre-test`.",
    run=run,
)
