"""Train the onset network of ``musicnet_build/features/onsets.py`` on music that this script composes itself.

    pip install torch
    python tools/train_onsets.py --soundfont A.sf2 --soundfont B.sf2 --output musicnet_build/features/onset_model.npz

No recording and no score of other people is used. Seeded pieces of half a minute, for piano or for an ensemble, are
composed by random walks on scales, performed with human-like timing, rendered with one of the soundfonts, and put
through a random room, tone and noise. From each note the network sees 105 frames (0.6 s) that hold its onset somewhere,
and learns a probability over these frames. Onsets are the times of the MIDI events.
"""

from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy.signal
from numpy.typing import NDArray

from musicnet_build.audio.loudness import levelled
from musicnet_build.features import onsets
from musicnet_build.features.onset_training import SPAN_FRAMES, Example, onset_example
from musicnet_build.files import replacing
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.score.reader import CONTROL_DTYPE, LostNotes, Part, Score, TempoMap
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

SPREAD_FRAMES = 1.0  # standard deviation of what the network is told around an onset
PIECE_S = 35.0
EXAMPLES_PER_PIECE = 250
HIDDEN, MIXED = 24, 16

PIANOS = (0, 0, 0, 1, 2, 3)
ENSEMBLES = (
    (40, 41, 42, 43), (40, 40, 41, 42), (73, 68, 71, 70), (40, 71, 65, 70), (56, 57, 58, 60), (0, 40, 42),
    (73, 40, 41, 42), (48, 48, 48), (64, 65, 66, 67), (24, 73), (6, 40, 42), (60, 71, 70, 68), (0, 71), (22, 21, 19),
)  # fmt: skip
PITCH_RANGE = {
    0: (30, 90), 6: (36, 84), 19: (36, 84), 21: (48, 84), 22: (48, 84), 24: (40, 80), 40: (55, 93), 41: (48, 80),
    42: (36, 70), 43: (28, 50), 48: (40, 84), 56: (54, 84), 57: (40, 70), 58: (28, 55), 60: (40, 76), 64: (56, 86),
    65: (50, 80), 66: (46, 75), 67: (38, 68), 68: (58, 88), 70: (34, 70), 71: (50, 88), 73: (60, 96),
}  # fmt: skip
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 8, 11), tuple(range(12)))

Written = list[tuple[float, float, int, int]]  # onset in beats, duration in beats, pitch, part
Random = np.random.Generator


def scale(random: Random) -> NDArray[np.int64]:
    """The MIDI numbers of a random scale."""
    root, steps = random.integers(12), SCALES[random.choice(4, p=[0.27, 0.27, 0.26, 0.2])]
    return np.array([pitch for pitch in range(128) if (pitch - root) % 12 in steps])


def walk(random: Random, pitches: NDArray[np.int64], beats: float, liveliness: float) -> list[tuple[float, float, int]]:
    """One voice: a random walk over the given pitches, with repeated notes, steps, leaps and rests."""
    durations, weights = (0.25, 0.5, 1.0, 2.0, 1 / 3, 0.75), np.array([liveliness, 2, 2, 1, 0.3, 0.5])
    group = {0.25: 2, 0.5: 2, 1 / 3: 3}
    voice, now, index = [], 0.0, int(random.integers(len(pitches)))
    while now < beats:
        duration = durations[random.choice(6, p=weights / weights.sum())]
        for _ in range(group.get(duration, 1)):
            kind = random.choice(4, p=[0.12, 0.53, 0.30, 0.05])
            step = ((0,), (-1, 1), (-4, -3, -2, 2, 3, 4), (-7, 7))[kind]
            index = int(np.clip(index + random.choice(step), 0, len(pitches) - 1))
            if random.random() > 0.06:
                voice.append((now, duration, int(pitches[index])))
            now += duration
    return voice


def between(pitches: NDArray[np.int64], low: float, high: float) -> NDArray[np.int64]:
    """The pitches from ``low`` to ``high``, both included."""
    return pitches[(pitches >= low) & (pitches <= high)]


