"""Does a soundfont's preset play what is written? What is silent, dies early or sounds at another pitch is found here.

Presets are not always what their names promise: guitar harmonics sound two octaves above the written note, muted
guitars are over before the note is, and ranges end early. A label made from the score would be wrong there.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio, Float64s, Floats
from musicnet_build.audio.loudness import level_dbfs
from musicnet_build.corpora.timbre_set import Instrument
from musicnet_build.errors import DatasetError
from musicnet_build.features.filterbanks import pitch_to_hz
from musicnet_build.notes import SAMPLE_RATE, empty_notes
from musicnet_build.score.reader import CONTROL_DTYPE, LostNotes, Part, Score, TempoMap
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont

AUDIBLE_DBFS = -60.0
"""A frame whose root mean square lies below this is taken as silent."""

NOTE_S = 0.5
LEAST_FITTING = 0.5
"""A preset that plays less of an instrument's range than this is left out altogether."""

_QUARTERS = 4

LOWEST_PITCH, HIGHEST_PITCH = 28, 108
"""The pitches between which :func:`strongest_pitch` decides; above 96 it may be a semitone off, as it knows periods in
whole samples only."""

# A periodic sound repeats itself an octave below just as well, an octave above not. So the highest pitch counts that is
# nearly as good as the best.
_NEARLY_AS_GOOD = 0.15
_UNLIKE = 0.5


@dataclass(frozen=True)
class UsablePreset:
    """A sound of an instrument: a program of a soundfont, and the pitches that it really plays."""

    soundfont: Soundfont
    program: int
    pitches: frozenset[int]


def usable_presets(
    instrument: Instrument, soundfonts: Sequence[Soundfont], softest: int, warnings: list[str]
) -> list[UsablePreset]:
    """Return the presets of an instrument that play at least half of its range as written.

    Parameters
    ----------
    instrument : Instrument
    soundfonts : sequence of Soundfont
    softest : int
        The least velocity that is to be played; soft notes end first.
    warnings : list of str
        Told, a sentence each, what does not play and what becomes of it.

    Returns
    -------
    list of UsablePreset
        Together they play the whole range.

    Raises
    ------
    DatasetError
        When a pitch of the range is played by none.
    """
    presets = []
    for soundfont, program in itertools.product(soundfonts, instrument.programs):
        heard = sounding_pitches(soundfont, program, instrument.pitches, softest)
        lost = len(instrument.pitches) - len(heard)
        serves = len(heard) >= LEAST_FITTING * len(instrument.pitches)
        if serves:
            presets.append(UsablePreset(soundfont, program, heard))
        if lost:
            warnings.append(_what_is_lost(instrument, soundfont, program, lost, serves))
    unheard = set(instrument.pitches).difference(*(preset.pitches for preset in presets))
    if unheard:
        raise DatasetError(
            f"Nothing plays {len(unheard)} of the {len(instrument.pitches)} notes of the {instrument.name} for a "
            f"quarter note at its pitch (MIDI {min(unheard)} first): narrow its range, add programs or soundfonts, or "
            "turn the check of presets off."
        )
    return presets


def all_presets(instrument: Instrument, soundfonts: Sequence[Soundfont]) -> list[UsablePreset]:
    """Return every preset of an instrument, taken to play its whole range."""
    every = frozenset(instrument.pitches)
    return [UsablePreset(*each, every) for each in itertools.product(soundfonts, instrument.programs)]


def preset_that_plays(pitch: int, presets: Sequence[UsablePreset], first: int) -> UsablePreset:
    """Return the preset with index ``first``, or the next one after it that plays a pitch."""
    turned = (*presets[first:], *presets[:first])
    return next(preset for preset in turned if pitch in preset.pitches)


def sounding_pitches(soundfont: Soundfont, program: int, pitches: Sequence[int], velocity: int) -> frozenset[int]:
    """Return those of the pitches that a preset plays for the whole of a quarter note at 120 beats a minute.

    Each quarter of the note must be heard, and each half must sound at the written pitch: some overdriven guitars
    begin low notes with a quarter of a second of noise.

    Parameters
    ----------
    soundfont : Soundfont
    program : int
        General MIDI program, 0 to 127.
    pitches : sequence of int
        MIDI pitches.
    velocity : int
        How loud they are struck.

    Returns
    -------
    frozenset of int

    Raises
    ------
    SoundfontError
        When the soundfont lacks the program, or nothing is heard at all.
    """
    audio = synthesize(_one_after_another(pitches, program, velocity), soundfont, strict=True).audio
    # Half a second of silence between notes, so that none is heard in the next.
    length, step = round(NOTE_S * SAMPLE_RATE), round(2 * NOTE_S * SAMPLE_RATE)
    audio = np.pad(audio, (0, max(0, len(pitches) * step - len(audio))))
    notes = ((pitch, audio[i * step : i * step + length]) for i, pitch in enumerate(pitches))
    return frozenset(
        pitch
        for pitch, note in notes
        if min(_levels_dbfs(note)) >= AUDIBLE_DBFS
        and all(strongest_pitch(half, SAMPLE_RATE) == pitch for half in np.array_split(note, 2))
    )


