"""The file of a draw, ``sample.json`` among the judgements: what was drawn, from what, and how likely each was."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from musicnet_build._typing import Bools, Float64s, Int64s
from musicnet_build.errors import DatasetError
from musicnet_build.files import read_json, write_json
from musicnet_build.listening.catalogue import Catalogue, Item, read_report
from musicnet_build.listening.judgements import described_note, place_of
from musicnet_build.listening.label_set import LabelSet, read_label_set
from musicnet_build.listening.rating.sampling import STRATA, Population, draw
from musicnet_build.notes import SAMPLE_RATE

SAMPLE_FILE = "sample.json"
MAX_SAMPLE_BYTES = 256 * 2**20
_LENGTHS_S = (0.15, 0.5)
"""Notes shorter than these are groups of their own: their onsets are heard otherwise."""

_Share = Annotated[float, Field(gt=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NoteName(_Strict):
    """How a note is found again: as ``judgements.described_note`` names it."""

    row: _Count
    onset: int
    pitch: Annotated[int, Field(ge=0, le=127)]
    instrument: Annotated[int, Field(ge=1, le=128)]
    beat: float


class Unit(_Strict):
    """A note or a clip that was drawn, and how likely that was."""

    recording: str
    stratum: Literal["suspected", "doubtful", "sure", "unknown"]
    probability: _Share
    note: NoteName | None = None
    start_sample: _Count | None = None
    end_sample: _Count | None = None


class Stratum(_Strict):
    """Units and labels that the dataset has in a stratum, and units that were drawn."""

    units: _Count
    notes: _Count
    drawn: _Count


class Sample(_Strict):
    """A draw: of ``unit``, by ``seed``, from labels of these SHA-256 sums."""

    v: Literal[1] = 1
    unit: Literal["note", "clip"]
    seed: int
    seconds: Annotated[float, Field(gt=0)] | None = None
    labels: dict[str, str]
    strata: dict[str, Stratum]
    units: list[Unit]


@dataclass(frozen=True)
class _Frame:
    """The population with what each unit is."""

    population: Population
    notes: Int64s
    describe: list[tuple[str, dict[str, Any]]]


def read_sample(folder: Path) -> Sample:
    """Read the draw that is kept in a folder of judgements.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Sample

    Raises
    ------
    DatasetError
        When there is none, or the file is not one.
    """
    path = folder / SAMPLE_FILE
    if not path.is_file():
        raise DatasetError(f"{path} is not there: `musicnet-build audit sample DATASET` draws what to listen to.")
    try:
        return Sample.model_validate(read_json(path, limit=MAX_SAMPLE_BYTES))
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise DatasetError(f"{path} is no sample of this program: {place} {fault['msg']}.") from error


def write_sample(folder: Path, sample: Sample) -> None:
    """Keep a draw in a folder of judgements, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / SAMPLE_FILE, sample.model_dump(exclude_none=True))


def drawn_sample(
    catalogue: Catalogue, unit: Literal["note", "clip"], count: int, seed: int, seconds: float | None = None
) -> Sample:
    """Draw notes or clips of a dataset.

    Parameters
    ----------
    catalogue : Catalogue
    unit : {"note", "clip"}
    count : int
    seed : int
    seconds : float, optional
        Length of a clip.

    Returns
    -------
    Sample

    Raises
    ------
    MusicnetBuildError
        When labels or reports cannot be read.
    """
    sets = [(item, read_label_set(item, 0)) for item in catalogue.items]
    frame = _note_frame(sets) if unit == "note" else _clip_frame(sets, seconds or 0.0)
    found = draw(frame.population, count, seed)
    units = [
        Unit(recording=frame.describe[i][0], stratum=_name(found.stratum[i]), probability=p, **frame.describe[i][1])
        for i, p in zip(found.drawn.tolist(), found.probability.tolist(), strict=True)
    ]
    notes = np.bincount(found.stratum, frame.notes, minlength=len(STRATA)).astype(int)
    sizes = zip(STRATA, found.sizes.tolist(), notes.tolist(), found.counts.tolist(), strict=True)
    strata = {name: Stratum(units=n, notes=m, drawn=k) for name, n, m, k in sizes if n}
    hashes = {item.id: labels.sha256 for item, labels in sets}
    return Sample(unit=unit, seed=seed, seconds=seconds, labels=hashes, strata=strata, units=units)


