"""MusicXML as musicians have it: unpacked, and mended where players understand what verovio does not.

What belongs here: compressed files, measures filed by time instead of by part, repeats without a start, jumps that are
only words. What does not: how notation becomes music (:mod:`musicnet_build.score.notation`).
"""

import io
import re
import zipfile
import zlib
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


def mend(text: str) -> tuple[str, str]:
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
        root = _partwise(root)
    add_repeat_starts(root)
    add_jump_sounds(root)
    title = (root.findtext("work/work-title") or root.findtext("movement-title") or "").strip()
    return ElementTree.tostring(root, encoding="unicode"), title


def _partwise(timewise: ElementTree.Element) -> ElementTree.Element:
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


_JUMP_WORDS = (
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
        found = next(((name, value) for pattern, name, value in _JUMP_WORDS if pattern.search(words)), None)
        if found is None and direction.find("direction-type/segno") is not None:
            found = ("segno", "segno")
        elif found is None and direction in signs_coda:
            found = ("tocoda" if len(signs_coda) > 1 and direction is signs_coda[0] else "coda", "coda")
        if found is not None:
            ElementTree.SubElement(direction, "sound", dict([found]))
