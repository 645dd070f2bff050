"""What is played in a generated MAPS-style corpus: notes and pedal of every sound, before any sound is made.

All times lie on FluidSynth's grid of 64 samples (1.45 ms), so labels are exact to the sample: what the label says is
when the synthesizer was told to play.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicnet_build._typing import Float64s, Records
from musicnet_build.corpora import maps
from musicnet_build.errors import DatasetError
from musicnet_build.files import replacing
from musicnet_build.generation.demo import GROUND_BEATS, canon_midi
from musicnet_build.generation.maps_recipe import Bank, Isolated, Pedal, RandomChords, Recipe, UsualChords
from musicnet_build.labels.pianoroll import PIANO, SUSTAIN_PEDAL, on_one_keyboard, sustained
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, pitched, sorted_by_onset
from musicnet_build.score.reader import CONTROL_DTYPE, LostNotes, Part, Score, TempoMap, read_score
from musicnet_build.synthesis.fluidsynth import BLOCK_SAMPLES

NOTE_S, STACCATO_S = 2.0, 0.1
LONGEST_S, SHORTEST_LONG_S = 20.0, 3.0
"""Long notes (LG) last 20 s at the lowest pitch of the piano, 3 s at the highest."""

REPEATS, FIRST_REPEAT_S, LAST_REPEAT_S = 20, 0.5, 0.08
TRILL_NOTES, FIRST_TRILL_S, LAST_TRILL_S = 30, 0.4, 0.06
"""Repeated notes and trills get faster, from the first to the last time between onsets."""

HELD = 0.8  # of the time to the next onset
PEDAL_BEFORE_S, PEDAL_AFTER_S = 0.3, 1.0
"""The pedal goes down before the first onset and up after the last key is released."""

DEMO_GROUNDS = (1, 3, 5, 7)  # where the excerpts of the demo score begin

_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
_SEVENTHS = ((0, 4, 7, 11), (0, 4, 7, 10), (0, 3, 7, 10), (0, 3, 7, 11), (0, 3, 6, 10), (0, 3, 6, 9), (0, 4, 8, 11))
_NINTHS = ((0, 4, 7, 11, 14), (0, 4, 7, 10, 14), (0, 3, 7, 10, 14), (0, 4, 7, 10, 13))
_INTERVALS = (*range(1, 13), 14, 15, 16, 19, 24)

Strike = tuple[float, float, int, int]
"""Onset and release in seconds, pitch, velocity."""


@dataclass(frozen=True, eq=False)
class Performance:
    """What the keys and the pedal of one keyboard do.

    Attributes
    ----------
    notes : NoteTable [shape=(n,)]
        Offsets are those of the keys.
    controls : ndarray of CONTROL_DTYPE [shape=(c,)]
        Sustain pedal only.
    """

    notes: NoteTable
    controls: Records

    @property
    def labels(self) -> NoteTable:
        """The notes as they sound: held by the pedal, ended where the same pitch is struck again."""
        return sustained(self.notes, self.controls)


@dataclass(frozen=True)
class PlannedSound:
    """One sound to be made.

    Attributes
    ----------
    stem : str
        Its name.
    compose : callable
        Returns its strikes from a generator of random numbers and the arguments.
    arguments : tuple
    pedal : bool
        Whether the pedal is down.
    """

    stem: str
    compose: Callable[..., Iterable[Strike]]
    arguments: tuple[Any, ...]
    pedal: bool = False


# Plans


def plans(recipe: Recipe, bank: Bank) -> Iterator[PlannedSound]:
    """Yield every sound of one bank but the pieces, in a fixed order."""
    if recipe.isolated is not None:
        yield from _isolated_plans(recipe.isolated, bank.name, recipe.seed)
    if recipe.random_chords is not None:
        yield from _random_plans(recipe.random_chords, bank.name, recipe.seed)
    if recipe.usual_chords is not None:
        yield from _usual_plans(recipe.usual_chords, bank.name, recipe.seed)


def usual_chords() -> tuple[tuple[int, ...], ...]:
    """Return the usual chords of two to five notes in all positions, as distances from the lowest note."""
    pairs = [(0, interval) for interval in _INTERVALS]
    larger = (position for chord in (*_TRIADS, *_SEVENTHS, *_NINTHS) for position in positions(chord))
    return tuple(dict.fromkeys([*pairs, *larger]))


def positions(chord: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield a chord in root position and its inversions: each time the lowest note goes up by an octave."""
    for _ in chord:
        yield tuple(note - chord[0] for note in chord)
        chord = tuple(sorted((*chord[1:], chord[0] + 12)))


