"""Training and test sets, and what must not be in both.

A recording, a composition, or two excerpts of one sound file in both sets make a model look better than it is.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from musicnet_build.corpora.musicnet import SPLITS, Recording

MUSICNET_TEST_IDS = ("1759", "1819", "2106", "2191", "2298", "2303", "2382", "2416", "2556", "2628")
"""Test set of MusicNet's second release."""

MUSICNET_PAPER_TEST_IDS = ("2303", "2382", "1819")
"""Test set of the MusicNet paper."""


def find_leaks(recordings: Sequence[Recording], sound_files: Mapping[str, str]) -> list[str]:
    """Name what is in the training and in the test set.

    Parameters
    ----------
    recordings : sequence of Recording
    sound_files : mapping
        Hash of the sound file that each recording was taken from, by id.

    Returns
    -------
    list of str
        One sentence for each id, composition or sound file in both sets.
    """
    leaks = _shared(recordings, "the recording", lambda one: one.id)
    leaks += _shared(recordings, "the composition", _composition)
    return leaks + _shared(recordings, "the sound file", lambda one: sound_files.get(one.id, ""))


def _composition(recording: Recording) -> str:
    title = recording.metadata.get("composition", "").strip()
    return f"{recording.metadata.get('composer', '').strip()}: {title}" if title else ""


def _shared(recordings: Sequence[Recording], what: str, key: Callable[[Recording], str]) -> list[str]:
    ids: dict[str, dict[str, list[str]]] = defaultdict(lambda: {split: [] for split in SPLITS})
    for recording in recordings:
        if name := key(recording):
            ids[name][recording.split].append(recording.id)
    return [
        f"{what} {name[:80]} is in both sets (train: {', '.join(by['train'])}; test: {', '.join(by['test'])})"
        for name, by in sorted(ids.items())
        if all(by.values())
    ]
