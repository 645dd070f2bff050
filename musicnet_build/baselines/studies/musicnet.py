"""Note prediction on MusicNet: the comparison of features of Thickstun et al. 2017, tables 3 and 4 and figure 4."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from musicnet_build._typing import Bools, Float32s, Float64s
from musicnet_build.baselines.catalogue import find_baseline
from musicnet_build.baselines.models.musicnet import Settings, on_test_recordings
from musicnet_build.baselines.runs import load_run
from musicnet_build.baselines.studies.study import Page, Setup, Spread, Study, Table, spread_of
from musicnet_build.baselines.studies.trainings import Training, train_all
from musicnet_build.errors import TrainingError
from musicnet_build.evaluation.framewise import average_precision, precision_recall
from musicnet_build.evaluation.transcription.frames import frame_counts, frame_match
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.plots.studies import plot_filters, plot_lines

CURVE_POINTS = 500
EVERY = {"small": 4, "paper": 1}
"""Of the paper's test windows, every so many are taken."""


@dataclass(frozen=True)
class Model:
    """A row of the table.

    Attributes
    ----------
    name : str
        As the paper has it.
    baseline : str
        Whose presets it starts from.
    changes : dict
        Of the preset's settings.
    presets : tuple of str
        In which it takes part.
    published : float or None
        Average precision in %, as published.
    """

    name: str
    baseline: str
    changes: dict[str, Any]
    presets: tuple[str, ...]
    published: float | None = None


_BOTH, _PAPER = ("small", "paper"), ("paper",)

MODELS = (
    Model("spectrograms", "musicnet-linear", {"features": "spectrogram"}, _BOTH),
    Model("log-spectrograms", "musicnet-linear", {"window_samples": 1024}, _PAPER),
    Model("log-spectrograms", "musicnet-linear", {}, _BOTH, 48.8),
    Model("log-spectrograms", "musicnet-linear", {"window_samples": 8192}, _PAPER),
    Model("log-spectrograms", "musicnet-linear", {"window_samples": 16_384}, _BOTH),
    Model("log-ReLUgrams", "musicnet-linear", {"features": "log_relugram"}, _BOTH),
    Model("MLP, 500 nodes", "musicnet-mlp", {}, _BOTH, 52.1),
    Model("MLP, 2,500 nodes", "musicnet-mlp", {"filters": 2500}, _PAPER),
    Model("AvgPool", "musicnet-avgpool", {}, _BOTH),
    Model("MLP, 500 nodes", "musicnet-mlp", {"window_samples": 16_384}, _PAPER),
    Model("CNN", "musicnet-cnn", {}, _BOTH, 67.8),
    Model("CNN, stride 8", "musicnet-cnn", {"stride_samples": 8}, _PAPER),
)


class Tested(NamedTuple):
    """Predictions on the test, with the threshold that the validation chose."""

    truth: Bools
    scores: Float32s
    threshold: float


def run(setup: Setup) -> Page:
    """Compare the models of the preset."""
    return compared([model for model in MODELS if setup.preset in model.presets], setup)


def compared(models: Sequence[Model], setup: Setup) -> Page:
    """Train models with every seed and test each; the last is drawn for windows of one and of three notes, too."""
    train_all([_training(setup, model, seed) for seed in range(setup.seeds) for model in models], setup)
    figures: dict[int, list[dict[str, float]]] = {}
    tested: dict[int, Tested] = {}
    for place, model in enumerate(models):
        for seed in range(setup.seeds):
            tested[place] = tested_run(_training(setup, model, seed), setup)
            figures.setdefault(place, []).append(figures_of(tested[place]))
    plot_lines(
        setup.output / "precision_recall.png", "Precision and recall on the test", curves(models, tested), "recall",
        "precision", limits=(0.0, 1.0),
    )  # fmt: skip
    _draw_filters(models, setup)
    return _page(setup, models, figures)


def settings_of(model: Model, preset: str) -> Settings:
    """Return the settings of a row."""
    settings = find_baseline(model.baseline).presets[preset]
    assert isinstance(settings, Settings)
    return replace(settings, **model.changes)


def tested_run(training: Training, setup: Setup) -> Tested:
    """Return what a training predicts on the test."""
    found, settings = load_run(training.folder(setup), setup.device), training.settings
    assert isinstance(settings, Settings)
    parts = list(on_test_recordings(found.network, setup.data, settings, every=EVERY[setup.preset]))
    if not parts:
        raise TrainingError(f"{setup.data}: no test recording is longer than a window.")
    truth = np.concatenate([truth for _, _, truth in parts]) > 0
    scores = np.concatenate([scores for _, scores, _ in parts])
    return Tested(truth, scores, found.record.report["figures"]["threshold"])


def figures_of(tested: Tested) -> dict[str, float]:
    """Return the columns of tables 3 and 4; those of table 3 in %."""
    decided = tested.scores >= tested.threshold
    found = frame_match(frame_counts([(tested.truth, decided)]))
    return {
        "precision": 100 * found.precision,
        "recall": 100 * found.recall,
        "average precision": 100 * average_precision(precision_recall(tested.truth, tested.scores)),
        "accuracy": 100 * found.accuracy,
        "total": found.e_tot,
        "substituted": found.e_sub,
        "missed": found.e_miss,
        "false_alarms": found.e_fa,
    }


