"""MusicXML as musicians have it: unpacked, and mended where players understand what verovio does not.

What belongs here: compressed files, measures filed by time instead of by part, repeats without a start, jumps that are
only words. What does not: how notation becomes music (:mod:`musicnet_build.score.notation`).
"""

import copy
import io
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from xml.etree import ElementTree

from musicnet_build.score.midi_file import FaultError

SUFFIXES = (".musicxml", ".xml")
"""Endings of the scores inside compressed files."""

_CONTAINER = "META-INF/container.xml"


def unpack(data: bytes, limit: int) -> bytes:
    """Return the score inside a compressed MusicXML file: the one its container names, else the first in it.

    Parameters
    ----------
    data : bytes
        Of the compressed file.
    limit : int
        How many bytes the score may have.

    Returns
    -------
    bytes

    Raises
    ------
    FaultError
        When the file is damaged, holds no score, or one that is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, _root_file(archive, limit), limit)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise FaultError(f"cannot be unpacked ({error})") from error


def _root_file(archive: zipfile.ZipFile, limit: int) -> str:
    names = archive.namelist()
    container = _member(archive, _CONTAINER, limit) if _CONTAINER in names else b""
    named = re.search(rb"<rootfile\b[^>]*\bfull-path\s*=\s*[\"']([^\"']+)[\"']", container)
    path = named[1].decode("utf-8", "replace") if named else ""
    if path not in names:
        path = next((n for n in names if n.lower().endswith(SUFFIXES) and not n.startswith("META-INF")), "")
    if not path:
        raise FaultError("is a zip file without a score inside")
    return path


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise FaultError(f"unpacks to more than {limit >> 20} MiB, too large for a score")
    return data


def mend(text: str) -> tuple[str, str, list[float]]:
    """Rewrite a score so that verovio plays it as players do.

    Parameters
    ----------
    text : str
        MusicXML by part or by time.

    Returns
    -------
    text : str
        MusicXML by part.
    title : str
        Of the work or movement; empty where there is none.
    lengths_beats : list of float
        Of the measures as written, by the durations of their notes.

    Raises
    ------
    FaultError
        When the text is no well-formed XML.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise FaultError(f"is not well-formed XML ({error})") from None
    if root.tag == "score-timewise":
        root = partwise(root)
    add_repeat_starts(root)
    add_jump_sounds(root)
    add_note_values(root)
    add_tuplets(root)
    title = (root.findtext("work/work-title") or root.findtext("movement-title") or "").strip()
    return ElementTree.tostring(root, encoding="unicode"), title, _lengths_beats(root)


def _lengths_beats(root: ElementTree.Element) -> list[float]:
    lengths: list[float] = []
    for part in root.findall("part"):
        divisions = 1.0
        for i, measure in enumerate(part.findall("measure")):
            divisions = _number(measure.findtext("attributes/divisions"), divisions)
            lengths += [0.0] * (i + 1 - len(lengths))
            lengths[i] = max(lengths[i], _end_divisions(measure) / divisions)
    return lengths


def _end_divisions(measure: ElementTree.Element) -> float:
    position = end = 0.0
    for element in measure:
        if element.tag in ("note", "forward", "backup") and element.find("chord") is None:
            duration = _number(element.findtext("duration"), 0.0)
            position += -duration if element.tag == "backup" else duration
            end = max(end, position)
    return end


def partwise(timewise: ElementTree.Element) -> ElementTree.Element:
    """Return a score that is filed by time, filed by part."""
    root = ElementTree.Element("score-partwise", timewise.attrib)
    root.extend([child for child in timewise if child.tag != "measure"])
    parts: dict[str, ElementTree.Element] = {}
    for measure in timewise.findall("measure"):
        for content in measure.findall("part"):
            part_id = content.get("id", "")
            if part_id not in parts:
                parts[part_id] = ElementTree.SubElement(root, "part", {"id": part_id})
            ElementTree.SubElement(parts[part_id], "measure", measure.attrib).extend(list(content))
    return root


def add_repeat_starts(root: ElementTree.Element) -> None:
    """Let a repeat that has no start begin behind the repeat (and its endings) before it, as players do.

    Parameters
    ----------
    root : Element
        ``score-partwise``, changed in place.
    """
    parts = [part.findall("measure") for part in root.findall("part")]
    length = max((len(part) for part in parts), default=0)
    columns = [[part[i] for part in parts if i < len(part)] for i in range(length)]
    forward, backward = (
        [_any(c, f"barline/repeat[@direction='{d}']") for c in columns] for d in ("forward", "backward")
    )
    in_ending = _in_ending(columns)
    start_known, behind = True, 0
    for i in range(length):
        start_known = start_known or forward[i]
        if backward[i]:
            if not start_known and i >= behind:
                _insert_start(columns[behind])
            behind = i + 1
            while behind < length and in_ending[i] and in_ending[behind]:
                behind += 1
            start_known = False


def _any(column: list[ElementTree.Element], path: str) -> bool:
    return any(measure.find(path) is not None for measure in column)


