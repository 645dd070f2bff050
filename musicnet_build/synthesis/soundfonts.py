"""Which soundfonts are on this machine, what is in them, and which one to use.

Playing them belongs to :mod:`musicnet_build.synthesis.render`. FluidSynth plays SF2 and SF3 files; SFZ files, and files
that only bear the name of a soundfont, are reported as unusable and never chosen.
"""

import fnmatch
import functools
import importlib.util
import os
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from musicnet_build.errors import SoundfontError
from musicnet_build.files import sha256_of
from musicnet_build.score.programs import FAMILY_SIZE

ENVIRONMENT_VARIABLE = "MUSICNET_BUILD_SOUNDFONTS"
"""Folders and files to look in first, separated as in PATH."""

DRUM_BANK = 128
"""FluidSynth's bank for drum kits."""

INSTALL_COMMAND = "sudo apt-get install fluid-soundfont-gm"
"""Installs the soundfont that is recommended."""

_SYSTEM_FOLDERS = (
    "~/.local/share/soundfonts",
    "~/.local/share/sounds/sf2",
    "~/.local/share/sounds/sf3",
    "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2",
    "/usr/local/share/sounds/sf3",
    "/usr/share/soundfonts",
    "/usr/share/sounds/sf2",
    "/usr/share/sounds/sf3",
    "~/Library/Audio/Sounds/Banks",
    "/Library/Audio/Sounds/Banks",
    "/opt/homebrew/share/fluid-synth/sf2",
    "/usr/local/share/fluid-synth/sf2",
)
_SUFFIXES = {".sf2", ".sf3", ".sfz"}
# The specification's own limit is 65,536 presets of 38 bytes.
_MAX_PRESET_BYTES = 38 << 16
_PRESET_DTYPE = np.dtype(
    [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", (3,))]
)


@dataclass(frozen=True)
class Soundfont:
    """A file that FluidSynth can play.

    Attributes
    ----------
    path : Path
        With links resolved.
    name : str
        The file's name without its ending.
    size_bytes : int
    licence : str or None
        From the catalogue, which goes by the file's name; None where it does not know it.
    source : {"environment", "project", "system", "pretty_midi", "given"}
        Where it was found.
    """

    path: Path
    name: str
    size_bytes: int
    licence: str | None
    source: str

    def sha256(self) -> str:
        """Return the hash of the file's bytes, in hexadecimal; computed once a process."""
        status = self.path.stat()
        return _sha256(self.path, status.st_size, status.st_mtime_ns)

    def presets(self) -> frozenset[tuple[int, int]]:
        """Return every (bank, program) in the file; bank 128 holds the drum kits.

        Raises
        ------
        SoundfontError
            When the file's list of presets cannot be found.
        """
        status = self.path.stat()
        return _presets(self.path, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class UnusableSoundfont:
    """A file that looks like a soundfont and cannot be played, with the reason."""

    path: Path
    reason: str


@dataclass(frozen=True)
class CatalogueEntry:
    """What the catalogue says of the soundfonts whose file names match ``files``."""

    name: str
    files: tuple[str, ...]
    licence: str
    note: str
    package: str | None = None


class Preset(NamedTuple):
    """A preset to play, and whether it stands in for one that is missing."""

    bank: int
    program: int
    substituted: bool


@functools.cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return the soundfonts that are known to serve, best first."""
    content = tomllib.loads(Path(__file__).with_name("soundfonts.toml").read_text(encoding="utf-8"))
    return tuple(CatalogueEntry(**entry | {"files": tuple(entry["files"])}) for entry in content["soundfont"])


def find_soundfonts() -> list[Soundfont]:
    """Return the usable soundfonts of this machine, best first.

    Those named by ``MUSICNET_BUILD_SOUNDFONTS`` come first, then those in the project's ``soundfonts`` folder (of
    the checkout, and of the working directory), then all others. Within each of the three, the catalogue's order
    decides, then size.

    Returns
    -------
    list of Soundfont

    Examples
    --------
    >>> from musicnet_build.synthesis.soundfonts import find_soundfonts
    >>> "TimGM6mb" in [soundfont.name for soundfont in find_soundfonts()]
    True
    """
    return [found for found in _survey() if isinstance(found, Soundfont)]


def find_unusable_soundfonts() -> list[UnusableSoundfont]:
    """Return the files in the same places that look like soundfonts and cannot be played.

    Returns
    -------
    list of UnusableSoundfont
    """
    return [found for found in _survey() if isinstance(found, UnusableSoundfont)]


def choose_soundfont(path_or_name: str | os.PathLike[str] | None = None) -> Soundfont:
    """Return the soundfont asked for, or the best one present.

    Parameters
    ----------
    path_or_name : str or PathLike, optional
        A file, or the name of one that :func:`find_soundfonts` finds, with or without its ending (case does not
        matter).

    Returns
    -------
    Soundfont

    Raises
    ------
    SoundfontError
        When there is none, or it cannot be played; the message says what there is, and how to install one.

    Examples
    --------
    >>> from musicnet_build import choose_soundfont
    >>> choose_soundfont("TimGM6mb").name
    'TimGM6mb'
    """
    if path_or_name is not None and Path(path_or_name).is_file():
        return _given(Path(path_or_name))
    found = find_soundfonts()
    if path_or_name is None:
        if not found:
            raise SoundfontError(f"No soundfont was found: install one with `{INSTALL_COMMAND}`.")
        return found[0]
    wanted = str(path_or_name).lower()
    for soundfont in found:
        if wanted in (soundfont.name.lower(), soundfont.path.name.lower()):
            return soundfont
    present = ", ".join(dict.fromkeys(soundfont.name for soundfont in found)) or "none"
    raise SoundfontError(
        f"There is no soundfont {path_or_name}: found here are {present}; give one of these or the path of a file, "
        f"or install one with `{INSTALL_COMMAND}`."
    )


def preset_for(presets: Collection[tuple[int, int]], program: int, is_drum: bool) -> Preset:
    """Return the preset to play a program with: its own, or else the nearest of its General MIDI family.

    Parameters
    ----------
    presets : collection of (bank, program)
        What the soundfont has.
    program : int
        General MIDI program, 0 to 127; for drums, the kit.
    is_drum : bool

    Returns
    -------
    Preset
        Where its family is missing too, the first piano; for drums, the standard kit.

    Raises
    ------
    SoundfontError
        When there is not even that: no preset in bank 0, or for drums none in bank 128. The message says what the
        soundfont lacks; the caller knows its name.
    """
    bank = DRUM_BANK if is_drum else 0
    present = sorted(candidate for its_bank, candidate in presets if its_bank == bank)
    if not present:
        raise SoundfontError(
            f"has no {'drum kit' if is_drum else 'instrument'} in bank {bank}: choose another soundfont"
        )
    if program in present:
        return Preset(bank, program, substituted=False)
    family = [candidate for candidate in present if candidate // FAMILY_SIZE == program // FAMILY_SIZE]
    if is_drum or not family:
        # The lowest number: the standard kit, or the grand piano.
        return Preset(bank, present[0], substituted=True)
    return Preset(bank, min(family, key=lambda candidate: abs(candidate - program)), substituted=True)


# Looking around


def _survey() -> list[Soundfont | UnusableSoundfont]:
    """Return all candidates, each file once, ordered as :func:`find_soundfonts` says."""
    found: dict[Path, Soundfont | UnusableSoundfont] = {}
    tiers: dict[Path, int] = {}
    for tier, source, path in _candidates():
        real = path.resolve()
        if real not in found:
            found[real] = _examined(real, source)
            tiers[real] = tier
    return sorted(found.values(), key=lambda item: (tiers[item.path], *_merit(item)))


def _candidates() -> Iterator[tuple[int, str, Path]]:
    """Yield (tier, source, path) of every file that is named like a soundfont."""
    listed = os.environ.get(ENVIRONMENT_VARIABLE, "").split(os.pathsep)
    yield from ((0, "environment", path) for path in _files_in(filter(None, listed)))
    project = (str(Path(__file__).parents[2] / "soundfonts"), "soundfonts")
    yield from ((1, "project", path) for path in _files_in(project))
    yield from ((2, "system", path) for path in _files_in(_SYSTEM_FOLDERS))
    yield from ((2, "pretty_midi", path) for path in _files_in(_pretty_midi_folder()))


def _files_in(places: Iterable[str]) -> Iterator[Path]:
    for place in places:
        path = Path(place).expanduser()
        if path.is_file():
            yield path
        elif path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            yield from (file for file in sorted(path.iterdir()) if file.suffix.lower() in _SUFFIXES and file.is_file())


def _pretty_midi_folder() -> list[str]:
    """Locate the package without importing it, which would take seconds."""
    spec = importlib.util.find_spec("pretty_midi")
    return list(spec.submodule_search_locations or []) if spec else []


def _merit(item: Soundfont | UnusableSoundfont) -> tuple[int, int, str]:
    entry = _catalogue_entry(item.path)
    rank = len(catalogue()) if entry is None else catalogue().index(entry)
    return rank, -item.size_bytes if isinstance(item, Soundfont) else 0, str(item.path)


def _catalogue_entry(path: Path) -> CatalogueEntry | None:
    name = path.name.lower()
    return next((e for e in catalogue() if any(fnmatch.fnmatchcase(name, p.lower()) for p in e.files)), None)


def _given(path: Path) -> Soundfont:
    found = _examined(path.resolve(), "given")
    if isinstance(found, UnusableSoundfont):
        raise SoundfontError(f"{path} cannot be used as a soundfont: {found.reason}.")
    return found


def _examined(path: Path, source: str) -> Soundfont | UnusableSoundfont:
    fault = _fault(path)
    if fault is not None:
        return UnusableSoundfont(path, fault)
    entry = _catalogue_entry(path)
    return Soundfont(path, path.stem, path.stat().st_size, entry.licence if entry else None, source)


def _fault(path: Path) -> str | None:
    if path.suffix.lower() == ".sfz":
        return "FluidSynth cannot play SFZ files"
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        return "it is not a soundfont (not a RIFF file of the form sfbk)"
    declared = int.from_bytes(head[4:8], "little") + 8
    if declared < size:  # FluidSynth refuses such a file, after a loader of DLS files has written to the terminal
        return f"it holds {size} bytes where its header states {declared}; get a whole copy of it"
    return f"it is cut short ({size} of {declared} bytes)" if declared > size else None


# Reading a soundfont


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    """Hash a file; size and time of change are there to make the cached value stale."""
    return sha256_of(path)


@functools.lru_cache(maxsize=64)
def _presets(path: Path, size: int, mtime_ns: int) -> frozenset[tuple[int, int]]:
    """Read the preset headers: the chunk ``phdr`` in the list ``pdta`` (SoundFont 2.04, section 7.2)."""
    with path.open("rb") as file:
        headers = _preset_headers(file, size)
    if headers is None:
        raise SoundfontError(f"{path} has no list of presets, so it cannot be used as a soundfont.")
    # The last header only marks the end.
    table = np.frombuffer(headers[: len(headers) // 38 * 38], dtype=_PRESET_DTYPE)[:-1]
    return frozenset(zip(table["bank"].tolist(), table["program"].tolist(), strict=True))


def _preset_headers(file: BinaryIO, size: int) -> bytes | None:
    for start, name, length in _chunks(file, 12, size):
        file.seek(start)
        if name == b"LIST" and file.read(4) == b"pdta":
            for inner_start, inner_name, inner_length in _chunks(file, start + 4, start + length):
                if inner_name == b"phdr" and inner_length <= _MAX_PRESET_BYTES:
                    file.seek(inner_start)
                    return file.read(inner_length)
    return None


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield where the data of each chunk between two positions starts, its name, and its length in bytes."""
    while start + 8 <= end:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        yield start + 8, head[:4], length
        start += 8 + length
        # Chunks of odd length ought to be padded with a zero; SF3 files are written without.
        if length % 2:
            file.seek(start)
            start += file.read(1) == b"\0"
