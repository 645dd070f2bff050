"""The ``.npz`` file of MusicNet's first release: for each recording its audio, and its labels as an interval tree.

A key is the id; its value an object array of two: float32 audio, and an ``IntervalTree`` from start to end sample of
``(instrument, note, measure, beat, note_value)``. Object arrays are pickles, so loaders must ask for them
(``numpy.load(path, allow_pickle=True)``), and should only where they trust the file. Nothing here reads one.
"""

import os
import zipfile
from pathlib import Path

import numpy as np

from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.layouts import read_notes
from musicnet_build.corpora.musicnet import id_order
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError
from musicnet_build.packing.musicnet_h5 import MusicNetSettings, h5_labels
from musicnet_build.packing.shards import make_shards, publishing
from musicnet_build.packing.sources import Packed, Progress, Source, empty_parts, recordings_of, sizes_by_split

_COPY_BYTES = 2**20


def pack_npz(
    source: Source,
    path: str | os.PathLike[str],
    settings: MusicNetSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Packed:
    """Write the file.

    Parameters
    ----------
    source : str, PathLike or sequence of Recording
        A dataset folder.
    path : str or PathLike
        Ends in ``.npz``.
    settings : MusicNetSettings, optional
        Samples are float32, as in the first release; ``compress`` deflates.
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
        When the package ``intervaltree`` is not installed, or other samples than float32 are asked for.

    Examples
    --------
    >>> from musicnet_build.packing.peers.npz import pack_npz
    >>> pack_npz("dataset", "musicnet.npz").recordings
    3
    """
    settings = settings or MusicNetSettings()
    check_intervaltree()
    if settings.sample_format != "float32":
        raise DatasetError(f"{path}: the .npz of MusicNet's first release has float32 samples only.")
    recordings = sorted(recordings_of(source, settings), key=lambda recording: id_order(recording.id))
    shards = make_shards(path, recordings, write_shard, {}, workers=workers, progress=progress, ending=".npy")
    method = zipfile.ZIP_DEFLATED if settings.compress else zipfile.ZIP_STORED
    with publishing(path) as whole, zipfile.ZipFile(whole, "w", method) as archive:
        for recording, shard in zip(recordings, shards.paths, strict=True):
            _add(archive, f"{recording.id}.npy", shard)
    parts, size = sizes_by_split(recordings), Path(path).stat().st_size
    return Packed(Path(path), len(recordings), shards.made, parts, shards.counts, size, empty_parts(parts))


def check_intervaltree() -> None:
    """Refuse to go on without the package whose objects the file holds."""
    try:
        import intervaltree  # noqa: F401
    except ImportError as error:
        raise DatasetError("An .npz holds interval trees: pip install 'musicnet_build[npz]'.") from error


def write_shard(recording: Recording, path: Path) -> dict[str, int]:
    """Write the object array of one recording; return how many notes it has."""
    from intervaltree import IntervalTree

    notes = h5_labels(read_notes(recording))
    tree = IntervalTree.from_tuples(
        (start, end, (instrument, note, measure, beat, value.decode()))
        for start, end, instrument, note, measure, beat, value in notes[
            ["start_time", "end_time", "instrument", "note_id", "measure", "beat", "note_value"]
        ].tolist()
    )
    pair = np.empty(2, dtype=object)
    pair[0], pair[1] = read_audio(recording.audio), tree
    with path.open("wb") as file:
        np.lib.format.write_array(file, pair, allow_pickle=True)
    return {"notes": len(notes)}


def _add(archive: zipfile.ZipFile, name: str, shard: Path) -> None:
    """Copy a shard into the archive; the member has the date of no day, so that bytes do not tell when."""
    member = zipfile.ZipInfo(name)
    member.compress_type = archive.compression
    with shard.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
        while block := source.read(_COPY_BYTES):
            target.write(block)