def _in_ending(columns: list[list[ElementTree.Element]]) -> list[bool]:
    """Whether each measure belongs to an ending (volta)."""
    inside, found = False, []
    for column in columns:
        inside = inside or _any(column, "barline/ending[@type='start']")
        found.append(inside)
        if _any(column, "barline/ending[@type='stop']") or _any(column, "barline/ending[@type='discontinue']"):
            inside = False
    return found


def _insert_start(column: list[ElementTree.Element]) -> None:
    for measure in column:
        barline = ElementTree.Element("barline", {"location": "left"})
        ElementTree.SubElement(barline, "repeat", {"direction": "forward"})
        measure.insert(0, barline)


JUMP_WORDS = (
    (re.compile(r"^\W*(d\.?\s*c\.?(\s|$)|da\s*capo\b)", re.IGNORECASE), "dacapo", "yes"),
    (re.compile(r"^\W*(d\.?\s*s\.?(\s|$)|dal\s*segno\b)", re.IGNORECASE), "dalsegno", "segno"),
    (re.compile(r"^\W*fine\W*$", re.IGNORECASE), "fine", "yes"),
    (re.compile(r"^\W*(to|alla?)\s*coda\b", re.IGNORECASE), "tocoda", "coda"),
)
_JUMP_ATTRIBUTES = ("dacapo", "dalsegno", "fine", "tocoda", "segno", "coda")


def add_jump_sounds(root: ElementTree.Element) -> None:
    """Give jumps that are only words or signs the ``sound`` that makes them jumps.

    Nothing is changed where any ``sound`` of the score jumps: then those that do not are meant to be words.

    Parameters
    ----------
    root : Element
        ``score-partwise``, changed in place.
    """
    if any(sound.get(name) for sound in root.iter("sound") for name in _JUMP_ATTRIBUTES):
        return
    part = root.find("part")
    directions = [] if part is None else list(part.iter("direction"))
    signs_coda = [d for d in directions if d.find("direction-type/coda") is not None]
    for direction in directions:
        words = " ".join(w.text or "" for w in direction.iter("words")).strip()
        found = next(((name, value) for pattern, name, value in JUMP_WORDS if pattern.search(words)), None)
        if found is None and direction.find("direction-type/segno") is not None:
            found = ("segno", "segno")
        elif found is None and direction in signs_coda:
            found = ("tocoda" if len(signs_coda) > 1 and direction is signs_coda[0] else "coda", "coda")
        if found is not None:
            ElementTree.SubElement(direction, "sound", dict([found]))


# ---------------------------------------------------------------------------------------------------------------------
# Note values: verovio goes by them, and not by the durations, which may stand alone

