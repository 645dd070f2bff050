"""The layout of MAESTRO: WAV and MIDI of one piano in a folder a year, and tables that name them.

- ``maestro-v3.0.0.csv`` and, as loaders of earlier versions ask for them, ``maestro-v1.0.0.csv``, ``-v2.0.0.csv``; the
  same as JSON: a list of rows for versions 1 and 2, columns for version 3, as MAESTRO has them.
- ``YEAR/NAME.wav``: mono, 44.1 kHz, 16 bit; on request ``YEAR/NAME.flac`` at 16 kHz beside it.
- ``YEAR/NAME.midi``: exactly two tracks, the tempo first, then one piano.

Music of several instruments becomes what one pianist would have to play; see
:mod:`musicnet_build.packing.peers.keyboard`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.maestro import COLUMNS, year_of
from musicnet_build.corpora.musicnet import write_table
from musicnet_build.corpora.recording import Recording
from musicnet_build.files import write_json
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.packing.peers.folders import OneMade, make_files, packed_folder
from musicnet_build.packing.peers.keyboard import key_strokes, on_piano
from musicnet_build.packing.sources import Packed, Progress, Source, SourceSettings, recordings_in_sets

LIST_VERSIONS, COLUMN_VERSIONS = ("1.0.0", "2.0.0"), ("3.0.0",)
FLAC_RATE_HZ = 16_000


@dataclass(frozen=True, kw_only=True)
class MaestroSettings(SourceSettings):
    """What the package holds.

    Attributes
    ----------
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    flac : bool
        Also write 16 kHz FLAC, as onsets-and-frames reads it.
    """

    sustain: bool = True
    flac: bool = False


def pack_maestro(
    source: Source,
    path: str | os.PathLike[str],
    settings: MaestroSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write a dataset in MAESTRO's layout.

    A corpus without a split of its own (MAPS) is split as :func:`musicnet_build.corpora.folds.train_and_test` does.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A folder of MAPS, MAESTRO or MusicNet's layout.
    path : str or PathLike
        The folder to write.
    settings : MaestroSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed
        Counts the notes, those left out because no piano has their keys (``out_of_range``), and those that one
        keyboard cannot play beside others of their pitch (``unisons``).

    Examples
    --------
    >>> from musicnet_build.packing.peers.maestro import pack_maestro
    >>> pack_maestro("dataset", "maestro").recordings
    3
    """
    settings, root = settings or MaestroSettings(), Path(path)
    recordings = recordings_in_sets(source, settings)
    recipe = {"sustain": settings.sustain, "flac": settings.flac}
    made = make_files(root, recordings, write_recording, recipe, workers=workers, progress=progress)
    _write_tables(root, [_row(one, report) for one, report in zip(recordings, made.reports, strict=True)])
    return packed_folder(root, recordings, made)


def write_recording(recording: Recording, root: Path, *, sustain: bool, flac: bool) -> OneMade:
    """Write the files of one recording."""
    stem = f"{year_of(recording)}/{recording.name}"
    samples = read_audio(recording.audio)
    notes, out_of_range = on_piano(read_notes(recording, sustain=sustain))
    strokes = key_strokes(notes)
    strokes["program"] = strokes["part"] = 0
    write_audio(root / f"{stem}.wav", samples, subtype="PCM_16")
    write_labels(root / f"{stem}.midi", strokes)
    files = [f"{stem}.wav", f"{stem}.midi"]
    if flac:
        write_audio(root / f"{stem}.flac", read_audio(recording.audio, FLAC_RATE_HZ), FLAC_RATE_HZ)
        files.append(f"{stem}.flac")
    counts = {"notes": len(strokes), "out_of_range": out_of_range, "unisons": len(notes) - len(strokes)}
    return OneMade(files, counts, {"stem": stem, "seconds": len(samples) / SAMPLE_RATE})


def _row(recording: Recording, report: Mapping[str, Any]) -> dict[str, Any]:
    values = (
        recording.metadata.get("composer", ""),
        recording.title or recording.piece,
        recording.split,
        int(year_of(recording)),
        f"{report['stem']}.midi",
        f"{report['stem']}.wav",
        round(report["seconds"], 6),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _write_tables(root: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = {name: {str(place): row[name] for place, row in enumerate(rows)} for name in COLUMNS}
    for version in (*LIST_VERSIONS, *COLUMN_VERSIONS):
        write_table(root / f"maestro-v{version}.csv", COLUMNS, rows)
        write_json(root / f"maestro-v{version}.json", list(rows) if version in LIST_VERSIONS else columns)
