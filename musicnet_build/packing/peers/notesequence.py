"""TFRecord files of recordings with NoteSequences, as MT3 and Magenta's trainings read them.

``SPLIT.tfrecord-00000-of-00002`` hold an example a recording: ``id``, ``audio`` (16 kHz mono), ``sample_rate``,
``sequence`` (the notes, a serialized NoteSequence) and ``velocity_range``.

References
----------
Hawthorne et al.: Enabling Factorized Piano Music Modeling and Generation with the MAESTRO Dataset. ICLR 2019 (the
examples with WAV); Gardner et al.: MT3: Multi-Task Multitrack Music Transcription. ICLR 2022 (those with samples). The
fields of a NoteSequence are those of the package note-seq, version 0.0.5.
"""

import io
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from musicnet_build._typing import Audio
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.recording import Recording
from musicnet_build.labels.files import DEFAULT_VELOCITY
from musicnet_build.notes import NoteTable
from musicnet_build.packing.peers.rows import Form, RowsSettings, pack_rows
from musicnet_build.packing.peers.tfrecord import Message, example, record
from musicnet_build.packing.sources import Packed, Progress, Source

RATE_HZ = 16_000
"""What the models hear; their loaders take it as it is."""

_TICKS_PER_QUARTER = 220
_PERFORMED, _MIDI_DRUMS = 2, 9


@dataclass(frozen=True, kw_only=True)
class NoteSequenceSettings(RowsSettings):
    """What the package holds.

    Attributes
    ----------
    audio : {"samples", "wav"}
        Floating-point samples, as MT3 reads MusicNet, or the bytes of a WAV file, as it reads MAESTRO and as Magenta's
        Onsets and Frames reads everything.
    """

    audio: str = "samples"


def pack_notesequence(
    source: Source,
    path: str | os.PathLike[str],
    settings: NoteSequenceSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the files.

    A corpus without a split of its own (MAPS) is split as :func:`musicnet_build.corpora.folds.train_and_test` does.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A folder of MAPS, MAESTRO or MusicNet's layout.
    path : str or PathLike
        The folder to write.
    settings : NoteSequenceSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts the notes, and those left out because they end as they begin (``without_length``), which MT3 refuses.

    Examples
    --------
    >>> from musicnet_build.packing.peers.notesequence import pack_notesequence
    >>> pack_notesequence("dataset", "tfrecords").recordings
    3
    """
    settings = settings or NoteSequenceSettings()
    recipe = {"sustain": settings.sustain, "audio": settings.audio}
    return pack_rows(source, path, _FORM, settings, recipe, workers=workers, progress=progress)


def write_shard(recording: Recording, path: Path, *, sustain: bool, audio: str) -> dict[str, int]:
    """Write the record of one recording; return how many notes it has and lacks."""
    samples = read_audio(recording.audio, RATE_HZ)
    known = read_notes(recording, sustain=sustain)
    notes = _playable(known)
    features = {
        "id": recording.id.encode("utf-8", "backslashreplace"),
        "audio": samples if audio == "samples" else _wav(samples),
        "sample_rate": float(RATE_HZ),
        "sequence": note_sequence(notes, recording).data,
        "velocity_range": _velocity_range(notes).data,
    }
    path.write_bytes(record(example(features)))
    return {"notes": len(notes), "without_length": len(known) - len(notes)}


def note_sequence(notes: NoteTable, recording: Recording) -> Message:
    """Return the notes of a recording as a NoteSequence.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
    recording : Recording
        Gives id, file name, title and composer.

    Returns
    -------
    Message
    """
    metadata = Message().text(1, recording.title).text(4, recording.metadata.get("composer", ""))
    return (
        Message()
        .text(1, recording.id)
        .text(2, recording.audio.name)
        .number(4, _TICKS_PER_QUARTER)
        .each(8, [_note(note, instrument) for note, instrument in zip(notes, _instruments(notes), strict=True)])
        .double(9, float(notes["offset_s"].max(initial=0.0)))
        .bytes(13, Message().number(1, _PERFORMED))
        .bytes(19, metadata)
    )


def _note(note: np.void, instrument: int) -> Message:
    return (
        Message()
        .number(1, int(note["pitch"]))
        .number(2, int(note["velocity"]))
        .double(3, float(note["onset_s"]))
        .double(4, float(note["offset_s"]))
        .number(7, instrument)
        .number(8, int(note["program"]))
    )


def _instruments(notes: NoteTable) -> list[int]:
    """Number the programs as they appear; 9 is what MIDI keeps for drums, of which labels have none."""
    numbers: dict[int, int] = {}
    programs = notes["program"].tolist()
    for program in programs:
        numbers.setdefault(program, len(numbers) + (len(numbers) >= _MIDI_DRUMS))
    return [numbers[program] for program in programs]


def _playable(notes: NoteTable) -> NoteTable:
    """Return the notes that last, each with a velocity: MT3 refuses others."""
    kept = notes[notes["offset_s"] > notes["onset_s"]]
    kept["velocity"] = np.where(kept["velocity"] > 0, kept["velocity"], DEFAULT_VELOCITY)
    return kept


def _velocity_range(notes: NoteTable) -> Message:
    velocities = notes["velocity"].tolist() or [DEFAULT_VELOCITY]
    return Message().number(1, min(velocities)).number(2, max(velocities))


def _wav(samples: Audio) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE_HZ, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _join(target: Path, shards: Sequence[Path]) -> None:
    with target.open("wb") as joined:
        for shard in shards:
            with shard.open("rb") as source:
                shutil.copyfileobj(source, joined)


_FORM = Form(".tfrecord", write_shard, _join, "{split}.tfrecord-{number:05d}-of-{count:05d}")