_TYPES = {"breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5}
_TYPES |= {"long": 16.0, "maxima": 32.0, **{f"{4 * 2**n}{'nd' if n == 3 else 'th'}": 2.0**-n for n in range(2, 9)}}
_VALUES = {beats * (2 - 0.5**dots): (name, dots) for name, beats in _TYPES.items() for dots in range(4)}
_TUPLETS = ((3, 2), (5, 4), (6, 4), (7, 4), (7, 8))
_ALIKE = 1e-4


def add_note_values(root: ElementTree.Element) -> None:
    """Give notes the value that their duration has where they have none, or another; tie what no value can be.

    Parameters
    ----------
    root : Element
        ``score-partwise``, changed in place.
    """
    for part in root.findall("part"):
        divisions = 1.0
        for measure in part.findall("measure"):
            for chord in _chords(measure):
                divisions = _number(measure.findtext("attributes/divisions"), divisions)
                duration = _number(chord[0].findtext("duration"), 0.0) / divisions
                if duration > 0 and not _is_whole_rest(chord[0]):
                    stated = _stated_beats(chord[0])
                    if stated is None or abs(stated - duration) * divisions >= 1:
                        _set_values(measure, chord, duration, divisions)


def _chords(measure: ElementTree.Element) -> list[list[ElementTree.Element]]:
    """The notes of a measure, those of a chord together."""
    chords: list[list[ElementTree.Element]] = []
    for note in measure.findall("note"):
        if note.find("chord") is not None and chords:
            chords[-1].append(note)
        else:
            chords.append([note])
    return chords


def _number(text: str | None, otherwise: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return otherwise
    return value if value > 0 else otherwise


def _is_whole_rest(note: ElementTree.Element) -> bool:
    rest = note.find("rest")
    return rest is not None and (rest.get("measure") == "yes" or note.find("type") is None)


def _stated_beats(note: ElementTree.Element) -> float | None:
    """Length of the note value in quarter notes, tuplets considered; None where there is none."""
    value = _TYPES.get((note.findtext("type") or "").strip())
    if value is None:
        return None
    actual = _number(note.findtext("time-modification/actual-notes"), 1.0)
    normal = _number(note.findtext("time-modification/normal-notes"), 1.0)
    return value * (2 - 0.5 ** len(note.findall("dot"))) * normal / actual


def _set_values(
    measure: ElementTree.Element, chord: list[ElementTree.Element], duration: float, divisions: float
) -> None:
    values = _values_of(duration)
    place = list(measure).index(chord[-1]) + 1
    for i, (beats, name, dots, tuplet) in enumerate(values):
        for note in chord:
            piece = note if i == len(values) - 1 else copy.deepcopy(note)
            if i > 0:
                piece.attrib.pop("id", None)  # the note begins with its first piece
            _write_value(piece, name, dots, tuplet)
            ElementTree.SubElement(_without(piece, "duration"), "duration").text = f"{round(beats * divisions)}"
            if len(values) > 1 and note.find("rest") is None:
                _tie(piece, first=i == 0, last=i == len(values) - 1)
            if piece is not note:
                measure.insert(place - len(chord), piece)
                place += 1


def _without(note: ElementTree.Element, *tags: str) -> ElementTree.Element:
    for tag in tags:
        for child in note.findall(tag):
            note.remove(child)
    return note


def _write_value(note: ElementTree.Element, name: str, dots: int, tuplet: tuple[int, int] | None) -> None:
    _without(note, "type", "dot", "time-modification")
    ElementTree.SubElement(note, "type").text = name
    for _ in range(dots):
        ElementTree.SubElement(note, "dot")
    if tuplet:
        modification = ElementTree.SubElement(note, "time-modification")
        ElementTree.SubElement(modification, "actual-notes").text = str(tuplet[0])
        ElementTree.SubElement(modification, "normal-notes").text = str(tuplet[1])


def _tie(note: ElementTree.Element, *, first: bool, last: bool) -> None:
    """Tie a piece of a note to the others; the ties of the whole note stay at its ends."""
    kinds = {tie.get("type") for tie in (*note.findall("tie"), *note.iter("tied"))}
    _without(note, "tie")
    _without(_notations(note), "tied")
    wanted = [("stop", not first or "stop" in kinds), ("start", not last or "start" in kinds)]
    for kind in (kind for kind, is_tied in wanted if is_tied):
        ElementTree.SubElement(note, "tie", {"type": kind})
        ElementTree.SubElement(_notations(note), "tied", {"type": kind})


def _notations(note: ElementTree.Element) -> ElementTree.Element:
    found = note.find("notations")
    return ElementTree.SubElement(note, "notations") if found is None else found


def _values_of(duration: float) -> list[tuple[float, str, int, tuple[int, int] | None]]:
    """A duration as note values: one, one of a tuplet, or several to be tied; nothing where it is none of these."""
    for actual, normal in ((1, 1), *_TUPLETS):
        found = next((v for beats, v in _VALUES.items() if abs(beats - duration * actual / normal) < _ALIKE), None)
        if found:
            return [(duration, *found, None if actual == 1 else (actual, normal))]
    values: list[tuple[float, str, int, tuple[int, int] | None]] = []
    while duration > _ALIKE:
        beats = max((beats for beats in _VALUES if beats <= duration + _ALIKE), default=0.0)
        if not beats or len(values) == 4:
            return []
        values.append((beats, *_VALUES[beats], None))
        duration -= beats
    return values


def add_tuplets(root: ElementTree.Element) -> None:
    """Begin and end the tuplets of voices whose notes are of tuplets without saying where these begin.

    Parameters
    ----------
    root : Element
        ``score-partwise``, changed in place.
    """
    for measure in root.iter("measure"):
        voices: dict[tuple[str, str], list[ElementTree.Element]] = defaultdict(list)
        for note, *_ in _chords(measure):
            if note.find("grace") is None:
                voices[note.findtext("staff") or "", note.findtext("voice") or ""].append(note)
        for notes in voices.values():
            if not any(note.find("notations/tuplet") is not None for note in notes):
                for tuplet in _tuplets(notes):
                    for kind, note in (("start", tuplet[0]), ("stop", tuplet[-1])):
                        ElementTree.SubElement(_notations(note), "tuplet", {"type": kind, "number": "1"})


def _tuplets(notes: list[ElementTree.Element]) -> Iterator[list[ElementTree.Element]]:
    """Notes of a tuplet each: as many of one ratio in a row as fill it with its shortest notes."""
    group: list[ElementTree.Element] = []
    ratio: tuple[str | None, str | None] = (None, None)
    for note in [*notes, ElementTree.Element("note")]:
        own = (note.findtext("time-modification/actual-notes"), note.findtext("time-modification/normal-notes"))
        if group and own != ratio:
            yield group
            group = []
        if own[0] is not None:
            ratio, group = own, [*group, note]
            if _is_full(group):
                yield group
                group = []


def _is_full(group: list[ElementTree.Element]) -> bool:
    lengths = [_stated_beats(note) or 0.0 for note in group]
    actual = _number(group[0].findtext("time-modification/actual-notes"), 1.0)
    whole = actual * min(lengths)
    return sum(lengths) >= whole - _ALIKE and whole > 0
