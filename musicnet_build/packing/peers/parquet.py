"""Parquet files that Hugging Face ``datasets`` opens without code: ``load_dataset("FOLDER")``.

``data/SPLIT-00000-of-00002.parquet`` hold a row per recording: ``audio`` (FLAC bytes and path), lists of notes and the
metadata; ``README.md`` is the data card that names files and features.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.files import write_text
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.packing.peers.rows import NOTE_LISTS, TEXTS, Form, Index, RowsSettings, pack_rows, row_of
from musicnet_build.packing.sources import Packed, Progress, Source

if TYPE_CHECKING:
    import pyarrow

_NUMBERS = {"seconds": "float64", "sample_rate": "int32"}


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
    name, recipe = Path(path).name, {"sustain": settings.sustain}

    def describe(folder: Path, index: Index) -> None:
        write_text(folder / "README.md", _card(name, index))

    return pack_rows(source, path, _FORM, settings, recipe, workers=workers, progress=progress, describe=describe)


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


def _join(target: Path, shards: Sequence[Path]) -> None:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetWriter(target, schema()) as writer:
        for shard in shards:
            writer.write_table(pyarrow.parquet.read_table(shard, schema=schema()))


_FORM = Form(".parquet", write_shard, _join, "data/{split}-{number:05d}-of-{count:05d}.parquet")


def _card(name: str, index: Index) -> str:
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
