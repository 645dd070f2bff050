"""``read_score``: a file to a ``Score``.

What belongs here: what the events of a Standard MIDI File (type 0 or 1) mean as notes, controls, tempos and time
signatures. What does not: the bytes (:mod:`musicnet_build.score.midi_file`), and any guess about music that the file
does not state.
"""

import bisect
import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from musicnet_build._typing import Records
from musicnet_build.errors import ScoreError
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset
from musicnet_build.score.beats import note_value_name
from musicnet_build.score.channels import Channel, ChannelControl, Channels
from musicnet_build.score.midi_file import (
    TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
    FaultError,
    MidiFile,
    parse_midi,
)
from musicnet_build.score.model import (
    CONTROL_DTYPE,
    MAX_DURATION_S,
    PARAMETER_CONTROLS,
    PITCH_BEND,
    LostNotes,
    Part,
    Score,
    TempoMap,
    TimeSignature,
)
from musicnet_build.score.notation import MAX_NOTATION_BYTES, is_notation, name_programs, read_notation
from musicnet_build.score.notation import SUFFIXES as NOTATION_SUFFIXES
from musicnet_build.score.pairing import Pairing, TickNote, pair_notes
from musicnet_build.score.programs import DRUM_CHANNEL

__all__ = [
    "CONTROL_DTYPE",
    "DRUM_CHANNEL",
    "MAX_DURATION_S",
    "PITCH_BEND",
    "LostNotes",
    "Part",
    "Score",
    "TempoMap",
    "TimeSignature",
    "note_value_name",
    "read_score",
]  # the names that were here in version 0.1.0 stay

SCORE_SUFFIXES = frozenset({".mid", ".midi", ".kar", ".rmi", *NOTATION_SUFFIXES})
"""Endings of the scores that ``read_score`` reads."""

MAX_PARTS = 1024
MAX_CONTROLS = 2**21
MAX_CONTROLS_SIFTED = 2**23
DEFAULT_SECONDS_PER_BEAT = 0.5


def read_score(path: str | os.PathLike[str]) -> Score:
    """Read a score: a Standard MIDI File of type 0 or 1, MusicXML, MEI or Humdrum.

    Repeats, endings, da capo and dal segno of a notation file are played as written: its score is as long as the piece.

    Parameters
    ----------
    path : str or PathLike
        MIDI (``.mid``, ``.rmi``, ``.kar`` or whatever begins like MIDI), or notation (``.musicxml``, ``.xml``,
        ``.mxl``, ``.mei``, ``.krn``), which needs the extra ``musicxml``.

    Returns
    -------
    Score

    Raises
    ------
    ScoreError
        When there is no such file, it is no score of these formats, it is damaged beyond doubt, too large, too long, or
        holds no note; or when it is notation and the extra ``musicxml`` is missing.

    Examples
    --------
    >>> from musicnet_build import read_score
    >>> score = read_score("score.mid")
    >>> len(score.notes), round(score.duration_s, 1)
    (82, 10.3)
    >>> [int(pitch) for pitch in score.notes["pitch"][:3]]
    [62, 66, 69]
    """
    path = Path(path)
    try:
        data, suffix = _beginning_of(path), path.suffix.lower()
        if not is_notation(data, suffix):
            return _score_of(parse_midi(data), path.stem)
        notation = read_notation(data, suffix)
        return notation.complete(_score_of(name_programs(parse_midi(notation.midi)), path.stem))
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read ({error.strerror}).") from error
    except FaultError as fault:
        raise ScoreError(f"{path}: {fault}.") from fault


def _beginning_of(path: Path) -> bytes:
    """The bytes of a file, or more than a score may have."""
    with path.open("rb") as file:
        return file.read(MAX_NOTATION_BYTES + 1)


