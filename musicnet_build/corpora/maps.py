"""MAPS and its likes: names, folders, label files.

A corpus is a folder of banks (an instrument in a room, eight characters), and in each

    <bank>/ISOL/<style>/MAPS_ISOL_<style>_<loudness>_S<pedal>_M<pitch>_<bank>           NO LG ST RE TR1 TR2
    <bank>/ISOL/CH/MAPS_ISOL_CH<spacing in s>_<loudness>_<bank>                          also CHa and CHd: see below
    <bank>/RAND/M<low>-<high>/I<min>-<max>/P<polyphony>/MAPS_RAND_P.._M.._I.._S.._n<count>_<bank>
    <bank>/UCHO/I<min>-<max>/C<intervals>/MAPS_UCHO_C<intervals>_I.._S.._n<count>_<bank>
    <bank>/MUS/MAPS_MUS-<piece>_<bank>

each as .wav, .mid and .txt. Readers take the piece after ``MAPS_MUS-`` and the bank after the last underscore. MAPS
itself has chromatic scales named ``CH0.1``; ours that only go up or down are named ``CHa0.1`` and ``CHd0.1``.

Making such corpora belongs to :mod:`musicnet_build.generation.maps`.

References
----------
Emiya, Badeau, David, "Multipitch estimation of piano sounds using a new probabilistic spectral smoothness principle",
IEEE TASLP 2010.
"""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from musicnet_build.choices import MAPS_CATEGORIES
from musicnet_build.corpora.recording import Recording
from musicnet_build.errors import DatasetError, LabelError
from musicnet_build.files import replacing
from musicnet_build.labels.files import DEFAULT_VELOCITY
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset

CATEGORIES = MAPS_CATEGORIES
"""Isolated notes, random chords, usual chords, pieces."""

DISKLAVIER_BANKS = ("ENSTDkAm", "ENSTDkCl")
"""The two banks of MAPS that were recorded from a real piano."""

TXT_HEADER = "OnsetTime\tOffsetTime\tMidiPitch"

MAX_TXT_BYTES = 16 * 2**20

BANK_PATTERN = r"[A-Za-z0-9]{8}"
_PIECE_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_NUMBER = r"\d+(?:\.\d+)?"
_PATTERNS = {
    "ISOL": rf"MAPS_ISOL_(?P<style>(?:NO|LG|ST|RE|TR1|TR2)(?=_)|CH[ad]?(?={_NUMBER}_))(?P<spacing>{_NUMBER})?"
    rf"_(?P<loudness>[PMF])(?:_S(?P<pedal>[01])_M(?P<pitch>\d+))?",
    "RAND": r"MAPS_RAND_P(?P<polyphony>\d+)_M(?P<range>\d+-\d+)_I(?P<loudness>\d+-\d+)_S(?P<pedal>[01])"
    r"_n(?P<number>\d+)",
    "UCHO": r"MAPS_UCHO_C(?P<chord>\d+(?:-\d+)*)_I(?P<loudness>\d+-\d+)_S(?P<pedal>[01])_n(?P<number>\d+)",
    "MUS": rf"MAPS_MUS-(?P<piece>{_PIECE_PATTERN})",
}
_COMPILED = {category: re.compile(rf"{text}_(?P<bank>{BANK_PATTERN})") for category, text in _PATTERNS.items()}


@dataclass(frozen=True)
class MapsName:
    """What the name of a file says.

    Attributes
    ----------
    stem : str
        The whole name without its ending.
    category : str
        One of ``CATEGORIES``.
    bank : str
        The last eight characters.
    piece : str
        What is played: equal in all banks. For MUS the piece id that readers expect, for the others the name without
        ``MAPS_`` and bank.
    """

    stem: str
    category: str
    bank: str
    piece: str


def parse_stem(stem: str) -> MapsName | None:
    """Return what a file name without its ending says; None where it is no name of MAPS."""
    for category, pattern in _COMPILED.items():
        if match := pattern.fullmatch(stem):
            bank = match["bank"]
            piece = match["piece"] if category == "MUS" else stem.removeprefix("MAPS_")[: -len(bank) - 1]
            return MapsName(stem, category, bank, piece)
    return None


