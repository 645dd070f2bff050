"""Note-ons and note-offs to notes.

Note-ons and note-offs are matched within one track, channel and pitch, in file order. A key that
is struck again while it sounds ends at the new strike, as on an instrument, and the next note-off ends the new note;
two strikes of one key at the same tick are one note. A note without note-off, or of no length, is left out and counted.
Note-offs that end nothing are ignored. The published MusicNet labels agree with this rule, except that they leave out
the note that a new strike cuts short.
"""

from collections import defaultdict

from musicnet_build.score.channels import Programs, Voice
from musicnet_build.score.midi_file import NOTE_OFF, NOTE_ON, Track
from musicnet_build.score.model import LostNotes

PartKey = tuple[int, int, int, int]  # track, port, channel, program
TickNote = tuple[int, int, int, int, int]  # on tick, off tick, pitch, velocity, index of the part


def pair_notes(tracks: list[Track]) -> tuple[list[PartKey], list[TickNote], LostNotes, int]:
    """Match note-ons with note-offs; return the parts, the notes, what was lost, and how many notes were cut short."""
    programs = Programs(tracks)
    found: dict[PartKey, list[tuple[int, int, int, int]]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    for t, track in enumerate(tracks):
        voices: dict[Voice, _Keyboard] = {}
        for tick, kind, port, channel, pitch, velocity in track.channel_events:
            if kind not in (NOTE_ON, NOTE_OFF):
                continue
            voice = (t, port, channel)
            if voice not in voices:
                voices[voice] = _Keyboard()
            if kind == NOTE_ON and velocity > 0:
                voices[voice].press(tick, pitch, velocity)
            else:
                voices[voice].release(tick, pitch)
        for voice, keyboard in voices.items():
            for reason, count in keyboard.counts().items():
                lost[reason] += count
            for note in keyboard.notes:
                found[(*voice, programs.at(note[0], voice))].append(note)
    keys = sorted(found, key=lambda key: min(found[key])[0])
    notes = [(*note, part) for part, key in enumerate(keys) for note in found[key]]
    restruck = lost.pop("restruck", 0)
    return keys, notes, LostNotes(**lost), restruck


class _Keyboard:
    """The keys of one track and channel: which are down, and the notes they have given."""

    def __init__(self) -> None:
        self.notes: list[tuple[int, int, int, int]] = []  # on tick, off tick, pitch, velocity
        self._down: dict[int, tuple[int, int]] = {}  # pitch: on tick, velocity
        self._empty: dict[int, int] = {}  # pitch: tick of its latest note of no length
        self._late_off: dict[int, int] = {}  # pitch: tick of a strike whose predecessor may still get its note-off
        self._lost = {"zero_length": 0, "doubled": 0, "restruck": 0}

    def press(self, tick: int, pitch: int, velocity: int) -> None:
        earlier = self._down.get(pitch)
        if earlier is not None and earlier[0] == tick:
            self._lost["doubled"] += 1
            return
        if self._empty.pop(pitch, None) == tick:  # how notation programs write two voices in unison: on, off, on
            self._lost["zero_length"] -= 1
            self._lost["doubled"] += 1
        if earlier is not None:
            self._close(tick, pitch)
            self._late_off[pitch] = tick
            self._lost["restruck"] += 1
        self._down[pitch] = (tick, velocity)

    def release(self, tick: int, pitch: int) -> None:
        # Some programs write the new strike before the note-off of the old one at the same tick.
        if self._late_off.pop(pitch, None) == tick:
            self._lost["restruck"] -= 1
        elif pitch in self._down:
            self._close(tick, pitch)

    def counts(self) -> dict[str, int]:
        """Notes lost by reason, and notes cut short ("restruck"), once all events are played."""
        return {**self._lost, "no_offset": len(self._down)}

    def _close(self, tick: int, pitch: int) -> None:
        on, velocity = self._down.pop(pitch)
        if tick > on:
            self.notes.append((on, tick, pitch, velocity))
        else:
            self._empty[pitch] = tick
            self._lost["zero_length"] += 1
