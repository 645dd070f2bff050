"""Notation files to MIDI: MusicXML, MEI and Humdrum ``**kern``, through verovio.

What belongs here: how verovio is asked, and what MIDI has no place for: exact beats, measure numbers as printed, ids of
notes. What does not: how MusicXML is unpacked and mended (:mod:`musicnet_build.score.musicxml`), and what the MIDI
means (:mod:`musicnet_build.score.reader`).

Why verovio: it reads all of these formats, is fast (19,000 notes in some 3 s), writes out repeats, endings, da capo
and dal segno, joins ties, and plays transposing instruments at sounding pitch. music21 does the same, but goes back to
the very beginning where a second repeat has no start of its own; partitura does not transpose and downloads a
soundfont while it is imported where pyfluidsynth is installed.

Verovio is C++ and the files are untrusted, so it runs in a process of its own: a crash, a hang or a flood of memory is
an error message like any other. (Of 258 made scores with a few elements removed, doubled or changed, four crashed it
and one never ended.)
"""

import base64
import contextlib
import dataclasses
import importlib.metadata
import importlib.util
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s, Int64s
from musicnet_build.score.midi_file import NOTE_ON, PROGRAM, FaultError, MidiFile
from musicnet_build.score.model import Measures, Score
from musicnet_build.score.musicxml import mend, unpack
from musicnet_build.score.programs import program_called

SUFFIXES = (".musicxml", ".xml", ".mxl", ".mei", ".krn")
"""Endings of notation files."""

MAX_NOTATION_BYTES = 16 * 2**20
"""Of the text; a compressed file may not unpack to more."""

MAX_MEMORY_BYTES = 3 * 2**30
CPU_S, CPU_S_PER_MIB = 8, 60
"""Processor time that a file may take: some twenty times what whole files do."""

_WALL_CLOCK = 10  # how many times longer the process may live, on a busy machine

ODD_LENGTH_BEATS = 0.05
"""A measure whose durations add up to more or less than this is told: rounded tuplets stay below."""

_TICKS_PER_BEAT = 120  # of verovio's MIDI files
_TOLERANCE_TICKS = 1.05


@dataclasses.dataclass(frozen=True)
class Notation:
    """A notation file as MIDI, and what MIDI has no place for. Beats count as the repeats are played.

    Attributes
    ----------
    midi : bytes
        A Standard MIDI File.
    title : str
        Empty where the file states none.
    measures : Measures
    stamps : ndarray of float64 [shape=(k,)]
        All beats at which notes begin or end, ascending.
    ids : list of (beats, pitch, id)
        Of all notes that begin, those that continue a tie left out, staff by staff where they begin together.
    warnings : tuple of str
    """

    midi: bytes
    title: str
    measures: Measures
    stamps: Float64s
    ids: list[tuple[float, int, str]]
    warnings: tuple[str, ...]

    def complete(self, score: Score) -> Score:
        """Give a score read from the MIDI its exact beats, measures and note ids.

        Parameters
        ----------
        score : Score

        Returns
        -------
        Score
        """
        notes = score.notes.copy()
        ends = notes["onset_beats"] + notes["duration_beats"] + 1 / _TICKS_PER_BEAT  # verovio ends notes a tick early
        notes["onset_beats"] = self._exact(notes["onset_beats"])
        notes["duration_beats"] = self._exact(ends) - notes["onset_beats"]
        notes["onset_s"] = score.tempo_map.seconds_at(notes["onset_beats"])
        notes["offset_s"] = score.tempo_map.seconds_at(notes["onset_beats"] + notes["duration_beats"])
        notes["score_note"] = self._found_ids(notes["onset_beats"], notes["pitch"])
        return dataclasses.replace(
            score,
            notes=notes,
            name=self.title or score.name,
            measures=self.measures,
            note_ids=tuple(note_id for _, _, note_id in self.ids),
            warnings=(*self.warnings, *score.warnings),
        )

    def _exact(self, beats: Float64s) -> Float64s:
        """The stamps that ticks stand for; beats without one stay as they are."""
        right = np.clip(np.searchsorted(self.stamps, beats), 1, len(self.stamps) - 1)
        left_nearer = beats - self.stamps[right - 1] < self.stamps[right] - beats
        nearest = self.stamps[right - left_nearer]
        exact: Float64s = np.where(np.abs(nearest - beats) <= _TOLERANCE_TICKS / _TICKS_PER_BEAT, nearest, beats)
        return exact

    def _found_ids(self, beats: Float64s, pitches: Int64s) -> Int64s:
        """Place of each note's id among the ids, -1 where it has none."""
        waiting: dict[tuple[float, int], list[int]] = defaultdict(list)
        for place, (stamp, pitch, _) in reversed(list(enumerate(self.ids))):
            waiting[round(stamp, 6), pitch].append(place)
        keys = zip(np.round(beats, 6).tolist(), pitches.tolist(), strict=True)
        return np.array([waiting[key].pop() if waiting.get(key) else -1 for key in keys], dtype=np.int64)