def _isolated_plans(part: Isolated, bank: str, seed: int) -> Iterator[PlannedSound]:
    for style, loudness in itertools.product(part.styles, part.loudness):
        velocities = part.loudness[loudness]
        if style.startswith("CH"):
            for spacing_s in part.spacings_s:
                stem = maps.scale_stem(style, spacing_s, loudness, bank)
                yield PlannedSound(stem, scale, (style, spacing_s, part.pitches, velocities))
            continue
        # A trill's upper note must be on the piano too.
        highest = min(part.pitches[1], PIANO[1] - {"TR1": 1, "TR2": 2}.get(style, 0))
        for pitch in range(part.pitches[0], highest + 1, part.pitch_step):
            for pedal in _pedals(part.pedal, seed, f"{bank} {style} {loudness} {pitch}"):
                stem = maps.isolated_stem(style, loudness, pedal, pitch, bank)
                yield PlannedSound(stem, isolated, (style, pitch, velocities), pedal)


def _random_plans(part: RandomChords, bank: str, seed: int) -> Iterator[PlannedSound]:
    for pitches, velocities, polyphony in itertools.product(part.pitches, part.velocities, part.polyphony):
        for number in range(1, part.count + 1):
            key = f"{bank} {pitches} {velocities} {polyphony} {number}"
            for pedal in _pedals(part.pedal, seed, key):
                stem = maps.random_stem(polyphony, pitches, velocities, pedal, number, bank)
                yield PlannedSound(stem, random_chord, (polyphony, pitches, velocities), pedal)


def _usual_plans(part: UsualChords, bank: str, seed: int) -> Iterator[PlannedSound]:
    chords = usual_chords() if part.chords == "all" else part.chords
    for velocities, chord in itertools.product(part.velocities, chords):
        for number in range(1, part.count + 1):
            for pedal in _pedals(part.pedal, seed, f"{bank} {velocities} {chord} {number}"):
                stem = maps.usual_stem(chord, velocities, pedal, number, bank)
                yield PlannedSound(stem, usual_chord, (chord, velocities), pedal)


def _pedals(choice: Pedal, seed: int, key: str) -> tuple[bool, ...]:
    if choice == "drawn":
        return (bool(generator(seed, key).integers(2)),)
    return (False, True) if choice == "both" else (False,)


