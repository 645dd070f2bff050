"""Training and test sets, and what must not be in both.

A recording, a composition, or two excerpts of one sound file in both sets make a model look better than it is.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError

_Item = TypeVar("_Item")

PUBLISHED_TEST_IDS: Mapping[str, tuple[str, ...]] = {
    "paper": ("1819", "2303", "2382"),
    "second-release": ("1759", "1819", "2106", "2191", "2298", "2303", "2382", "2416", "2556", "2628"),
}
"""MusicNet's test sets as published: by the paper (and studies after it), and with the second release."""


def with_published_split(recordings: Sequence[Recording], name: str | None) -> list[Recording]:
    """Test on the recordings that MusicNet's publication tests on, and on no other.

    This is the only place where ids decide a split, and only a caller who names a publication gets here: a dataset of
    one's own may well have a recording 1819.

    Parameters
    ----------
    recordings : sequence of Recording
    name : {"paper", "second-release"} or None
        None leaves the splits as the folders (or the corpus's table) have them.

    Returns
    -------
    list of Recording
        What else was in the test set trains; what validates goes on to do so.

    Raises
    ------
    DatasetError
        When none of the test recordings is there.
    """
    if name is None:
        return list(recordings)
    tested = PUBLISHED_TEST_IDS[name]
    if not any(recording.name in tested for recording in recordings):
        raise DatasetError(f"None of the test recordings of MusicNet ({name}) is there: {', '.join(tested)}.")
    return [dataclasses.replace(one, split=_published(one, tested)) for one in recordings]


def _published(recording: Recording, tested: Sequence[str]) -> str:
    if recording.name in tested:
        return "test"
    return "validation" if recording.split == "validation" else "train"


def with_validation(recordings: Sequence[Recording], share: float, seed: int = 0) -> list[Recording]:
    """Let a share of the training recordings validate, in groups that share no composition and no performer.

    Recordings of one composition stay together, whoever plays them and whichever movement it is: two versions of one
    piece are never on both sides. Where performers are named, the recordings of one stay together as well. Compositions
    that are tested on stay in training, where ``without_test_pieces`` and leak checks see them.

    Parameters
    ----------
    recordings : sequence of Recording
    share : float
        Of the training recordings, 0 to 1.
    seed : int
        Shuffles the groups.

    Returns
    -------
    list of Recording
        As many groups validate as come nearest to the share from below, and at least one where the share is not zero
        and two are there.
    """
    training = [one for one in recordings if one.split == "train"]
    members: dict[int, list[Recording]] = defaultdict(list)
    for group, one in zip(_joined(training, (_piece, _performer)), training, strict=True):
        members[group].append(one)
    # By name, so that the order of the recordings does not decide.
    groups = sorted(members.values(), key=lambda group: min(map(_piece, group)))
    room, chosen = share * len(training), set[str]()
    for place in np.random.default_rng(seed).permutation(len(groups)):
        if len(groups[place]) <= room or (share > 0 and not chosen and len(groups) > 1):
            chosen |= {one.name for one in groups[place]}
            room -= len(groups[place])
    return [
        dataclasses.replace(one, split="validation") if one.split == "train" and one.name in chosen else one
        for one in recordings
    ]


def _performer(recording: Recording) -> str:
    return recording.metadata.get("performer", "").strip()


def _piece(recording: Recording) -> str:
    return _composition(recording) or recording.piece


def draw_splits(
    rows: Sequence[Mapping[str, str]], shares: Mapping[str, float], seed: int, present: Sequence[Mapping[str, str]] = ()
) -> list[str]:
    """Draw which recordings are for testing and validation; all of one composition go together.

    Parameters
    ----------
    rows : sequence of mapping
        Recordings with ``score``, ``composer`` and ``composition``.
    shares : mapping
        Share of the recordings for each set that is drawn.
    seed : int
    present : sequence of mapping
        Recordings that have their ``split`` already: others of the same composition join them.

    Returns
    -------
    list of str
        The set of each row.

    Examples
    --------
    >>> rows = [{"score": f"{piece}.mid"} for piece in "aabbccddee"]
    >>> draw_splits(rows, {"test": 0.2}, seed=0).count("test")
    2
    """
    pieces = _pieces([*present, *rows])
    split_of = {piece: row["split"] for piece, row in zip(pieces, present, strict=False) if row.get("split")}
    own = pieces[len(present) :]
    free = sorted({piece for piece in own if piece not in split_of})
    drawn = [free[place] for place in np.random.default_rng(seed).permutation(len(free))]
    for split, share in shares.items():
        wanted = round(share * len(rows))
        while drawn and sum(split_of.get(piece) == split for piece in own) < wanted:
            split_of[drawn.pop()] = split
    return [split_of.get(piece, "train") for piece in own]


def _pieces(rows: Sequence[Mapping[str, str]]) -> list[int]:
    """The number of each row's composition: rows that share a score or a title are of one."""
    return _joined(rows, (lambda row: row.get("score", ""), _named_composition))


def _joined(items: Sequence[_Item], keys: Sequence[Callable[[_Item], str]]) -> list[int]:
    """The number of each item's group: items that share a name by any of the keys are in one."""
    groups = list(range(len(items)))
    for key in keys:
        first: dict[str, int] = {}
        for place, item in enumerate(items):
            if name := key(item):
                old, new = groups[place], groups[first.setdefault(name, place)]
                groups = [new if group == old else group for group in groups]
    return groups


def _named_composition(row: Mapping[str, str]) -> str:
    return f"{row.get('composer', '')}: {row['composition']}" if row.get("composition") else ""


def find_leaks(recordings: Sequence[Recording], sound_files: Mapping[str, str]) -> list[str]:
    """Name what is in more than one set.

    Parameters
    ----------
    recordings : sequence of Recording
    sound_files : mapping
        Hash of the sound file that each recording was taken from, by id.

    Returns
    -------
    list of str
        One sentence for each id, composition or sound file in several sets.
    """
    leaks = _shared(recordings, "the recording", lambda one: one.id)
    leaks += _shared(recordings, "the composition", _composition)
    return leaks + _shared(recordings, "the sound file", lambda one: sound_files.get(one.id, ""))


def _composition(recording: Recording) -> str:
    title = recording.metadata.get("composition", "").strip()
    return f"{recording.metadata.get('composer', '').strip()}: {title}" if title else ""


def _shared(recordings: Sequence[Recording], what: str, key: Callable[[Recording], str]) -> list[str]:
    ids: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for recording in recordings:
        if name := key(recording):
            ids[name][recording.split].append(recording.id)
    return [
        f"{what} {name[:80]} is in {'both' if len(by) == 2 else 'several'} sets ({_listed(by)})"
        for name, by in sorted(ids.items())
        if len(by) > 1
    ]


def _listed(ids: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{split}: {', '.join(ids[split])}" for split in SPLITS if split in ids)