def isolated_stem(style: str, loudness: str, pedal: bool, pitch: int, bank: str) -> str:
    """Return the name of an isolated note, a repeated note or a trill: ``MAPS_ISOL_NO_F_S0_M21_AkPnBcht``."""
    return f"MAPS_ISOL_{style}_{loudness}_S{int(pedal)}_M{pitch}_{bank}"


def scale_stem(style: str, spacing_s: float, loudness: str, bank: str) -> str:
    """Return the name of a chromatic scale: ``MAPS_ISOL_CH0.1_F_AkPnBcht``."""
    return f"MAPS_ISOL_{style}{spacing_s:g}_{loudness}_{bank}"


def random_stem(
    polyphony: int, pitches: tuple[int, int], velocities: tuple[int, int], pedal: bool, number: int, bank: str
) -> str:
    """Return the name of a random chord: ``MAPS_RAND_P2_M21-108_I32-96_S1_n46_AkPnBcht``."""
    return f"MAPS_RAND_P{polyphony}_M{_span(pitches)}_I{_span(velocities)}_S{int(pedal)}_n{number}_{bank}"


def usual_stem(chord: tuple[int, ...], velocities: tuple[int, int], pedal: bool, number: int, bank: str) -> str:
    """Return the name of a usual chord: ``MAPS_UCHO_C0-5-9_I32-96_S0_n13_AkPnBcht``."""
    return f"MAPS_UCHO_C{'-'.join(map(str, chord))}_I{_span(velocities)}_S{int(pedal)}_n{number}_{bank}"


def piece_stem(piece: str, bank: str) -> str:
    """Return the name of a piece of music: ``MAPS_MUS-alb_se2_ENSTDkCl``."""
    return f"MAPS_MUS-{piece}_{bank}"


def piece_id(name: str) -> str:
    """Return a piece id from any name: what is not a letter, digit, hyphen or underscore becomes an underscore."""
    cleaned = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_-")
    if not cleaned:
        raise DatasetError(f"{name!r} has no letter or digit to name a piece by: rename the file.")
    return cleaned


def folder_of(stem: str) -> Path:
    """Return where in a corpus a file belongs, as a relative path.

    Raises
    ------
    DatasetError
        When it is no name of MAPS.
    """
    name = parse_stem(stem)
    if name is None:
        raise DatasetError(f"{stem} is not a name of the MAPS kind.")
    match = _COMPILED[name.category].fullmatch(stem)
    assert match is not None
    if name.category == "ISOL":
        return Path(name.bank, "ISOL", "CH" if match["style"].startswith("CH") else match["style"])
    if name.category == "RAND":
        return Path(name.bank, "RAND", f"M{match['range']}", f"I{match['loudness']}", f"P{match['polyphony']}")
    if name.category == "UCHO":
        return Path(name.bank, "UCHO", f"I{match['loudness']}", f"C{match['chord']}")
    return Path(name.bank, "MUS")


# Folders


@dataclass(frozen=True)
class MapsFile:
    """One sound of a corpus.

    Attributes
    ----------
    name : MapsName
    audio : Path
        The WAV file, or the FLAC file that some make of it.
    labels : Path
        The .txt file.
    """

    name: MapsName
    audio: Path
    labels: Path


def is_maps_folder(folder: Path) -> bool:
    """Return whether a folder holds banks, or is one."""
    return any((place / category).is_dir() for place in _bank_folders(folder) for category in CATEGORIES)


def maps_files(folder: str | os.PathLike[str], categories: Collection[str] = CATEGORIES) -> list[MapsFile]:
    """Find the sounds of a MAPS folder, real or generated; the .mid files are not looked at.

    Parameters
    ----------
    folder : str or PathLike
        Holds the banks' folders, or is one of them.
    categories : collection of str
        Of ``CATEGORIES``.

    Returns
    -------
    list of MapsFile
        Sorted by bank, then category, then stem.

    Raises
    ------
    DatasetError
        When there is none, or a sound has no .txt file.
    """
    found = [
        file for bank in _bank_folders(Path(folder)) for kind in categories for file in _files_below(bank / kind, kind)
    ]
    if not found:
        raise DatasetError(
            f"{folder} holds no sounds of MAPS ({', '.join(categories)}): it must hold folders of banks, such as "
            "AkPnBcht/MUS."
        )
    return sorted(found, key=lambda file: (file.name.bank, CATEGORIES.index(file.name.category), file.name.stem))