def generator(seed: int, key: str) -> np.random.Generator:
    """Return the random numbers of one thing by its name, whatever was made before it."""
    digest = hashlib.sha256(f"{seed} {key}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


# Strikes


def isolated(random: np.random.Generator, style: str, pitch: int, velocities: tuple[int, int]) -> list[Strike]:
    """Play one pitch: normally, long, staccato, repeatedly, or in a trill with the note above."""
    if style in ("RE", "TR1", "TR2"):
        upper = pitch + {"RE": 0, "TR1": 1, "TR2": 2}[style]
        sizes = (
            (REPEATS, FIRST_REPEAT_S, LAST_REPEAT_S) if style == "RE" else (TRILL_NOTES, FIRST_TRILL_S, LAST_TRILL_S)
        )
        return _faster_and_faster(random, (pitch, upper), velocities, *sizes)
    lowest, highest = PIANO
    long_s = LONGEST_S + (SHORTEST_LONG_S - LONGEST_S) * (pitch - lowest) / (highest - lowest)
    length_s = {"NO": NOTE_S, "LG": long_s, "ST": STACCATO_S}[style]
    return [(0.0, length_s, pitch, _velocity(random, velocities))]


def scale(
    random: np.random.Generator, style: str, spacing_s: float, pitches: tuple[int, int], velocities: tuple[int, int]
) -> list[Strike]:
    """Play the chromatic scale up (CHa), down (CHd), or up and down (CH)."""
    up = list(range(pitches[0], pitches[1] + 1))
    order = {"CHa": up, "CHd": up[::-1], "CH": [*up, *up[-2::-1]]}[style]
    return [
        (i * spacing_s, (i + HELD) * spacing_s, pitch, _velocity(random, velocities)) for i, pitch in enumerate(order)
    ]


def random_chord(
    random: np.random.Generator, polyphony: int, pitches: tuple[int, int], velocities: tuple[int, int]
) -> list[Strike]:
    """Play different pitches of a range together."""
    chosen = random.choice(np.arange(pitches[0], pitches[1] + 1), polyphony, replace=False)
    return [(0.0, NOTE_S, int(pitch), _velocity(random, velocities)) for pitch in np.sort(chosen)]


def usual_chord(random: np.random.Generator, chord: tuple[int, ...], velocities: tuple[int, int]) -> list[Strike]:
    """Play a chord on a lowest note that is drawn."""
    lowest = int(random.integers(PIANO[0], PIANO[1] - chord[-1] + 1))
    return [(0.0, NOTE_S, lowest + interval, _velocity(random, velocities)) for interval in chord]


def _faster_and_faster(
    random: np.random.Generator,
    pitches: tuple[int, int],
    velocities: tuple[int, int],
    count: int,
    first_s: float,
    last_s: float,
) -> list[Strike]:
    gaps_s = np.geomspace(first_s, last_s, count)
    onsets_s = np.concatenate([[0.0], np.cumsum(gaps_s)[:-1]])
    return [
        (onset_s, onset_s + HELD * gap_s, pitches[i % 2], _velocity(random, velocities))
        for i, (onset_s, gap_s) in enumerate(zip(onsets_s.tolist(), gaps_s.tolist(), strict=True))
    ]


def _velocity(random: np.random.Generator, velocities: tuple[int, int]) -> int:
    return int(random.integers(velocities[0], velocities[1] + 1))


# Performances


def performance_of(plan: PlannedSound, seed: int, lead_in_s: float) -> Performance:
    """Compose a plan."""
    strikes = list(plan.compose(generator(seed, plan.stem), *plan.arguments))
    notes = empty_notes(len(strikes))
    for field, values in zip(("onset_s", "offset_s", "pitch", "velocity"), zip(*strikes, strict=True), strict=True):
        notes[field] = values
    pedal_s = (-PEDAL_BEFORE_S, float(notes["offset_s"].max()) + PEDAL_AFTER_S)
    return _performance(notes, _pedal_events(pedal_s) if plan.pedal else _no_events(), lead_in_s)


def performance_of_score(score: Score, lead_in_s: float) -> Performance:
    """Play a score on one keyboard, its sustain pedal as written; a pedal left down is lifted after the last note."""
    if not len(pitched(score.notes)):
        raise DatasetError(f"{score.name} has no notes that a keyboard could play: leave it out of the pieces.")
    controls = score.controls[score.controls["number"] == SUSTAIN_PEDAL].copy()
    controls["part"] = 0
    if len(controls) and controls["value"][-1] >= 64:
        end_s = max(score.duration_s, float(controls["time_s"][-1])) + PEDAL_AFTER_S
        controls = np.concatenate([controls, _pedal_events((0.0, end_s))[1:]])
    return _performance(score.notes, controls, lead_in_s)


def _performance(notes: NoteTable, controls: Records, lead_in_s: float) -> Performance:
    notes, controls = notes.copy(), controls.copy()
    for values in (notes["onset_s"], notes["offset_s"], controls["time_s"]):
        values[:] = _on_grid(np.maximum(values, -lead_in_s) + lead_in_s)
    notes["offset_s"] = np.maximum(notes["offset_s"], notes["onset_s"] + BLOCK_SAMPLES / SAMPLE_RATE)
    return Performance(on_one_keyboard(notes), controls)


def _on_grid(time_s: Float64s) -> Float64s:
    return np.rint(time_s * (SAMPLE_RATE / BLOCK_SAMPLES)) * BLOCK_SAMPLES / SAMPLE_RATE


def _pedal_events(down_up_s: tuple[float, float]) -> Records:
    events = np.zeros(2, dtype=CONTROL_DTYPE)
    events["time_s"], events["number"], events["value"] = down_up_s, SUSTAIN_PEDAL, (127, 0)
    return events


def _no_events() -> Records:
    return np.zeros(0, dtype=CONTROL_DTYPE)


def score_of(performance: Performance, name: str, program: int) -> Score:
    """Return a performance as a score for the synthesizer."""
    zero, beat = np.zeros(1), np.full(1, 0.5)
    notes = performance.notes.copy()
    notes["program"] = program
    part = Part(name, program, is_drum=False)
    return Score(notes, performance.controls, (part,), TempoMap(zero, zero, beat), (), LostNotes(), name, ())


# MIDI files

TICKS_PER_BEAT, MICROSECONDS_PER_BEAT = 441, 640_000
"""A tick is 64 samples at 44.1 kHz to the microsecond and beyond: 0.64 s / 441."""


def write_performance(path: str | os.PathLike[str], performance: Performance, program: int) -> None:
    """Write keys and pedal as a MIDI file of one track, as MAPS has it (its readers insist), whose times are exact."""
    import mido

    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT)
    tempo = mido.MetaMessage("set_tempo", tempo=MICROSECONDS_PER_BEAT)
    track = mido.MidiTrack([tempo, mido.Message("program_change", program=program)])
    now = 0
    for tick, _, data in sorted(_midi_events(performance)):
        track.append(mido.Message.from_bytes(data, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    file.tracks.append(track)
    with replacing(path) as temporary:
        file.save(temporary)


def _midi_events(performance: Performance) -> Iterator[tuple[int, int, tuple[int, int, int]]]:
    """Yield (tick, rank, bytes): at one tick keys are released, then the pedal moves, then keys are struck."""
    for note in performance.notes:
        yield _tick(note["onset_s"]), 2, (0x90, int(note["pitch"]), int(note["velocity"]))
        yield _tick(note["offset_s"]), 0, (0x80, int(note["pitch"]), 0)
    for control in performance.controls:
        yield _tick(control["time_s"]), 1, (0xB0, SUSTAIN_PEDAL, int(control["value"]))


def _tick(time_s: float) -> int:
    return round(float(time_s) * SAMPLE_RATE / BLOCK_SAMPLES)


# Pieces


def piece_scores(recipe: Recipe) -> dict[str, Path | int]:
    """Return where each piece comes from, by piece id: a MIDI file, or the ground of the demo score it begins at.

    Raises
    ------
    DatasetError
        When a file or folder is missing, or two pieces get the same id.
    """
    found: dict[str, Path | int] = {}
    if recipe.demo_pieces:
        found |= {f"canon_{number}": ground for number, ground in enumerate(DEMO_GROUNDS, start=1)}
    for place in map(Path, recipe.pieces):
        for path in _midi_files(place):
            piece = maps.piece_id(path.stem)
            if piece in found:
                raise DatasetError(f"{path} and {found[piece]} are both piece {piece}: rename one of them.")
            found[piece] = path
    return found


def dealt(pieces: dict[str, Path | int], recipe: Recipe, bank: Bank) -> dict[str, Path | int]:
    """Return the pieces of one bank: its share of them, or as many as the recipe deals to each in turn, or all.

    A share is different pieces in each bank, so that what is tested on one bank was not trained on in another; with
    fewer pieces than banks some must share.
    """
    count = recipe.pieces_per_bank
    order = [sorted(pieces)[i] for i in generator(recipe.seed, "pieces").permutation(len(pieces))]
    place = recipe.banks.index(bank)
    if count is None and pieces:
        own = order[place :: len(recipe.banks)] or [order[place % len(order)]]
        return {piece: pieces[piece] for piece in own}
    if not isinstance(count, int) or count >= len(pieces):
        return pieces
    first = place * count
    return {piece: pieces[piece] for piece in (order[(first + i) % len(order)] for i in range(count))}


def read_piece(source: Path | int) -> Score:
    """Return the score of a piece as :func:`piece_scores` names its source."""
    return demo_excerpt(source) if isinstance(source, int) else read_score(source)


def demo_excerpt(ground: int) -> Score:
    """Return two grounds (about 16 s) of the demo score."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "canon.mid"
        canon_midi().save(path)
        whole = read_score(path)
    first, last = ground * GROUND_BEATS, (ground + 2) * GROUND_BEATS
    notes = whole.notes[(whole.notes["onset_beats"] >= first) & (whole.notes["onset_beats"] < last)].copy()
    start_s = float(notes["onset_s"].min())
    notes["onset_s"] -= start_s
    notes["offset_s"] -= start_s
    empty = whole.controls[:0]
    return Score(sorted_by_onset(notes), empty, whole.parts, whole.tempo_map, (), whole.lost, whole.name, ())


def _midi_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise DatasetError(f"{place} does not exist: `pieces` are MIDI files, or folders of them.")
    files = sorted(path for path in place.rglob("[!.]*") if path.suffix.lower() in (".mid", ".midi") and path.is_file())
    if not files:
        raise DatasetError(f"{place} holds no MIDI file.")
    return files