def curves(models: Sequence[Model], tested: dict[int, Tested]) -> dict[str, tuple[Float64s, Float64s]]:
    """Return recall and precision: of the rows with published figures, and of the last on windows of 1 and 3 notes."""
    lines = {
        f"{models[place].name}": _curve(one.truth, one.scores)
        for place, one in tested.items()
        if models[place].published is not None
    }
    truth, scores, _ = tested[len(models) - 1]
    for count, name in ((1, "one note"), (3, "three notes")):
        chosen = truth.sum(axis=1) == count
        if chosen.any():
            lines[f"{models[-1].name}, {name}"] = _curve(truth[chosen], scores[chosen])
    return lines


def _curve(truth: Bools, scores: Float32s) -> tuple[Float64s, Float64s]:
    curve = precision_recall(truth, scores)
    places = np.unique(np.searchsorted(curve.recall, np.linspace(0, curve.recall[-1], CURVE_POINTS)))
    return curve.recall[places], curve.precision[places]


def _training(setup: Setup, model: Model, seed: int) -> Training:
    settings = settings_of(model, setup.preset)
    parts = (settings.features, settings.window_samples, settings.filters, settings.stride_samples, seed)
    return Training("-".join(map(str, parts)), model.baseline, setup.data, settings, seed)


def _draw_filters(models: Sequence[Model], setup: Setup) -> None:
    for name, path in (("MLP, 500 nodes", "filters_mlp.png"), ("CNN", "filters_cnn.png")):
        model = next(one for one in models if one.name == name)
        network = load_run(_training(setup, model, 0).folder(setup)).network
        layer = next(part for part in network if isinstance(part, nn.Linear | nn.Conv1d))
        weights = layer.weight.detach().numpy()
        plot_filters(
            setup.output / path, f"Filters that the {name} learned", weights.reshape(len(weights), -1), SAMPLE_RATE
        )


def _page(setup: Setup, models: Sequence[Model], figures: dict[int, list[dict[str, float]]]) -> Page:
    spreads = [
        {name: spread_of([one[name] for one in figures[place]]) for name in figures[place][0]}
        for place in range(len(models))
    ]
    return Page(
        title="Learned features of music on MusicNet",
        finding=finding(
            {
                model.name: spread["average precision"]
                for model, spread in zip(models, spreads, strict=True)
                if model.published
            }
        ),
        differences=(
            f"The data: {setup.data.name}, in place of MusicNet's 330 recordings.",
            "Weights are found by Adam, not by plain gradient descent with momentum, on windows of unit level.",
            *(_small_scale(models) if setup.preset == "small" else ()),
        ),
        tables=_tables(setup, models, spreads),
        pictures={
            "precision_recall.png": "Figure 4: precision and recall on the test.",
            "filters_mlp.png": "Filters of the MLP: some of them, and the spectra of all.",
            "filters_cnn.png": "Filters of the CNN: some of them, and the spectra of all.",
        },
        values={"models": [asdict(model) | {"seeds": figures[place]} for place, model in enumerate(models)]},
    )


def _tables(setup: Setup, models: Sequence[Model], spreads: Sequence[Mapping[str, Spread]]) -> tuple[Table, ...]:
    def rows(*names: str) -> list[tuple[Any, ...]]:
        return [
            (model.name, settings_of(model, setup.preset).window_samples, *(spread[name] for name in names))
            for model, spread in zip(models, spreads, strict=True)
        ]

    seeds, what = f"mean of {setup.seeds} seeds", ("features", "window")
    measures = rows("precision", "recall", "average precision")
    errors = rows("total", "substituted", "missed", "false_alarms")
    return (
        Table(
            f"Table 3: precision, recall and average precision in %, {seeds}",
            (*what, "precision", "recall", "average precision", "published"),
            [(*row, model.published) for model, row in zip(models, measures, strict=True)],
        ),
        Table(f"Table 4: accuracy in %, {seeds}", (*what, "accuracy"), rows("accuracy")),
        Table(f"Table 4: errors per true note, {seeds}", (*what, "Etot", "Esub", "Emiss", "Efa"), errors, decimals=3),
    )


def _small_scale(models: Sequence[Model]) -> list[str]:
    settings = {model.name: settings_of(model, "small") for model in models}
    sliding = ", ".join(
        f"{name} {one.filters} filters, {one.stride_samples} samples apart"
        for name, one in settings.items()
        if one.stride_samples
    )
    one = next(iter(settings.values()))
    return [
        f"Trainings have {one.steps:,} steps of {one.batch_size} windows; {sliding} (the paper's CNN: 500, 8 or 64).",
        f"Every {EVERY['small']}th of the test's windows is taken.",
    ]


def finding(found: dict[str, Spread]) -> str:
    """Say whether CNN > MLP > log-spectrogram comes out, by more than the deviations."""
    names = ("CNN", "MLP, 500 nodes", "log-spectrograms")
    told = ", ".join(f"{name} {found[name].mean:.1f} %" for name in names)
    clear = all(
        found[better].mean - found[worse].mean > max(0.0, np.nan_to_num(found[better].deviation))
        for better, worse in pairwise(names)
    )
    if clear:
        return f"Average precision falls as published: {told}."
    return f"Average precision does not fall as published, CNN > MLP > log-spectrogram, at this scale: {told}."


STUDY = Study(
    reference="Thickstun, Harchaoui, Kakade: Learning Features of Music from Scratch. ICLR 2017.",
    data="a package of `musicnet-build pack musicnet`, with recordings for training, validation and test.",
    run=run,
)