def strongest_pitch(audio: Floats, sample_rate: int) -> int:
    """Return the MIDI pitch for which a sound has the strongest evidence: the one at whose period it repeats itself.

    The evidence for a period is one minus the difference of the sound and itself a period later, relative to the
    energy of both (the normalised difference function of YIN: de Cheveigné and Kawahara 2002, section II B). Of the
    local maxima that come near the best, the highest pitch is returned.

    Parameters
    ----------
    audio : ndarray of float [shape=(n,)]
        A single note; at least a tenth of a second.
    sample_rate : int
        In Hz.

    Returns
    -------
    int
        ``LOWEST_PITCH`` to ``HIGHEST_PITCH``.
    """
    evidence = pitch_evidence(audio, sample_rate)
    inner = evidence[1:-1]
    peaks = 1 + np.flatnonzero((inner >= evidence[:-2]) & (inner >= evidence[2:]))
    good = peaks[evidence[peaks] >= evidence.max() - _NEARLY_AS_GOOD]
    return LOWEST_PITCH + int(good.max() if len(good) else evidence.argmax())


def pitch_evidence(audio: Floats, sample_rate: int) -> Float64s:
    """Return how much a sound repeats itself at the period of each pitch, from ``LOWEST_PITCH`` up; 1 is perfectly.

    Parameters
    ----------
    audio : ndarray of float [shape=(n,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float64 [shape=(81,)]
    """
    sound = np.asarray(audio, dtype=np.float64) - np.mean(audio, dtype=np.float64)
    longest = math.ceil(sample_rate / float(pitch_to_hz(LOWEST_PITCH - 0.5))) + 1
    window = len(sound) - longest
    size = 1 << (len(sound) + window).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(sound[:window], size))
    products = np.fft.irfft(spectrum, size)[:longest]
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    later = energy[window : window + longest] - energy[:longest]
    repetition = 2 * products / (later[0] + later + 1e-12)
    # A dull sound is like itself a few samples later: only after it has once been unlike does likeness mean a period.
    repetition[: np.argmax(repetition < _UNLIKE)] = 0.0
    return np.array([repetition[low:high].max() for low, high in _periods(sample_rate)])


def _what_is_lost(instrument: Instrument, soundfont: Soundfont, program: int, lost: int, serves: bool) -> str:
    what = f"program {program} of {soundfont.name} does not play {lost} of {len(instrument.pitches)} notes"
    remedy = "other programs play them" if serves else "it is left out"
    return f"{instrument.name}: {what} for a quarter note at the written pitch; {remedy}."


def _periods(sample_rate: int) -> Iterator[tuple[int, int]]:
    """Yield the whole periods (first, last + 1) within half a semitone of each pitch, or else the nearest one."""
    pitches = np.arange(LOWEST_PITCH, HIGHEST_PITCH + 1)
    shortest = sample_rate / pitch_to_hz(pitches + 0.5)
    longest = sample_rate / pitch_to_hz(pitches - 0.5)
    for low, high, centre in zip(shortest, longest, sample_rate / pitch_to_hz(pitches), strict=True):
        first, last = math.ceil(low), math.floor(high)
        yield (first, last + 1) if first <= last else (round(centre), round(centre) + 1)


def _levels_dbfs(note: Audio) -> list[float]:
    return [level_dbfs(part) for part in np.array_split(note, _QUARTERS)]


def _one_after_another(pitches: Sequence[int], program: int, velocity: int) -> Score:
    notes = empty_notes(len(pitches))
    notes["onset_s"] = 2 * NOTE_S * np.arange(len(pitches))
    notes["offset_s"] = notes["onset_s"] + NOTE_S
    notes["pitch"], notes["velocity"], notes["program"] = pitches, velocity, program
    tempo = TempoMap(np.zeros(1), np.zeros(1), np.full(1, NOTE_S))
    part = Part("preset check", program, is_drum=False)
    controls = np.zeros(0, dtype=CONTROL_DTYPE)
    return Score(notes, controls, (part,), tempo, (), LostNotes(), f"program {program}", ())