def piano_piece(random: Random, beats: float) -> Written:
    """A right hand with chords over one of four kinds of left hand."""
    pitches = scale(random)
    notes: Written = []
    for onset, duration, pitch in walk(random, between(pitches, 60, 92), beats, 4 * random.random()):
        place = np.searchsorted(pitches, pitch)
        for voice in range(random.choice([1, 1, 1, 2, 3, 4])):
            notes.append((onset, duration, int(pitches[place - 2 * voice]), 0))
    return notes + left_hand(random, pitches, beats)


def left_hand(random: Random, pitches: NDArray[np.int64], beats: float) -> Written:
    """Octaves, broken chords, block chords or two voices."""
    kind = random.integers(4)
    if kind == 0:
        bass = walk(random, between(pitches, 33, 60), beats, 1)
        octaves = [(onset, duration, pitch - 12, 0) for onset, duration, pitch in bass if random.random() < 0.5]
        return [(*note, 0) for note in bass] + octaves
    if kind == 3:
        low, high = between(pitches, 36, 62), between(pitches, 48, 72)
        return [(*note, 0) for voice in (low, high) for note in walk(random, voice, beats, 2)]
    roots = np.flatnonzero((pitches >= 33) & (pitches <= 57))
    pattern = (0, 4, 2, 4) if random.random() < 0.5 else (0, 2, 4, 7)
    notes: Written = []
    for beat in np.arange(0, beats, random.choice([1.0, 2.0])):
        root, size = random.choice(roots), random.integers(1, 5)
        if kind == 1:
            notes += [(beat + 0.25 * k, 0.25, int(pitches[root + step]), 0) for k, step in enumerate(pattern)]
        else:
            notes += [(beat, 1.0, int(pitches[root + step]), 0) for step in (0, 2, 4, 7)[:size]]
    return notes


def ensemble_piece(random: Random, programs: tuple[int, ...], beats: float) -> Written:
    """A voice for each instrument; some follow the rhythm of the first."""
    pitches, liveliness = scale(random), 2 * random.random()
    voices: list[list[tuple[float, float, int]]] = []
    for program in programs:
        low, high = PITCH_RANGE[program]
        centre = random.uniform(low + 6, high - 6)
        compass = between(pitches, max(low, centre - 10), min(high, centre + 10))
        voice = walk(random, compass, beats, liveliness)
        if voices and random.random() < 0.3:
            voice = [(onset, duration, int(random.choice(compass))) for onset, duration, _ in voices[0]]
        voices.append(voice)
    return [(*note, part) for part, voice in enumerate(voices) for note in voice]


def performed(random: Random, written: Written, programs: tuple[int, ...], bpm: float, pianistic: bool) -> NoteTable:
    """Notes with a wandering tempo, asynchrony, a few late chord notes, and accents by beat."""
    written = sorted(set(written))
    beats = np.arange(0, written[-1][0] + 8, 0.5)
    tempo = np.exp(np.cumsum(random.normal(0, 0.02, len(beats))))
    seconds = np.concatenate([[0.0], np.cumsum(30 / bpm * tempo.mean() / tempo[:-1])])
    spread_s = random.choice([0.004, 0.01, 0.02])
    accents: dict[float, float] = {}
    notes = empty_notes(len(written))
    for note, (onset, duration, pitch, part) in zip(notes, written, strict=True):
        late_s = random.uniform(0, 0.08) if pianistic and random.random() < 0.03 else 0.0
        onset_s = max(0.05, 0.5 + np.interp(onset, beats, seconds) + random.normal(0, spread_s) + late_s)
        end_s = 0.5 + np.interp(onset + duration * random.choice([0.5, 0.9, 1.0, 1.05]), beats, seconds)
        accent = accents.setdefault(onset, random.uniform(35, 110)) + random.normal(0, 10) - 5 * (part > 0)
        note["onset_s"], note["offset_s"] = onset_s, max(onset_s + 0.04, end_s)
        note["pitch"], note["part"], note["program"] = pitch, part, programs[part]
        note["velocity"] = int(np.clip(accent, 15, 127))
    return separated(notes)