def count_sounds(folder: str | os.PathLike[str], categories: Collection[str]) -> int:
    """Count the sounds of some categories, whether they have labels or not; 0 where a folder has no banks."""
    below = (_sounds_below(bank / kind, kind) for bank in _bank_folders(Path(folder)) for kind in categories)
    return sum(1 for sounds in below for _ in sounds)


def read_maps(folder: Path, categories: Collection[str] = ("MUS",)) -> list[Recording]:
    """List the recordings of a MAPS folder; see :func:`maps_files`."""
    return [
        Recording(file.name.stem, file.audio, file.labels, file.name.bank, file.name.category, file.name.piece)
        for file in maps_files(folder, categories)
    ]


def read_maps_txt(path: str | os.PathLike[str]) -> NoteTable:
    """Read a .txt file of MAPS: onset, offset and pitch a line, times in seconds.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    NoteTable [shape=(n,)]
        Sorted by onset; velocities, which the file does not have, are ``DEFAULT_VELOCITY``.

    Raises
    ------
    LabelError
        When the file cannot be read; the message names the line.
    """
    path = Path(path)
    rows = [_row(path, number, line) for number, line in _lines(path)]
    notes = empty_notes(len(rows))
    notes["velocity"] = DEFAULT_VELOCITY
    for i, (onset_s, offset_s, pitch) in enumerate(rows):
        notes["onset_s"][i], notes["offset_s"][i], notes["pitch"][i] = onset_s, offset_s, pitch
    return sorted_by_onset(notes)


def write_maps_txt(path: str | os.PathLike[str], notes: NoteTable) -> None:
    """Write notes as a .txt file of MAPS, times to the microsecond."""
    rows = [f"{note['onset_s']:.6f}\t{note['offset_s']:.6f}\t{note['pitch']}" for note in sorted_by_onset(notes)]
    with replacing(path) as temporary:
        temporary.write_text("\n".join([TXT_HEADER, *rows]) + "\n", encoding="ascii", newline="\n")


def _span(ends: tuple[int, int]) -> str:
    return f"{ends[0]}-{ends[1]}"


def _bank_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder.")
    inside = sorted(place for place in folder.iterdir() if place.is_dir() and re.fullmatch(BANK_PATTERN, place.name))
    return [*inside, folder] if re.fullmatch(BANK_PATTERN, folder.resolve().name) else inside


def _files_below(folder: Path, category: str) -> Iterator[MapsFile]:
    for name, audio in _sounds_below(folder, category):
        labels = audio.with_suffix(".txt")
        if not labels.is_file():
            raise DatasetError(f"{audio} has no labels beside it: {labels.name} is missing.")
        yield MapsFile(name, audio, labels)


def _sounds_below(folder: Path, category: str) -> Iterator[tuple[MapsName, Path]]:
    for audio in sorted(path for ending in ("[!.]*.wav", "[!.]*.flac") for path in folder.rglob(ending)):
        name = parse_stem(audio.stem)
        if name is not None and name.category == category:
            yield name, audio


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TXT_BYTES + 1)
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}).") from error
    if len(data) > MAX_TXT_BYTES:
        raise LabelError(f"{path}: is larger than {MAX_TXT_BYTES >> 20} MiB, too large for labels.")
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    if not lines or lines[0].split() != TXT_HEADER.split():
        raise LabelError(f"{path}: line 1: the header is not OnsetTime, OffsetTime, MidiPitch.")
    yield from ((number, line) for number, line in enumerate(lines[1:], start=2) if line.strip())


def _row(path: Path, number: int, line: str) -> tuple[float, float, int]:
    try:
        onset_s, offset_s, pitch = (float(cell) for cell in line.split())
    except ValueError:
        raise LabelError(f"{path}: line {number}: {line[:60]!r} is not an onset, an offset and a pitch.") from None
    if not (0 <= onset_s <= offset_s < 1e7 and pitch in range(128)):
        raise LabelError(f"{path}: line {number}: {line[:60]!r} ends before it starts, or has no MIDI pitch.")
    return onset_s, offset_s, int(pitch)
