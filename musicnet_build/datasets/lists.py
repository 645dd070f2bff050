"""What a dataset says of more than one recording: its lists, each by a function of its own, and what leaves it.

All of it follows from the manifest and the records of the jobs, so it is the same however the jobs were run.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from musicnet_build.align_files import versions
from musicnet_build.choices import SPLITS
from musicnet_build.corpora import musicnet
from musicnet_build.datasets.data_card import data_card
from musicnet_build.datasets.job import NOT_MEASURED, REVIEW, STATES, Row
from musicnet_build.datasets.places import (
    FOLDERS,
    all_places,
    audio_places,
    beside_places,
    clip_places,
    files_record_path,
    find_corrected,
    label_places,
)
from musicnet_build.datasets.tables.columns import Entry
from musicnet_build.datasets.tables.spreadsheet import PATHS
from musicnet_build.files import digests_of, sha256_of, write_json, write_text
from musicnet_build.notes import SAMPLE_RATE


def write_lists(root: Path, entries: Sequence[Entry], rows: Sequence[Row]) -> None:
    """Write all lists; ``index.json``, which says that the dataset is whole, last.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    entries : sequence of Entry
        Of the manifest.
    rows : sequence of Row
        One for each entry, ordered by id.
    """
    by_id = {entry.id: entry for entry in entries}
    _make_folders(root)
    texts = {
        musicnet.METADATA_FILE: _metadata(by_id, rows),
        musicnet.LEFT_OUT_FILE: _left_out(rows),
        **_split_lists(by_id, rows),
        musicnet.CARD_FILE: data_card(rows, by_id),
    }
    for name, text in texts.items():
        write_text(root / name, text)
    write_json(root / musicnet.PROVENANCE_FILE, _provenance(by_id, rows))
    _remove_empty_split_lists(root, texts)
    _remove_empty_folders(root)
    # The index is whole before anybody sees it: its hash is among the checksums, which are written before it.
    index = root / musicnet.BUILD_FOLDER / musicnet.INDEX_FILE
    write_json(index, _index(root, by_id, rows))
    lists = [*texts, musicnet.PROVENANCE_FILE, *_labels_of_failed(root, rows)]
    sums = {**{name: sha256_of(root / name) for name in lists}, musicnet.INDEX_FILE: sha256_of(index)}
    write_text(root / musicnet.CHECKSUMS_FILE, _checksums(sums, rows))
    index.replace(root / musicnet.INDEX_FILE)


def remove_recordings(root: Path, ids: Collection[str]) -> None:
    """Remove every file of recordings from a dataset."""
    for one in ids:
        for place in all_places(one):
            (root / place).unlink(missing_ok=True)


def withdraw_failed(root: Path, ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Take recordings out of the sets that could not be made this time; labels that a person changed are kept.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    ids : collection of str

    Returns
    -------
    dict
        By id, the place in which labels that a person changed were, and the one in which they are now.
    """
    moved = {}
    for one in ids:
        corrected = find_corrected(root, one)
        if corrected:
            kept = root / musicnet.left_out_path(one)
            kept.parent.mkdir(exist_ok=True)
            corrected.path.replace(kept)
            moved[one] = (corrected.path.relative_to(root).as_posix(), musicnet.left_out_path(one))
        shown = [*audio_places(one), *clip_places(one), *beside_places(one), musicnet.quality_path(one)]
        for place in shown + ([] if corrected else label_places(one)):
            (root / place).unlink(missing_ok=True)
        if not corrected:
            files_record_path(root, one).unlink(missing_ok=True)
    return moved


def summary_table(rows: Sequence[Row]) -> list[str]:
    """Return lines for people: how many came out how, and each that is not simply accepted, with its reason."""
    counts = Counter(row.state for row in rows)
    lines = [f"{state:<9} {counts[state]:>6}" for state in STATES if counts[state]]
    lines.append(f"{'in sets':<9} {sum(row.included for row in rows):>6}")
    unmeasured = [row for row in rows if row.reasons == (NOT_MEASURED,)]
    if len(unmeasured) > 1:
        lines.append(f"{REVIEW:<9} {len(unmeasured):>6}  quality not measured (preset musicnet)")
    told = [row for row in rows if row.reasons and (len(unmeasured) < 2 or row not in unmeasured)]
    return lines + [f"{row.state:<9} {row.id:>6}  {row.name}: {row.reason}" for row in told]


# One function a list