def name_programs(midi: MidiFile) -> MidiFile:
    """Let tracks that state no program play what their names say, or a piano, and not what another track has chosen.

    Parameters
    ----------
    midi : MidiFile
        As verovio writes it; changed in place.

    Returns
    -------
    MidiFile
        The same, with a warning where names decided.
    """
    named = 0
    for track in midi.tracks:
        voices = {event[2:4] for event in track.channel_events if event[1] == NOTE_ON}
        if voices and not any(event[1] == PROGRAM for event in track.channel_events):
            program = program_called(track.name)
            named += program is not None
            for port, channel in sorted(voices):
                track.channel_events.insert(0, (0, PROGRAM, port, channel, program or 0, program or 0))
    if named:
        midi.warnings.append(f"{named} {'part has its' if named == 1 else 'parts have their'} instrument by name")
    return midi


def is_notation(data: bytes, suffix: str) -> bool:
    """Whether a file is read here: by its ending, or by how it begins where the ending says nothing.

    Parameters
    ----------
    data : bytes
        The beginning of the file.
    suffix : str
        Its ending, in lower case.

    Returns
    -------
    bool
    """
    return data[:4] not in (b"MThd", b"RIFF") and (
        suffix in SUFFIXES or data.lstrip(b"\xef\xbb\xbf \r\n\t")[:5] == b"<?xml"
    )


def library_version(path: str | os.PathLike[str]) -> str | None:
    """Return the version of verovio where a score of this name is read by it: another one may read other notes.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    str or None
        None for MIDI files, and where verovio is not installed.
    """
    if Path(path).suffix.lower() not in SUFFIXES or importlib.util.find_spec("verovio") is None:
        return None
    return importlib.metadata.version("verovio")


def read_notation(data: bytes, suffix: str) -> Notation:
    """Turn a notation file into MIDI.

    Parameters
    ----------
    data : bytes
        Of the whole file.
    suffix : str
        Its ending, in lower case.

    Returns
    -------
    Notation

    Raises
    ------
    FaultError
        When verovio is not installed, or cannot make music of the file.
    """
    if importlib.util.find_spec("verovio") is None:
        raise FaultError("is notation, and reading it needs verovio: pip install 'musicnet_build[musicxml]'")
    text = notation_text(data)
    found = _converted(text, _format_of(text, suffix))
    measures = _measures(found["measures"])
    return Notation(
        midi=base64.b64decode(found["midi"]),
        title=found["title"],
        measures=measures,
        stamps=np.unique(np.array(found["stamps"], dtype=np.float64)),
        ids=[(float(stamp), int(pitch), str(note_id)) for stamp, pitch, note_id in found["ids"]],
        warnings=_odd_lengths(measures, found["lengths"]),
    )


def _odd_lengths(measures: Measures, stated_beats: list[float]) -> tuple[str, ...]:
    """A sentence where measures are played longer or shorter than the durations of their notes add up to."""
    if len(stated_beats) != len(set(measures.written.tolist())):
        return ()  # some are never played, so nobody knows which is which
    played = np.diff(measures.starts_beats)
    stated = np.array(stated_beats)[measures.written[:-1]]
    odd = (np.abs(played - stated) > ODD_LENGTH_BEATS) & (stated > 0)
    numbers = list(dict.fromkeys(measures.numbers[i] for i in np.flatnonzero(odd)))
    if not numbers:
        return ()
    some = ", ".join(numbers[:8]) + (" and others" if len(numbers) > 8 else "")
    return (f"the durations do not add up to the note values in measure{'s' * (len(numbers) > 1)} {some}",)


def _measures(rows: list[list[Any]]) -> Measures:
    """Measures as played, each with its place among the written ones: that of its first appearance."""
    places: dict[str, int] = {}
    for _, _, measure_id in rows:
        places.setdefault(measure_id, len(places))
    return Measures(
        starts_beats=np.array([beats for beats, _, _ in rows], dtype=np.float64),
        numbers=tuple(str(number) for _, number, _ in rows),
        written=np.array([places[measure_id] for _, _, measure_id in rows], dtype=np.int64),
    )


