"""Note-ons and note-offs to notes.

Each key of each track and channel is replayed on its own, in file order:

- A note ends at its note-off; at the latest where its key is struck again, as on an instrument; and where all notes of
  the channel are switched off (controllers 120 and 123 to 127, a reset), whichever track does that.
- A note-off that finds its key struck again belongs to the older strike, first in, first out, where notes overlap a
  little (legato, lengths over 100 %). Where a short note lies inside a long one of the same pitch, as two voices in one
  track write it, it belongs to the newer strike: the published MusicNet labels read such files so. The two are told
  apart by how much of the newer note the overlap would take, and by how regularly the track overlaps.
- Two strikes of a key at one tick are one note. Notes of no length are left out.
- What its own track never ends is ended by a note-off of another track on the channel, else by the end of its track.

Everything lost or guessed is counted.
"""

import dataclasses
import functools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from musicnet_build.score.channels import Channels, Voice
from musicnet_build.score.midi_file import NOTE_OFF, NOTE_ON, Track
from musicnet_build.score.model import GuessedOffsets, LostNotes

_ALL_OFF = -1
"""In the place of a velocity: every note of the channel ends."""

SHORT_OVERLAP = 1 / 8
"""An overlap that takes less of the newer note is one of legato, in whatever track."""

LEGATO_OVERLAP = 1 / 3
"""In a track of legato, an overlap may take this much; half of its repeated notes, at least, overlap there."""


class PartKey(NamedTuple):
    """What makes a part of its own."""

    track: int
    port: int
    channel: int
    program: int
    is_drum: bool


TickNote = tuple[int, int, int, int, int]
"""On tick, off tick, pitch, velocity, index of the part."""


@dataclasses.dataclass(frozen=True)
class Pairing:
    """The notes of all tracks, and what became of the strikes that are none.

    Attributes
    ----------
    parts : list of PartKey
        In the order of their first notes.
    notes : list of TickNote
    lost : LostNotes
    guessed : GuessedOffsets
    overlapping : int
        Notes struck again while sounding that end at the new strike, where their own note-off follows.
    shifted : int
        Notes whose pitch is not the key that was struck.
    """

    parts: list[PartKey]
    notes: list[TickNote]
    lost: LostNotes
    guessed: GuessedOffsets
    overlapping: int
    shifted: int


class _Stream:
    """What one track does with one key: (tick, velocity), velocity 0 for a note-off, or ``_ALL_OFF``."""

    def __init__(self) -> None:
        self.events: list[tuple[int, int]] = []

    @functools.cached_property
    def spans(self) -> list[tuple[int, int, int]] | None:
        """On tick, off tick and velocity, where strikes and later note-offs alternate; None where they do not."""
        ons, offs = self.events[::2], self.events[1::2]
        if len(ons) != len(offs):
            return None
        spans = [(on, off, velocity) for (on, velocity), (off, ends) in zip(ons, offs, strict=True) if not ends]
        return spans if len(spans) == len(ons) and all(v > 0 and off > on for on, off, v in spans) else None

    def with_later_offs(self) -> Iterator[tuple[int, int, int | None]]:
        """Yield each event and the tick of the first note-off after it, None where there is none."""
        later: list[int | None] = [None]
        for tick, velocity in self.events[:0:-1]:
            later.append(tick if velocity == 0 else later[-1])
        for (tick, velocity), later_off in zip(self.events, reversed(later), strict=True):
            yield tick, velocity, later_off

    def ended_at(self, ends: list[int]) -> "_Stream":
        """The stream with the ticks at which all notes of its channel end; they end what was struck before them."""
        if not ends:
            return self
        ended = _Stream()
        ended.events = sorted(
            [*self.events, *((tick, _ALL_OFF) for tick in ends)], key=lambda event: (event[0], event[1] != _ALL_OFF)
        )
        return ended


def pair_notes(tracks: Sequence[Track]) -> tuple[Pairing, Channels]:
    """Replay the keys of all tracks.

    Parameters
    ----------
    tracks : sequence of Track

    Returns
    -------
    Pairing
    Channels
        What the channels play, for who wants more of them.
    """
    channels = Channels(tracks)
    voices = _streams(tracks)
    legato = {voice: _overlaps_regularly(streams.values()) for voice, streams in voices.items()}
    played = _Parts(channels, order={voice: i for i, voice in enumerate(voices)})
    for (port, channel, pitch), of_tracks in _by_key(voices).items():
        ends = channels.note_ends.get((port, channel), [])
        keys = {
            t: _Key(stream.ended_at(ends), tracks[t].end_tick, legato[t, port, channel])
            for t, stream in of_tracks.items()
        }
        for t, key in _replay(keys).items():
            played.add((t, port, channel), pitch, key)
    return played.pairing(), channels


