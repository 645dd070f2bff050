"""Parquet files that Hugging Face ``datasets`` opens without code: ``load_dataset("FOLDER")``.

``data/SPLIT-00000-of-00002.parquet`` hold a row per recording: ``audio`` (FLAC bytes and path), lists of notes and the
metadata; ``README.md`` is the data card that names files and features.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicnet_build.corpora.folds import in_sets, train_and_test
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError
from musicnet_build.files import write_json, write_text
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.packing.peers.rows import NOTE_LISTS, TEXTS, row_of, shard_groups
from musicnet_build.packing.shards import FOLDER_INDEX, make_shards, publishing_folder
from musicnet_build.packing.sources import (
    Packed,
    Progress,
    Source,
    SourceSettings,
    empty_parts,
    recordings_of,
    sizes_by_split,
)

if TYPE_CHECKING:
    import pyarrow

_NUMBERS = {"seconds": "float64", "sample_rate": "int32"}


@dataclass(frozen=True, kw_only=True)
class RowsSettings(SourceSettings):
    """What packages of rows hold: ``parquet`` and ``webdataset``.

    Attributes
    ----------
    sustain : bool
        Let notes of MIDI labels sound while the pedal is down.
    shard_megabytes : int
        Files are begun anew before they grow beyond this.
    """

    sustain: bool = True
    shard_megabytes: int = 500


def pack_parquet(
    source: Source,
    path: str | os.PathLike[str],
    settings: RowsSettings | None = None,
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
    settings : RowsSettings, optional
    workers : int
        Processes.
    progress : callable, optional
        Told the stage and the fraction done.

    Returns
    -------
    Packed

    Raises
    ------
    DatasetError
        When ``pyarrow`` is not installed, or a recording cannot be packed.

    Examples
    --------
    >>> packed = pack_parquet("dataset", "parquet")  # doctest: +SKIP
    >>> datasets.load_dataset("parquet", split="train")[0]["pitch"][:3]  # doctest: +SKIP
    [62, 74, 66]
    """
    check_pyarrow()
    settings = settings or RowsSettings()
    found = recordings_of(source, settings)
    recordings = in_sets(found, train_and_test(found, settings.seed))
    recipe = {"sustain": settings.sustain}
    shards = make_shards(path, recordings, write_shard, recipe, workers=workers, progress=progress, ending=".parquet")
    with publishing_folder(path) as whole:
        index = {
            split: _write_split(whole / "data", split, _of_split(split, recordings, shards.paths), settings)
            for split in SPLITS
        }
        write_json(whole / FOLDER_INDEX, index)
        write_text(whole / "README.md", _card(Path(path).name, index))
    parts = sizes_by_split(recordings)
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    return Packed(Path(path), len(recordings), shards.made, parts, shards.counts, size, empty_parts(parts))


def check_pyarrow() -> None:
    """Refuse to go on without the package that writes Parquet."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise DatasetError("Parquet needs pyarrow: pip install 'musicnet_build[parquet]'.") from error


def features() -> dict[str, Any]:
    """Return the types of the columns, as ``datasets`` writes them down."""
    lists = {
        name: {"feature": {"dtype": dtype, "_type": "Value"}, "_type": "List"} for name, dtype in NOTE_LISTS.items()
    }
    values = {**dict.fromkeys(TEXTS, "string"), **_NUMBERS}
    plain = {name: {"dtype": dtype, "_type": "Value"} for name, dtype in values.items()}
    return {"audio": {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}, **plain, **lists}


def schema() -> "pyarrow.Schema":
    """Return the types of the columns, with those of ``datasets`` in the metadata."""
    import pyarrow

    of_type = {"string": pyarrow.string(), "float64": pyarrow.float64(), "float32": pyarrow.float32(),
               "int32": pyarrow.int32()}  # fmt: skip
    audio = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    plain = [(name, of_type[dtype]) for name, dtype in {**dict.fromkeys(TEXTS, "string"), **_NUMBERS}.items()]
    lists = [(name, pyarrow.list_(of_type[dtype])) for name, dtype in NOTE_LISTS.items()]
    described = json.dumps({"info": {"features": features()}}, sort_keys=True)
    return pyarrow.schema([("audio", audio), *plain, *lists], metadata={"huggingface": described})


def write_shard(recording: Recording, path: Path, *, sustain: bool) -> dict[str, int]:
    """Write the row of one recording; return how many notes it has."""
    import pyarrow
    import pyarrow.parquet

    flac, known = row_of(recording, sustain=sustain)
    row = {"audio": {"bytes": flac, "path": f"{recording.name}.flac"}, **known}
    table = pyarrow.Table.from_pylist([row], schema=schema())
    pyarrow.parquet.write_table(table, path)
    return {"notes": len(known["pitch"])}


def _of_split(split: str, recordings: Sequence[Recording], shards: Sequence[Path]) -> list[tuple[Recording, Path]]:
    return [pair for pair in zip(recordings, shards, strict=True) if pair[0].split == split]


def _write_split(
    folder: Path, split: str, rows: Sequence[tuple[Recording, Path]], settings: RowsSettings
) -> dict[str, list[str]]:
    """Join the rows of a split to files; return the ids in each, by the file's name."""
    import pyarrow.parquet

    folder.mkdir(exist_ok=True)
    groups = shard_groups([shard.stat().st_size for _, shard in rows], settings.shard_megabytes * 10**6)
    written = {}
    for number, group in enumerate(groups):
        name = f"{split}-{number:05d}-of-{len(groups):05d}.parquet"
        with pyarrow.parquet.ParquetWriter(folder / name, schema()) as writer:
            for place in group:
                writer.write_table(pyarrow.parquet.read_table(rows[place][1], schema=schema()))
        written[f"data/{name}"] = [rows[place][0].id for place in group]
    return written


def _card(name: str, index: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split, written in index.items() if written]
    configs = [{"config_name": "default", "data_files": files}]
    counts = {split: sum(map(len, written.values())) for split, written in index.items()}
    # YAML takes JSON.
    shown = ", ".join(f"{count} {split}" for split, count in counts.items())
    return f"""---
configs: {json.dumps(configs)}
task_categories: ["audio-to-audio"]
tags: ["music", "transcription", "notes"]
---
# {name}

Recordings with note labels, packed by musicnet_build: {shown}.

`audio` is FLAC, mono, 44.1 kHz, 16 bit. An entry per note: `onset` and `offset` in seconds, `pitch` (MIDI number),
`instrument` (General MIDI program + 1), `velocity`, `onset_beats` and `duration_beats` in quarter notes, `confidence`
(probability that the onset is right; null where unknown).
"""
