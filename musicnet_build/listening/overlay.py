"""A recording with a short tone at every labelled onset, so that labels can be judged by ear.

A tone that sounds together with its note is heard as part of it; a tone that is early, late or of the wrong pitch
stands out at once. Arrays in, an array out: reading and writing sound files belongs to ``audio``.
"""

from collections.abc import Collection, Iterator

import numpy as np

from musicnet_build._typing import Audio, Float64s, Int64s
from musicnet_build.errors import AudioError, LabelError
from musicnet_build.features.filterbanks import pitch_to_hz
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

_BLOCK_SAMPLES = 1024


def overlay(
    recording: Audio,
    notes: NoteTable,
    *,
    split: bool = False,
    instruments: Collection[int] | None = None,
    span_s: tuple[float, float] | None = None,
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
    """
    if recording.ndim != 1:
        raise AudioError(f"An overlay needs a recording of one channel, not an array of the shape {recording.shape}.")
    begin, end = _span_samples(span_s, len(recording))
    notes = _audible(notes, instruments)
    tones = _render(notes, _amplitudes(recording, notes), begin, end)
    return _mixed(recording[begin:end], tones, split)


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


def _amplitudes(recording: Audio, notes: NoteTable) -> Float64s:
    """Peak of each note's tone.

    The notes of a chord share the level of one tone (as energies). Low tones get 3 dB an octave more, because the ear
    hears them worse than middle ones, and high tones as much less.
    """
    level = _local_rms(recording, notes["onset_s"])
    chord = np.sqrt(_notes_struck_together(notes["onset_s"]))
    ear = np.clip(np.sqrt(440.0 / pitch_to_hz(notes["pitch"])), 0.5, 3.0)
    amplitudes: Float64s = TONE_GAIN * level * ear / chord
    return amplitudes


def _local_rms(recording: Audio, times_s: Float64s) -> Float64s:
    """RMS of the recording around each time, with a floor; sums over blocks make it cheap for long recordings."""
    energy = np.concatenate([[0.0], np.cumsum(_block_energies(recording))])
    half = round(0.5 * LEVEL_WINDOW_S * SAMPLE_RATE / _BLOCK_SAMPLES)
    block = (np.clip(times_s, 0.0, None) * SAMPLE_RATE / _BLOCK_SAMPLES).astype(np.int64)
    first, last = (np.clip(block + offset, 0, len(energy) - 1) for offset in (-half, half + 1))
    local = (energy[last] - energy[first]) / (np.maximum(last - first, 1) * _BLOCK_SAMPLES)
    whole = energy[-1] / max(len(recording), 1)
    least = max(QUIET_SHARE**2 * whole, QUIET_FLOOR**2)
    level: Float64s = np.sqrt(np.maximum(local, least))
    return level


def _block_energies(recording: Audio) -> Float64s:
    whole = len(recording) // _BLOCK_SAMPLES * _BLOCK_SAMPLES
    blocks = recording[:whole].reshape(-1, _BLOCK_SAMPLES)
    rest = recording[whole:].astype(np.float64)
    return np.append(np.einsum("bs,bs->b", blocks, blocks).astype(np.float64), rest @ rest)


def _notes_struck_together(onsets_s: Float64s) -> Int64s:
    """Number of notes, itself among them, that start within the chord window of each note."""
    ordered = np.sort(onsets_s)
    last = np.searchsorted(ordered, onsets_s + CHORD_WINDOW_S, side="right")
    first = np.searchsorted(ordered, onsets_s - CHORD_WINDOW_S, side="left")
    return (last - first).astype(np.int64)


def _render(notes: NoteTable, amplitudes: Float64s, begin: int, end: int) -> Audio:
    """All tones that sound from sample ``begin`` to sample ``end``."""
    tones = np.zeros(end - begin, dtype=np.float32)
    for start, tone in _tones(notes, amplitudes, begin, end):
        first, last = max(start, 0), min(start + len(tone), len(tones))
        tones[first:last] += tone[first - start : last - start]
    return tones


def _tones(notes: NoteTable, amplitudes: Float64s, begin: int, end: int) -> Iterator[tuple[int, Audio]]:
    """Start (relative to ``begin``) and samples of each tone that touches the span.

    Tones are made pitch by pitch, because making the sine is most of the work; most tones are as long as can be, so
    one envelope serves them all.
    """
    longest = round(LONGEST_TONE_S * SAMPLE_RATE)
    clock_s = np.arange(longest) / SAMPLE_RATE
    full = tone_envelope(longest)
    starts = np.rint(notes["onset_s"] * SAMPLE_RATE).astype(np.int64) - begin
    lengths_s = np.clip(notes["offset_s"] - notes["onset_s"], SHORTEST_TONE_S, LONGEST_TONE_S)
    lengths = np.rint(lengths_s * SAMPLE_RATE).astype(np.int64)
    touching = (starts < end - begin) & (starts + lengths > 0)
    for pitch in np.unique(notes["pitch"][touching]):
        sine = np.sin(2.0 * np.pi * pitch_to_hz(pitch) * clock_s)
        for index in np.flatnonzero(touching & (notes["pitch"] == pitch)):
            length = lengths[index]
            envelope = full if length == longest else tone_envelope(length)
            yield int(starts[index]), (amplitudes[index] * envelope * sine[:length]).astype(np.float32)


def _mixed(recording: Audio, tones: Audio, split: bool) -> Audio:
    mix = np.stack([recording, tones], axis=1) if split else recording + tones
    peak = max(float(mix.max(initial=0.0)), -float(mix.min(initial=0.0)))
    if peak > 1.0:
        mix *= np.float32(PEAK_LIMIT / peak)
    return mix.astype(np.float32, copy=False)
