"""A score and a soundfont to sound, through FluidSynth, with every event on its own sample position.

FluidSynth's player keeps its own tempo and drifts; here each event's time in seconds becomes a sample count, so an
event is never more than half a FluidSynth block (32 samples, 0.7 ms at 44.1 kHz) off, early or late, however long
the score. Finding soundfonts belongs to :mod:`musicnet_build.synthesis.soundfonts`.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio, Float64s, Int64s, Records
from musicnet_build.errors import ScoreError, SoundfontError
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.programs import PROGRAM_NAMES
from musicnet_build.score.reader import PITCH_BEND, Part, Score
from musicnet_build.synthesis.fluidsynth import (
    BLOCK_SAMPLES,
    FEW_VOICES,
    MAX_CHANNELS,
    MOST_VOICES,
    OutOfVoicesError,
    Synth,
)
from musicnet_build.synthesis.soundfonts import Preset, Soundfont, preset_for

MAX_SCORE_S = 6 * 3600
"""Scores that last longer are refused: six hours are 3.8 GB of sound."""

GAIN = 0.5
"""Quartets and piano pieces peak between 0.2 and 0.5; being floating point, nothing clips beyond 1."""

TAIL_DB = -80.0
"""After the last event the rendering goes on until a tenth of a second stays below this, relative to the peak."""

MAX_TAIL_S = 8.0
"""... or until the last note has been over for this long: then pedals are lifted and notes fade for 2 s more."""

_FADE_S = 2.0
_TAIL_STEP_S = 0.1
_CHUNK_SAMPLES = 256 * BLOCK_SAMPLES
_SUSTAIN, _SOSTENUTO = 64, 66
# Modulation, volume, expression, pedals, (non-)registered parameters with their data entry (the range of the pitch
# bend among them), and reset. Not: bank selects (a part's preset is settled), pan and balance (the channels are mixed
# to one, and FluidSynth's pan would change the level), effects (off), all-sound-off and mono modes (a note lasts from
# its onset to its offset).
_CONTROLS_PLAYED = (1, 6, 7, 11, 38, _SUSTAIN, _SOSTENUTO, 67, 98, 99, 100, 101, 121)

_NOTE_OFF, _CONTROL, _NOTE_ON = 0, 1, 2  # the order in which events of one sample are sent
_EVENT_DTYPE = np.dtype(
    [("sample", np.int64), ("kind", np.int8), ("part", np.int16), ("number", np.int16), ("value", np.int16)]
)


@dataclass(frozen=True, eq=False)
class Synthesis:
    """A rendered score.

    Attributes
    ----------
    audio : float32 [shape=(n,)]
        Mono; sample 0 is second 0 of the score. Ends when the last notes have died away.
    warnings : tuple of str
        One sentence each: presets that stood in for missing ones, messages of FluidSynth.
    """

    audio: Audio
    warnings: tuple[str, ...]


def synthesize(
    score: Score, soundfont: Soundfont, *, sample_rate: int = SAMPLE_RATE, strict: bool = False
) -> Synthesis:
    """Render a score.

    Each part plays on a channel of its own, drums included, so any number of programs up to 256 sound together.
    There is no reverb and no chorus. The same score, soundfont and FluidSynth version give the same bytes.

    Where notes of one part and pitch overlap, a later onset strikes the key again and the key is held until the last
    of them ends, as on a keyboard that two voices share; onsets on the same sample are one stroke, the loudest.

    Parameters
    ----------
    score : Score
        Times before 0, which a retimed score may have, are taken as 0.
    soundfont : Soundfont
    sample_rate : int
        In Hz, 8,000 to 96,000.
    strict : bool
        Refuse a soundfont that lacks a preset of the score, instead of playing the nearest of its family.

    Returns
    -------
    Synthesis

    Raises
    ------
    SoundfontError
        When there is no FluidSynth library, the soundfont cannot be loaded or lacks what it needs, or nothing is
        heard where the score has notes.
    ScoreError
        When the score lasts longer than ``MAX_SCORE_S`` or has more than 256 parts.

    Examples
    --------
    >>> from musicnet_build import choose_soundfont, read_score, synthesize
    >>> rendered = synthesize(read_score("score.mid"), choose_soundfont("TimGM6mb"))
    >>> rendered.audio.dtype, rendered.warnings
    (dtype('float32'), ())
    """
    channels = len(score.parts)
    if channels > MAX_CHANNELS:
        raise ScoreError(f"{score.name} has {channels} parts; no more than {MAX_CHANNELS} can be played together.")
    if len(score.notes) and score.duration_s > MAX_SCORE_S:
        raise ScoreError(f"{score.name} lasts {score.duration_s / 3600:.1f} hours; at most 6 can be synthesized.")
    try:
        played = _played(score, soundfont, sample_rate, strict, FEW_VOICES)
    except OutOfVoicesError:
        played = _played(score, soundfont, sample_rate, strict, MOST_VOICES)
    if len(score.notes) and not played.audio.any():
        raise SoundfontError(
            f"{score.name} is silent when played with {soundfont.name}: the soundfont is damaged, lacks its pitches, "
            "or the score turns its volume to 0."
        )
    return played


def _played(score: Score, soundfont: Soundfont, sample_rate: int, strict: bool, voices: int) -> Synthesis:
    with Synth(max(len(score.parts), 1), sample_rate, GAIN, voices) as synth:
        warnings = _select_presets(synth, score.parts, soundfont, strict)
        keyboard = _Keyboard(synth)
        audio = _render(synth, keyboard, _events(score, sample_rate), len(score.parts), sample_rate)
        warnings += _soundless_notes(keyboard.soundless, score.parts, soundfont)
        warnings += _complaints(synth.messages, soundfont)
    return Synthesis(audio, tuple(warnings))


# Presets


def _select_presets(synth: Synth, parts: tuple[Part, ...], soundfont: Soundfont, strict: bool) -> list[str]:
    """Set up a channel for every part; return a sentence for each preset that is missing."""
    # Before loading: what our reader cannot make out, FluidSynth would hand to a loader that writes to the terminal.
    presets = soundfont.presets()
    number = synth.load(soundfont.path)
    missing: dict[str, None] = {}
    for channel, part in enumerate(parts):
        chosen = _preset(presets, part, soundfont)
        synth.select(channel, number, chosen.bank, chosen.program)
        if chosen.substituted:
            missing[_missing_preset(part, soundfont.name, chosen.program)] = None
    if missing and strict:
        raise SoundfontError(f"{'; '.join(missing)}: choose another soundfont, or allow substitutes.")
    return [f"{sentence}." for sentence in missing]


def _preset(presets: frozenset[tuple[int, int]], part: Part, soundfont: Soundfont) -> Preset:
    try:
        return preset_for(presets, part.program, part.is_drum)
    except SoundfontError as error:
        raise SoundfontError(f"The soundfont {soundfont.path} {error}.") from error


def _missing_preset(part: Part, soundfont_name: str, used: int) -> str:
    substitute = f"kit {used}" if part.is_drum else f"{used} ({PROGRAM_NAMES[used]})"
    return f"{_preset_name(part)} is missing in {soundfont_name}: {substitute} is used"


def _soundless_notes(counts: Counter[int], parts: tuple[Part, ...], soundfont: Soundfont) -> list[str]:
    return [
        f"{count} notes of {_preset_name(parts[part])} lie where {soundfont.name} has no sound for them."
        for part, count in sorted(counts.items())
    ]


def _complaints(messages: tuple[str, ...], soundfont: Soundfont) -> list[str]:
    """Return one sentence for all that FluidSynth says: of a damaged soundfont, it says hundreds of things."""
    if not messages:
        return []
    others = f" (and {len(messages) - 1} more like it)" if len(messages) > 1 else ""
    return [f"FluidSynth complains while playing {soundfont.name}: {messages[0].rstrip('.')}{others}."]


def _preset_name(part: Part) -> str:
    return f"drum kit {part.program}" if part.is_drum else f"program {part.program} ({PROGRAM_NAMES[part.program]})"


# Events


def _events(score: Score, sample_rate: int) -> Records:
    """Return all that is to be sent, in order: by sample; then note-offs, controls, note-ons, the loudest first."""
    notes = score.notes
    on, off = np.zeros((2, len(notes)), dtype=_EVENT_DTYPE)
    for events, kind, times_s in ((on, _NOTE_ON, notes["onset_s"]), (off, _NOTE_OFF, notes["offset_s"])):
        events["sample"] = _samples(times_s, sample_rate)
        events["kind"] = kind
        events["part"], events["number"], events["value"] = notes["part"], notes["pitch"], notes["velocity"]
    # A note too short for a sample must still end after it starts, or it never ends.
    off["sample"] = np.maximum(off["sample"], on["sample"] + 1)
    last = off["sample"].max(initial=0) + round(MAX_TAIL_S * sample_rate)
    events = np.concatenate([off, _control_events(score, sample_rate, last), on])
    loudness = np.where(events["kind"] == _NOTE_ON, -events["value"], 0)
    return events[np.lexsort((loudness, events["kind"], events["sample"]))]


def _control_events(score: Score, sample_rate: int, last_sample: int) -> Records:
    """Return the controls that are played, in their order, none later than ``last_sample``."""
    controls = score.controls[np.isin(score.controls["number"], (*_CONTROLS_PLAYED, PITCH_BEND))]
    events = np.zeros(len(controls), dtype=_EVENT_DTYPE)
    events["sample"] = _samples(controls["time_s"], sample_rate)
    events["kind"] = _CONTROL
    events["part"], events["number"], events["value"] = controls["part"], controls["number"], controls["value"]
    return events[events["sample"] <= last_sample]


def _samples(times_s: Float64s, sample_rate: int) -> Int64s:
    samples: Int64s = np.rint(np.maximum(times_s, 0) * sample_rate).astype(np.int64)
    return samples


def _batches(events: Records) -> Iterator[tuple[int, list[tuple[int, int, int, int, int]]]]:
    """Yield (block, events), all events nearest to the start of one FluidSynth block at a time."""
    blocks = (events["sample"] + BLOCK_SAMPLES // 2) // BLOCK_SAMPLES
    starts = np.flatnonzero(np.diff(blocks, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(events)], strict=True):
        yield int(blocks[start]), events[start:end].tolist()


# Rendering


class _Keyboard:
    """Sends events to a synthesizer; knows which keys are down how many times over, and which notes had no sound."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._held: Counter[tuple[int, int]] = Counter()
        self._struck: dict[tuple[int, int], int] = {}
        self.soundless: Counter[int] = Counter()

    def send(self, sample: int, kind: int, part: int, number: int, value: int) -> None:
        """Send one event, or hold it back where another note needs the key."""
        if kind == _CONTROL:
            self._control(part, number, value)
        elif kind == _NOTE_ON:
            self._held[part, number] += 1
            if self._struck.get((part, number)) != sample and not self._synth.note_on(part, number, value):
                self.soundless[part] += 1
            self._struck[part, number] = sample
        else:
            self._held[part, number] -= 1
            if not self._held[part, number]:
                self._synth.note_off(part, number)

    def _control(self, part: int, number: int, value: int) -> None:
        if number == PITCH_BEND:
            self._synth.pitch_bend(part, value)
        else:
            self._synth.control(part, number, value)