def separated(notes: NoteTable) -> NoteTable:
    """End each note before its pitch is struck again in its part; drop strikes within 60 ms."""
    notes = notes[np.lexsort((notes["onset_s"], notes["pitch"], notes["part"]))]
    same = (np.diff(notes["pitch"]) == 0) & (np.diff(notes["part"]) == 0)
    gap_s = np.diff(notes["onset_s"])
    notes["offset_s"][:-1][same] = np.minimum(notes["offset_s"][:-1], notes["onset_s"][1:] - 0.01)[same]
    keep = np.concatenate([[True], ~(same & (gap_s < 0.06))])
    keep &= notes["offset_s"] > notes["onset_s"]
    return sorted_by_onset(notes[keep])


def compose(random: Random) -> Score:
    """A performed piece of about ``PIECE_S`` seconds."""
    bpm = random.uniform(50, 150)
    beats = PIECE_S * bpm / 60
    pianistic = bool(random.random() < 0.5)
    programs = (int(random.choice(PIANOS)),) if pianistic else ENSEMBLES[random.integers(len(ENSEMBLES))]
    written = piano_piece(random, beats) if pianistic else ensemble_piece(random, programs, beats)
    notes = performed(random, written, programs, bpm, pianistic)
    pedal = []
    if pianistic and random.random() < 0.5:
        bar_s = 60 / bpm * random.choice([2.0, 4.0])
        for down_s in np.arange(0.55, notes["offset_s"].max(), bar_s):
            pedal += [(down_s, 0.0, 0, 64, 127), (down_s + 0.9 * bar_s, 0.0, 0, 64, 0)]
    return Score(
        notes=notes,
        controls=np.array(pedal, dtype=CONTROL_DTYPE),
        parts=tuple(Part(f"part {index}", program, False) for index, program in enumerate(programs)),
        tempo_map=TempoMap(np.zeros(1), np.zeros(1), np.full(1, 60 / bpm)),
        time_signatures=(),
        lost=LostNotes(),
        name="random walk",
        warnings=(),
    )