def notation_text(data: bytes) -> str:
    """Return the text of a notation file, unpacked and decoded, without its XML declaration; else a ``FaultError``."""
    text = _text_of(unpack(data, MAX_NOTATION_BYTES) if data[:2] == b"PK" else data)
    if "<!ENTITY" in text:
        raise FaultError("declares XML entities, which no notation program writes: it is not read")
    return text


def _text_of(data: bytes) -> str:
    if len(data) > MAX_NOTATION_BYTES:
        raise FaultError(f"is larger than {MAX_NOTATION_BYTES >> 20} MiB, too large for a score")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        declared = re.match(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']", data)
        encoding = declared[1].decode("ascii") if declared else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        text = data.decode("latin-1")
    return re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", text).replace("\0", "")


def _format_of(text: str, suffix: str) -> str:
    """What verovio calls the format."""
    if re.search(r"<score-(partwise|timewise)\b", text):
        return "xml"
    if re.search(r"<mei\b", text):
        return "mei"
    if suffix == ".krn" or re.search(r"^\*\*kern", text, re.MULTILINE):
        return "humdrum"
    raise FaultError("is no MusicXML, MEI or Humdrum file")


# ---------------------------------------------------------------------------------------------------------------------
# A process of its own


def _converted(text: str, kind: str) -> dict[str, Any]:
    program = f"import sys; sys.path[:0] = {sys.path!r}; from {__name__} import convert; convert({kind!r})"
    data = text.encode("utf-8", "replace")
    seconds = _cpu_seconds(len(data))
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], input=data, capture_output=True,
            timeout=_WALL_CLOCK * seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise FaultError("keeps verovio waiting for too long, so it is given up") from None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise FaultError(f"keeps verovio busy for more than {seconds} s, so it is given up")
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise FaultError(f"cannot be read: verovio fails on it (exit status {done.returncode})") from None
    if "fault" in found:
        raise FaultError(found["fault"])
    return found


def _cpu_seconds(size: int) -> int:
    return CPU_S + math.ceil(CPU_S_PER_MIB * size / 2**20)


def convert(kind: str) -> None:
    """What the process does: notation from standard input, JSON to standard output.

    Parameters
    ----------
    kind : str
        Format, as verovio calls it.
    """
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # verovio's messages go where messages go
    data = sys.stdin.buffer.read()
    _limit(_cpu_seconds(len(data)))
    text = data.decode("utf-8")
    try:
        result = _rendered(text, kind)
    except FaultError as fault:
        result = {"fault": str(fault)}
    except MemoryError:
        result = {"fault": "needs more memory than a score may take"}
    with output:
        json.dump(result, output)


def _limit(cpu_seconds: int) -> None:
    """Bound the memory and the time of this process."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, hard)
    with contextlib.suppress(ValueError, OSError):  # some systems have no such limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _rendered(text: str, kind: str) -> dict[str, Any]:
    import verovio

    title, lengths = "", list[float]()
    if kind == "xml":
        text, title, lengths = mend(text)
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({"inputFrom": kind, "breaks": "none", "xmlIdChecksum": True, "transposeToSoundingPitch": True})
    if not toolkit.loadData(text):
        raise FaultError("cannot be read by verovio: it is damaged, or no score")
    midi = toolkit.renderToMIDI()
    events = toolkit.renderToTimemap({"includeMeasures": True})
    continued = set(re.findall(r'<tie\b[^>]*\bendid="#([^"]+)"', toolkit.getMEI()))
    return {
        "midi": midi,
        "title": title,
        "lengths": lengths,
        "measures": [
            [event["qstamp"], *_number_and_id(toolkit, event["measureOn"])] for event in events if "measureOn" in event
        ],
        "stamps": [event["qstamp"] for event in events],
        "ids": list(_begun(toolkit, events, continued)),
    }


def _number_and_id(toolkit: Any, played_id: str) -> tuple[str, str]:
    written_id = toolkit.getNotatedIdForElement(played_id) or played_id
    return toolkit.getElementAttr(written_id).get("n", ""), written_id


def _begun(toolkit: Any, events: list[dict[str, Any]], continued: set[str]) -> Iterator[tuple[float, int, str]]:
    for event in events:
        for played_id in event.get("on", []):
            written_id = toolkit.getNotatedIdForElement(played_id) or played_id
            if written_id not in continued:
                yield event["qstamp"], toolkit.getMIDIValuesForElement(played_id).get("pitch", -1), written_id