class _Tape:
    """Mono sound that grows by what a synthesizer plays next."""

    def __init__(self, synth: Synth, capacity: int) -> None:
        self._synth = synth
        self._mono = np.empty(capacity, dtype=np.float32)
        self._right = np.empty(_CHUNK_SAMPLES, dtype=np.float32)
        self.position = 0

    def record_until(self, position: int) -> Audio:
        """Render up to a sample count, a multiple of the block; return the new piece."""
        start = self.position
        while self.position < position:
            count = min(_CHUNK_SAMPLES, position - self.position)
            left = self._mono[self.position : self.position + count]
            right = self._right[:count]
            self._synth.render(left, right)
            left += right
            left *= 0.5
            self.position += count
        return self._mono[start : self.position]

    @property
    def audio(self) -> Audio:
        """All that was rendered."""
        return self._mono[: self.position]


def _render(synth: Synth, keyboard: _Keyboard, events: Records, channels: int, sample_rate: int) -> Audio:
    last_off = events["sample"][events["kind"] == _NOTE_OFF].max(initial=0)
    tail_end = _whole_blocks(last_off + MAX_TAIL_S * sample_rate) + BLOCK_SAMPLES
    tape = _Tape(synth, tail_end + _whole_blocks(_FADE_S * sample_rate))
    for block, batch in _batches(events):
        tape.record_until(block * BLOCK_SAMPLES)
        for event in batch:
            keyboard.send(*event)
    if not _fades(tape, tail_end, sample_rate):
        for channel in range(channels):
            synth.control(channel, _SUSTAIN, 0)
            synth.control(channel, _SOSTENUTO, 0)
        _fades(tape, tail_end + _whole_blocks(_FADE_S * sample_rate), sample_rate)
    return tape.audio


def _fades(tape: _Tape, end: int, sample_rate: int) -> bool:
    """Render on, no further than ``end``, until a tenth of a second is quiet; return whether it became so."""
    quiet = _peak(tape.audio) * 10 ** (TAIL_DB / 20)
    step = _whole_blocks(_TAIL_STEP_S * sample_rate)
    while tape.position < end:
        if _peak(tape.record_until(min(tape.position + step, end))) <= quiet:
            return True
    return False


def _peak(audio: Audio) -> float:
    return max(float(audio.max(initial=0)), -float(audio.min(initial=0)))


def _whole_blocks(samples: float) -> int:
    return math.ceil(samples / BLOCK_SAMPLES) * BLOCK_SAMPLES
