"""A recording with a short tone at every labelled onset, so that labels can be judged by ear.

A tone that sounds together with its note is heard as part of it; a tone that is early, late or of the wrong pitch
stands out at once. Arrays in, an array out: reading and writing sound files belongs to ``audio``.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from musicnet_build._typing import Audio, Float64s, Int64s
from musicnet_build.errors import AudioError, LabelError
from musicnet_build.features.filterbanks import pitch_to_hz
from musicnet_build.listening.stretch import stretched_span
from musicnet_build.notes import SAMPLE_RATE, NoteTable, pitched

LONGEST_TONE_S = 0.25
SHORTEST_TONE_S = 0.06  # a shorter tone has no pitch to the ear
ATTACK_S = 0.003  # short enough to hear the moment, long enough not to click
DECAYS_PER_TONE = 5.0  # time constants in a tone: it has faded by 43 dB when it ends

TONE_GAIN = 2.0  # peak of a tone against the RMS of the music around it: clearly heard, not louder than the music
LEVEL_WINDOW_S = 0.5
QUIET_SHARE = 0.2  # in quiet passages a tone keeps at least the level of a passage 14 dB below the whole recording
QUIET_FLOOR = 0.01  # and in a silent recording this one
CHORD_WINDOW_S = 0.03
PEAK_LIMIT = 0.999  # just below full scale, so that rounding to integers cannot wrap

CLIP_S = 10.0
MIDDLE_CLIPS = 2

BLOCK_SAMPLES = 1024
"""Length of the blocks of ``block_energies``."""


@dataclass(frozen=True, eq=False)
class Tones:
    """The tones of a recording, to be rendered over any part of it.

    Attributes
    ----------
    notes : NoteTable
        The notes that are heard.
    amplitudes : ndarray of float64 [shape=(len(notes),)]
        Peak of each note's tone.
    """

    notes: NoteTable
    amplitudes: Float64s

    def render(self, begin: int, end: int, slowdown: int = 1) -> Audio:
        """Return all tones that sound from sample ``begin`` to sample ``end``.

        Parameters
        ----------
        begin, end : int
            Samples of the output, which is ``slowdown`` times as long as the recording.
        slowdown : int
            Each tone starts on ``slowdown`` times the sample of its onset; the tones themselves stay as they are.

        Returns
        -------
        ndarray of float32 [shape=(end - begin,)]
        """
        tones = np.zeros(end - begin, dtype=np.float32)
        for start, tone in self._touching(begin, end, slowdown):
            first, last = max(start, 0), min(start + len(tone), len(tones))
            tones[first:last] += tone[first - start : last - start]
        return tones

    def _touching(self, begin: int, end: int, slowdown: int) -> Iterator[tuple[int, Audio]]:
        """Start (relative to ``begin``) and samples of each tone that touches the span.

        Tones are made pitch by pitch, because making the sine is most of the work; most tones are as long as can be,
        so one envelope serves them all.
        """
        notes, longest = self.notes, round(LONGEST_TONE_S * SAMPLE_RATE)
        clock_s = np.arange(longest) / SAMPLE_RATE
        full = tone_envelope(longest)
        starts = np.rint(notes["onset_s"] * SAMPLE_RATE).astype(np.int64) * slowdown - begin
        lengths_s = np.clip(notes["offset_s"] - notes["onset_s"], SHORTEST_TONE_S, LONGEST_TONE_S)
        lengths = np.rint(lengths_s * SAMPLE_RATE).astype(np.int64)
        touching = (starts < end - begin) & (starts + lengths > 0)
        for pitch in np.unique(notes["pitch"][touching]):
            sine = np.sin(2.0 * np.pi * pitch_to_hz(pitch) * clock_s)
            for index in np.flatnonzero(touching & (notes["pitch"] == pitch)):
                length = lengths[index]
                envelope = full if length == longest else tone_envelope(length)
                yield int(starts[index]), (self.amplitudes[index] * envelope * sine[:length]).astype(np.float32)


def overlay(
    recording: Audio,
    notes: NoteTable,
    *,
    split: bool = False,
    instruments: Collection[int] | None = None,
    span_s: tuple[float, float] | None = None,
    slowdown: int = 1,
) -> Audio:
    """Add a short decaying sine to the recording at each note's onset and equal-tempered frequency.

    Each tone starts on the sample nearest to its onset, and is as loud as the music around it asks. An excerpt sounds
    exactly as it does within the whole, except that a mix that would clip is turned down as a whole.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44,100 Hz.
    notes : NoteTable
        Labels in recording seconds. Drum notes have no pitch and get no tone.
    split : bool
        Give two channels: the recording on the left, the tones on the right.
    instruments : collection of int, optional
        General MIDI programs (0 to 127) whose notes are heard; all by default.
    span_s : (float, float), optional
        Start and end in seconds of the part of the recording to return; the whole by default.

    slowdown : {1, 2, 4}
        How many times as long everything becomes, at the same pitch; the tones stay as short as they are.

    Returns
    -------
    ndarray of float32 [shape=(samples,) or (samples, 2)]
        No value is beyond ±1.

    Raises
    ------
    AudioError
        When the recording is not one channel, or the span holds no part of it.
    LabelError
        When no note is played by any of the instruments asked for.

    Examples
    --------
    >>> from musicnet_build import read_audio, read_labels
    >>> from musicnet_build.listening.overlay import overlay
    >>> heard = overlay(read_audio("recording.flac"), read_labels("labels.csv"), split=True, span_s=(2.0, 5.0))
    >>> heard.shape
    (132300, 2)
    """
    if recording.ndim != 1:
        raise AudioError(f"An overlay needs a recording of one channel, not an array of the shape {recording.shape}.")
    begin, end = _span_samples(span_s, len(recording))
    tones = prepare_tones(notes, block_energies(recording), len(recording), instruments=instruments)
    begin, end = begin * slowdown, end * slowdown
    heard = stretched_span(lambda first, last: _padded(recording, first, last), begin, end, slowdown)
    return _mixed(heard, tones.render(begin, end, slowdown), split)


def clip_spans(duration_s: float, seed: int) -> list[tuple[float, float]]:
    """Choose what to hear of a recording: its beginning, two passages from the middle, and its end.

    So the authors of MusicNet listened to each of theirs (Thickstun et al. 2017, section 4).

    Parameters
    ----------
    duration_s : float
    seed : int
        Of the choice of passages.

    Returns
    -------
    list of (float, float)
        Start and end in seconds, ``CLIP_S`` apart, in order; all of a recording too short to choose from.
    """
    room_s = duration_s - (MIDDLE_CLIPS + 2) * CLIP_S
    if room_s <= 0:
        return [(0.0, duration_s)]
    # Random gaps before, between and after clips that do not overlap.
    gaps_s = np.sort(np.random.default_rng(seed).uniform(0.0, room_s, MIDDLE_CLIPS))
    middles_s = [float(gap_s) + (place + 1) * CLIP_S for place, gap_s in enumerate(gaps_s)]
    return [(start_s, start_s + CLIP_S) for start_s in (0.0, *middles_s, duration_s - CLIP_S)]


def prepare_tones(
    notes: NoteTable, energies: Float64s, length_samples: int, *, instruments: Collection[int] | None = None
) -> Tones:
    """Find how loud the tone of each note must be, without the recording itself in memory.

    Parameters
    ----------
    notes : NoteTable
        Labels in recording seconds.
    energies : ndarray of float64
        The recording's ``block_energies``.
    length_samples : int
        Length of the recording.
    instruments : collection of int, optional
        General MIDI programs whose notes are heard; all by default.

    Returns
    -------
    Tones

    Raises
    ------
    LabelError
        When no note is played by any of the instruments asked for.
    """
    audible = _audible(notes, instruments)
    return Tones(audible, _amplitudes(audible, energies, length_samples))


def block_energies(recording: Audio) -> Float64s:
    """Return the sum of squares of each block of ``BLOCK_SAMPLES``, and last that of what remains.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]

    Returns
    -------
    ndarray of float64 [shape=(n // BLOCK_SAMPLES + 1,)]
    """
    whole = len(recording) // BLOCK_SAMPLES * BLOCK_SAMPLES
    blocks = recording[:whole].reshape(-1, BLOCK_SAMPLES)
    rest = recording[whole:].astype(np.float64)
    return np.append(np.einsum("bs,bs->b", blocks, blocks).astype(np.float64), rest @ rest)


def tone_envelope(length_samples: int) -> Float64s:
    """Return the envelope of a tone: half a cosine up, an exponential down that reaches zero at the end.

    Parameters
    ----------
    length_samples : int
        Length of the tone in samples.

    Returns
    -------
    ndarray of float64 [shape=(length_samples,)]
        Values from 0 to 1.
    """
    position = np.arange(length_samples) / length_samples
    last = np.exp(-DECAYS_PER_TONE)
    envelope: Float64s = (np.exp(-DECAYS_PER_TONE * position) - last) / (1.0 - last)
    attack = min(round(ATTACK_S * SAMPLE_RATE), length_samples)
    envelope[:attack] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(attack) / attack)
    return envelope


def _padded(recording: Audio, first: int, last: int) -> Audio:
    """Samples from ``first`` to ``last``, zeros where the recording has none."""
    if first >= 0 and last <= len(recording):
        return recording[first:last]
    inside = recording[max(first, 0) : max(last, 0)]
    return np.pad(inside, (max(-first, 0), last - first - len(inside) - max(-first, 0)))


def _span_samples(span_s: tuple[float, float] | None, length: int) -> tuple[int, int]:
    if span_s is None:
        return 0, length
    begin, end = (min(max(round(time_s * SAMPLE_RATE), 0), length) for time_s in span_s)
    if begin >= end:
        raise AudioError(
            f"The span from {span_s[0]:g} s to {span_s[1]:g} s holds no part of the recording, "
            f"which lasts {length / SAMPLE_RATE:.2f} s."
        )
    return begin, end


def _audible(notes: NoteTable, instruments: Collection[int] | None) -> NoteTable:
    audible = pitched(notes)
    if instruments is None:
        return audible
    wanted: NoteTable = audible[np.isin(audible["program"], list(instruments))]
    if len(wanted) == 0:
        there = ", ".join(str(program) for program in np.unique(audible["program"])) or "none"
        asked = ", ".join(str(program) for program in sorted(instruments)) or "none"
        raise LabelError(
            f"No note is played by the General MIDI programs asked for ({asked}); the labels have: {there}. "
            "MusicNet's instrument numbers are one higher."
        )
    return wanted


def _amplitudes(notes: NoteTable, energies: Float64s, length_samples: int) -> Float64s:
    """Peak of each note's tone.

    The notes of a chord share the level of one tone (as energies). Low tones get 3 dB an octave more, because the ear
    hears them worse than middle ones, and high tones as much less.
    """
    level = _local_rms(energies, length_samples, notes["onset_s"])
    chord = np.sqrt(_notes_struck_together(notes["onset_s"]))
    ear = np.clip(np.sqrt(440.0 / pitch_to_hz(notes["pitch"])), 0.5, 3.0)
    amplitudes: Float64s = TONE_GAIN * level * ear / chord
    return amplitudes


def _local_rms(energies: Float64s, length_samples: int, times_s: Float64s) -> Float64s:
    """RMS of the recording around each time, with a floor; sums over blocks make it cheap for long recordings."""
    energy = np.concatenate([[0.0], np.cumsum(energies)])
    half = round(0.5 * LEVEL_WINDOW_S * SAMPLE_RATE / BLOCK_SAMPLES)
    block = (np.clip(times_s, 0.0, None) * SAMPLE_RATE / BLOCK_SAMPLES).astype(np.int64)
    first, last = (np.clip(block + offset, 0, len(energy) - 1) for offset in (-half, half + 1))
    local = (energy[last] - energy[first]) / (np.maximum(last - first, 1) * BLOCK_SAMPLES)
    whole = energy[-1] / max(length_samples, 1)
    least = max(QUIET_SHARE**2 * whole, QUIET_FLOOR**2)
    level: Float64s = np.sqrt(np.maximum(local, least))
    return level


def _notes_struck_together(onsets_s: Float64s) -> Int64s:
    """Number of notes, itself among them, that start within the chord window of each note."""
    ordered = np.sort(onsets_s)
    last = np.searchsorted(ordered, onsets_s + CHORD_WINDOW_S, side="right")
    first = np.searchsorted(ordered, onsets_s - CHORD_WINDOW_S, side="left")
    return (last - first).astype(np.int64)


def _mixed(recording: Audio, tones: Audio, split: bool) -> Audio:
    mix = np.stack([recording, tones], axis=1) if split else recording + tones
    peak = max(float(mix.max(initial=0.0)), -float(mix.min(initial=0.0)))
    if peak > 1.0:
        mix *= np.float32(PEAK_LIMIT / peak)
    return mix.astype(np.float32, copy=False)
