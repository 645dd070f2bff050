"""Packing a MusicNet-style dataset into the files that trainings read.

``pack_musicnet`` writes the one HDF5 file of MusicNet's first release; ``pack_transcription`` the files of piano
transcription: one HDF5 file a recording as high-resolution piano transcription reads it, and 16 kHz FLAC with TSV
labels. The layouts are written down in docs/formats.md. One job a recording, then one process that merges.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build import __version__
from musicnet_build._typing import Audio, Float32s, Records
from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.musicnet import METADATA_FIELDS, SPLITS, Recording, id_order, read_dataset
from musicnet_build.errors import DatasetError
from musicnet_build.files import remove_leftovers, sha256_of
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.labels.files import DEFAULT_VELOCITY, read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, end_at_restrike
from musicnet_build.packing import hdf5
from musicnet_build.score.reader import note_value_name

TRANSCRIPTION_RATE = 16_000
NO_MEASURE = -1
"""Stands for the measure, which MusicNet's label files do not name."""

LABEL_DTYPE = np.dtype(
    [
        ("beat", "<f8"),  # quarter notes from the start of the score
        ("end_time", "<i4"),  # samples at 44.1 kHz
        ("instrument", "<i4"),  # General MIDI program + 1
        ("measure", "<i4"),
        ("note_id", "<i4"),  # MIDI number
        ("note_value", "S30"),
        ("start_time", "<i4"),
    ]
)
"""A label in ``musicnet.h5``: readers address the fields by name, some by position."""

_INT16_SCALE = 32768.0
# High-resolution piano transcription keeps its files in a folder a year; the labels do not know the year.
_YEAR = "0000"
_H5_FOLDER = f"hdf5s/musicnet/{_YEAR}"


