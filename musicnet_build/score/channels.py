"""What each channel plays when: its program, whether it is a drum kit, and by how much its keys are shifted.

What belongs here: program changes, bank selects, registered parameters and system-exclusive messages of all tracks,
laid over each other. What does not: which notes there are (:mod:`musicnet_build.score.pairing`).

Channel 10 plays drums, and the others do not, until something says otherwise: a rhythm-part message (GS, XG), or a bank
select before a program change. Banks 126 and 127 are drums (XG), 120 drums and 121 melody (General MIDI 2), and, once
the file has reset the device to XG, every other bank is melody; a GS device knows no such banks. Messages of GS or XG
tell which device the file is for even where its reset is missing.
"""

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from musicnet_build.score.midi_file import BEND, CONTROL, PROGRAM, Track
from musicnet_build.score.model import BEND_LIMIT, PITCH_BEND
from musicnet_build.score.programs import DRUM_CHANNEL
from musicnet_build.score.sysex import ALL_CHANNELS, Mode, Setting, settings_of

Channel = tuple[int, int]
"""Port and channel."""

Voice = tuple[int, int, int]
"""What strikes and releases keys of its own: track, port, channel."""


class Patch(NamedTuple):
    """What a voice plays with; the keys of melody are shifted by ``shift`` semitones."""

    program: int
    is_drum: bool
    shift: int


class ChannelControl(NamedTuple):
    """A controller change or pitch bend (``number`` is ``PITCH_BEND``) of a channel."""

    tick: int
    channel: Channel
    number: int
    value: int


Value = TypeVar("Value")

_BANK, _DATA_HIGH, _DATA_LOW, _INCREMENT, _DECREMENT = 0, 6, 38, 96, 97
_NRPN_LOW, _NRPN_HIGH, _RPN_LOW, _RPN_HIGH, _RESET_CONTROLLERS = 98, 99, 100, 101, 121
_ALL_NOTES_OFF = (120, 123, 124, 125, 126, 127)  # omni and mono modes end notes, too
_FINE_TUNING, _COARSE_TUNING, _NO_PARAMETER = (0, 1), (0, 2), (127, 127)
_SELECTIONS: dict[int, Callable[[tuple[int, int], int], tuple[int, int]]] = {
    _RPN_HIGH: lambda parameter, value: (value, parameter[1]),
    _RPN_LOW: lambda parameter, value: (parameter[0], value),
    _NRPN_HIGH: lambda parameter, value: _NO_PARAMETER,
    _NRPN_LOW: lambda parameter, value: _NO_PARAMETER,
    _RESET_CONTROLLERS: lambda parameter, value: _NO_PARAMETER,
}
_DATA_ENTRIES = (_DATA_HIGH, _DATA_LOW, _INCREMENT, _DECREMENT)
_CENTRE = 64
_NEVER = 2**62
_QUARTER_TONE_CENTS = 50
_XG_DRUM_BANKS, _GM2_DRUM_BANK, _GM2_MELODY_BANK = (126, 127), 120, 121


class _Steps(Generic[Value]):
    """A value that changes from tick to tick."""

    def __init__(self, first: Value) -> None:
        self._ticks = [0]
        self._values = [first]

    def set(self, tick: int, value: Value) -> None:
        """Let a value hold from a tick on; ticks never go back."""
        if tick == self._ticks[-1]:
            self._values[-1] = value
        else:
            self._ticks.append(tick)
            self._values.append(value)

    @property
    def last(self) -> Value:
        """The value that holds from the last change on."""
        return self._values[-1]

    def at(self, tick: int) -> tuple[int, Value, int]:
        """Return the tick of the latest change, the value that holds since then, and the tick of the next change."""
        i = bisect.bisect_right(self._ticks, tick)
        return self._ticks[i - 1], self._values[i - 1], self._ticks[i] if i < len(self._ticks) else _NEVER


class _Choice(NamedTuple):
    """A program, and whether the bank it was chosen from has drums; None where the bank does not say."""

    program: int
    bank_drums: bool | None


