"""A string quartet of any length, composed by a random walk and performed with rubato: music to measure on.

It is as dense as the quartets of MusicNet, some 700 notes a minute. Nobody should have to listen to it.

    python tests/benchmarks/quartet.py MINUTES FOLDER        writes score.mid and recording.flac
"""

import sys
from pathlib import Path

import mido
import numpy as np

from musicnet_build.audio.io import write_audio
from musicnet_build.files import replacing
from musicnet_build.generation.demo import perform
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

SEED = 76
BEATS_PER_MINUTE = 96
TICKS_PER_BEAT = 480
SCALE = (0, 2, 4, 5, 7, 9, 11)
VOICES = (  # name, program, lowest and highest step of the scale above C2, chance of 1, 2 or 4 notes in a beat
    ("Violin 1", 40, 19, 32, (0.30, 0.40, 0.30)),
    ("Violin 2", 40, 15, 27, (0.40, 0.40, 0.20)),
    ("Viola", 41, 9, 21, (0.50, 0.40, 0.10)),
    ("Cello", 42, 1, 14, (0.60, 0.35, 0.05)),
)


def quartet_midi(minutes):
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    midi.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(BEATS_PER_MINUTE))]))
    for channel, voice in enumerate(VOICES):
        midi.tracks.append(_track(channel, voice, round(minutes * BEATS_PER_MINUTE)))
    return midi


def _track(channel, voice, beats):
    name, program, lowest, highest, chances = voice
    random = np.random.default_rng([SEED, channel])
    step = (lowest + highest) // 2
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    track.append(mido.Message("program_change", channel=channel, program=program))
    for _ in range(beats):
        count = random.choice((1, 2, 4), p=chances)
        for _ in range(count):
            step = int(np.clip(step + random.integers(-2, 3), lowest, highest))
            pitch = 36 + 12 * (step // 7) + SCALE[step % 7]
            velocity = int(random.integers(60, 100))
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=velocity, time=0))
            length = TICKS_PER_BEAT // int(count)
            track.append(mido.Message("note_off", channel=channel, note=pitch, velocity=0, time=length))
    return track


def write_quartet(minutes, folder):
    """Write ``score.mid`` and ``recording.flac`` unless they are there; return their paths."""
    folder = Path(folder)
    score, recording = folder / "score.mid", folder / "recording.flac"
    if not (score.exists() and recording.exists()):
        with replacing(score) as temporary:
            quartet_midi(minutes).save(temporary)
        audio = synthesize(perform(read_score(score), SEED), choose_soundfont()).audio
        audio *= 0.7 / np.abs(audio).max()
        audio += 5e-4 * np.random.default_rng(SEED).standard_normal(len(audio), dtype=np.float32)
        write_audio(recording, audio, subtype="PCM_16")
    return score, recording


if __name__ == "__main__":
    write_quartet(float(sys.argv[1]), sys.argv[2])