def pack_musicnet(
    folder: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    sample_format: str = "float32",
    compress: bool = False,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> int:
    """Write a dataset as one HDF5 file: a group ``id_<n>`` for each recording, with ``data`` and ``labels``.

    Parameters
    ----------
    folder : str or PathLike
        In MusicNet's layout.
    path : str or PathLike
        The file to write. While it is made, its parts are kept in a hidden folder beside it, so that a run which was
        stopped goes on where it was.
    sample_format : {"float32", "int16"}
        Of ``data``.
    compress : bool
        Gzip and byte shuffling; smaller, and slower to read.
    workers : int
        Processes.
    on_done : callable, optional
        Told the outcome of each recording.

    Returns
    -------
    int
        Recordings in the file.

    Raises
    ------
    DatasetError
        When a recording cannot be packed or the file cannot be written; then there is no file.
    """
    target = Path(path)
    recordings = _distinct(folder)
    shards = target.parent / f".{target.name}-shards"
    shards.mkdir(parents=True, exist_ok=True)
    remove_leftovers(shards)
    options = {"sample_format": sample_format, "compress": compress}
    jobs = [
        _job(one, pack_musicnet_recording, {"shard": str(shards / f"{one.id}.h5"), **options}) for one in recordings
    ]
    _run_all(jobs, workers, on_done, target)
    attributes = {
        "sample_rate": SAMPLE_RATE,
        "sample_format": sample_format,
        "made_by": f"musicnet_build {__version__}",
    }
    # Among the shards, so that a process which is killed at it leaves nothing elsewhere.
    whole = shards / "whole.part"
    hdf5.merge_shards(whole, [shards / f"{one.id}.h5" for one in recordings], attributes=attributes)
    whole.replace(target)
    shutil.rmtree(shards)
    return len(recordings)


def pack_transcription(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> int:
    """Write a dataset as the files of piano transcription, 16 kHz.

    Parameters
    ----------
    folder : str or PathLike
        In MusicNet's layout.
    output : str or PathLike
        The folder to write: ``hdf5s/musicnet/0000/ID.h5``, ``{train,test}_data/ID.flac``,
        ``tsv_{train,test}_labels/ID.tsv``.
    workers : int
        Processes.
    on_done : callable, optional
        Told the outcome of each recording.

    Returns
    -------
    int
        Recordings written.

    Raises
    ------
    DatasetError
        When a recording cannot be packed; the others are there.
    """
    recordings = _distinct(folder)
    for part in (_H5_FOLDER, *(name for split in SPLITS for name in (f"{split}_data", f"tsv_{split}_labels"))):
        remove_leftovers(Path(output) / part)
    jobs = [_job(one, pack_transcription_recording, {"output": str(output)}) for one in recordings]
    _run_all(jobs, workers, on_done, Path(output))
    return len(recordings)


def _distinct(folder: str | os.PathLike[str]) -> list[Recording]:
    recordings = read_dataset(folder)
    ids = [recording.id for recording in recordings]
    if len(set(ids)) < len(ids):
        double = next(one for one in ids if ids.count(one) > 1)
        raise DatasetError(f"{folder}: recording {double} is in the training and in the test set.")
    return sorted(recordings, key=lambda recording: id_order(recording.id))


def _job(recording: Recording, function: Callable[..., object], options: dict[str, Any]) -> Job:
    arguments = {
        "recording_id": recording.id,
        "split": recording.split,
        "audio": str(recording.audio),
        "labels": str(recording.labels),
        "metadata": {name: recording.metadata.get(name, "") for name in METADATA_FIELDS},
    }
    # The audio as it is, in another format, and a copy for the filters.
    return Job(recording.id, function, arguments | options, memory_bytes=4 * recording.audio.stat().st_size + 2**28)


def _run_all(jobs: Sequence[Job], workers: int, on_done: Callable[[Outcome], object] | None, target: Path) -> None:
    failed = [one for one in run_jobs(jobs, workers=workers, on_done=on_done) if one.state == "failed"]
    if failed:
        more = f" (and {len(failed) - 1} others)" if len(failed) > 1 else ""
        raise DatasetError(f"{target} is not complete: recording {failed[0].id}{more}: {failed[0].reason}")


def _key(*parts: Any) -> str:
    return hashlib.sha256(repr((__version__, *parts)).encode()).hexdigest()


def _is_made(path: Path, key: str) -> bool:
    """Return whether an earlier run made this file of the same input."""
    try:
        with hdf5.reading(path) as file:
            return bool(file.attrs.get("key", "") == key)
    except DatasetError:
        return False


# ---------------------------------------------------------------------------------------------------------------------
# musicnet.h5


def pack_musicnet_recording(
    *,
    recording_id: str,
    split: str,
    audio: str,
    labels: str,
    metadata: dict[str, str],
    shard: str,
    sample_format: str,
    compress: bool,
) -> bool:
    """Write the shard of one recording; return False where an earlier run had."""
    key = _key(sha256_of(audio), sha256_of(labels), split, metadata, sample_format, compress)
    if _is_made(Path(shard), key):
        return False
    samples = read_audio(audio)
    notes = read_labels(labels)
    with hdf5.writing(shard) as file:
        file.attrs["key"] = key
        group = file.create_group(f"id_{recording_id}")
        group.attrs.update({"split": split, "sample_rate": SAMPLE_RATE, "seconds": len(samples) / SAMPLE_RATE})
        group.attrs.update(metadata)
        data = samples if sample_format == "float32" else _as_int16(samples)
        scale = {} if sample_format == "float32" else {"scale": 1 / _INT16_SCALE}
        hdf5.add(group, "data", data, compress=compress, attributes=scale)
        hdf5.add(group, "labels", h5_labels(notes), compress=compress)
        hdf5.add(group, "end_beat", notes["duration_beats"], compress=compress, attributes={"unit": "quarter notes"})
        if np.isfinite(notes["confidence"]).any():
            hdf5.add(group, "confidence", notes["confidence"].astype(np.float32), compress=compress)
    return True


def h5_labels(notes: NoteTable) -> Records:
    """Return notes as ``musicnet.h5`` has them.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.

    Returns
    -------
    ndarray of LABEL_DTYPE [shape=(n,)]
    """
    table = np.zeros(len(notes), dtype=LABEL_DTYPE)
    table["beat"] = notes["onset_beats"]
    table["start_time"] = np.rint(notes["onset_s"] * SAMPLE_RATE)
    table["end_time"] = np.rint(notes["offset_s"] * SAMPLE_RATE)
    table["instrument"] = notes["program"] + 1
    table["measure"] = NO_MEASURE
    table["note_id"] = notes["pitch"]
    table["note_value"] = note_value_name(notes["duration_beats"]).astype("S30")
    return table


def _as_int16(audio: Audio) -> NDArray[np.int16]:
    whole: NDArray[np.int16] = np.rint(audio * _INT16_SCALE).clip(-_INT16_SCALE, _INT16_SCALE - 1).astype(np.int16)
    return whole


# ---------------------------------------------------------------------------------------------------------------------
# Piano transcription


def pack_transcription_recording(
    *, recording_id: str, split: str, audio: str, labels: str, metadata: dict[str, str], output: str
) -> bool:
    """Write the three files of one recording, the HDF5 file last; return False where an earlier run had."""
    root = Path(output)
    path = root / _H5_FOLDER / f"{recording_id}.h5"
    flac, tsv = root / f"{split}_data" / f"{recording_id}.flac", root / f"tsv_{split}_labels" / f"{recording_id}.tsv"
    key = _key(sha256_of(audio), sha256_of(labels), split, metadata)
    if _is_made(path, key) and flac.is_file() and tsv.is_file():
        return False
    for other in SPLITS:
        # Where the recording has changed sets, a copy in the other set would be a leak.
        if other != split:
            (root / f"{other}_data" / flac.name).unlink(missing_ok=True)
            (root / f"tsv_{other}_labels" / tsv.name).unlink(missing_ok=True)
    samples = read_audio(audio, TRANSCRIPTION_RATE)
    notes = read_labels(labels)
    write_audio(flac, samples, TRANSCRIPTION_RATE)
    write_labels(tsv, notes)
    with hdf5.writing(path) as file:
        file.attrs["key"] = key
        file.attrs.update(_transcription_attributes(recording_id, split, metadata, len(samples) / TRANSCRIPTION_RATE))
        hdf5.add(file, "waveform", _as_int16(samples))
        times, events = midi_events(notes)
        hdf5.add(file, "midi_event", np.array(events, dtype="S100"))
        hdf5.add(file, "midi_event_time", times)
    return True


def midi_events(notes: NoteTable) -> tuple[Float32s, list[str]]:
    """Return notes as the key strokes of one piano, as text in the form of mido's messages.

    A piano has one key a pitch: a note that begins while another of its pitch sounds ends that one, and of notes that
    begin together the longest is kept.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
        In recording seconds.

    Returns
    -------
    times_s : ndarray of float32 [shape=(2 k,)]
    events : list of str
        ``note_on`` and ``note_off`` messages, in order of time; ends come before starts.
    """
    strokes = sorted(_key_strokes(notes))
    events = [
        f"{'note_on' if is_on else 'note_off'} channel=0 note={pitch} velocity={velocity} time=0"
        for _, is_on, pitch, velocity in strokes
    ]
    return np.array([time_s for time_s, *_ in strokes], dtype=np.float32), events


def _key_strokes(notes: NoteTable) -> Iterator[tuple[float, bool, int, int]]:
    """(seconds, whether it is a start, pitch, velocity)."""
    for pitch in np.unique(notes["pitch"]).tolist():
        same = notes[notes["pitch"] == pitch]
        same = same[np.lexsort((same["offset_s"], same["onset_s"]))]
        onset_s = same["onset_s"]
        last = np.append(onset_s[1:] > onset_s[:-1], True)
        strokes = end_at_restrike(same[last], by=None)
        for start_s, end_s, velocity in strokes[["onset_s", "offset_s", "velocity"]].tolist():
            yield start_s, True, pitch, velocity or DEFAULT_VELOCITY
            yield end_s, False, pitch, 0


def _transcription_attributes(
    recording_id: str, split: str, metadata: dict[str, str], duration_s: float
) -> dict[str, Any]:
    texts = {
        "canonical_composer": metadata["composer"],
        "canonical_title": metadata["composition"],
        "split": split,
        "year": _YEAR,
        "midi_filename": f"{recording_id}.mid",
        "audio_filename": f"{recording_id}.wav",
    }
    # Its reader decodes bytes.
    encoded = {name: np.bytes_(text.encode()[:100]) for name, text in texts.items()}
    return {**encoded, "duration": np.float32(duration_s)}
