"""Scores, recordings that are played as people play, and the true time of each note: the demo, many times over.

Each piece is composed by chance: a progression of chords, a melody over it, a bass, and parts between them that hold or
break the chords. It is for one of five ensembles, "played" as the demo is (:mod:`musicnet_build.generation.demo`): with
rubato, a ritardando and human asynchrony, faster or slower than written, in a room. What comes out is what an
alignment is given, scores and recordings, and beside them the truth that it is to find.

==================  ====================================================
``scores/``         ``piece-001.mid``, as written
``recordings/``     ``piece-001.flac``, mono, 44.1 kHz
``truth/``          ``piece-001.csv``, labels as MusicNet writes them
``records/``        what each piece was made from
==================  ====================================================
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build.audio.io import write_audio
from musicnet_build.errors import DatasetError
from musicnet_build.files import remove_leftovers
from musicnet_build.generation.demo import perform, stand_in_recording
from musicnet_build.jobs.local import Job, Outcome, run_jobs
from musicnet_build.jobs.resume import Made, code_fingerprint, make_once
from musicnet_build.labels.files import write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, end_at_restrike, sorted_by_onset
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

SLOWEST, FASTEST = 0.85, 1.2
"""How much slower or faster than written a piece is played, overall."""

BAR_BEATS = 4
SCALE = (0, 2, 4, 5, 7, 9, 11)
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 1, 4), (0, 4, 5, 3), (5, 3, 0, 4), (0, 2, 3, 4), (0, 1, 4, 0))
"""Degrees of the scale on which the chords of four bars stand."""

RHYTHMS = ((1, 1, 1, 1), (1, 0.5, 0.5, 2), (1.5, 0.5, 1, 1), (0.5,) * 8, (0.5, 0.5, 1, 0.25, 0.25, 0.5, 1), (2, 1, 1))
"""Lengths in beats of the notes of a bar of melody."""

ACCENTS = {"melody": 88, "broken": 68, "held": 70, "bass": 78}


@dataclass(frozen=True)
class Voice:
    """A part, or one hand of a pianist: program, range, and what it plays."""

    program: int
    lowest: int
    highest: int
    role: str


ENSEMBLES: dict[str, tuple[Voice, ...]] = {
    "piano": (Voice(0, 64, 88, "melody"), Voice(0, 43, 62, "broken"), Voice(0, 28, 42, "bass")),
    "string quartet": (
        Voice(40, 67, 88, "melody"), Voice(40, 60, 76, "held"), Voice(41, 53, 70, "broken"), Voice(42, 36, 55, "bass"),
    ),
    "wind quartet": (
        Voice(73, 67, 90, "melody"), Voice(68, 62, 78, "held"), Voice(71, 53, 70, "broken"), Voice(70, 36, 55, "bass"),
    ),
    "piano trio": (
        Voice(40, 67, 88, "melody"), Voice(42, 40, 57, "held"), Voice(0, 52, 74, "broken"), Voice(0, 28, 45, "bass"),
    ),
    "flute and harpsichord": (
        Voice(73, 67, 90, "melody"), Voice(6, 50, 70, "broken"), Voice(6, 31, 48, "bass"),
    ),
}  # fmt: skip
"""Who plays. Hands of one program are one part."""


@dataclass(frozen=True)
class PerformanceSettings:
    """What is composed.

    Attributes
    ----------
    pieces : int
        They take the ensembles in turn.
    bars : int
        Of each piece; four take about ten seconds.
    seed : int
    """

    pieces: int = 20
    bars: int = 12
    seed: int = 0


def generate_performances(
    folder: str | os.PathLike[str],
    soundfont: Soundfont,
    settings: PerformanceSettings = PerformanceSettings(),
    *,
    workers: int = 1,
    on_done: Callable[[Outcome], object] | None = None,
) -> list[str]:
    """Compose and play pieces, those that are there already excepted.

    Parameters
    ----------
    folder : str or PathLike
        Made where it is missing; the table at the top says what is in it.
    soundfont : Soundfont
        The instruments of the recordings. Align them with another one: nobody's violin is in his recordings.
    settings : PerformanceSettings
    workers : int
        Processes.
    on_done : callable, optional
        Told the outcome of every piece.

    Returns
    -------
    list of str
        Names of the pieces.

    Raises
    ------
    DatasetError
        When a piece cannot be made; those that could be are kept.
    """
    for place in ("scores", "recordings", "truth", "records"):
        remove_leftovers(Path(folder) / place)
    names = [f"piece-{number:03d}" for number in range(1, settings.pieces + 1)]
    font = str(soundfont.path)
    jobs = [
        Job(name, make_piece, {"folder": str(folder), "number": number, "soundfont": font, "settings": settings})
        for number, name in enumerate(names, 1)
    ]
    failed = [each for each in run_jobs(jobs, workers=workers, on_done=on_done) if each.state == "failed"]
    if failed:
        raise DatasetError(f"{failed[0].id}: {failed[0].reason} Run the command again to go on.")
    return names


def make_piece(folder: str, number: int, soundfont: str, settings: PerformanceSettings) -> bool:
    """Write score, recording and truth of a piece unless they are there; return whether they were made now."""
    root, name, font = Path(folder), f"piece-{number:03d}", choose_soundfont(soundfont)
    made_from = {
        "number": number,
        "bars": settings.bars,
        "seed": settings.seed,
        "soundfont": font.sha256(),
        "code": code_fingerprint("generation.performances", "generation.demo", "synthesis", "score", "audio.effects"),
    }

    def make() -> Made:
        random = np.random.default_rng([settings.seed, number])
        ensemble = list(ENSEMBLES)[(number - 1) % len(ENSEMBLES)]
        files = score, recording, truth = f"scores/{name}.mid", f"recordings/{name}.flac", f"truth/{name}.csv"
        write_labels(root / score, compose(random, ENSEMBLES[ensemble], settings.bars))
        slowness = random.uniform(1 / FASTEST, 1 / SLOWEST)
        draw = int(random.integers(2**31))
        played = perform(read_score(root / score).retimed(lambda score_s: slowness * score_s), draw)
        write_audio(root / recording, stand_in_recording(played, font, draw), SAMPLE_RATE, subtype="PCM_16")
        write_labels(root / truth, played.notes)
        return Made(files, {"ensemble": ensemble, "notes": len(played.notes), "slowness": slowness})

    return make_once(root / "records" / f"{name}.json", root, made_from, make)[1]


def compose(random: np.random.Generator, voices: tuple[Voice, ...], bars: int) -> NoteTable:
    """Compose a piece.

    Parameters
    ----------
    random : numpy.random.Generator
    voices : tuple of Voice
    bars : int
        Of four beats.

    Returns
    -------
    NoteTable [shape=(n,)]
        In score seconds; voices of one program are one part, and no note sounds beyond the next of its pitch.
    """
    beat_s = 60.0 / random.uniform(66, 112)
    key = int(random.integers(12))
    degrees = [degree for _ in range(-(-bars // 4)) for degree in PROGRESSIONS[random.integers(len(PROGRESSIONS))]]
    degrees = [*degrees[: bars - 1], 0]
    programs = list(dict.fromkeys(voice.program for voice in voices))
    rows = [
        (onset * beat_s, (onset + 0.95 * length) * beat_s, pitch, ACCENTS[voice.role], voice.program)
        for voice in voices
        for onset, length, pitch in _played(random, voice, key, degrees)
    ]
    notes = empty_notes(len(rows))
    for name, values in zip(
        ("onset_s", "offset_s", "pitch", "velocity", "program"), zip(*rows, strict=True), strict=True
    ):
        notes[name] = values
    notes["part"] = [programs.index(program) for program in notes["program"]]
    return end_at_restrike(sorted_by_onset(notes), gap_s=0.01)


def _played(
    random: np.random.Generator, voice: Voice, key: int, degrees: list[int]
) -> Iterator[tuple[float, float, int]]:
    """Onset and length in beats, and pitch, of the notes of a voice."""
    last = (voice.lowest + voice.highest) // 2
    for bar, degree in enumerate(degrees):
        first = float(BAR_BEATS * bar)
        if bar == len(degrees) - 1:
            yield first, BAR_BEATS, _nearest(_chord(voice, key, degree), last)
            continue
        for onset, length, pitch in _bar(random, voice, key, degree, last):
            last = pitch
            yield first + onset, length, pitch


def _bar(
    random: np.random.Generator, voice: Voice, key: int, degree: int, last: int
) -> Iterator[tuple[float, float, int]]:
    chord = _chord(voice, key, degree)
    if voice.role == "broken":
        start = chord.index(_nearest(chord, last))
        steps = random.permutation(4) if random.random() < 0.5 else np.array([0, 2, 1, 2])
        for eighth in range(8):
            yield eighth / 2, 0.5, chord[min(start, max(len(chord) - 4, 0)) + int(steps[eighth % 4]) % len(chord)]
    elif voice.role == "melody":
        yield from _melody(random, voice, key, chord, last)
    else:
        roots = [pitch for pitch in chord if (pitch - key) % 12 == SCALE[degree]]
        lengths = (2.0, 2.0) if random.random() < 0.6 else (1.0, 1.0, 2.0)
        for onset, length in zip(np.cumsum((0.0, *lengths[:-1])), lengths, strict=True):
            among = roots if voice.role == "bass" and onset == 0 and roots else chord
            yield float(onset), length, _nearest(among, last + int(random.integers(-4, 5)))


def _melody(
    random: np.random.Generator, voice: Voice, key: int, chord: list[int], last: int
) -> Iterator[tuple[float, float, int]]:
    """Steps and small leaps on the scale, from a note of the chord; a note in ten is a rest."""
    scale = [pitch for pitch in range(voice.lowest, voice.highest + 1) if (pitch - key) % 12 in SCALE]
    place, onset = scale.index(_nearest(chord, last)), 0.0
    for length in RHYTHMS[random.integers(len(RHYTHMS))]:
        if random.random() > 0.1:
            yield onset, float(length), scale[place]
        place = int(np.clip(place + random.choice((-3, -2, -1, -1, 1, 1, 2, 3)), 0, len(scale) - 1))
        onset += length


def _chord(voice: Voice, key: int, degree: int) -> list[int]:
    """The pitches of a triad in a voice's range, ascending."""
    tones = {SCALE[(degree + third) % 7] for third in (0, 2, 4)}
    return [pitch for pitch in range(voice.lowest, voice.highest + 1) if (pitch - key) % 12 in tones]


def _nearest(pitches: list[int], wanted: int) -> int:
    return min(pitches, key=lambda pitch: abs(pitch - wanted))
