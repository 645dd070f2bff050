"""A complete example made of nothing but this package: a score, a recording of it, and the true time of each note.

Pachelbel's Canon in D (written before 1700, free for all) is set for violin, flute, clarinet, cello and harpsichord,
"played" with rubato and human asynchrony, and "recorded" in a reverberant room. Because the performance is ours, the
truth is known note by note, and the error of an alignment can be measured on any machine.
"""

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import mido
import numpy as np
from scipy import ndimage, signal

from musicnet_build._typing import Audio, Float64s, Indices, Int64s
from musicnet_build.audio import effects
from musicnet_build.audio.io import write_audio
from musicnet_build.errors import LabelError
from musicnet_build.files import replacing
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, end_at_restrike, pitch_number, sorted_by_onset
from musicnet_build.score.reader import Score, read_score
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont

QUARTERS_PER_MINUTE = 58
GROUND_BEATS = 8
GROUNDS = 10
TICKS_PER_BEAT = 480
SEED = 1680

LEADING_SILENCE_S = 0.9
RUBATO = 0.13  # largest departure of the local tempo from the written one
RITARDANDO_S = 8.0
ASYNCHRONY_S = 0.008
REVERBERATION_S, REVERBERATION_DB = 1.292, -6.0
NOISE_DBFS = -66.0  # so that no silence is digital

# One letter sets the length of the notes after it: w h q e s t for whole to thirty-second, a dot for half as much more.
LENGTHS_BEATS = {"w": 4.0, "h": 2.0, "q": 1.0, "e.": 0.75, "e": 0.5, "s": 0.25, "t": 0.125}

GROUND = "q D3 A2 B2 F#2 G2 D2 G2 A2"

VARIATIONS = (
    "q F#5 E5 D5 C#5 B4 A4 B4 C#5",
    "q D5 C#5 B4 A4 G4 F#4 G4 E4",
    "e D4 F#4 A4 G4 F#4 D4 F#4 E4 D4 B3 D4 A4 G4 B4 A4 G4",
    "e F#4 D4 E4 C#5 D5 F#5 A5 A4 B4 G4 A4 F#4 D4 D5 e. D5 s C#5",
    "s D5 C#5 D5 D4 C#4 A4 E4 F#4 D4 D5 C#5 B4 C#5 F#5 A5 B5 G5 F#5 E5 G5 F#5 E5 D5 C#5 B4 A4 G4 F#4 E4 G4 F#4 E4",
    "s D4 E4 F#4 G4 A4 E4 A4 G4 F#4 B4 A4 G4 A4 G4 F#4 E4 D4 B3 B4 C#5 D5 C#5 B4 A4 G4 F#4 E4 B4 A4 B4 A4 G4",
    "s A5 t F#5 G5 s A5 t F#5 G5 A5 A4 B4 C#5 D5 E5 F#5 G5 s F#5 t D5 E5 s F#5 t F#4 G4 A4 B4 A4 G4 A4 F#4 G4 A4"
    " s G4 t B4 A4 s G4 t F#4 E4 F#4 E4 D4 E4 F#4 G4 A4 B4 s G4 t B4 A4 s B4 t C#5 D5 A4 B4 C#5 D5 E5 F#5 G5 A5",
    "e F#4 F#5 E5 E4 D4 D5 C#5 C#4 B4 B5 A5 A4 B4 B5 C#6 C#5",
    "q A5 e. A5 s G5 q F#5 e. F#5 s E5 q D5 e. D5 s C#5 q D5 E5",
)

CHORDS = ("D4 F#4 A4", "C#4 E4 A4", "B3 D4 F#4", "A3 C#4 F#4", "B3 D4 G4", "A3 D4 F#4", "B3 D4 G4", "C#4 E4 A4")


class _WrittenNote(NamedTuple):
    onset_beats: float
    duration_beats: float
    pitch: int


@dataclass(frozen=True)
class _Voice:
    name: str
    program: int
    velocity: int
    notes: tuple[_WrittenNote, ...]


@dataclass(frozen=True)
class DemoFiles:
    """The files of the demo.

    Attributes
    ----------
    score : Path
        The score as a MIDI file.
    recording : Path
        The stand-in recording as a FLAC file.
    truth : Path
        The true labels of the recording as a MusicNet CSV file.
    """

    score: Path
    recording: Path
    truth: Path


