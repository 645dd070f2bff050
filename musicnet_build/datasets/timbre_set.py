"""A folder of rendered pieces in which it is known which instrument plays what: how it is laid out, read and rendered.

``timbre.json`` names the instruments, the soundfonts and the pieces; ``audio/``, ``midi/`` and ``labels/`` hold a WAV,
a MIDI and a MusicNet CSV file a piece, and ``records/`` what each was made from. Which pieces there are is decided
elsewhere (:mod:`~musicnet_build.datasets.ascension`, :mod:`~musicnet_build.datasets.timbre_test`).

Everything plays at 120 beats a minute. Every instrument is rendered by itself and the parts are summed, so where an
instrument has no notes it adds nothing at all.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from musicnet_build import __version__
from musicnet_build.audio import write_audio
from musicnet_build.datasets.jobs import Job, Outcome, run_jobs
from musicnet_build.errors import DatasetError
from musicnet_build.files import replacing, sha256_of
from musicnet_build.labels import read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.score import Score, read_score
from musicnet_build.soundfonts import Soundfont, choose_soundfont
from musicnet_build.synthesis import synthesize

SET_FILE = "timbre.json"
FORMAT = "musicnet_build timbre set 1"
SECONDS_PER_BEAT = 0.5
"""120 beats a minute, in every piece."""

# Ticks of a long MIDI file are a millisecond each.
_OVERLAP_S = 2e-3
MAX_SET_FILE_BYTES = 64 * 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_INSTRUMENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_PITCH_NAME = re.compile(r"([A-Ga-g])([#b]?)(-?\d)")
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

Audio = NDArray[np.float32]
Purpose = Literal["training", "test"]


@dataclass(frozen=True)
class Instrument:
    """An instrument to be told from others by its timbre.

    Attributes
    ----------
    name : str
        Small letters, digits and underscores; names files and datasets.
    programs : tuple of int
        General MIDI programs, 0 to 127, that count as this instrument.
    lowest, highest : int
        MIDI pitches of its range, both included.
    """

    name: str
    programs: tuple[int, ...]
    lowest: int
    highest: int

    def __post_init__(self) -> None:
        """Refuse what cannot be an instrument."""
        if not _INSTRUMENT_NAME.fullmatch(self.name):
            raise DatasetError(
                f"{self.name!r} cannot name an instrument: use up to 30 small letters, digits and underscores, "
                "a letter first."
            )
        if not self.programs or not all(0 <= program <= 127 for program in self.programs):
            raise DatasetError(f"{self.name} needs General MIDI programs from 0 to 127, not {list(self.programs)}.")
        if not 0 <= self.lowest <= self.highest <= 127:
            raise DatasetError(f"{self.name} has no range from MIDI pitch {self.lowest} to {self.highest}.")

    @property
    def pitches(self) -> range:
        """All MIDI pitches of the range, ascending."""
        return range(self.lowest, self.highest + 1)


GUITAR = Instrument("guitar", (26, 27, 28, 29, 30, 31), 40, 86)
TRUMPET = Instrument("trumpet", (56,), 52, 86)
DEFAULT_INSTRUMENTS = (GUITAR, TRUMPET)


def parse_instrument(text: str) -> Instrument:
    """Read an instrument from text such as ``guitar=26-31:E2-D6`` or ``flute=73:60-96``.

    Parameters
    ----------
    text : str
        Name, programs (numbers and ranges, with commas between them), lowest and highest pitch (names, C4 being 60,
        or MIDI numbers).

    Returns
    -------
    Instrument

    Raises
    ------
    DatasetError
        When the text is not of this form.
    """
    found = re.fullmatch(r"([^=:]+)=([\d,-]+):([^:]+?)-(-?[^:-]+)", text.strip())
    if found is None:
        raise DatasetError(f"{text!r} is no instrument: write it as NAME=PROGRAMS:LOWEST-HIGHEST, guitar=26-31:E2-D6.")
    name, programs, lowest, highest = found.groups()
    numbers = [number for part in programs.split(",") for number in _range_of(part, text)]
    return Instrument(name, tuple(dict.fromkeys(numbers)), _pitch_of(lowest, text), _pitch_of(highest, text))


def check_instruments(instruments: Sequence[Instrument]) -> None:
    """Refuse instruments that cannot be told apart by their names and programs.

    Raises
    ------
    DatasetError
    """
    names = [instrument.name for instrument in instruments]
    programs = [program for instrument in instruments for program in set(instrument.programs)]
    if not names:
        raise DatasetError("A timbre set needs an instrument.")
    everything: tuple[tuple[list[Any], str], ...] = ((names, "name"), (programs, "program"))
    for values, what in everything:
        twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
        if twice:
            raise DatasetError(f"Two instruments have the {what} {twice[0]}: each needs its own.")


# ---------------------------------------------------------------------------------------------------------------------
# What is to be rendered


@dataclass(frozen=True)
class WrittenNote:
    """A note of a piece, in quarter notes from its start."""

    onset_beats: float
    duration_beats: float
    pitch: int
    velocity: int
    program: int


@dataclass(frozen=True)
class Stem:
    """What one instrument plays in a piece with one soundfont.

    Attributes
    ----------
    instrument : str
    soundfont : str
        Path of the soundfont.
    soundfont_sha256 : str
    notes : tuple of WrittenNote
    amplified : bool
        Whether it goes through the effect of :func:`musicnet_build.datasets.amplifier.amplified`.
    """

    instrument: str
    soundfont: str
    soundfont_sha256: str
    notes: tuple[WrittenNote, ...]
    amplified: bool = False


@dataclass(frozen=True)
class PlannedPiece:
    """A piece to be rendered.

    Attributes
    ----------
    name : str
        Of its files, without ending.
    subset : str
        Which part of the set it belongs to, such as ``guitar_alone``.
    stems : tuple of Stem
    """

    name: str
    subset: str
    stems: tuple[Stem, ...]

    def fingerprint(self) -> str:
        """Hash of all that the files of the piece are made from."""
        content = dataclasses.asdict(self) | {"version": __version__, "format": FORMAT}
        for stem in content["stems"]:
            del stem["soundfont"]  # the same bytes may lie elsewhere
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Piece:
    """A piece that is there.

    Attributes
    ----------
    name, subset : str
        As in :class:`PlannedPiece`.
    duration_s : float
        From the start to the last note's offset; the sound goes on until it has died away.
    notes : dict of str to int
        How many notes each instrument plays.
    audio_sha256 : str
        Hash of the WAV file.
    """

    name: str
    subset: str
    duration_s: float
    notes: dict[str, int]
    audio_sha256: str


@dataclass(frozen=True)
class TimbreSet:
    """A folder of rendered pieces.

    Attributes
    ----------
    folder : Path
    purpose : {"training", "test"}
        Training sets are balanced and get folds; the frames of a test set are cut on a regular grid.
    instruments : tuple of Instrument
    soundfonts : tuple of dict
        ``name``, ``sha256`` and ``licence`` of each soundfont that plays.
    pieces : tuple of Piece
    settings : dict
        What the set was made with, for people to read.
    warnings : tuple of str
        What was left out, a sentence each.
    """

    folder: Path
    purpose: Purpose
    instruments: tuple[Instrument, ...]
    soundfonts: tuple[dict[str, Any], ...]
    pieces: tuple[Piece, ...]
    settings: dict[str, Any]
    warnings: tuple[str, ...]

    def audio_path(self, piece: Piece) -> Path:
        """Where the sound of a piece is."""
        return self.folder / "audio" / f"{piece.name}.wav"

    def labels_path(self, piece: Piece) -> Path:
        """Where the labels of a piece are."""
        return self.folder / "labels" / f"{piece.name}.csv"

    def instrument_notes(self, piece: Piece) -> dict[str, NoteTable]:
        """Read the labels of a piece, those of each instrument by themselves.

        Raises
        ------
        DatasetError
            When two notes of an instrument overlap: a frame could not have one label.
        """
        return split_by_instrument(read_labels(self.labels_path(piece)), self.instruments, self.labels_path(piece))


def split_by_instrument(
    notes: NoteTable, instruments: Sequence[Instrument], source: str | os.PathLike[str]
) -> dict[str, NoteTable]:
    """Give each instrument its notes, by their programs.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
    instruments : sequence of Instrument
    source : str or PathLike
        Where the notes are from, for errors.

    Returns
    -------
    dict of str to NoteTable

    Raises
    ------
    DatasetError
        When two notes of an instrument overlap by more than two milliseconds.
    """
    result = {}
    for instrument in instruments:
        own = sorted_by_onset(notes[np.isin(notes["program"], instrument.programs) & ~notes["is_drum"]])
        if np.any(own["onset_s"][1:] < own["offset_s"][:-1] - _OVERLAP_S):
            raise DatasetError(f"{source}: notes of the {instrument.name} overlap, so a frame has no single label.")
        result[instrument.name] = own
    return result


# ---------------------------------------------------------------------------------------------------------------------
# Rendering


def render_set(
    folder: str | os.PathLike[str],
    purpose: Purpose,
    instruments: Sequence[Instrument],
    planned: Sequence[PlannedPiece],
    *,
    settings: Mapping[str, Any],
    warnings: Sequence[str] = (),
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> TimbreSet:
    """Render pieces into a folder, those that are there already excepted, and describe them in ``timbre.json``.

    The bytes do not depend on the number of workers; a run that is cut short goes on where it stopped.

    Parameters
    ----------
    folder : str or PathLike
        Made where it is missing.
    purpose : {"training", "test"}
    instruments : sequence of Instrument
    planned : sequence of PlannedPiece
    settings : mapping
        Kept in ``timbre.json``; JSON values.
    warnings : sequence of str
        Kept there too.
    workers : int
        Processes.
    on_done : callable, optional
        Told the outcome of every piece that is rendered now.

    Returns
    -------
    TimbreSet

    Raises
    ------
    DatasetError
        When a piece cannot be rendered; those that could be are kept.
    """
    folder = Path(folder)
    # While it is not there, the folder does not pass for a whole set.
    (folder / SET_FILE).unlink(missing_ok=True)
    missing = [piece for piece in planned if _record_of(folder, piece) is None]
    jobs = [Job(piece.name, render_piece, {"folder": str(folder), "piece": piece}) for piece in missing]
    outcomes = run_jobs(jobs, workers=workers, on_done=on_done)
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise DatasetError(
            f"{len(failed)} of {len(planned)} pieces could not be rendered; {failed[0].id}: {failed[0].reason} "
            "Run the command again to go on."
        )
    records = [_record_of(folder, piece) for piece in planned]
    pieces = [Piece(**record["piece"]) for record in records if record is not None]
    if len(pieces) != len(planned):
        raise DatasetError(f"{folder} was changed while it was written: run the command again.")
    content = {
        "format": FORMAT,
        "purpose": purpose,
        "instruments": [dataclasses.asdict(instrument) for instrument in instruments],
        "soundfonts": _soundfonts_of(planned),
        "settings": dict(settings),
        "warnings": list(warnings),
        "pieces": [dataclasses.asdict(piece) for piece in pieces],
    }
    _write_json(folder / SET_FILE, content)
    return read_set(folder)


def render_piece(folder: str, piece: PlannedPiece) -> None:
    """Write the WAV, MIDI and CSV file of a piece, then the record that says that they are whole.

    Raises
    ------
    DatasetError
        When a soundfont is no longer what it was when the piece was planned.
    SoundfontError
        When a soundfont cannot play a stem, or lacks its program.
    """
    root = Path(folder)
    files = {ending: root / place / f"{piece.name}{ending}" for place, ending in _PLACES}
    notes = [_note_table(stem.notes) for stem in piece.stems]
    write_labels(files[".mid"], sorted_by_onset(np.concatenate(notes)))
    score = read_score(files[".mid"])
    write_labels(files[".csv"], score.notes)
    parts = [_rendered(_score_of(stem_notes, score), stem) for stem_notes, stem in zip(notes, piece.stems, strict=True)]
    write_audio(files[".wav"], _sum(parts), SAMPLE_RATE)
    counts: dict[str, int] = {}
    for stem in piece.stems:
        counts[stem.instrument] = counts.get(stem.instrument, 0) + len(stem.notes)
    hashes = {str(path.relative_to(root)): sha256_of(path) for path in files.values()}
    made = Piece(piece.name, piece.subset, score.duration_s, counts, sha256_of(files[".wav"]))
    record = {"fingerprint": piece.fingerprint(), "files": hashes, "piece": dataclasses.asdict(made)}
    _write_json(root / "records" / f"{piece.name}.json", record)


_PLACES = (("audio", ".wav"), ("midi", ".mid"), ("labels", ".csv"))


def _rendered(score: Score, stem: Stem) -> Audio:
    soundfont = choose_soundfont(stem.soundfont)
    if soundfont.sha256() != stem.soundfont_sha256:
        raise DatasetError(f"{stem.soundfont} has changed since the piece was planned: run the command again.")
    audio = synthesize(score, soundfont, strict=True).audio
    if stem.amplified:
        from musicnet_build.datasets.amplifier import amplified

        audio = amplified(audio, SAMPLE_RATE)
    return audio


def _note_table(written: Sequence[WrittenNote]) -> NoteTable:
    notes = empty_notes(len(written))
    for field in ("onset_beats", "duration_beats", "pitch", "velocity", "program"):
        notes[field] = [getattr(note, field) for note in written]
    notes["onset_s"] = notes["onset_beats"] * SECONDS_PER_BEAT
    notes["offset_s"] = (notes["onset_beats"] + notes["duration_beats"]) * SECONDS_PER_BEAT
    return sorted_by_onset(notes)


def _score_of(notes: NoteTable, whole: Score) -> Score:
    """Return the score of one stem: a part for each of its programs."""
    programs = np.unique(notes["program"])
    notes = notes.copy()
    notes["part"] = np.searchsorted(programs, notes["program"])
    parts = tuple(next(part for part in whole.parts if part.program == program) for program in programs)
    return dataclasses.replace(whole, notes=notes, parts=parts, controls=whole.controls[:0])


def _sum(parts: Sequence[Audio]) -> Audio:
    total = np.zeros(max(len(part) for part in parts), dtype=np.float32)
    for part in parts:
        total[: len(part)] += part
    return total


def _record_of(folder: Path, piece: PlannedPiece) -> dict[str, Any] | None:
    """Return the record of a piece that is there as planned, its files untouched; None where it is to be rendered."""
    path = folder / "records" / f"{piece.name}.json"
    if not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["fingerprint"] != piece.fingerprint():
        return None
    files = {folder / name: digest for name, digest in record["files"].items()}
    whole = all(file.is_file() and sha256_of(file) == digest for file, digest in files.items())
    return record if whole else None


def _soundfonts_of(planned: Sequence[PlannedPiece]) -> list[dict[str, Any]]:
    paths = {stem.soundfont_sha256: stem.soundfont for piece in planned for stem in piece.stems}
    return [describe_soundfont(choose_soundfont(path)) for path in paths.values()]


def describe_soundfont(soundfont: Soundfont) -> dict[str, Any]:
    """Return what of a soundfont is recorded: its name, hash and licence."""
    return {"name": soundfont.name, "sha256": soundfont.sha256(), "licence": soundfont.licence}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def read_set(folder: str | os.PathLike[str]) -> TimbreSet:
    """Read the description of a set.

    Parameters
    ----------
    folder : str or PathLike

    Returns
    -------
    TimbreSet

    Raises
    ------
    DatasetError
        When there is none, or it is damaged.
    """
    path = Path(folder) / SET_FILE
    if not path.is_file():
        raise DatasetError(
            f"{folder} holds no {SET_FILE}: make it with `generate ascension` or `generate timbre-test`, or let an "
            "interrupted one finish."
        )
    if path.stat().st_size > MAX_SET_FILE_BYTES:
        raise DatasetError(f"{path} is larger than {MAX_SET_FILE_BYTES >> 20} MiB, which no set's description is.")
    try:
        return _set_of(Path(folder), json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DatasetError(f"{path} does not describe a timbre set ({error!r}): make it again.") from error


def _set_of(folder: Path, content: dict[str, Any]) -> TimbreSet:
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']!r}, not {FORMAT!r}")
    if content["purpose"] not in ("training", "test"):
        raise ValueError(f"its purpose is {content['purpose']!r}")
    instruments = tuple(
        Instrument(each["name"], tuple(each["programs"]), each["lowest"], each["highest"])
        for each in content["instruments"]
    )
    check_instruments(instruments)
    return TimbreSet(
        folder,
        content["purpose"],
        instruments,
        tuple(content["soundfonts"]),
        tuple(_checked_pieces(content["pieces"])),
        content["settings"],
        tuple(content["warnings"]),
    )


def _checked_pieces(rows: Sequence[dict[str, Any]]) -> Iterator[Piece]:
    """Give the pieces; names that could lead out of the folder are refused."""
    for row in rows:
        piece = Piece(**row)
        if not (_NAME.fullmatch(piece.name) and _NAME.fullmatch(piece.subset)):
            raise ValueError(f"{piece.name!r} of {piece.subset!r} cannot name a piece")
        yield piece


def safe_name(text: str) -> str:
    """Return text as the name of a piece: letters, digits, hyphens and underscores, up to 80 of them."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:80] or "piece"


def _range_of(part: str, text: str) -> range:
    ends = part.split("-")
    if len(ends) > 2 or not all(end.isdigit() and len(end) <= 3 for end in ends):
        raise DatasetError(f"{text!r}: {part!r} is neither a program number nor a range such as 26-31.")
    return range(int(ends[0]), int(ends[-1]) + 1)


def _pitch_of(name: str, text: str) -> int:
    if name.isdigit() and len(name) <= 3:
        return int(name)
    found = _PITCH_NAME.fullmatch(name)
    if found is None:
        raise DatasetError(f"{text!r}: {name!r} is neither a MIDI pitch nor a name such as E2 or C#5.")
    letter, accidental, octave = found.groups()
    return 12 * (int(octave) + 1) + _PITCH_CLASSES[letter.upper()] + {"#": 1, "b": -1, "": 0}[accidental]