def _score_of(midi: MidiFile, stem: str) -> Score:
    tempo_map, odd_tempos = _tempo_map(midi)
    signatures, odd_metres = _time_signatures(midi)
    paired, channels = pair_notes(midi.tracks)
    lost = paired.lost
    if not paired.notes:
        raise FaultError("has no notes" if not lost.total else f"has no complete notes ({lost.total} note-ons lost)")
    if len(paired.parts) > MAX_PARTS:
        raise FaultError(f"has {len(paired.parts)} parts; more than {MAX_PARTS} are not supported")
    names = [track.name for track in midi.tracks]
    parts = tuple(Part(names[key.track], key.program, key.is_drum) for key in paired.parts)
    return Score(
        notes=_note_table(paired.notes, parts, tempo_map, midi.ticks_per_beat),
        controls=_control_table(channels.controls, paired, tempo_map, midi.ticks_per_beat),
        parts=parts,
        tempo_map=tempo_map,
        time_signatures=signatures,
        lost=lost,
        name=midi.tracks[0].text(TRACK_NAME) or stem,
        warnings=(*midi.warnings, *odd_tempos, *odd_metres, *_reading_notes(paired), *_channel_notes(paired, channels)),
        guessed=paired.guessed,
    )


def _meta_events(midi: MidiFile, meta_type: int) -> list[tuple[int, bytes]]:
    """All meta events of a type from all tracks as (tick, data), in time order; track order where ticks are equal."""
    events = [(tick, data) for track in midi.tracks for tick, kind, data in track.meta_events if kind == meta_type]
    return sorted(events, key=lambda event: event[0])


def _tempo_map(midi: MidiFile) -> tuple[TempoMap, list[str]]:
    changes = {0: DEFAULT_SECONDS_PER_BEAT}
    possible, impossible = set(), []
    for tick, data in _meta_events(midi, TEMPO):
        if len(data) == 3 and any(data):
            changes[tick] = int.from_bytes(data, "big") / 1e6
            possible.add(tick)
        else:
            impossible.append(tick)
    for tick in impossible:
        if tick not in possible:
            raise FaultError(f"has an impossible tempo at beat {tick / midi.ticks_per_beat:g}")
    beats = np.array(list(changes), dtype=np.float64) / midi.ticks_per_beat
    seconds_per_beat = np.array(list(changes.values()))
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(beats) * seconds_per_beat[:-1])])
    ignored = (
        [f"{len(impossible)} impossible {'tempo' if len(impossible) == 1 else 'tempos'} ignored beside good ones"]
        if impossible
        else []
    )
    return TempoMap(beats, seconds, seconds_per_beat), ignored


def _time_signatures(midi: MidiFile) -> tuple[tuple[TimeSignature, ...], list[str]]:
    found: dict[int, TimeSignature] = {}
    ignored = 0
    for tick, data in _meta_events(midi, TIME_SIGNATURE):
        if len(data) >= 2 and data[0] > 0 and data[1] <= 7:
            found[tick] = TimeSignature(tick / midi.ticks_per_beat, data[0], 2 ** data[1])
        else:
            ignored += 1
    return tuple(found.values()), [f"{ignored} impossible time signatures ignored"] if ignored else []


def _note_table(ticks: list[TickNote], parts: tuple[Part, ...], tempo_map: TempoMap, ticks_per_beat: int) -> NoteTable:
    on, off, pitch, velocity, part = np.array(ticks, dtype=np.int64).T
    notes = empty_notes(len(ticks))
    notes["onset_beats"] = on / ticks_per_beat
    notes["duration_beats"] = (off - on) / ticks_per_beat
    notes["onset_s"] = tempo_map.seconds_at(on / ticks_per_beat)
    notes["offset_s"] = tempo_map.seconds_at(off / ticks_per_beat)
    notes["pitch"], notes["velocity"], notes["part"] = pitch, velocity, part
    notes["program"] = np.array([p.program for p in parts])[part]
    notes["is_drum"] = np.array([p.is_drum for p in parts])[part]
    if notes["offset_s"].max() > MAX_DURATION_S:
        raise FaultError(f"plays for more than {MAX_DURATION_S // 3600} hours, too long for a score")
    return sorted_by_onset(notes)