def prepare_demo(folder: str | os.PathLike[str], soundfont: Soundfont, *, seed: int = SEED) -> DemoFiles:
    """Write the demo's score, recording and true labels.

    Parameters
    ----------
    folder : str or PathLike
        Where ``score.mid``, ``recording.flac`` and ``truth.csv`` are written; made when missing.
    soundfont : Soundfont
        The instruments of the stand-in recording.
    seed : int
        Chooses the performance; the same seed and soundfont give the same recording.

    Returns
    -------
    DemoFiles

    Examples
    --------
    >>> from musicnet_build import choose_soundfont
    >>> from musicnet_build.generation.demo import prepare_demo
    >>> files = prepare_demo("canon", choose_soundfont("TimGM6mb"))
    >>> files.score.name, files.recording.name, files.truth.name
    ('score.mid', 'recording.flac', 'truth.csv')
    """
    files = DemoFiles(Path(folder) / "score.mid", Path(folder) / "recording.flac", Path(folder) / "truth.csv")
    write_canon(files.score)
    performance = perform(read_score(files.score), seed)
    write_audio(files.recording, stand_in_recording(performance, soundfont, seed), SAMPLE_RATE, subtype="PCM_16")
    write_labels(files.truth, performance.notes)
    return files


def write_canon(path: str | os.PathLike[str]) -> None:
    """Write the canon as a MIDI file, always with the same bytes.

    Parameters
    ----------
    path : str or PathLike
        The file to write.
    """
    with replacing(path) as temporary:
        canon_midi().save(temporary)


def canon_midi() -> Any:
    """Compose the canon: a ground of two bars, and three voices that enter two bars after one another.

    Returns
    -------
    mido.MidiFile
        Type 1, a track for tempo and meter and one for each of the five instruments; about 87 s long.
    """
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    meter = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name="Canon in D", time=0),
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(QUARTERS_PER_MINUTE), time=0),
            mido.MetaMessage("time_signature", numerator=4, denominator=4, time=0),
            mido.MetaMessage("key_signature", key="D", time=0),
        ]
    )
    midi.tracks.append(meter)
    midi.tracks.extend(_track(voice, channel) for channel, voice in enumerate(_voices()))
    return midi


def perform(score: Score, seed: int) -> Score:
    """Play a score as a person might: rubato, a ritardando, notes not quite together, uneven loudness.

    Parameters
    ----------
    score : Score
        The score as written.
    seed : int
        Chooses the performance.

    Returns
    -------
    Score
        The same notes in the same beats, with onsets and offsets where they are played. The first note comes after
        a silence of about 0.9 s.

    Examples
    --------
    >>> from musicnet_build import read_score
    >>> from musicnet_build.generation.demo import perform
    >>> played = perform(read_score("score.mid"), seed=1)
    >>> float(played.notes["onset_s"].min().round(1))
    0.9
    """
    random = np.random.default_rng(seed)
    score_s, played_s = _rubato(score.duration_s, random)
    played = score.retimed(lambda times_s: np.interp(times_s, score_s, played_s))
    return dataclasses.replace(played, notes=_humanized(played.notes, random))


def stand_in_recording(performance: Score, soundfont: Soundfont, seed: int) -> Audio:
    """Render a performance and make it sound like a recording made in a room.

    The instruments are a few cents out of tune with the piano's 440 Hz and with each other; the room adds
    reverberation and noise, the microphone a darker colour. None of it moves an onset: the direct sound comes first,
    at its own time.

    Parameters
    ----------
    performance : Score
        What is played; time 0 is the first sample.
    soundfont : Soundfont
        The instruments.
    seed : int
        Chooses tuning, room and noise.

    Returns
    -------
    ndarray of float32 [shape=(n,)]
        Mono audio at 44,100 Hz with a peak of 0.9.
    """
    random = np.random.default_rng([seed, 1])
    dry = synthesize(performance.detuned(_tuning_cents(len(performance.parts), random)), soundfont).audio
    wet = effects.apply_reverb(dry, effects.impulse_response(REVERBERATION_S, REVERBERATION_DB, random))
    dark = signal.lfilter([1.0, -0.25], [1.0, -0.55], wet)  # a shelf: treble 6 dB below bass, no delay
    dark *= 0.9 / np.max(np.abs(dark))
    recording: Audio = (dark + effects.noise_floor(len(dark), NOISE_DBFS, random)).clip(-1.0, 1.0).astype(np.float32)
    return recording


def onset_errors(truth: NoteTable, labels: NoteTable) -> Float64s:
    """Return how late each label is, for labels of the demo's own score.

    Notes are the same when program, pitch and beat are, which also holds for label files that name no part.

    Parameters
    ----------
    truth : NoteTable [shape=(n,)]
        The true labels.
    labels : NoteTable [shape=(n,)]
        The labels to judge, in any order.

    Returns
    -------
    ndarray of float64 [shape=(n,)]
        Label onset minus true onset in seconds, in the order of ``truth``.

    Raises
    ------
    LabelError
        When the two do not have the same notes.
    """
    true_order, label_order = _canonical_order(truth), _canonical_order(labels)
    if not np.array_equal(_identities(truth)[true_order], _identities(labels)[label_order]):
        raise LabelError(
            f"The {len(labels)} labels are not those of the {len(truth)} notes of the demo: programs, pitches or beats "
            "differ, so label the demo's recording with the demo's own score."
        )
    errors = np.empty(len(truth))
    errors[true_order] = labels["onset_s"][label_order] - truth["onset_s"][true_order]
    return errors