def _streams(tracks: Sequence[Track]) -> dict[Voice, dict[int, _Stream]]:
    """What every track does with every key, by voice and pitch, in file order."""
    voices: dict[Voice, dict[int, _Stream]] = {}
    for t, track in enumerate(tracks):
        for tick, kind, port, channel, pitch, velocity in track.channel_events:
            if kind in (NOTE_ON, NOTE_OFF):
                voice = (t, port, channel)
                if voice not in voices:
                    voices[voice] = defaultdict(_Stream)
                voices[voice][pitch].events.append((tick, velocity if kind == NOTE_ON else 0))
    return voices


def _by_key(voices: dict[Voice, dict[int, _Stream]]) -> dict[tuple[int, int, int], dict[int, _Stream]]:
    """The same by port, channel and pitch, and by track."""
    keys: dict[tuple[int, int, int], dict[int, _Stream]] = defaultdict(dict)
    for (t, port, channel), streams in voices.items():
        for pitch, stream in streams.items():
            keys[port, channel, pitch][t] = stream
    return keys


def _overlaps_regularly(streams: Collection[_Stream]) -> bool:
    """Whether a track plays legato: most notes that repeat a pitch at once begin a little before it ends."""
    shares = sorted(share for stream in streams if stream.spans is None for share in _overlap_shares(stream))
    if not shares:
        return False
    return len(shares) >= sum(map(_repeats, streams)) / 2 and shares[len(shares) // 2] <= LEGATO_OVERLAP


def _overlap_shares(stream: _Stream) -> Iterator[float]:
    """How much of the newer note each overlap would take, first in, first out."""
    depth, last_on = 0, 0
    for tick, velocity, later_off in stream.with_later_offs():
        if velocity > 0:
            depth, last_on = depth + 1, tick
        else:
            if depth > 1 and tick > last_on and later_off is not None:
                yield (tick - last_on) / (later_off - last_on)
            depth = max(depth - 1, 0)


def _repeats(stream: _Stream) -> int:
    """How many strikes follow the note before them at once: after a rest of half the time between them, at most."""
    repeats, depth, last_on, last_off = 0, 0, 0, None
    for tick, velocity in stream.events:
        if velocity > 0:
            repeats += depth > 0 or (last_off is not None and tick - last_off <= (tick - last_on) / 2)
            depth, last_on = depth + 1, tick
        else:
            depth, last_off = max(depth - 1, 0), tick
    return repeats


def _replay(keys: dict[int, "_Key"]) -> dict[int, "_Key"]:
    """Replay a key track by track; where a track leaves a strike open, with the note-offs of the others."""
    for key in keys.values():
        key.play()
    if len(keys) > 1 and any(key.open for key in keys.values()) and any(key.spare for key in keys.values()):
        keys = {t: key.again() for t, key in keys.items()}
        _play_together(keys)
    return keys


def _play_together(keys: dict[int, "_Key"]) -> None:
    events = [(event[0], t, event) for t, key in keys.items() for event in key.stream.with_later_offs()]
    for tick, t, event in sorted(events, key=lambda row: row[:2]):
        if not keys[t].handle(*event):
            sounding = [(key.down, key) for key in keys.values() if key.down is not None]
            if sounding:
                min(sounding, key=lambda pair: pair[0])[1].handle(tick, 0, None)
    for key in keys.values():
        key.finish()


class _Key:
    """A key as one track plays it.

    Attributes
    ----------
    stream : _Stream
    notes : list of (on tick, off tick, velocity)
    counts : Counter
        By the names of the fields of ``LostNotes`` and ``GuessedOffsets``, and "overlapping".
    down : tuple of (tick, velocity), or None
        The strike that sounds.
    spare : int
        Note-offs that ended nothing.
    """

    def __init__(self, stream: _Stream, end_tick: int, legato: bool) -> None:
        self.stream = stream
        self.notes: list[tuple[int, int, int]] = []
        self.counts: Counter[str] = Counter()
        self.down: tuple[int, int] | None = None
        self.spare = 0
        self._end_tick = end_tick
        self._legato = legato
        self._older: list[tuple[int, str]] = []  # strikes that have ended before their note-off, and why
        self._emptied = -1  # tick of the latest note of no length

    @property
    def open(self) -> int:
        """How many strikes no note-off has ended."""
        return self.counts["held"] + self.counts["no_offset"] + self.counts["cut"]

    def again(self) -> "_Key":
        """The same key before anything is played."""
        return _Key(self.stream, self._end_tick, self._legato)

    def play(self) -> None:
        """Replay the whole stream."""
        if self.stream.spans is not None:
            self.notes = self.stream.spans
            return
        for event in self.stream.with_later_offs():
            self.handle(*event)
        self.finish()

    def handle(self, tick: int, velocity: int, later_off: int | None) -> bool:
        """Replay one event; return False for a note-off that belongs to no strike."""
        if velocity > 0:
            self._press(tick, velocity)
        elif velocity == _ALL_OFF:
            self._all_off(tick)
        elif self._older and self.down and self._ends_older(tick, later_off):
            self._forget_older(overlap=tick > self.down[0])
        elif self.down:
            self._close(tick)
        elif self._older:
            self._older.pop(0)
        else:
            self.spare += 1
            return False
        return True

    def finish(self) -> None:
        """End what is still down with its track."""
        if self.down and self._end_tick > self.down[0]:
            self.counts["held"] += 1
            self._close(self._end_tick)
        elif self.down:
            self.counts["no_offset"] += 1

    def _press(self, tick: int, velocity: int) -> None:
        if self.down and self.down[0] == tick:
            self.counts["doubled"] += 1
            self._older.append((tick, "doubled"))
            return
        if self._emptied == tick:  # how notation programs write two voices in unison: on, off, on
            self.counts["zero_length"] -= 1
            self.counts["doubled"] += 1
            self._emptied = -1
        if self.down:
            self._older.append((self.down[0], "cut"))
            self.counts["cut"] += 1
            self._close(tick)
        self.down = (tick, velocity)

    def _all_off(self, tick: int) -> None:
        if self.down and tick > self.down[0]:
            self._close(tick)
            self._older.clear()

    def _ends_older(self, tick: int, later_off: int | None) -> bool:
        """Whether a note-off is that of the oldest strike that waits for one, not of the strike that sounds."""
        assert self.down
        struck, older = self.down[0], self._older[0][0]
        if older == struck:
            return False
        if later_off is None:
            return tick - struck < SHORT_OVERLAP * (struck - older)
        share = (tick - struck) / (later_off - struck) if later_off > struck else 0.0
        return share < SHORT_OVERLAP or (self._legato and share <= LEGATO_OVERLAP)

    def _forget_older(self, *, overlap: bool) -> None:
        _, reason = self._older.pop(0)
        if reason == "cut":
            self.counts["cut"] -= 1
            self.counts["overlapping"] += overlap

    def _close(self, tick: int) -> None:
        assert self.down
        (on, velocity), self.down = self.down, None
        if tick > on:
            self.notes.append((on, tick, velocity))
        else:
            self._emptied = tick
            self.counts["zero_length"] += 1


class _Parts:
    """Collects notes by what plays them."""

    def __init__(self, channels: Channels, order: dict[Voice, int]) -> None:
        self._channels = channels
        self._order = order
        self._found: dict[PartKey, list[tuple[int, int, int, int]]] = defaultdict(list)
        self._counts: Counter[str] = Counter()

    def add(self, voice: Voice, pitch: int, key: _Key) -> None:
        """Take over what a key has played."""
        self._counts.update(key.counts)
        until, sounding, found = -1, pitch, self._found[PartKey(*voice, 0, False)]
        for on, off, velocity in key.notes:
            if on >= until:
                patch, until = self._channels.patch_at(on, voice)
                sounding, found = pitch + patch.shift, self._found[PartKey(*voice, patch.program, patch.is_drum)]
            if sounding != pitch:
                self._counts["shifted"] += 1
            if 0 <= sounding <= 127:
                found.append((on, off, sounding, velocity))
            else:
                self._counts["out_of_range"] += 1

    def pairing(self) -> Pairing:
        """All that was taken over, the parts in the order of their first notes."""
        found = [key for key, notes in self._found.items() if notes]
        parts = sorted(found, key=lambda key: (min(self._found[key])[0], self._order[key[:3]]))
        counts = self._counts
        return Pairing(
            parts=parts,
            notes=[(*note, part) for part, key in enumerate(parts) for note in self._found[key]],
            lost=LostNotes(**{field.name: counts[field.name] for field in dataclasses.fields(LostNotes)}),
            guessed=GuessedOffsets(**{field.name: counts[field.name] for field in dataclasses.fields(GuessedOffsets)}),
            overlapping=counts["overlapping"],
            shifted=counts["shifted"],
        )