def _control_table(events: list[ChannelControl], paired: Pairing, tempo_map: TempoMap, ticks_per_beat: int) -> Records:
    """Return the controls of every part: those of its channel, from whatever track, in time order."""
    parts_on: dict[Channel, list[int]] = defaultdict(list)
    for part, key in enumerate(paired.parts):
        parts_on[key.port, key.channel].append(part)
    count = sum(len(parts_on.get(event.channel, ())) for event in events)
    if count <= MAX_CONTROLS:
        played = [(event, part) for event in events for part in parts_on.get(event.channel, ())]
    elif count <= MAX_CONTROLS_SIFTED:
        played = _heard_controls(events, paired, parts_on)
    if count > MAX_CONTROLS_SIFTED or len(played) > MAX_CONTROLS:
        raise FaultError(f"has too many controller changes: {count}, counting those of a channel for each of its parts")
    rows = [(0.0, tick / ticks_per_beat, part, number, value) for (tick, _, number, value), part in played]
    controls = np.array(rows, dtype=CONTROL_DTYPE)
    controls["time_s"] = tempo_map.seconds_at(controls["beats"])
    if len(controls) and controls["time_s"][-1] > MAX_DURATION_S:
        raise FaultError(f"plays for more than {MAX_DURATION_S // 3600} hours, too long for a score")
    return controls


def _heard_controls(
    events: list[ChannelControl], paired: Pairing, parts_on: dict[Channel, list[int]]
) -> list[tuple[ChannelControl, int]]:
    """The controls that can be heard in a part: what is set as it begins, what changes in it, and what comes next.

    Controllers of a channel count for every part on it, and many programs on one channel would make them countless.
    """
    on, off, _, _, part_of = np.array(paired.notes, dtype=np.int64).T
    heard: list[tuple[int, int]] = []
    for channel, parts in parts_on.items():
        own = [i for i, event in enumerate(events) if event.channel == channel]
        ticks = [events[i].tick for i in own]
        for part in parts:
            first = bisect.bisect_left(ticks, int(on[part_of == part].min()))
            last = bisect.bisect_right(ticks, int(off[part_of == part].max()))
            set_before = {events[i].number: i for i in own[:first]}
            parameters = [i for i in own[:first] if events[i].number in PARAMETER_CONTROLS]
            next_after = {events[i].number: i for i in reversed(own[last:])}
            kept = {*set_before.values(), *parameters, *own[first:last], *next_after.values()}
            heard += [(i, part) for i in kept]
    return [(events[i], part) for i, part in sorted(heard)]


def _reading_notes(paired: Pairing) -> list[str]:
    """What a user should know of notes that were lost, cut or guessed, a sentence each."""
    lost, guessed = paired.lost, paired.guessed
    counted = [
        (lost.no_offset, "without a note-off left out"),
        (lost.zero_length, "of no length left out"),
        (lost.doubled, "struck twice at one tick on one track kept once"),
        (lost.out_of_range, "shifted out of the range of MIDI left out"),
        (guessed.held, "without a note-off: held to the end of the track, so the length is a guess"),
        (guessed.cut, "struck again while sounding: the earlier note ends at the new strike"),
        (paired.overlapping, "overlapping the next strike of the pitch: the earlier note ends at the new strike"),
    ]
    return [_counted(count, what) for count, what in counted if count]


def _counted(count: int, what: str) -> str:
    return f"{count} {'note' if count == 1 else 'notes'} {what}"


def _channel_notes(paired: Pairing, channels: Channels) -> list[str]:
    """What a user should know of channels that do not play what General MIDI expects, a sentence each."""
    drums = sorted({key.channel + 1 for key in paired.parts if key.is_drum and key.channel != DRUM_CHANNEL})
    melody = any(not key.is_drum and key.channel == DRUM_CHANNEL for key in paired.parts)
    mistuned = sorted({k.channel + 1 for k in paired.parts if not k.is_drum and channels.mistuned((k.port, k.channel))})
    sentences = [
        (drums, f"drums on {_channel_list(drums)}, as the file's bank selects or rhythm-part messages say"),
        (melody, "melody on channel 10, as the file's bank selects or rhythm-part messages say"),
        (
            paired.shifted,
            _counted(paired.shifted, "shifted in pitch by coarse tuning or a key shift"),
        ),
        (mistuned, f"{_channel_list(mistuned)} tuned by more than a quarter tone, which the pitches leave out"),
    ]
    return [sentence for needed, sentence in sentences if needed]


def _channel_list(channels: list[int]) -> str:
    return f"channel{'s' if len(channels) > 1 else ''} {', '.join(map(str, channels))}"