class _ChannelState:
    """What the messages so far have set in one channel."""

    def __init__(self, index: int) -> None:
        self._index = index
        self.choices = _Steps(_Choice(0, None))
        self.part_drums = _Steps(index == DRUM_CHANNEL)
        self.shifts = _Steps(0)
        self.cents = 0
        self.parameter = _NO_PARAMETER
        self.bank: int | None = None
        self._key_shift = self._coarse = 0
        self._fine = BEND_LIMIT

    def reset(self, tick: int, mode: Mode | None) -> None:
        """Back to how a device is switched on."""
        is_drum = self._index == DRUM_CHANNEL
        self.choices.set(tick, _Choice(0, None))
        self.part_drums.set(tick, is_drum)
        self.bank = (_XG_DRUM_BANKS[1] if is_drum else 0) if mode == "xg" else None
        self.parameter = _NO_PARAMETER
        self._key_shift = self._coarse = 0
        self._fine = BEND_LIMIT

    def choose(self, tick: int, program: int, mode: Mode | None) -> _Choice:
        """Change the program, from the bank that was selected."""
        choice = _Choice(program, _drums_of_bank(mode, self.bank))
        self.choices.set(tick, choice)
        return choice

    def set_part(self, tick: int, setting: Setting) -> None:
        """Follow a message that sets this part."""
        if setting.kind == "drums":
            self.part_drums.set(tick, setting.value > 0)
            self.choices.set(tick, _Choice(self.choices.last.program, None))
            if setting.mode == "xg":
                self.bank = _XG_DRUM_BANKS[1] if setting.value else 0
        elif setting.kind == "bank":
            self.bank = setting.value
        elif setting.kind == "program":
            self.choose(tick, setting.value, setting.mode)
        elif setting.kind == "key shift":
            self._key_shift = setting.value

    def enter_data(self, number: int, value: int) -> None:
        """Follow a data entry, increment or decrement of the parameter that is selected."""
        if self.parameter == _COARSE_TUNING:
            step = {_INCREMENT: 1, _DECREMENT: -1}.get(number, 0)
            self._coarse = value - _CENTRE if number == _DATA_HIGH else self._coarse + step
        elif self.parameter == _FINE_TUNING and number == _DATA_HIGH:
            self._fine = value << 7 | self._fine & 0x7F
        elif self.parameter == _FINE_TUNING and number == _DATA_LOW:
            self._fine = self._fine & ~0x7F | value

    @property
    def semitones(self) -> int:
        """By how much the keys of this channel are shifted."""
        return self._key_shift + self._coarse

    @property
    def fine_cents(self) -> float:
        """Fine tuning of this channel."""
        return (self._fine - BEND_LIMIT) * 100 / BEND_LIMIT


class _Port:
    """What the messages so far have set in one device of sixteen channels."""

    def __init__(self) -> None:
        self.mode: Mode | None = None
        self.channels = [_ChannelState(index) for index in range(16)]
        self.key_shift = self.tuning = self.cents = 0

    def follow(self, tick: int, setting: Setting) -> None:
        """Follow a system-exclusive message."""
        self.mode = setting.mode if setting.kind == "reset" else self.mode or setting.mode
        if setting.kind == "reset":
            self.key_shift = self.tuning = self.cents = 0
            for channel in self.channels:
                channel.reset(tick, self.mode)
        elif setting.channel != ALL_CHANNELS:
            self.channels[setting.channel].set_part(tick, setting)
        elif setting.kind == "key shift":
            self.key_shift = setting.value
        elif setting.kind == "tuning":
            self.tuning = setting.value
        elif setting.kind == "cents":
            self.cents = setting.value
        if setting.kind in ("reset", "key shift", "tuning", "cents"):
            self.note_shifts(tick)

    def note_shifts(self, tick: int) -> None:
        """Let the shifts that are set hold from a tick on."""
        for channel in self.channels:
            semitones = channel.semitones + self.key_shift + self.tuning
            if semitones != channel.shifts.last:
                channel.shifts.set(tick, semitones)
            channel.cents = max(channel.cents, round(abs(channel.fine_cents + self.cents)))


