"""How labels are put on frames, and what a network learns from it: the experiment of Kelz and Widmer 2018.

The same network is trained on targets of each labelling function, and judged by function a at 100 frames a second, in
each fold of Configuration I (instruments of training and test overlap) and Configuration II (they do not).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    """Return what is trained: ``small`` takes the first fold of each configuration, at the lower rate."""
    with reading_package(setup.data) as file:
        check_kind(file, "frames")
        folds = [
            f"{configuration}/{fold}"
            for configuration in CONFIGURATIONS
            if configuration in file["splits"]
            for fold in sorted(file["splits"][configuration])
        ]
    models = ["label-noise", "label-noise-100"]
    if setup.preset == "small":
        models, folds = models[:1], [fold for fold in folds if fold.endswith("fold_1")][:1]
    return [Condition(model, fold, function) for model in models for fold in folds for function in FUNCTIONS]


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


def finding(f1: Mapping[str, Spread]) -> str:
    """Say whether function a is the best, and by how much it beats the others."""
    best = max(f1, key=lambda function: f1[function].mean)
    others = {name: one for name, one in f1.items() if name != "a"}
    nearest = max(others, key=lambda name: others[name].mean)
    told = f"Function a has an F1 of {f1['a'].mean:.1f} %, the next best, {nearest}, {others[nearest].mean:.1f} %. "
    if best == "a" and f1["a"].mean - others[nearest].mean > np.nan_to_num(f1["a"].deviation):
        return told + "As published, a is better than all others."
    return told + "That a is better than all others, as published, does not come out clearly at this scale."


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
    rows = list(dict.fromkeys((condition.model, condition.fold) for condition in conditions))
    spreads = {condition: spread_of(values) for condition, values in f1.items()}
    _draw(setup, rows, spreads, found)
    rates = {"label-noise": "31.25", "label-noise-100": "100"}
    return Page(
        title="Labelling functions and label noise",
        finding=finding({function: spreads[Condition(*rows[0], function)] for function in FUNCTIONS}),
        differences=(
            f"The data: {setup.data.name}, in place of MAPS.",
            "The rate of learning is halved after each quarter of the training; low rates are interpolated linearly.",
            *(
                ("One fold, the lower rate, a quarter of the filters, trainings of minutes.",)
                if setup.preset == "small"
                else ()
            ),
        ),
        tables=(
            Table(
                f"F1 in % against function a at 100 frames a second, first 30 s: mean of {setup.seeds} seeds",
                ("frames a second, fold", *FUNCTIONS),
                [
                    (f"{rates[model]}, {fold}", *(spreads[Condition(model, fold, function)] for function in FUNCTIONS))
                    for model, fold in rows
                ],
            ),
        ),
        pictures={
            "functions.png": "F1 by labelling function; lines are deviations over seeds.",
            "notes.png": "Share of the notes that is found, by the time since they began.",
        },
        values={"f1": {"/".join(condition): values for condition, values in f1.items()}},
    )


def _draw(
    setup: Setup,
    rows: Sequence[tuple[str, str]],
    spreads: Mapping[Condition, Spread],
    found: Mapping[Condition, list[Float64s]],
) -> None:
    bars = [
        Series(f"{model}, {fold}", [spreads[Condition(model, fold, function)] for function in FUNCTIONS])
        for model, fold in rows
    ]
    plot_bars(setup.output / "functions.png", "F1 by labelling function", FUNCTIONS, bars, "F1 in %")
    at_ms = np.arange(NOTE_FRAMES) * 1000 / REFERENCE_RATE_HZ
    lines = {function: (at_ms, np.nanmean(found[Condition(*rows[0], function)], axis=0)) for function in FUNCTIONS}
    path, title = setup.output / "notes.png", "Where in a note it is found"
    plot_lines(path, title, lines, "ms since the note began", "share found")


STUDY = Study(
    reference="Kelz, Widmer: Investigating Label Noise Sensitivity of Convolutional Neural Networks for Fine Grained "
    "Audio Signal Labelling. ICASSP 2018.",
    data="a package of `musicnet-build pack frames`.",
    run=run,
)