def _metadata(entries: Mapping[str, Entry], rows: Sequence[Row]) -> str:
    lines = [
        entries[row.id].model_dump() | {"seconds": f"{row.facts['samples'] / SAMPLE_RATE:.0f}"}
        for row in rows
        if row.included
    ]
    columns = musicnet.METADATA_COLUMNS
    return _table((*columns, "performer") if any(line["performer"] for line in lines) else columns, lines)


def _left_out(rows: Sequence[Row]) -> str:
    lines = [{"id": row.id, "state": row.state, "reason": row.reason} for row in rows if not row.included]
    return _table(musicnet.LEFT_OUT_COLUMNS, lines)


def _split_lists(entries: Mapping[str, Entry], rows: Sequence[Row]) -> dict[str, str]:
    """One list of ids for each set; that of the validation set only where it has any."""
    lists = {}
    for split in SPLITS:
        ids = [row.id for row in rows if row.included and entries[row.id].split == split]
        if ids or split != "validation":
            lists[f"{musicnet.SPLITS_FOLDER}/{split}.txt"] = "".join(f"{one}\n" for one in ids)
    return lists


def _provenance(entries: Mapping[str, Entry], rows: Sequence[Row]) -> dict[str, Any]:
    made = {row.id: _origin(entries[row.id], row) for row in rows if row.record}
    return {"versions": versions(), "recordings": made}


def _origin(entry: Entry, row: Row) -> dict[str, Any]:
    assert row.record is not None
    facts, files = row.facts, row.record.files
    inputs = facts["inputs"]
    named = {name: entry.named(name) for name in PATHS if name in inputs}
    return {
        **{name: {"path": path, "sha256": inputs[name]} for name, path in named.items()},
        "soundfont": {"name": facts["soundfont"], "sha256": inputs["soundfont"]} if "soundfont" in inputs else None,
        **({"network": {"sha256": inputs["network"]}} if "network" in inputs else {}),
        "settings": facts["settings"],
        "versions": facts["versions"],
        "state": row.state,
        "reasons": list(row.reasons),
        "by_hand": facts["by_hand"],
        "source": entry.source,
        "licence": entry.licence,
        "overlaps_in_score": facts["overlaps_in_score"],
        "labels_sha256": _only(files, label_places(row.id)),
        "audio_sha256": _only(files, audio_places(row.id)),
    }


def _index(root: Path, entries: Mapping[str, Entry], rows: Sequence[Row]) -> dict[str, Any]:
    tracks = {}
    for row in rows:
        if row.included:
            split, md5 = entries[row.id].split, row.facts["md5"]
            places = {
                "audio": musicnet.audio_path(split, row.id),
                "labels": musicnet.labels_path(split, row.id),
                "quality": musicnet.quality_path(row.id),
            }
            tracks[row.id] = {name: [place, md5[place]] for name, place in places.items()}
    metadata = [musicnet.METADATA_FILE, digests_of(root / musicnet.METADATA_FILE).md5]
    return {"version": musicnet.INDEX_VERSION, "tracks": tracks, "metadata": {"musicnet_metadata": metadata}}


def _checksums(lists: Mapping[str, str], rows: Sequence[Row]) -> str:
    """Jobs have hashed their files."""
    sums = dict(lists)
    for row in rows:
        sums |= row.record.files if row.record else {}
    return "".join(f"{sums[path]}  {path}\n" for path in sorted(sums))


def _labels_of_failed(root: Path, rows: Sequence[Row]) -> list[str]:
    """Labels that a person changed, of recordings that have no record as they failed."""
    places = [musicnet.left_out_path(row.id) for row in rows if not row.record]
    return [place for place in places if (root / place).is_file()]


def _only(files: Mapping[str, str], places: Iterable[str]) -> str | None:
    return next((files[place] for place in places if place in files), None)


def _table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


# Folders


def _make_folders(root: Path) -> None:
    for split in ("train", "test"):
        for kind in ("data", "labels"):
            (root / f"{split}_{kind}").mkdir(exist_ok=True)


def _remove_empty_split_lists(root: Path, written: Collection[str]) -> None:
    for split in SPLITS:
        name = f"{musicnet.SPLITS_FOLDER}/{split}.txt"
        if name not in written:
            (root / name).unlink(missing_ok=True)


def _remove_empty_folders(root: Path) -> None:
    always = {f"{split}_{kind}" for split in ("train", "test") for kind in ("data", "labels")}
    for folder in FOLDERS:
        path = root / folder
        if folder not in always and path.is_dir() and not any(path.iterdir()):
            path.rmdir()
