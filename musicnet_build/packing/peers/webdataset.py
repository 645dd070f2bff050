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

from musicnet_build.corpora.recording import Recording
from musicnet_build.packing.peers.rows import Form, RowsSettings, pack_rows, row_of
from musicnet_build.packing.sources import Packed, Progress, Source


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
    recipe = {"sustain": settings.sustain}
    return pack_rows(source, path, _FORM, settings, recipe, workers=workers, progress=progress)


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


def _join(target: Path, shards: Sequence[Path]) -> None:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as joined:
        for shard in shards:
            with tarfile.open(shard) as source:
                for member in source:
                    joined.addfile(member, source.extractfile(member))


_FORM = Form(".tar", write_shard, _join, "{split}-{number:06d}.tar")
