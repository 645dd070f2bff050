"""Finding out which score belongs to which recording: by name, and where names fail, by content.

Names first, as they cost nothing: two files belong together when the words of their paths are the same but for words
such as "recording" and "score". Content is a coarse alignment on chroma (which pitch classes sound), quick enough to
try a recording against a few dozen scores; it says which of them fits best, and by how much.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build._typing import Audio, Features, Float32s
from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.splits import PUBLISHED_TEST_IDS
from musicnet_build.dtw.exact import dtw
from musicnet_build.errors import ManifestError, MusicnetBuildError
from musicnet_build.features import spectra
from musicnet_build.notes import SAMPLE_RATE, pitched
from musicnet_build.progress import Progress, ignore
from musicnet_build.score.reader import SCORE_SUFFIXES, Score, read_score

AUDIO_SUFFIXES = frozenset(
    [
        *(".wav", ".wave", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc"),
        *(".au", ".snd", ".caf", ".w64", ".rf64", ".voc", ".m4a", ".mp4", ".aac"),
    ]
)

MOST_CANDIDATES = 30
"""Scores that a recording is aligned with at most; the likeliest by duration and pitch classes."""

LARGEST_DISTANCE = 0.8
"""No score fits when the best is further away: 13 right pairs of piano and quartets lay at 0.60 to 0.76, wrong ones at
0.74 and more, most above 0.9."""

SURE_DISTANCE = 0.72
CLEAR_MARGIN = 0.9
"""The best score is trusted when it is at least this near, and nearer than this share of the second best."""

_GENERIC_WORDS = frozenset(
    [
        *("recording", "recordings", "audio", "wav", "flac", "mp3", "sound", "data", "train", "test"),
        *("score", "scores", "midi", "midis", "mid", "notes", "labels"),
    ]
)
_HOP_LENGTH = 8192
_WINDOW_LENGTH = 8192
_SILENT_FRAME = 0.05
_RATIO_LIMIT = 3.0


@dataclass(frozen=True)
class Pair:
    """A recording and the score found for it.

    Attributes
    ----------
    recording : Path
    score : Path or None
        None where none was found.
    doubt : str
        Why a person should look at it; empty where the pair is sure.
    paired_by : str
        ``name``, or ``content`` and the distance; empty where no score was found.
    """

    recording: Path
    score: Path | None
    doubt: str = ""
    paired_by: str = ""


@dataclass(frozen=True)
class Pairing:
    """What two folders hold.

    Attributes
    ----------
    pairs : tuple of Pair
        One for each recording, ordered by path.
    unused : tuple of Path
        Scores that belong to no recording.
    passed_over : tuple of Path
        Files that are neither recordings nor scores by their endings.
    """

    pairs: tuple[Pair, ...]
    unused: tuple[Path, ...]
    passed_over: tuple[Path, ...]


def find_files(folder: Path, suffixes: Iterable[str] | None) -> list[Path]:
    """Return the files below a folder with one of these endings, sorted; hidden ones and linked folders left out."""
    wanted = None if suffixes is None else frozenset(suffixes)
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(place) / name
            for name in names
            # Not Path.suffix: there may be 10,000 files.
            if not name.startswith(".") and (wanted is None or os.path.splitext(name)[1].lower() in wanted)  # noqa: PTH122
        ]
    return sorted(found)


def pair_files(
    recordings_folder: Path, scores_folder: Path, *, known: Collection[Path] = (), progress: Progress = ignore
) -> Pairing:
    """Find the score of each recording.

    Parameters
    ----------
    recordings_folder, scores_folder : Path
        May be the same.
    known : collection of Path
        Recordings and scores that a manifest has already: neither is looked at again.
    progress : callable
        Told the stage, and how much of the whole is done.

    Returns
    -------
    Pairing

    Raises
    ------
    ManifestError
        When a folder holds no recordings, or no scores.

    Examples
    --------
    >>> from pathlib import Path
    >>> from musicnet_build.datasets.pairing import pair_files
    >>> for pair in pair_files(Path("recordings"), Path("scores")).pairs:
    ...     print(pair.recording.name, pair.score.name)
    session-1.flac piece-3.mid
    session-3.flac piece-2.mid
    session-5.flac piece-1.mid
    """
    recordings = find_files(recordings_folder, AUDIO_SUFFIXES)
    scores = find_files(scores_folder, SCORE_SUFFIXES)
    if not recordings:
        raise ManifestError(f"{recordings_folder} holds no recordings ({', '.join(sorted(AUDIO_SUFFIXES))}).")
    if not scores:
        raise ManifestError(f"{scores_folder} holds no scores ({', '.join(sorted(SCORE_SUFFIXES))}).")
    had = {os.path.realpath(path) for path in known}
    new = [recording for recording in recordings if os.path.realpath(recording) not in had]
    used = {score for score in scores if os.path.realpath(score) in had}
    candidates = _by_name(new, recordings_folder, scores, scores_folder)
    used |= {found[0] for found in candidates.values() if len(found) == 1}
    free = [score for score in scores if score not in used]
    pairs = []
    for place, recording in enumerate(new):
        progress(f"pairing {recording.name}", place / len(new))
        pairs.append(_pair(recording, candidates[recording], free))
    used |= {pair.score for pair in pairs if pair.score}
    return Pairing(
        pairs=tuple(_with_doubts_of_shared_scores(pairs)),
        unused=tuple(score for score in scores if score not in used),
        passed_over=tuple(_passed_over(recordings_folder, scores_folder)),
    )


def _pair(recording: Path, named: Sequence[Path], free: Sequence[Path]) -> Pair:
    if len(named) == 1:
        return Pair(recording, named[0], paired_by="name")
    return pair_by_content(recording, named or free)


def _passed_over(*folders: Path) -> list[Path]:
    endings = AUDIO_SUFFIXES | SCORE_SUFFIXES
    present = {path for folder in folders for path in find_files(folder, None)}
    return sorted(path for path in present if path.suffix.lower() not in endings)


def manifest_rows(
    pairs: Sequence[Pair], folder: Path, present: Sequence[Mapping[str, str]] = ()
) -> list[dict[str, Any]]:
    """Return the rows of a manifest in ``folder`` for the pairs that have a score.

    The ids are the names of the recordings where all of those are numbers, else they count on from the largest there
    is. MusicNet's own test recordings are put into the test set.

    Parameters
    ----------
    pairs : sequence of Pair
    folder : Path
        Of the manifest.
    present : sequence of mapping
        Rows that the manifest has already.

    Returns
    -------
    list of dict
    """
    paired = [pair for pair in pairs if pair.score is not None]
    had = [row["id"] for row in present]
    stems = [*had, *(pair.recording.stem for pair in paired)]
    largest = max((int(one) for one in had if one.isdecimal()), default=0)
    numbered = len(set(stems)) == len(stems) and all(re.fullmatch(r"0|[1-9]\d{0,8}", stem) for stem in stems)
    rows = []
    for count, pair in enumerate(paired, start=largest + 1):
        one = pair.recording.stem if numbered else str(count)
        rows.append(
            {
                "id": one,
                "recording": _relative(pair.recording, folder),
                "score": _relative(pair.score, folder),
                "split": "test" if numbered and one in PUBLISHED_TEST_IDS["second-release"] else "train",
                "composition": "" if numbered else _title(pair.recording),
                "paired_by": pair.paired_by,
                "check": pair.doubt,
            }
        )
    return rows


def is_writable_name(path: Path) -> bool:
    """Return whether a path can stand in a manifest: printable text."""
    return str(path).isprintable()


def pair_by_content(recording: Path, scores: Sequence[Path]) -> Pair:
    """Find the score that sounds most like a recording.

    Parameters
    ----------
    recording : Path
    scores : sequence of Path
        Those that cannot be read are passed over.

    Returns
    -------
    Pair
        Without a score where none is near; with a doubt where two are nearly as near.
    """
    try:
        chroma = recording_chroma(read_audio(recording))
    except MusicnetBuildError as error:
        return Pair(recording, None, f"the recording cannot be read: {error}")
    distances = [(distance_to(chroma, _readable_score(score)), score) for score in _likeliest(chroma, scores)]
    distances.sort(key=lambda pair: (pair[0], str(pair[1])))
    if not distances or distances[0][0] > LARGEST_DISTANCE:
        return Pair(recording, None, "no score fits")
    best, score = distances[0]
    paired_by = f"content {best:.2f}"
    if len(distances) > 1 and best > CLEAR_MARGIN * distances[1][0]:
        return Pair(recording, score, f"paired by content; {distances[1][1].name} fits nearly as well", paired_by)
    if best > SURE_DISTANCE:
        return Pair(recording, score, "paired by content, and not very near", paired_by)
    return Pair(recording, score, "", paired_by)


def recording_chroma(audio: Audio) -> Features:
    """Return which pitch classes sound in a recording.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        At 44.1 kHz.

    Returns
    -------
    ndarray of float32 [shape=(frames, 12)]
        About five frames a second, each of length 1, or shorter where it is nearly silent.
    """
    loudness = float(np.sqrt(np.mean(np.square(audio)))) or 1.0
    bands = spectra.band_spectrogram(
        audio * np.float32(0.05 / loudness), window_length=_WINDOW_LENGTH, hop_length=_HOP_LENGTH, bands_per_octave=12
    )
    # What stands out of the neighbouring semitones is a note rather than noise.
    bands = np.maximum(bands - bands.mean(axis=1, keepdims=True), 0.0)
    chroma = np.zeros((len(bands), 12), np.float32)
    for band in range(bands.shape[1]):
        chroma[:, (spectra.LOWEST_PITCH + band) % 12] += bands[:, band]
    return _normalised(chroma)


def score_chroma(score: Score, frames: int) -> Features:
    """Return which pitch classes sound in a score, in so many frames from its first onset to its end."""
    notes = pitched(score.notes)
    chroma = np.zeros((frames, 12), np.float32)
    if not len(notes):
        return chroma
    first_s = float(notes["onset_s"].min())
    per_s = frames / max(float(notes["offset_s"].max()) - first_s, 1e-3)
    starts = ((notes["onset_s"] - first_s) * per_s).astype(int).clip(0, frames - 1)
    ends = np.maximum(starts + 1, np.ceil((notes["offset_s"] - first_s) * per_s).astype(int))
    for start, end, pitch in zip(starts.tolist(), ends.tolist(), (notes["pitch"] % 12).tolist(), strict=True):
        chroma[start:end, pitch] += 1.0
    return _normalised(chroma)


def distance_to(chroma: Features, score: Score | None) -> float:
    """Return the mean distance of frames along the best alignment of a recording with a score; 0 to about 1.4."""
    if score is None:
        return np.inf
    warped = dtw(score_chroma(score, len(chroma)), chroma, threads=1)
    return warped.cost / len(warped.path)


# ---------------------------------------------------------------------------------------------------------------------


def _by_name(
    recordings: Sequence[Path], recordings_folder: Path, scores: Sequence[Path], scores_folder: Path
) -> dict[Path, list[Path]]:
    """The scores whose name fits each recording's: all words of the path, else those of the file's own name."""
    whole, own = defaultdict(list), defaultdict(list)
    for score in scores:
        whole[_words(score.relative_to(scores_folder))].append(score)
        own[_words(Path(score.name))].append(score)
    whole.pop((), None)
    own.pop((), None)
    found = {}
    for recording in recordings:
        by_path = whole.get(_words(recording.relative_to(recordings_folder)), [])
        found[recording] = by_path or own.get(_words(Path(recording.name)), [])
    return found


def _words(path: Path) -> tuple[str, ...]:
    # Composed: file systems and archives disagree on how an accent is written.
    text = unicodedata.normalize("NFC", " ".join(path.with_suffix("").parts)).casefold()
    return tuple(word for word in re.split(r"[\W_]+", text) if word and word not in _GENERIC_WORDS)


def _likeliest(chroma: Features, scores: Sequence[Path]) -> list[Path]:
    """The scores whose pitch classes and length are most like the recording's."""
    if len(scores) <= MOST_CANDIDATES:
        return list(scores)
    profile = chroma.mean(axis=0)
    duration_s = len(chroma) * _HOP_LENGTH / SAMPLE_RATE
    ranked = []
    for path in scores:
        summary = _score_summary(path)
        if summary is not None and 1 / _RATIO_LIMIT < summary[1] / duration_s < _RATIO_LIMIT:
            ranked.append((float(np.linalg.norm(summary[0] - profile)), str(path), path))
    return [path for *_, path in sorted(ranked)[:MOST_CANDIDATES]]


