"""A MusicXML score with its measures in the order in which they are played: repeats and jumps written out.

The measures are the engraver's own, with everything in them; what would send the player elsewhere is taken out, and
where a passage follows that does not follow on the page, the key, metre and clefs in force there are stated again.
"""

import copy
from collections.abc import Iterator
from xml.etree import ElementTree

from musicnet_build.errors import ScoreError
from musicnet_build.score.midi_file import FaultError
from musicnet_build.score.model import Measures
from musicnet_build.score.musicxml import JUMP_WORDS, partwise
from musicnet_build.score.notation import notation_text

SUFFIXES = (".musicxml", ".mxl", ".xml")
"""Endings of the scores that can be written out."""

_JUMPS = ("dacapo", "dalsegno", "fine", "tocoda", "segno", "coda", "forward-repeat")
_ATTRIBUTES = (
    "footnote", "level", "divisions", "key", "time", "staves", "part-symbol", "instruments", "clef", "staff-details",
    "transpose", "for-part", "directive", "measure-style",
)  # fmt: skip
"""In the order in which MusicXML wants them."""

_STATED_AGAIN = ("divisions", "key", "time", "staves", "clef", "transpose")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)

State = dict[tuple[str, str], ElementTree.Element]
"""Attributes in force, by tag and number of the staff."""


def score_as_played(data: bytes, measures: Measures, known: int) -> str:
    """Return a score as MusicXML without repeats, each measure as often and where it is played.

    Parameters
    ----------
    data : bytes
        Of the score, MusicXML, perhaps compressed.
    measures : Measures
        In the order played; whole measures.
    known : int
        How many measures of the file its repeats and jumps ever reach.

    Returns
    -------
    str

    Raises
    ------
    ScoreError
        When the file is no MusicXML, or its measures are not those that were played.
    """
    root = _parsed(data)
    parts = root.findall("part")
    if root.tag != "score-partwise" or not parts:
        raise ScoreError("the score is no MusicXML, so it cannot be written out as MusicXML.")
    count = max(len(part.findall("measure")) for part in parts)
    if known != count:
        raise ScoreError("some measures of the score are never played, so which ones are played is not sure.")
    for part in parts:
        _write_out(part, measures.written.tolist(), measures.numbers)
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _parsed(data: bytes) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(notation_text(data))
    except FaultError as fault:
        raise ScoreError(f"the score {fault}.") from fault
    except ElementTree.ParseError as error:
        raise ScoreError(f"the score is not well-formed XML ({error}).") from error
    return partwise(root) if root.tag == "score-timewise" else root


def _write_out(part: ElementTree.Element, written: list[int], numbers: tuple[str, ...]) -> None:
    source = part.findall("measure")
    before = _states(source)
    for measure in source:
        part.remove(measure)
    times: dict[int, int] = {}
    previous = -1
    for place, number in zip(written, numbers, strict=True):
        if place >= len(source):
            continue  # a part that ends earlier than the others
        times[place] = times.get(place, 0) + 1
        measure = _played_measure(source[place], number, times[place])
        if place != previous + 1:
            _state_again(measure, before[place])
            _end_ties(part, measure)
        part.append(measure)
        previous = place


def _states(measures: list[ElementTree.Element]) -> list[State]:
    """What is in force before each measure."""
    states: list[State] = []
    state: State = {}
    for measure in measures:
        states.append(dict(state))
        for element in measure.findall("attributes/*"):
            if element.tag in _STATED_AGAIN:
                state[element.tag, element.get("number", "")] = element
    return states


def _state_again(measure: ElementTree.Element, state: State) -> None:
    """Attributes at the head of a measure, those that it states itself left out."""
    head = measure.find("attributes")
    at_head = head is not None and all(e.tag in ("print", "attributes", "barline") for e in _until(measure, head))
    stated = {(e.tag, e.get("number", "")) for e in head} if head is not None and at_head else set()
    wanted = [e for tag in _STATED_AGAIN for (t, n), e in state.items() if t == tag and (t, n) not in stated]
    if not wanted:
        return
    merged = [copy.deepcopy(element) for element in (*wanted, *(head if head is not None and at_head else ()))]
    merged.sort(key=lambda e: _ATTRIBUTES.index(e.tag) if e.tag in _ATTRIBUTES else len(_ATTRIBUTES))
    attributes = ElementTree.Element("attributes")
    attributes.extend(merged)
    if head is not None and at_head:
        measure.remove(head)
    measure.insert(0, attributes)


def _until(measure: ElementTree.Element, last: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for element in measure:
        yield element
        if element is last:
            return


def _played_measure(source: ElementTree.Element, number: str, time: int) -> ElementTree.Element:
    """A copy without repeats and jumps, whose ids tell which time it is played."""
    measure = copy.deepcopy(source)
    measure.set("number", number)
    for barline in measure.findall("barline"):
        for tag in ("repeat", "ending", "segno", "coda"):
            for element in barline.findall(tag):
                barline.remove(element)
        if barline.findtext("bar-style") in ("light-heavy", "heavy-light", "heavy-heavy"):
            measure.remove(barline)
    for sound in measure.iter("sound"):
        for jump in _JUMPS:
            sound.attrib.pop(jump, None)
    for direction in measure.findall("direction"):
        if _says_jump(direction):
            measure.remove(direction)
    for element in measure.iter():
        if time > 1 and "id" in element.attrib:
            element.set("id", f"{element.attrib['id']}-{time}")
    return measure


def _says_jump(direction: ElementTree.Element) -> bool:
    """Whether a direction sends the player elsewhere, in words or by the sign of a segno or a coda."""
    words = " ".join(word.text or "" for word in direction.iter("words")).strip()
    signs = (direction.find(f"direction-type/{sign}") for sign in ("segno", "coda"))
    return any(pattern.search(words) for pattern, _, _ in JUMP_WORDS) or any(sign is not None for sign in signs)


def _end_ties(part: ElementTree.Element, measure: ElementTree.Element) -> None:
    """Nothing is tied across a jump."""
    for last in part.findall("measure")[-1:]:
        for note in last.findall("note"):
            if _leads_out(last, note):
                _untie(note, "start")
    for note in measure.findall("note"):
        if _leads_in(measure, note):
            _untie(note, "stop")


def _tied(note: ElementTree.Element, kind: str) -> bool:
    return any(tie.get("type") == kind for tie in note.findall("tie"))


def _pitch(note: ElementTree.Element) -> tuple[str | None, ...]:
    return tuple(note.findtext(f"pitch/{tag}") for tag in ("step", "alter", "octave"))


def _leads_out(measure: ElementTree.Element, note: ElementTree.Element) -> bool:
    """Whether a tie leads from a note out of its measure: no later note of the pitch continues it."""
    notes = measure.findall("note")
    later = notes[notes.index(note) + 1 :]
    return _tied(note, "start") and not any(_pitch(n) == _pitch(note) and _tied(n, "stop") for n in later)


def _leads_in(measure: ElementTree.Element, note: ElementTree.Element) -> bool:
    """Whether a tie leads to a note from the measure before: no earlier note of the pitch begins it."""
    notes = measure.findall("note")
    earlier = notes[: notes.index(note)]
    return _tied(note, "stop") and not any(_pitch(n) == _pitch(note) and _tied(n, "start") for n in earlier)


def _untie(note: ElementTree.Element, kind: str) -> None:
    for tie in note.findall("tie"):
        if tie.get("type") == kind:
            note.remove(tie)
    for notations in note.findall("notations"):
        for tied in notations.findall("tied"):
            if tied.get("type") == kind:
                notations.remove(tied)