class Channels:
    """All channels of a file.

    The channel belongs to all tracks, so what is set in any of them counts from its tick on. Only where several tracks
    change the program of one channel at the same tick does each track keep its own choice: files with more instruments
    than channels are written so.

    Attributes
    ----------
    controls : list of ChannelControl
        All that are to be played, in time order; those that a shift of keys stands for are left out.
    note_ends : dict
        Ticks at which all notes of a channel end, ascending.
    """

    def __init__(self, tracks: Iterable[Track]) -> None:
        self.controls: list[ChannelControl] = []
        self.note_ends: dict[Channel, list[int]] = defaultdict(list)
        self._ports: dict[int, _Port] = defaultdict(_Port)
        self._own: dict[tuple[int, int], dict[Voice, _Choice]] = defaultdict(dict)  # by port and tick
        for tick, track, event in _in_time_order(tracks):
            if isinstance(event, _Message):
                self._follow(tick, event)
            else:
                self._play(tick, track, event)

    def patch_at(self, tick: int, voice: Voice) -> tuple[Patch, int]:
        """Return what a voice plays with at a tick, and the tick up to which it does."""
        _, port, index = voice
        channel = self._ports[port].channels[index]
        changed, choice, next_choice = channel.choices.at(tick)
        _, part_drums, next_part = channel.part_drums.at(tick)
        _, shift, next_shift = channel.shifts.at(tick)
        choice = self._own.get((port, changed), {}).get(voice, choice)
        is_drum = part_drums if choice.bank_drums is None else choice.bank_drums
        patch = Patch(choice.program, is_drum, 0 if is_drum else shift)
        return patch, min(next_choice, next_part, next_shift)

    def mistuned(self, channel: Channel) -> bool:
        """Whether a channel is ever tuned by more than a quarter tone without its keys being shifted."""
        return self._ports[channel[0]].channels[channel[1]].cents > _QUARTER_TONE_CENTS

    def _follow(self, tick: int, message: "_Message") -> None:
        for setting in message.settings:
            self._ports[message.port].follow(tick, setting)
            if setting.kind == "reset":
                self._own.pop((message.port, tick), None)
                for index in range(16):
                    self.note_ends[message.port, index].append(tick)

    def _play(self, tick: int, track: int, event: tuple[int, int, int, int, int]) -> None:
        kind, port_number, index, first, second = event
        port = self._ports[port_number]
        channel = port.channels[index]
        if kind == PROGRAM:
            self._own[port_number, tick][track, port_number, index] = channel.choose(tick, first, port.mode)
        elif kind == BEND:
            bend = (second << 7 | first) - BEND_LIMIT
            self.controls.append(ChannelControl(tick, (port_number, index), PITCH_BEND, bend))
        elif not self._shifts_keys(tick, port, channel, first, second):
            self.controls.append(ChannelControl(tick, (port_number, index), first, second))
            if first in _ALL_NOTES_OFF:
                self.note_ends[port_number, index].append(tick)

    def _shifts_keys(self, tick: int, port: _Port, channel: _ChannelState, number: int, value: int) -> bool:
        """Follow a controller; return whether a shift of keys stands for it."""
        if number == _BANK:
            channel.bank = value
        elif number in _SELECTIONS:
            channel.parameter = _SELECTIONS[number](channel.parameter, value)
        elif number in _DATA_ENTRIES and channel.parameter in (_COARSE_TUNING, _FINE_TUNING):
            channel.enter_data(number, value)
            port.note_shifts(tick)
            return channel.parameter == _COARSE_TUNING
        return False


def _drums_of_bank(mode: Mode | None, bank: int | None) -> bool | None:
    if mode == "gs" or bank is None:
        return None
    if bank == _GM2_DRUM_BANK or bank in _XG_DRUM_BANKS:
        return True
    return False if bank == _GM2_MELODY_BANK or mode == "xg" else None


class _Message(NamedTuple):
    """A system-exclusive message to a port."""

    port: int
    settings: list[Setting]


def _in_time_order(tracks: Iterable[Track]) -> Iterator[tuple[int, int, "_Message | tuple[int, int, int, int, int]"]]:
    """Yield (tick, track, event) of everything but notes.

    Tracks follow each other where ticks are equal; but what a track sends up to a reset comes before all that other
    tracks send at its tick, since programs would not be written only to be wiped out at once.
    """
    rows: list[tuple[tuple[int, int, int, int], _Message | tuple[int, int, int, int, int]]] = []
    for t, track in enumerate(tracks):
        messages = [(event, settings_of(event.message)) for event in track.sysex_events]
        resets = {e.tick: e.place for e, settings in messages if any(s.kind == "reset" for s in settings)}
        rows += [
            ((e.tick, int(e.place > resets.get(e.tick, -1)), t, 2 * e.place), _Message(e.port, settings))
            for e, settings in messages
            if settings
        ]
        rows += [
            ((event[0], int(place >= resets.get(event[0], 0)), t, 2 * place + 1), event[1:])
            for place, event in enumerate(track.channel_events)
            if event[1] in (CONTROL, PROGRAM, BEND)
        ]
    rows.sort(key=lambda row: row[0])
    for key, event in rows:
        yield key[0], key[2], event
