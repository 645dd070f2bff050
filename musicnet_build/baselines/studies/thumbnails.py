"""Cen and Jiang: the pitch of single notes from small pictures. Which spectrum, which size, distorted or not, how deep.

Five models are trained, each but the first with one thing changed: the short-time Fourier transform in place of the
constant-Q transform, pictures as they are, larger pictures, and the simple network.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from musicnet_build.baselines.baseline import Metrics
from musicnet_build.baselines.models.thumbnails import PRESETS, accuracy
from musicnet_build.baselines.runs import Run
from musicnet_build.baselines.studies.study import Cell, Page, Setup, Study, Table, part_of
from musicnet_build.baselines.studies.trials import Trial, spreads, tried
from musicnet_build.packing.thumbnails import Spectrum, ThumbnailsSettings, pack_thumbnails


class Case(NamedTuple):
    """A row of the table: what is trained, on which pictures, and what was published."""

    name: str
    model: str
    points: int
    spectrum: Spectrum
    distorted: bool
    published: float


CASES = (
    Case("CNN, CQT, 24 × 24, distorted", "thumbnails", 24, "cqt", True, 0.78),
    Case("STFT", "thumbnails", 24, "stft", True, 0.52),
    Case("not distorted", "thumbnails", 24, "cqt", False, 0.77),
    Case("32 × 32", "thumbnails", 32, "cqt", True, 0.82),
    Case("simple network", "thumbnails-simple", 24, "cqt", True, 0.77),
)

STEP_FRAMES = {"small": 4, "paper": 1}
"""One picture every so many frames."""


def run(setup: Setup) -> Page:
    """Pack the pictures, train on them, and test."""
    packages = dict(_packages(setup))
    trials = [
        Trial(
            case.name,
            f"{case.model}-{case.spectrum}-{case.points}-{'distorted' if case.distorted else 'plain'}",
            case.model,
            packages[case.spectrum, case.points],
            replace(
                PRESETS[case.model][setup.preset],
                points=case.points, spectrum=case.spectrum, distorted=case.distorted,
            ),
        )
        for case in CASES
    ]  # fmt: skip
    return _page(setup, tried(setup, trials, _tested, first=0.1))


def _tested(trial: Trial, finished: Run) -> Metrics:
    return {"accuracy": accuracy(finished.network, trial.package, "test")}


def _packages(setup: Setup) -> Iterator[tuple[tuple[Spectrum, int], Path]]:
    for spectrum, points in dict.fromkeys((case.spectrum, case.points) for case in CASES):
        path = setup.output / "packages" / f"{spectrum}-{points}.h5"
        settings = ThumbnailsSettings(size=points, spectrum=spectrum, step_frames=STEP_FRAMES[setup.preset])
        pack_thumbnails(setup.data, path, settings, progress=part_of(setup.progress, 0.0, 0.1, path.stem))
        yield (spectrum, points), path


def _page(setup: Setup, found: dict[str, list[Metrics]]) -> Page:
    accuracies = {name: spreads(seeds)["accuracy"] for name, seeds in found.items()}
    rows: list[list[Cell]] = [[case.name, accuracies[case.name], case.published] for case in CASES]
    first, *others = (accuracies[case.name] for case in CASES)
    changes = [
        f"{case.name} {100 * (other.mean - first.mean):+.1f} points (published {100 * (case.published - 0.78):+.0f})"
        for case, other in zip(CASES[1:], others, strict=True)
    ]
    return Page(
        title="The pitch of single notes from small pictures",
        finding=f"The first row names {first.mean:.0%} of the pictures of unheard recordings. Against it: "
        f"{', '.join(changes)}.",
        differences=[
            "Recordings are of the corpus given here, MAPS there; the recordings that test are of the same pianos as "
            "those that train.",
            "Filters, pools, dropout, optimizer and the kinds of distortion are ours; what is published fixes the "
            "number of layers and the softmax.",
            f"One picture every {STEP_FRAMES[setup.preset]} frames of 32 ms; small models and few steps where the "
            "preset is small.",
        ],
        tables=[Table("Share of test pictures whose pitch is named (others: as the first, but)",
                      ["model", "ours", "published"], rows, decimals=3)],
        values={"seeds": found},
    )  # fmt: skip


STUDY = Study(
    reference="Cen, Jiang: classification of isolated notes from small pictures of constant-Q transforms, on MAPS.",
    data="a corpus with isolated notes: `musicnet-build generate maps --preset studies -o corpus`, or MAPS.",
    run=run,
)
