"""Tar files of FLAC and JSON, for trainings that stream them from an object store.

``SPLIT-000000.tar`` hold two members a recording, ``ID.flac`` and ``ID.json`` (see
:mod:`musicnet_build.packing.peers.rows`), one after the other, as WebDataset and its likes want them.
"""

import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

from musicnet_build.corpora.folds import in_sets, train_and_test
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.files import write_json
from musicnet_build.packing.peers.parquet import RowsSettings
from musicnet_build.packing.peers.rows import row_of, shard_groups
from musicnet_build.packing.shards import FOLDER_INDEX, make_shards, publishing_folder
from musicnet_build.packing.sources import Packed, Progress, Source, empty_parts, recordings_of, sizes_by_split


def pack_webdataset(
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

    Examples
    --------
    >>> from musicnet_build.packing.peers.webdataset import pack_webdataset
    >>> pack_webdataset("dataset", "shards").recordings
    3
    """
    settings = settings or RowsSettings()
    found = recordings_of(source, settings)
    recordings = in_sets(found, train_and_test(found, settings.seed))
    recipe = {"sustain": settings.sustain}
    shards = make_shards(path, recordings, write_shard, recipe, workers=workers, progress=progress, ending=".tar")
    with publishing_folder(path) as whole:
        index = {}
        for split in SPLITS:
            own = [pair for pair in zip(recordings, shards.paths, strict=True) if pair[0].split == split]
            index[split] = _write_split(whole, split, own, settings.shard_megabytes * 10**6)
        write_json(whole / FOLDER_INDEX, index)
    parts = sizes_by_split(recordings)
    size = sum(file.stat().st_size for file in Path(path).iterdir())
    return Packed(Path(path), len(recordings), shards.made, parts, shards.counts, size, empty_parts(parts))


def write_shard(recording: Recording, path: Path, *, sustain: bool) -> dict[str, int]:
    """Write the two members of one recording; return how many notes it has."""
    flac, known = row_of(recording, sustain=sustain)
    text = json.dumps(known, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for ending, data in (("flac", flac), ("json", text)):
            # Without owner and date: the same content is the same bytes.
            member = tarfile.TarInfo(f"{recording.name}.{ending}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return {"notes": len(known["pitch"])}


def _write_split(folder: Path, split: str, rows: Sequence[tuple[Recording, Path]], limit: int) -> dict[str, list[str]]:
    """Join the members of a split to files; return the ids in each, by the file's name."""
    written = {}
    for number, group in enumerate(shard_groups([shard.stat().st_size for _, shard in rows], limit)):
        name = f"{split}-{number:06d}.tar"
        with tarfile.open(folder / name, "w", format=tarfile.PAX_FORMAT) as target:
            for place in group:
                with tarfile.open(rows[place][1]) as source:
                    for member in source:
                        target.addfile(member, source.extractfile(member))
        written[name] = [rows[place][0].id for place in group]
    return written
