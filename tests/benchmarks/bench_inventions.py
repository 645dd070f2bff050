"""Change what a playing order must not depend on, and count the orders invented, the verdicts, and the labels lost.

    python tests/benchmarks/bench_inventions.py FOLDER... [--only NAME...] [--longest SECONDS] [--soundfont NAME]
                                                [--json OUT.json]

Each FOLDER is a piece, or holds pieces: `score.mid` and `recording.*`; no truth is needed. The score is played as
written in all of them, so that every jump is an invention: at other tempi of the score, at half or double tempo in a
third of it, with a tempo that drifts, and with 30 s of speech-like sound or of noise before and behind the music. What
the recording says of the score's notes stays the same: labels more than 100 ms from those of the unchanged pair are
lost. `--longest` leaves the labels and verdicts of longer recordings out, unless an order is invented.
"""

import os
from collections import defaultdict
from unittest import mock

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads would only wait for each other

import measuring
import numpy as np
import scipy.signal
from bench_structure import in_tempo_of, pieces_in

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.order import describe
from musicnet_build.score.reader import read_score
from musicnet_build.sync import precise
from musicnet_build.sync.jumps import search_playing_order
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.soundfonts import choose_soundfont

SEED = 3
SOUND_S = 30.0
DRIFT = 0.25
LOST_S = 0.1
TOO_MANY_LOST = 0.05
UNCHANGED = "unchanged"
FORMANTS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480), (300, 870, 2240))


def speech(seconds, random):
    """Syllables, four a second with pauses: pulses with a falling pitch through the formants of five vowels, hisses."""
    syllables = []
    while sum(map(len, syllables)) < seconds * SAMPLE_RATE:
        length = int(random.uniform(0.15, 0.3) * SAMPLE_RATE)
        pitch_hz = random.uniform(100, 180) * np.linspace(1.1, 0.85, length)
        sound = np.diff(np.floor(np.cumsum(pitch_hz) / SAMPLE_RATE), prepend=0.0)
        for formant_hz in FORMANTS_HZ[random.integers(len(FORMANTS_HZ))]:
            sound = scipy.signal.lfilter(*scipy.signal.iirpeak(formant_hz, 8, fs=SAMPLE_RATE), sound) + 0.3 * sound
        hiss = random.standard_normal(int(0.06 * SAMPLE_RATE)) * 0.2 * sound.std()
        pause = np.zeros(int(random.choice((0.02, 0.5), p=(0.85, 0.15)) * SAMPLE_RATE))
        syllables += [hiss, sound * np.hanning(length), pause]
    return np.concatenate(syllables)[: int(seconds * SAMPLE_RATE)]


def noise(seconds, random):
    """Noise that falls by about 3 dB an octave."""
    return scipy.signal.lfilter([1.0], [1.0, -0.9], random.standard_normal(int(seconds * SAMPLE_RATE)))


def surrounded(recording, sound):
    """A recording with such a sound before and behind it, half as loud, with short fades; and how much later it is."""
    random = np.random.default_rng(SEED)
    fade = np.minimum(1.0, np.linspace(0, 20, int(SOUND_S * SAMPLE_RATE)))
    parts = [sound(SOUND_S, random) * fade * fade[::-1] for _ in range(2)]
    before, behind = (0.5 * recording.std() * part / part.std() for part in parts)
    return np.concatenate([before, recording, behind]).astype(np.float32), SOUND_S


def constant(factor):
    """A score at another tempo: how many of its seconds one of its own becomes."""
    return lambda score: np.full(100, factor)