def recorded(random: Random, audio: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """The audio mistuned, in a room, with another tone and noise; and how much slower it became."""
    slower = 2 ** (-random.normal(0, 12) / 1200)
    length = int(len(audio) * slower)
    audio = np.interp(np.arange(length) / slower, np.arange(len(audio)), audio)
    if random.random() < 0.8:
        audio = scipy.signal.fftconvolve(audio, room(random))[: length + SAMPLE_RATE]
    audio = scipy.signal.lfilter([1.0, random.uniform(-0.5, 0.5)], [1.0], audio)
    noise = random.normal(0, 1, len(audio)) * audio.std() * 10 ** (random.uniform(-60, -25) / 20)
    return (audio + noise).astype(np.float32), slower


def room(random: Random) -> NDArray[np.float64]:
    """Impulse response: the direct sound, then decaying noise without much treble."""
    decay_s = random.uniform(0.2, 2.0)
    time_s = np.arange(int(0.8 * decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = scipy.signal.lfilter([0.4], [1, -0.6], random.normal(0, 1, len(time_s)) * np.exp(-6.9 * time_s / decay_s))
    tail[: int(random.uniform(0.002, 0.02) * SAMPLE_RATE)] = 0.0
    tail *= random.uniform(0.05, 0.8) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail


def examples(seed: int, fonts: list[Soundfont]) -> list[Example]:
    """Examples of notes of one seeded piece."""
    random = np.random.default_rng(seed)
    score = compose(random)
    audio, slower = recorded(random, synthesize(score, fonts[random.integers(len(fonts))]).audio)
    spectrograms = onsets.onset_spectrograms(levelled(audio))
    frames = score.notes["onset_s"] * slower / onsets.HOP_S
    channels = {
        pitch: onsets.pitch_channels(spectrograms, pitch) for pitch in map(int, np.unique(score.notes["pitch"]))
    }
    found = []
    for index in random.permutation(len(frames))[:EXAMPLES_PER_PIECE]:
        pitch, true = int(score.notes["pitch"][index]), frames[index]
        others = np.delete(frames[score.notes["pitch"] == pitch], np.sum(score.notes["pitch"][:index] == pitch))
        centre = round(true + random.uniform(-0.6, 0.6) * SPAN_FRAMES)
        example = onset_example(channels[pitch], true, others, centre, SPREAD_FRAMES)
        found += [example._replace(channels=example.channels.astype(np.float16))] if example else []
    return found


def train(pieces: list[Example], epochs: int) -> dict[str, NDArray[np.float32]]:
    """Fit the network to examples and return its weights, the normalisation of the channels folded in."""
    import torch

    torch.manual_seed(0)
    seen, target, allowed = (torch.from_numpy(np.stack(column)) for column in zip(*pieces, strict=True))
    mean, deviation = seen.float().mean((0, 1)), seen.float().std((0, 1))
    taps = torch.nn.Conv1d(onsets.CHANNELS, HIDDEN, 2 * onsets.CONTEXT_FRAMES + 1)
    mixer, output = torch.nn.Conv1d(HIDDEN, MIXED, 1), torch.nn.Conv1d(MIXED, 1, 1)
    network = torch.nn.Sequential(taps, torch.nn.ReLU(), mixer, torch.nn.ReLU(), output)
    optimizer = torch.optim.Adam(network.parameters(), weight_decay=1e-5)
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = 2e-3 * (0.02 + 0.5 * (1 + np.cos(np.pi * epoch / epochs)))
        total = 0.0
        for batch in torch.randperm(len(seen)).split(256):
            logits = network(((seen[batch].float() - mean) / deviation).transpose(1, 2))[:, 0]
            log_probability = torch.log_softmax(logits.masked_fill(~allowed[batch], -1e9), 1)
            loss = -(target[batch] * log_probability).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        click.echo(f"epoch {epoch + 1}: loss {total / len(seen):.3f}")
    return folded(taps, mixer, output, mean.numpy(), deviation.numpy())


def folded(taps: Any, mixer: Any, output: Any, mean: NDArray[Any], deviation: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The weights as ``OnsetModel`` wants them. The last bias shifts all frames alike, so it is left out."""
    kernel = taps.weight.detach().numpy().transpose(2, 1, 0) / deviation[None, :, None]
    weights = {
        "taps": kernel,
        "taps_bias": taps.bias.detach().numpy() - np.einsum("kch,c->h", kernel, mean),
        "mixer": mixer.weight.detach().numpy()[:, :, 0].T,
        "mixer_bias": mixer.bias.detach().numpy(),
        "output": output.weight.detach().numpy()[0, :, 0],
    }
    return {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}


def accuracy(model: onsets.OnsetModel, pieces: list[Example], within_s: float) -> float:
    """Share of examples whose most probable frame lies within ``within_s`` of the true onset."""
    hits = []
    for seen, target, allowed in pieces:
        evidence = model(seen.astype(np.float32))[onsets.CONTEXT_FRAMES : -onsets.CONTEXT_FRAMES]
        best = np.argmax(np.where(allowed, evidence, -np.inf))
        hits.append(abs(int(best) - int(np.argmax(target))) * onsets.HOP_S < within_s)
    return float(np.mean(hits))


@click.command()
@click.option(
    "--soundfont", "soundfonts", multiple=True, required=True, help="File or name; may be given several times."
)
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--pieces", default=300, show_default=True)
@click.option("--epochs", default=10, show_default=True)
def main(soundfonts: tuple[str, ...], output: Path, pieces: int, epochs: int) -> None:
    """Compose, render, train, test on 20 further pieces, and write the weights."""
    fonts = [choose_soundfont(name) for name in soundfonts]
    known = [example for seed in range(pieces) for example in examples(seed, fonts)]
    unknown = [example for seed in range(10**6, 10**6 + 20) for example in examples(seed, fonts)]
    click.echo(f"{len(known)} examples to train on, {len(unknown)} to test on")
    weights = train(known, epochs)
    model = onsets.OnsetModel(**weights)
    shares = {ms: accuracy(model, unknown, ms / 1000) for ms in (12, 25, 50)}
    click.echo("test notes within " + ", ".join(f"{ms} ms: {share:.1%}" for ms, share in shares.items()))
    with replacing(output) as temporary, temporary.open("wb") as file:
        np.savez(file, **weights)


if __name__ == "__main__":
    main()
