"""Cen and Jiang: the pitch of single notes from small pictures. Which spectrum, which size, distorted or not, how deep.

Five models are trained, each but the first with one thing changed: the short-time Fourier transform in place of the
constant-Q transform, pictures as they are, larger pictures, and the simple network.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from musicnet_build.baselines.catalogue import find_baseline
from musicnet_build.baselines.runs import load_run
from musicnet_build.baselines.studies.study import Page, Setup, Study, Table, part_of, spread_of
from musicnet_build.baselines.thumbnails import accuracy
from musicnet_build.baselines.training import train
from musicnet_build.packing.thumbnails import ThumbnailsSettings, pack_thumbnails


class Case(NamedTuple):
    """A row of the table: what is trained, on which pictures, and what was published."""

    name: str
    model: str
    points: int
    spectrum: Any
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
    found: dict[str, list[float]] = {}
    for i, case in enumerate(CASES):
        for seed in range(setup.seeds):
            share = (i * setup.seeds + seed) / (len(CASES) * setup.seeds)
            within = part_of(setup.progress, 0.1 + 0.9 * share, 0.1 + 0.9 * (share + 0.05), case.name)
            folder = setup.output / "runs" / f"{case.model}-{case.spectrum}-{case.points}-{_way(case)}-{seed}"
            package = packages[case.spectrum, case.points]
            settings = replace(
                find_baseline(case.model).presets[setup.preset],
                points=case.points, spectrum=case.spectrum, distorted=case.distorted,
            )  # fmt: skip
            train(case.model, package, folder, settings=settings, seed=seed, device=setup.device, progress=within)
            found.setdefault(case.name, []).append(accuracy(load_run(folder, setup.device).network, package, "test"))
    return _page(setup, found)


def _way(case: Case) -> str:
    return "distorted" if case.distorted else "plain"


def _packages(setup: Setup) -> Iterator[tuple[tuple[str, int], Path]]:
    for spectrum, points in dict.fromkeys((case.spectrum, case.points) for case in CASES):
        path = setup.output / "packages" / f"{spectrum}-{points}.h5"
        settings = ThumbnailsSettings(size=points, spectrum=spectrum, step_frames=STEP_FRAMES[setup.preset])
        pack_thumbnails(setup.data, path, settings, progress=part_of(setup.progress, 0.0, 0.1, path.stem))
        yield (spectrum, points), path


def _page(setup: Setup, found: dict[str, list[float]]) -> Page:
    spreads = {name: spread_of(values) for name, values in found.items()}
    rows = [[case.name, spreads[case.name], case.published] for case in CASES]
    first, *others = (spreads[case.name] for case in CASES)
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
        values={"accuracy": found},
    )  # fmt: skip


STUDY = Study(
    reference="Cen, Jiang: classification of isolated notes from small pictures of constant-Q transforms, on MAPS.",
    data="a corpus with isolated notes: `musicnet-build generate maps --preset studies -o corpus`, or MAPS.",
    run=run,
)