def third(which, factor):
    """The same in the first, second or last third only."""
    return lambda score: np.where(np.arange(300) // 100 == which, factor, 1.0)


def drifting(score):
    """A random walk of the tempo over some seconds, with this standard deviation."""
    random = np.random.default_rng(SEED)
    count = int(score.duration_s / 0.05)
    walk = np.cumsum(random.standard_normal(count))
    smooth = np.convolve(np.pad(walk, 60, mode="edge"), np.ones(121) / 121, mode="valid")
    return np.exp(DRIFT * (smooth - smooth.mean()) / max(smooth.std(), 1e-9))


def retimed(score, factors):
    """A score whose seconds last so many times as long, from its beginning to its end."""
    grid = np.linspace(0.0, score.duration_s + 1.0, len(factors) + 1)
    return in_tempo_of(score, grid, np.concatenate([[0.0], np.cumsum(factors * np.diff(grid))]))


SCORES = {
    "score at 0.6 of its length": constant(0.6),
    "score at 1.6 of its length": constant(1.6),
    **{
        f"{name} third at {tempo} tempo": third(which, factor)
        for which, name in enumerate(("first", "second", "last"))
        for tempo, factor in (("half", 2.0), ("double", 0.5))
    },
    "tempo drifting by 25 %": drifting,
}
SOUNDS = {"30 s of speech around": speech, "30 s of noise around": noise}
CHANGES = (UNCHANGED, *SCORES, *SOUNDS)


def changed(change, recording, score):
    """Recording and score after a change, and how much later the music is."""
    if change in SOUNDS:
        return *surrounded(recording, SOUNDS[change])[:1], score, SOUND_S
    return recording, retimed(score, SCORES[change](score)) if change in SCORES else score, 0.0


def invented(recording, score, soundfont):
    """The playing order that ``align`` would take, in words; none where it is as written."""
    options = Options()
    heard = precise.extract_features(recording, score, options)
    rendered = precise.render_coarsely(score, precise.music_duration_s(recording), soundfont, options)
    return describe(search_playing_order(score, rendered.spectra, rendered.stretch, heard.coarse).order, score)


def lost(notes, unchanged):
    """Share of the unchanged pair's labels that have no label of their pitch and beat within 100 ms."""
    times_s = defaultdict(list)
    for place, time_s in zip(places(notes), notes["onset_s"], strict=True):
        times_s[place].append(time_s)
    kept = [
        any(abs(other_s - time_s) <= LOST_S for other_s in times_s[place])
        for place, time_s in zip(places(unchanged), unchanged["onset_s"], strict=True)
    ]
    return 1 - float(np.mean(kept))


def places(notes):
    """Pitch and beat of each note."""
    return list(zip(notes["pitch"].tolist(), np.round(notes["onset_beats"], 3).tolist(), strict=True))


def rows_of(folder, soundfont, only, longest_s):
    """What becomes of a piece, a row a change."""
    recording, score = read_audio(next(folder.glob("recording.*"))), read_score(folder / "score.mid")
    judged, unchanged = len(recording) <= longest_s * SAMPLE_RATE, []
    for change in only or CHANGES:
        audio, music, later_s = changed(change, recording, score)
        order = [] if judged else invented(audio, music, soundfont)
        row = {"piece": folder.name, "change": change, "order": order}
        if judged or order:
            unchanged = unchanged or [align(recording, score, soundfont).notes]
            aligned = align(audio, music, soundfont)
            row |= judgement(aligned, unchanged[0], later_s)
        yield row


def judgement(aligned, unchanged, later_s):
    """What is said of labels, and how many are lost."""
    quality = aligned.quality
    moved = unchanged.copy()
    moved["onset_s"] += later_s
    return {
        "order": quality.structure,
        "verdict": str(quality.verdict),
        "as_played": str(quality.verdict_as_played),
        "reasons": quality.reasons,
        "lost": round(lost(aligned.notes, moved), 4),
        "confidence": round(quality.mean_confidence, 3),
        "unsure": round(1 - quality.confident_share, 3),
    }


def table(rows):
    """The rows as a markdown table, one line a change."""
    lines = [
        "| change | pieces | orders invented | judged | accept | review | reject | accepted, over 5 % of labels lost |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for change in CHANGES:
        here = [row for row in rows if row["change"] == change]
        judged = [row for row in here if "verdict" in row]
        counts = [sum(row["verdict"] == verdict for row in judged) for verdict in ("accept", "review", "reject")]
        wrong = sum(row["verdict"] == "accept" and row["lost"] > TOO_MANY_LOST for row in judged)
        figures = [len(here), sum(bool(row["order"]) for row in here), len(judged), *counts, wrong]
        if here:
            lines.append(f"| {change} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines)


def all_rows(options):
    """What becomes of all pieces."""
    soundfont = choose_soundfont(options.soundfont)
    for folder in pieces_in(options.folders):
        with mock.patch.object(precise, "extract_features", measuring.remembering(precise.extract_features)):
            yield from rows_of(folder, soundfont, options.only, options.longest)


def main():
    parser = measuring.arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=CHANGES, metavar="NAME", help="changes; all, if not given")
    parser.add_argument("--longest", type=float, default=np.inf, metavar="SECONDS", help="recordings that are aligned")
    options = parser.parse_args()
    measuring.report(all_rows(options), table, options.json)


if __name__ == "__main__":
    main()
