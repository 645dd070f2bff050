"""How labels are put on frames, and what a network learns from it: the experiment of Kelz and Widmer 2018.

The same network is trained on targets of each labelling function, and judged by function a at 100 frames a second, in
each fold of Configuration I (instruments of training and test overlap) and Configuration II (they do not), by a network
for 31.25 frames a second and by one for 100. Figures 3 to 6 of the paper are these four cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from musicnet_build._typing import Bools, Float64s
from musicnet_build.baselines.catalogue import find_baseline
from musicnet_build.baselines.models.label_noise import THRESHOLD, Settings, judged, reader_of_test
from musicnet_build.baselines.runs import load_run
from musicnet_build.baselines.studies.study import Page, Setup, Spread, Study, Table, spread_of
from musicnet_build.baselines.studies.trainings import Training, train_all
from musicnet_build.evaluation.framewise import frame_scores
from musicnet_build.packing.frames import REFERENCE_RATE_HZ
from musicnet_build.packing.hdf5 import reading_package
from musicnet_build.packing.reader import check_kind
from musicnet_build.plots.studies import Series, plot_bars, plot_lines

FUNCTIONS = ("a", "b", "c", "d", "e", "f")
CONFIGURATIONS = ("configuration_1", "configuration_2")
MODELS = {"label-noise": "31.25", "label-noise-100": "100"}
"""The networks, and the frames a second that they hear."""

FIRST_FIGURE = 3

SMALLER = (
    "One fold of each configuration with several seeds, in place of four folds; a quarter of the filters, 5 frames of "
    "context at 100 frames a second, too, larger batches and rates, trainings of seconds.",
)
"""What else differs in the preset ``small``."""

NOTE_FRAMES = 40
"""Of a note's beginning, the frames of 10 ms of which a picture shows what is found."""


class Condition(NamedTuple):
    """What is trained: a model, on a fold, with a labelling function."""

    model: str
    fold: str
    labelling: str


def run(setup: Setup) -> Page:
    """Compare the conditions of the preset."""
    return compared(conditions_of(setup), setup)


def compared(conditions: Sequence[Condition], setup: Setup, **changes: Any) -> Page:
    """Train and judge conditions (all functions of each model and fold) with every seed; changes are of settings."""
    trainings = {
        (condition, seed): _training(setup, condition, seed, changes)
        for seed in range(setup.seeds)
        for condition in conditions
    }
    train_all(list(trainings.values()), setup)
    f1: dict[Condition, list[float]] = {}
    found: dict[Condition, list[Float64s]] = {}
    for (condition, _), training in trainings.items():
        decided, truth = _decisions(setup, training)
        f1.setdefault(condition, []).append(100 * frame_scores(truth, decided).f1)
        found.setdefault(condition, []).append(recall_by_age(truth, decided))
    return _page(setup, conditions, f1, found)


def conditions_of(setup: Setup) -> list[Condition]:
    """Return what is trained: all functions in the folds of both configurations, ``small`` takes the first of each."""
    with reading_package(setup.data) as file:
        check_kind(file, "frames")
        folds = [
            f"{configuration}/{fold}"
            for configuration in CONFIGURATIONS
            if configuration in file["splits"]
            for fold in sorted(file["splits"][configuration])
        ]
    if setup.preset == "small":
        folds = [fold for fold in folds if fold.endswith("/fold_1")]
    return [Condition(model, fold, function) for fold in folds for model in MODELS for function in FUNCTIONS]


def settings_of(condition: Condition, preset: str) -> Settings:
    """Return the settings of what is trained."""
    settings = find_baseline(condition.model).presets[preset]
    assert isinstance(settings, Settings)
    return replace(settings, fold=condition.fold, labelling=condition.labelling)


def recall_by_age(truth: Bools, decided: Bools) -> Float64s:
    """Return which share of notes is found so many frames after they began, of those that last so long.

    Parameters
    ----------
    truth, decided : ndarray of bool [shape=(frames, pitches)]

    Returns
    -------
    ndarray of float64 [shape=(NOTE_FRAMES,)]
        nan where no note is as long.
    """
    age = np.zeros(truth.shape, np.int64)
    for frame in range(len(truth)):
        age[frame] = np.where(truth[frame], (age[frame - 1] if frame else 0) + 1, 0)
    ages, hits = age[truth] - 1, decided[truth]
    young = ages < NOTE_FRAMES
    counts = np.bincount(ages[young], minlength=NOTE_FRAMES)
    found = np.bincount(ages[young], hits[young], minlength=NOTE_FRAMES)
    return np.where(counts > 0, found / np.maximum(counts, 1), np.nan)