def check_extends(old: Sample, new: Sample, path: str | os.PathLike[str]) -> None:
    """Refuse a draw that is no extension of the one before: what was judged would lose its probability.

    Raises
    ------
    DatasetError
    """
    changed = sorted(one for one in old.labels if old.labels[one] != new.labels.get(one))
    fault = ""
    if (old.unit, old.seed, old.seconds) != (new.unit, new.seed, new.seconds):
        fault = f"holds a draw of {old.unit}s with the seed {old.seed}"
    elif changed or len(old.labels) != len(new.labels):
        fault = f"was drawn from other labels ({changed[0] if changed else 'more recordings'})"
    elif len(new.units) < len(old.units):
        fault = f"holds {len(old.units)} {old.unit}s already"
    if fault:
        raise DatasetError(f"{path} {fault}: --anew draws again; judgements are kept, and count where they apply.")


def _name(stratum: int) -> Any:
    return STRATA[stratum]


def _note_frame(sets: list[tuple[Item, LabelSet]]) -> _Frame:
    ids: list[str] = []
    describe: list[tuple[str, dict[str, Any]]] = []
    for item, labels in sets:
        seen: dict[object, int] = {}
        for row in range(len(labels.notes)):
            note = described_note(labels.notes, row)
            place = place_of(note["instrument"], note["pitch"], note["beat"])
            seen[place] = seen.get(place, 0) + 1
            ids.append("/".join(map(str, (item.id, *place[:2], f"{place[2]:.3f}", seen[place]))))
            describe.append((item.id, {"note": note}))
    notes = np.concatenate([labels.notes for _, labels in sets])
    recording = np.repeat(np.arange(len(sets)), [len(labels.notes) for _, labels in sets])
    length = np.digitize(notes["offset_s"] - notes["onset_s"], _LENGTHS_S)
    levels = (_ensembles(sets)[recording], notes["program"].astype(np.int64), length.astype(np.int64), recording)
    suspected = np.concatenate([_suspected(item, labels.notes["onset_s"]) for item, labels in sets])
    population = Population(tuple(ids), notes["confidence"], suspected, levels)
    return _Frame(population, np.ones(len(notes), np.int64), describe)


def _clip_frame(sets: list[tuple[Item, LabelSet]], seconds: float) -> _Frame:
    clips = [(k, *clip) for k, (_, labels) in enumerate(sets) for clip in _clips(labels, seconds)]
    ids = tuple(f"{sets[k][0].id}@{start}" for k, start, *_ in clips)
    recording = np.array([k for k, *_ in clips], np.int64)
    suspected = np.array([_overlaps(sets[k][0], start, end) for k, start, end, _, _ in clips], np.bool_)
    confidence = np.array([mean for *_, mean in clips], np.float64)
    describe = [(sets[k][0].id, {"start_sample": start, "end_sample": end}) for k, start, end, _, _ in clips]
    population = Population(ids, confidence, suspected, (_ensembles(sets)[recording], recording))
    return _Frame(population, np.array([count for *_, count, _ in clips], np.int64), describe)


def _clips(labels: LabelSet, seconds: float) -> Iterator[tuple[int, int, int, float]]:
    """First and last sample, number of notes and mean confidence of each clip in which notes begin."""
    onset = np.rint(labels.notes["onset_s"] * SAMPLE_RATE).astype(np.int64)
    length = round(seconds * SAMPLE_RATE)
    for number in np.unique(onset // length).tolist():
        confidence = labels.notes["confidence"][onset // length == number]
        yield number * length, (number + 1) * length, len(confidence), float(confidence.mean())


def _ensembles(sets: list[tuple[Item, LabelSet]]) -> Int64s:
    names = [item.metadata.get("ensemble", "") for item, _ in sets]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _spans(item: Item) -> list[Mapping[str, Any]]:
    return list(read_report(item.report).get("spans", ()))


def _suspected(item: Item, onset_s: Float64s) -> Bools:
    inside = np.zeros(len(onset_s), np.bool_)
    for span in _spans(item):
        inside |= (onset_s >= span["start_s"]) & (onset_s < span["end_s"])
    return inside


def _overlaps(item: Item, start: int, end: int) -> bool:
    return any(span["start_s"] * SAMPLE_RATE < end and span["end_s"] * SAMPLE_RATE > start for span in _spans(item))