def _voices() -> tuple[_Voice, ...]:
    end = GROUNDS * GROUND_BEATS
    return (
        _Voice("Violin", 40, 84, _canonic_voice(1, "D5")),
        _Voice("Flute", 73, 80, _canonic_voice(2, "A4")),
        _Voice("Clarinet", 71, 78, _canonic_voice(3, "F#4")),
        _Voice("Cello", 42, 82, tuple(_written([GROUND] * GROUNDS + ["w D2"], 0.0))),
        _Voice("Harpsichord", 6, 72, (*_continuo(), *_chord("D3 A3 D4 F#4", end, 4.0))),
    )


def _canonic_voice(entry: int, last: str) -> tuple[_WrittenNote, ...]:
    """All voices play the same variations; each enters one ground after the one before it and ends on its own note."""
    heard = VARIATIONS[: GROUNDS - entry]
    return tuple(_written([*heard, f"w {last}"], float(entry * GROUND_BEATS)))


def _continuo() -> Iterator[_WrittenNote]:
    for beat in range(GROUNDS * GROUND_BEATS):
        yield from _chord(CHORDS[beat % GROUND_BEATS], beat, 1.0)


def _chord(pitches: str, beat: float, duration_beats: float) -> Iterator[_WrittenNote]:
    return (_WrittenNote(float(beat), duration_beats, pitch_number(pitch)) for pitch in pitches.split())


def _written(phrases: list[str], beat: float) -> Iterator[_WrittenNote]:
    """Read phrases of note names and length letters, one after another."""
    length = 1.0
    for word in " ".join(phrases).split():
        if word in LENGTHS_BEATS:
            length = LENGTHS_BEATS[word]
        else:
            yield _WrittenNote(beat, length, pitch_number(word))
            beat += length


def _track(voice: _Voice, channel: int) -> Any:
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=voice.name, time=0),
            mido.Message("program_change", channel=channel, program=voice.program, time=0),
        ]
    )
    now = 0
    for tick, is_on, pitch in _events(voice.notes):
        velocity = voice.velocity if is_on else 0
        track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    return track


def _events(notes: tuple[_WrittenNote, ...]) -> list[tuple[int, bool, int]]:
    """Tick, start or end, and pitch of each event in order; a pitch ends before it is struck again."""
    starts = [(round(note.onset_beats * TICKS_PER_BEAT), True, note.pitch) for note in notes]
    ends = [(round((note.onset_beats + note.duration_beats) * TICKS_PER_BEAT), False, note.pitch) for note in notes]
    return sorted(starts + ends)


def _rubato(duration_s: float, random: np.random.Generator) -> tuple[Float64s, Float64s]:
    """Score times, and when they are played: a smooth random tempo, and a broadening at the end."""
    step_s = 0.05
    score_s = np.arange(0.0, duration_s + 2 * step_s, step_s)
    drift = ndimage.gaussian_filter1d(random.standard_normal(len(score_s)), 2.5 / step_s, mode="reflect")
    slowness = np.exp(RUBATO * drift / np.max(np.abs(drift)))
    broadening = np.clip(1.0 - (duration_s - score_s) / RITARDANDO_S, 0.0, 1.0) ** 2
    slowness *= 1.0 + 0.6 * broadening
    played_s = LEADING_SILENCE_S + np.concatenate([[0.0], np.cumsum(0.5 * (slowness[1:] + slowness[:-1]))]) * step_s
    return score_s, played_s


def _humanized(notes: NoteTable, random: np.random.Generator) -> NoteTable:
    """Move each onset a little, detach the notes a little, vary their loudness."""
    played = notes.copy()
    written_s = notes["offset_s"] - notes["onset_s"]
    shift_s = ASYNCHRONY_S * np.clip(random.standard_normal(len(notes)), -2.5, 2.5)
    played["onset_s"] += shift_s
    played["offset_s"] = played["onset_s"] + np.maximum(0.9 * written_s, 0.03)
    played["velocity"] = np.clip(np.rint(notes["velocity"] + 6.0 * random.standard_normal(len(notes))), 1, 127)
    return sorted_by_onset(end_at_restrike(played, gap_s=0.005))


def _tuning_cents(parts: int, random: np.random.Generator) -> Float64s:
    """All parts a few cents high, each a little differently."""
    return 6.0 + 3.0 * random.standard_normal(parts)


def _identities(notes: NoteTable) -> Int64s:
    """Program, pitch and beat of each note as integers; beats to a ten-thousandth, because label files round them."""
    beats = np.rint(notes["onset_beats"] * 1e4).astype(np.int64)
    return np.stack([notes["program"], notes["pitch"], beats], axis=1).astype(np.int64)


def _canonical_order(notes: NoteTable) -> Indices:
    program, pitch, beat = _identities(notes).T
    return np.lexsort((beat, pitch, program))