def finding(case: str, f1: Mapping[str, Spread]) -> str:
    """Say whether function a is the best, and by how much it beats the others."""
    nearest = max((name for name in f1 if name != "a"), key=lambda name: f1[name].mean)
    told = f"{case}: F1 of function a {f1['a'].mean:.1f} %, of the best of the others, {nearest}, "
    clear = f1["a"].mean - f1[nearest].mean > np.nan_to_num(f1["a"].deviation)
    return f"{told}{f1[nearest].mean:.1f} %; a is {'' if clear else 'not clearly '}better than all others."


def _training(setup: Setup, condition: Condition, seed: int, changes: Mapping[str, Any]) -> Training:
    name = "-".join((condition.model, *condition.fold.split("/"), condition.labelling, str(seed)))
    settings = replace(settings_of(condition, setup.preset), **changes)
    return Training(name, condition.model, setup.data, settings, seed)


def _decisions(setup: Setup, training: Training) -> tuple[Bools, Bools]:
    """What a training decides on the recordings of the test, and what is true; one recording after another."""
    network, settings = load_run(training.folder(setup), setup.device).network, training.settings
    assert isinstance(settings, Settings)
    reader = reader_of_test(setup.data, settings)
    parts = [judged(network, reader, name, settings) for name in reader.names]
    said, truth = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    return said > THRESHOLD, truth > 0


def _page(
    setup: Setup,
    conditions: Sequence[Condition],
    f1: Mapping[Condition, list[float]],
    found: Mapping[Condition, list[Float64s]],
) -> Page:
    spreads = {condition: spread_of(values) for condition, values in f1.items()}
    rows = list(dict.fromkeys((condition.fold, condition.model) for condition in conditions))
    of_rows = {row: {name: spreads[Condition(row[1], row[0], name)] for name in FUNCTIONS} for row in rows}
    return Page(
        title="Labelling functions and label noise",
        finding=" ".join(finding(_named(*row), values) for row, values in of_rows.items()) + " Published: a is better "
        "than all others at 31.25 frames a second.",
        differences=(
            f"The data: {setup.data.name}, in place of MAPS.",
            "Weights are those of the last step, there those of the best validation; low rates are interpolated "
            "linearly, there by splines of order 5.",
            *(SMALLER if setup.preset == "small" else ()),
        ),
        tables=(
            Table(
                f"F1 in % against function a at 100 frames a second, first 30 s: mean of {setup.seeds} seeds",
                ("case", *FUNCTIONS),
                [(_named(*row), *values.values()) for row, values in of_rows.items()],
            ),
        ),
        pictures=_figures(setup, of_rows) | _notes(setup, rows[0], found),
        values={"f1": {"/".join(condition): values for condition, values in f1.items()}},
    )  # fmt: skip


def _named(fold: str, model: str) -> str:
    return f"{fold.replace('_', ' ').replace('/', ', ')}, {MODELS[model]} frames a second"


def _figures(setup: Setup, of_rows: Mapping[tuple[str, str], Mapping[str, Spread]]) -> dict[str, str]:
    """Draw F1 by labelling function, a bar a fold: for each configuration and rate one of the paper's figures."""
    captions = {}
    for place, (configuration, model) in enumerate(product(CONFIGURATIONS, MODELS)):
        bars = [
            Series(fold.split("/")[1].replace("_", " "), list(values.values()))
            for (fold, other), values in of_rows.items()
            if (fold.split("/")[0], other) == (configuration, model)
        ]
        if bars:
            number, title = FIRST_FIGURE + place, f"F1 by labelling function: {_named(configuration, model)}"
            plot_bars(setup.output / f"figure_{number}.png", title, FUNCTIONS, bars, "F1 in %")
            captions[f"figure_{number}.png"] = (
                f"{title}; figure {number} of the paper. Lines are deviations over seeds."
            )
    return captions


def _notes(setup: Setup, row: tuple[str, str], found: Mapping[Condition, list[Float64s]]) -> dict[str, str]:
    """Draw where in a note it is found, for the first case."""
    at_ms = np.arange(NOTE_FRAMES) * 1000 / REFERENCE_RATE_HZ
    lines = {name: (at_ms, np.nanmean(found[Condition(row[1], row[0], name)], axis=0)) for name in FUNCTIONS}
    path, title = setup.output / "notes.png", f"Where in a note it is found: {_named(*row)}"
    plot_lines(path, title, lines, "ms since the note began", "share found")
    return {"notes.png": "Share of the notes that is found, by the time since they began; not in the paper."}


STUDY = Study(
    reference="Kelz, Widmer: Investigating Label Noise Sensitivity of Convolutional Neural Networks for Fine Grained "
    "Audio Signal Labelling. ICASSP 2018.",
    data="a package of `musicnet-build pack frames`.",
    run=run,
)
