"""What people's judgements come to for a dataset: one verdict a recording, from all who listened."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from musicnet_build.corpora import musicnet
from musicnet_build.files import sha256_of
from musicnet_build.listening.judgements import VERDICTS, Event


@dataclass(frozen=True)
class HumanVerdict:
    """The verdict of people on one recording.

    Attributes
    ----------
    value : str
        The most pessimistic of theirs, as in the MusicNet paper.
    text : str
        The reason that was given for it.
    by : tuple of (str, str)
        Reviewers and what each said, by name.
    """

    value: str
    text: str
    by: tuple[tuple[str, str], ...]

    @property
    def agreed(self) -> bool:
        """Whether all said the same."""
        return len({value for _, value in self.by}) == 1


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of people on a dataset.

    Attributes
    ----------
    held : dict
        Recording to ``HumanVerdict``.
    stale : tuple of (str, str)
        Recording and reviewer of verdicts on labels that have changed since; they count in nothing.
    """

    held: dict[str, HumanVerdict]
    stale: tuple[tuple[str, str], ...]


def label_hashes(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Return the SHA-256 of each label file of a dataset, by recording; of those left out, too.

    Parameters
    ----------
    folder : str or PathLike

    Returns
    -------
    dict
    """
    root = Path(folder)
    folders = [*(f"{split}_labels" for split in musicnet.SPLITS), musicnet.LEFT_OUT_FOLDER]
    paths = [path for name in folders for path in sorted((root / name).glob("[!.]*.csv"))]
    return {path.stem: sha256_of(path) for path in paths}


def verdicts_of(events: Iterable[Event], hashes: Mapping[str, str]) -> Verdicts:
    """Find the verdict on each recording.

    Parameters
    ----------
    events : iterable of Event
        Standing ones, in the order in which each reviewer judged.
    hashes : mapping
        Recording to the SHA-256 of its labels as they are now.

    Returns
    -------
    Verdicts
    """
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.get("kind") == "verdict" and event.get("value") in VERDICTS:
            last[str(event.get("recording")), str(event.get("reviewer"))] = event
    current = {place: event for place, event in last.items() if event.get("labels") == hashes.get(place[0])}
    stale = tuple(sorted(set(last) - set(current)))
    recordings = sorted({recording for recording, _ in current}, key=musicnet.id_order)
    return Verdicts({one: _verdict_on(one, current) for one in recordings}, stale)


def _verdict_on(recording: str, current: Mapping[tuple[str, str], Event]) -> HumanVerdict:
    events = {reviewer: event for (one, reviewer), event in sorted(current.items()) if one == recording}
    worst = max(events.values(), key=lambda event: VERDICTS.index(event["value"]))
    by = tuple((reviewer, str(event["value"])) for reviewer, event in events.items())
    return HumanVerdict(str(worst["value"]), str(worst.get("text", "")), by)
