"""Cheuk et al. 2020: does a transcriber get better that must give the spectrogram back?

The same transcriber is trained alone and with the way back, on mel spectrograms and on constant-Q transforms, and
tested on whole recordings: frames, notes, and notes with offsets. All is compared on the frames of the package, 32 ms
each: true notes, too, begin and end with a frame.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

import numpy as np

from musicnet_build._typing import Float32s
from musicnet_build.baselines.baseline import Metrics
from musicnet_build.baselines.decoding import Activations, notes_in
from musicnet_build.baselines.models.reconstruction import PRESETS, THRESHOLD, Heard, Settings, heard
from musicnet_build.baselines.runs import Run, load_run
from musicnet_build.baselines.studies.study import Cell, Page, Setup, Spread, Study, Table
from musicnet_build.baselines.studies.trials import Trial, spreads, tried
from musicnet_build.errors import DatasetError
from musicnet_build.evaluation.metrics import note_match
from musicnet_build.evaluation.transcription.frames import frame_counts, frame_match
from musicnet_build.labels.pianoroll import PIANO
from musicnet_build.packing.segments import HOP_LENGTH, RATE_HZ, Item, SegmentsReader
from musicnet_build.plots.panels import Panel, plot_panels

FRAME_LENGTH_S = HOP_LENGTH / RATE_HZ
SPECTRA: tuple[Literal["mel", "cqt"], ...] = ("mel", "cqt")
COLUMNS = {
    "frame P": "frame precision", "frame R": "frame recall", "frame F1": "frame f1",
    "note P": "note precision", "note R": "note recall", "note F1": "note f1", "with offset F1": "offset f1",
}  # fmt: skip
PUBLISHED = {"mel, baseline": (60.1, 36.3), "mel, with reconstruction": (66.3, 38.5)}
"""Note F1 and note-with-offset F1 on MAPS."""

PICTURE = "posteriorgrams.png"
_SHOWN_FRAMES = 320


def run(setup: Setup) -> Page:
    """Train all four, test, and draw what one of them makes of a recording."""
    if not len(SegmentsReader(setup.data, "test")):
        raise DatasetError(f"{setup.data} has no recordings to test on.")
    trials = [
        Trial(f"{spectrum}, {kind}", f"{spectrum}-{kind.split()[-1]}", model, setup.data, settings)
        for spectrum in SPECTRA
        for kind, model in (("baseline", "reconstruction-baseline"), ("with reconstruction", "reconstruction"))
        for settings in [replace(PRESETS[model][setup.preset], spectrum=spectrum)]
    ]
    found = tried(setup, trials, _tested)
    _draw(setup, setup.output / "runs" / "mel-reconstruction-0")
    return _page(setup, found)


def _tested(trial: Trial, finished: Run) -> Metrics:
    """Means over the recordings that test."""
    assert isinstance(finished.settings, Settings)
    figures: list[Metrics] = []
    for item in _test_recordings(trial.package):
        made = heard(finished.network, item[finished.settings.spectrum])
        again = {} if made.second is None else figures_of(item, made.second, " again")
        figures.append(figures_of(item, made.first) | again)
    return {name: float(np.mean([one[name] for one in figures])) for name in figures[0]}


def figures_of(truth: Item, posteriorgram: Float32s, suffix: str = "") -> Metrics:
    """Return frame, note and note-with-offset figures of a recording, in percent.

    Parameters
    ----------
    truth : dict
        ``frame`` and ``onset`` [shape=(frames, 88)], as the reader gives them.
    posteriorgram : ndarray of float32 [shape=(frames, 88)]
    suffix : str
        Ends the names.

    Returns
    -------
    dict of str to float
    """
    rolls = [Activations(truth["frame"].astype(np.float32), truth["onset"].astype(np.float32), FRAME_LENGTH_S, 21)]
    rolls.append(Activations(posteriorgram, None, FRAME_LENGTH_S, PIANO[0]))
    true, predicted = (notes_in(roll, THRESHOLD, THRESHOLD) for roll in rolls)
    frames = frame_match(frame_counts([(truth["frame"].astype(bool), posteriorgram > THRESHOLD)]))
    notes, with_offsets = (note_match(true, predicted, with_offsets=asked) for asked in (False, True))
    values = {f"frame {name}": value for name, value in asdict(frames).items() if name in ("precision", "recall", "f1")}
    values |= {f"note {name}": value for name, value in asdict(notes).items()}
    return {name + suffix: 100 * value for name, value in (values | {"offset f1": with_offsets.f1}).items()}


def _test_recordings(package: Path) -> Iterator[Item]:
    """The recordings in which there is something to be found."""
    reader = SegmentsReader(package, "test")
    return (item for item in map(reader.whole, range(len(reader))) if item["frame"].any())


def _draw(setup: Setup, folder: Path) -> None:
    finished, item = load_run(folder, setup.device), next(_test_recordings(setup.data))
    made: Heard = heard(finished.network, item["mel"][:_SHOWN_FRAMES])
    assert made.reconstruction is not None
    panels = [
        Panel("Mel spectrogram of a recording for the test", made.spectrogram, 0, "band"),
        Panel("Posteriorgram", made.first, PIANO[0], "pitch"),
        Panel("True pitches", item["frame"][:_SHOWN_FRAMES], PIANO[0], "pitch"),
        Panel("Reconstruction from the posteriorgram", made.reconstruction, 0, "band"),
    ]
    plot_panels(setup.output / PICTURE, "What a transcriber with reconstruction makes of a recording", panels,
                FRAME_LENGTH_S)  # fmt: skip


def _page(setup: Setup, found: dict[str, list[Metrics]]) -> Page:
    ours = {name: spreads(seeds) for name, seeds in found.items()}
    rows: list[list[Cell]] = []
    for name, figures in ours.items():
        published: tuple[float | None, float | None] = PUBLISHED.get(name, (None, None))
        rows.append([name, *(figures[key] for key in COLUMNS.values()), *published])
        if "note f1 again" in figures:
            again = [figures[f"{key} again"] for key in COLUMNS.values()]
            rows.append([f"{name}: transcribed again", *again, None, None])
    return Page(
        title="Transcribers that give the spectrogram back",
        finding=" ".join(_told(ours, spectrum) for spectrum in SPECTRA),
        differences=[
            "Recordings and split are those of the package given here; MAPS, MAESTRO and MusicNet there.",
            "The U-nets' levels, channels and normalization are ours, and of the small preset the length of segments "
            "and the few steps.",
            "A pitch sounds where it is more likely than not; true notes are those of the rolls, in frames of 32 ms.",
        ],
        tables=[Table("Test recordings, in percent: mean of the recordings, and deviation over the seeds",
                      ["model", *COLUMNS, "published note F1", "with offset"], rows)],
        pictures={PICTURE: "A recording for the test, what was heard in it, and what that sounds like to the model"},
        values={"seeds": found},
    )  # fmt: skip


def _told(ours: dict[str, dict[str, Spread]], spectrum: str) -> str:
    before, after = ours[f"{spectrum}, baseline"], ours[f"{spectrum}, with reconstruction"]
    changes = [
        f"{name} {after[key].mean - before[key].mean:+.1f}"
        for name, key in COLUMNS.items()
        if name in ("note P", "note F1", "with offset F1", "frame P")
    ]
    return f"With reconstruction ({spectrum}): {', '.join(changes)} points."


STUDY = Study(
    reference="Cheuk, Luo, Benetos, Herremans: The effect of spectrogram reconstruction on automatic music "
    "transcription. ICPR 2020.",
    data="a package: `musicnet-build pack segments CORPUS -o segments.h5`, of MAPS or of `generate maps --preset "
    "studies --pieces FOLDER -o CORPUS`.",
    run=run,
)