@cache
def _score_summary(path: Path) -> tuple[Float32s, float] | None:
    """Mean chroma and duration; kept for all scores, as each recording without a name asks for them."""
    score = _readable_score(path)
    return None if score is None else (score_chroma(score, 200).mean(axis=0), score.duration_s)


@lru_cache(maxsize=4 * MOST_CANDIDATES)
def _readable_score(path: Path) -> Score | None:
    try:
        return read_score(path)
    except MusicnetBuildError:
        # Scores that cannot be read fit no recording; building would refuse them with their reason.
        return None


def _normalised(chroma: Features) -> Features:
    unit: Features = chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + np.float32(_SILENT_FRAME))
    return unit


def _with_doubts_of_shared_scores(pairs: Sequence[Pair]) -> list[Pair]:
    users: Mapping[Path | None, list[Pair]] = defaultdict(list)
    for pair in pairs:
        users[pair.score].append(pair)
    return [
        replace(pair, doubt=pair.doubt or f"{len(users[pair.score])} recordings have this score")
        if pair.score is not None and len(users[pair.score]) > 1
        else pair
        for pair in pairs
    ]


def _relative(path: Path | None, folder: Path) -> str:
    return Path(os.path.relpath(str(path), folder)).as_posix()


def _title(recording: Path) -> str:
    """A name for people: the file's own, or its folder's where that says nothing."""
    own = recording.stem if _words(Path(recording.name)) else recording.parent.name
    return " ".join(own.replace("_", " ").split())
