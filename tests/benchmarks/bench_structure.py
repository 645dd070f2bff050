"""Find jumps that were cut into recordings: how many are found, where, and how often there is a false alarm.

    python tests/benchmarks/bench_structure.py FOLDER … [--soundfont NAME|FILE] [--seed N] [--only KIND …]
                                               [--as-align] [--set jump_s=3 …] [--ablate] [--labels]
                                               [--json OUT.json]

Each FOLDER is a piece, or holds pieces: `score.mid`, `recording.*`, and, for edits, the true times of the score's notes
in `truth.json` ({"notes": [{"beat_on": quarter notes, "p_on": seconds or null}, …]}) or `truth.csv` (MusicNet columns).

The edits, all from one seed: passages of several lengths are cut out of the recording or played twice, at bar lines
and at arbitrary notes; one pass of a repeated section is cut out of the recording or out of the score; all repeats are
left out, or doubled; the start or the end is missing; there is applause before and behind. Unedited recordings, and
scores at other and at varying tempi, must give no jump at all.

An edit counts as found when there are as many jumps as were made, each within 2 beats of the true place, where moving
through identical music is no error, and over the true length within 1 beat; or where it gives the same notes. With
--as-align what counts is the order that `align` takes, which has the score rendered in the tempo of the recording and
leaves scraps of a score alone.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from musicnet_build.alignment import align
from musicnet_build.audio.io import read_audio
from musicnet_build.audio.loudness import music_duration_s
from musicnet_build.features.tonality import Tonality, level_db, tonal_contrast
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.beats import end_beats, measure_starts, repeated_sections, same_music
from musicnet_build.score.order import PlayingOrder, Span
from musicnet_build.score.reader import Score, read_score
from musicnet_build.score.unfold import score_in_order
from musicnet_build.sync.jumps import PRICES, find_playing_order
from musicnet_build.sync.passes import (
    COARSE_HOP,
    PIANO_BANDS,
    coarse_features,
    coarse_frames_s,
    semitone_spectra,
)
from musicnet_build.sync.precise import (
    align_coarsely,
    extract_features,
    render_coarsely,
)
from musicnet_build.sync.result import Options
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import choose_soundfont

LENGTHS_S = (4, 6, 8, 12, 20)
SHARE = 0.15
CROSSFADE_S = 0.01
POSITION_BEATS, LENGTH_BEATS = 2.0, 1.0
SLIDE_BEATS = 0.25
LABELLED = ("cut bar 12", "double bar 20", "all repeats out")


@dataclass
class Piece:
    """A score with its rendering and a recording; where the truth is known, when its beats are played."""

    name: str
    score: Score
    rendered: np.ndarray
    recording: np.ndarray
    beats: np.ndarray
    times_s: np.ndarray

    def time_at(self, beats):
        return np.interp(beats, self.beats, self.times_s)


@dataclass
class Case:
    kind: str
    piece: Piece
    audio: np.ndarray
    score: Score
    rendered: np.ndarray
    expected: list  # of (start beats, end beats)


# --- pieces -----------------------------------------------------------------------------------------------------------


def pieces_in(folders):
    for folder in map(Path, folders):
        yield from (
            [folder] if (folder / "score.mid").exists() else sorted(p.parent for p in folder.glob("*/score.mid"))
        )


def load(folder, soundfont):
    score = read_score(folder / "score.mid")
    recording = read_audio(next(p for p in sorted(folder.iterdir()) if p.stem == "recording"))
    beats, times = truth_of(folder)
    return Piece(folder.name, score, synthesize(score, soundfont).audio, recording, beats, times)


def truth_of(folder):
    """Beats at which notes begin, and the median time of those notes, increasing."""
    if (folder / "truth.csv").exists():
        notes = read_labels(folder / "truth.csv")
        pairs = list(zip(notes["onset_beats"], notes["onset_s"], strict=True))
    elif (folder / "truth.json").exists():
        notes = json.loads((folder / "truth.json").read_text())["notes"]
        pairs = [(n["beat_on"], n["p_on"]) for n in notes if n["p_on"] is not None]
    else:
        return np.empty(0), np.empty(0)
    by_beat = defaultdict(list)
    for beat, time_s in pairs:
        by_beat[round(beat, 3)].append(time_s)
    beats = np.array(sorted(by_beat))
    return beats, np.maximum.accumulate(np.array([np.median(by_beat[b]) for b in beats]))


# --- edits ------------------------------------------------------------------------------------------------------------


def spliced(audio, spans_s):
    """The passages of a signal one after another, cross-faded over 10 ms."""
    fade = round(CROSSFADE_S * SAMPLE_RATE)
    out = np.zeros(0, dtype=np.float32)
    for start_s, stop_s in spans_s:
        piece = audio[max(0, round(start_s * SAMPLE_RATE)) : round(stop_s * SAMPLE_RATE)].copy()
        n = min(fade, len(out), len(piece))
        if n:
            ramp = np.linspace(0, 1, n, dtype=np.float32)
            piece[:n] = piece[:n] * ramp + out[-n:] * (1 - ramp)
            out = out[:-n]
        out = np.concatenate([out, piece])
    return out


def cut_times(piece, spans):
    """Recording seconds of spans in beats: just before their first notes; the whole beginning and ending are kept."""
    end = end_beats(piece.score)
    length_s = len(piece.recording) / SAMPLE_RATE
    early_s = 0.015
    return [
        (0.0 if a <= 0 else piece.time_at(a) - early_s, length_s if b >= end else piece.time_at(b) - early_s)
        for a, b in spans
    ]


def played(kind, piece, spans):
    """A recording that plays the spans."""
    return Case(kind, piece, spliced(piece.recording, cut_times(piece, spans)), piece.score, piece.rendered, spans)


def passages(piece, length_s, at, random):
    """A passage of about a length in the recording, from note to note or bar line to bar line; None where none fits."""
    places = piece.beats if at == "note" else np.intersect1d(np.round(measure_starts(piece.score), 3), piece.beats)
    times = piece.time_at(places)
    fits = []
    for i in random.permutation(len(places))[:200]:
        j = int(np.argmin(np.abs(times - times[i] - length_s)))
        if j > i and abs(times[j] - times[i] - length_s) < max(0.75, 0.15 * length_s):
            inside = times[i] > times[0] + 6 and times[j] < times[-1] - 6
            if inside:
                fits.append((places[i], places[j]))
                break
    return fits[0] if fits else None


def edits(piece, random, lengths=LENGTHS_S):
    end = end_beats(piece.score)
    length_s = len(piece.recording) / SAMPLE_RATE
    for seconds in (*lengths, "15%"):
        wanted = SHARE * length_s if seconds == "15%" else seconds
        for at in ("bar", "note"):
            for kind in ("cut", "double"):
                if (found := passages(piece, wanted, at, random)) is None:
                    continue
                a, b = found
                spans = [(0.0, a), (b, end)] if kind == "cut" else [(0.0, b), (a, end)]
                yield played(f"{kind} {at} {seconds}", piece, spans)


def ends(piece, random):
    end = end_beats(piece.score)
    for share in (0.1, 0.2):
        bars = np.intersect1d(np.round(measure_starts(piece.score), 3), piece.beats)
        a = bars[np.argmin(np.abs(piece.time_at(bars) - (piece.times_s[0] + share * np.ptp(piece.times_s))))]
        b = bars[np.argmin(np.abs(piece.time_at(bars) - (piece.times_s[-1] - share * np.ptp(piece.times_s))))]
        yield played("start cut", piece, [(float(a), end)])
        yield played("end cut", piece, [(0.0, float(b))])


def sections(piece):
    """Exactly repeated sections next to each other, of 6 s or more: (start, length) in beats."""
    found = []
    for section in repeated_sections(piece.score):
        a, length = section.start_beats, section.end_beats - section.start_beats
        adjacent = abs(section.again_beats - section.end_beats) < 0.01
        known = piece.time_at(section.end_beats) - piece.time_at(a) if len(piece.beats) else 0
        if adjacent and known >= 6 and all(abs(a - s) >= 2 * length or a >= s + 2 * m for s, m in found):
            found.append((a, length))
    kept = []
    for a, length in sorted(found):
        if not kept or a >= kept[-1][0] + 2 * kept[-1][1] - 0.01:
            kept.append((a, length))
    return kept


def repeats(piece):
    """One pass of each repeat cut out of the recording, or out of the score; all left out; all doubled."""
    end = end_beats(piece.score)
    found = sections(piece)
    for a, length in found:
        yield played("repeat out of recording", piece, [(0.0, a + length), (a + 2 * length, end)])
        order = PlayingOrder((Span(0.0, a + length), Span(a + 2 * length, end)))
        shorter, _ = score_in_order(piece.score, order)
        spans = [(0.0, a + length), (a, end - length)]
        yield Case("repeat out of score", piece, piece.recording, counted_anew(shorter), None, spans)
    if len(found) > 1:
        left_out = [0.0, *(edge for a, length in found for edge in (a + length, a + 2 * length)), end]
        yield played("all repeats out", piece, list(zip(left_out[::2], left_out[1::2], strict=True)))
        doubled = [0.0, *(edge for a, length in found for edge in (a + length, a)), end]
        yield played("all repeats doubled", piece, list(zip(doubled[::2], doubled[1::2], strict=True)))


def counted_anew(score):
    """A rebuilt score as if it had been written so: beats as they are played."""
    notes, controls = score.notes.copy(), score.controls.copy()
    ends = score.tempo_map.beats_at(notes["offset_s"])
    notes["onset_beats"] = np.round(score.tempo_map.beats_at(notes["onset_s"]), 6)
    notes["duration_beats"] = ends - notes["onset_beats"]
    controls["beats"] = score.tempo_map.beats_at(controls["time_s"])
    return dataclasses.replace(score, notes=notes, controls=controls)


def applause(piece, random):
    def claps(seconds):
        n = round(seconds * SAMPLE_RATE)
        density = (random.random(n) < 300 / SAMPLE_RATE) * random.random(n)
        decay = np.exp(-np.arange(800) / 120) * random.standard_normal(800)
        swell = np.minimum(1, np.linspace(0, 4, n)) * np.minimum(1, np.linspace(4, 0, n))
        return (0.15 * np.convolve(density, decay)[:n] * swell).astype(np.float32)

    whole = [(0.0, end_beats(piece.score))]
    audio = np.concatenate([claps(12), piece.recording])
    yield Case("applause before", piece, audio, piece.score, piece.rendered, whole)
    audio = np.concatenate([piece.recording, claps(20)])
    yield Case("applause behind", piece, audio, piece.score, piece.rendered, whole)


def unedited(piece, random):
    whole = [(0.0, end_beats(piece.score))]
    yield Case("unedited", piece, piece.recording, piece.score, piece.rendered, whole)
    grid = np.arange(0.0, piece.score.duration_s + 1, 0.05)
    for factor in (0.6, 1.6):
        slow = in_tempo_of(piece.score, grid, grid * factor)
        yield Case("other tempo", piece, piece.recording, slow, None, whole)
    drift = np.cumsum(random.standard_normal(len(grid))) * 0.05
    smooth = np.convolve(np.pad(drift, 60, mode="edge"), np.ones(121) / 121, mode="valid")[: len(grid)]
    rate = np.exp(0.25 * (smooth - smooth.mean()) / max(smooth.std(), 1e-9))
    warped = np.concatenate([[0.0], np.cumsum(rate)[:-1]]) * 0.05
    yield Case("varied tempo", piece, piece.recording, in_tempo_of(piece.score, grid, warped), None, whole)


def in_tempo_of(score, grid, warped):
    """A score with its seconds sent through a map, and a tempo map that says what its notes say."""
    original = score.tempo_map
    beats = np.unique(np.concatenate([original.beats_at(grid), original.beats]))
    beats = beats[beats >= 0]
    seconds = np.interp(original.seconds_at(beats), grid, warped)
    per_beat = np.diff(seconds) / np.diff(beats)
    return dataclasses.replace(
        score.retimed(lambda time_s: np.interp(time_s, grid, warped)),
        tempo_map=type(original)(beats, seconds, np.append(per_beat, per_beat[-1])),
    )


# --- judging ----------------------------------------------------------------------------------------------------------


def judged(score, found, expected):
    """Whether a playing order is the expected one; position errors in beats, one a seam."""
    spans = [(s.start_beats, s.end_beats) for s in found.spans]
    wanted = expected
    if np.array_equal(notes_played(score, spans), notes_played(score, wanted)):
        return True, []
    errors, ok = [], len(spans) == len(wanted)
    if abs(spans[0][0] - wanted[0][0]) > POSITION_BEATS or abs(spans[-1][1] - wanted[-1][1]) > POSITION_BEATS:
        ok = False
    if len(spans) == len(wanted):
        for k in range(len(spans) - 1):
            x, y, x0, y0 = spans[k][1], spans[k + 1][0], wanted[k][1], wanted[k + 1][0]
            error = distance(score, x, x0, y0)
            errors.append(error)
            ok &= error <= POSITION_BEATS and abs((y - x) - (y0 - x0)) <= LENGTH_BEATS
    return ok, errors


def notes_played(score, spans):
    """Pitch and place of the notes of a playing order, in beats as they are played: equal for identical music."""
    played = counted_anew(score_in_order(score, PlayingOrder(tuple(Span(*span) for span in spans)))[0]).notes
    return np.unique(np.stack([np.round(played["onset_beats"], 2), played["pitch"]], axis=1), axis=0)


def distance(score, x, x0, y0):
    """Beats from the true place to the found one, less what lies inside identical music."""
    step = SLIDE_BEATS if x > x0 else -SLIDE_BEATS
    at = x0
    while abs(x - at) >= SLIDE_BEATS and same_music(
        score, min(at, at + step), min(at, at + step) + y0 - x0, SLIDE_BEATS
    ):
        at += step
    return min(abs(x - at), abs(x - x0))


def search(case, soundfont, prices, times):
    rendered = case.rendered if case.rendered is not None else synthesize(case.score, soundfont).audio
    seen = [semitone_spectra(audio, COARSE_HOP) for audio in (rendered, case.audio)]
    X, Y = map(coarse_features, seen)
    started, busy = time.perf_counter(), time.process_time()
    frames_s = coarse_frames_s(len(Y))
    tonality = Tonality(tonal_contrast(Y[:, :PIANO_BANDS], frames_s), level_db(seen[1].pitch_window))
    order = find_playing_order(case.score, X, coarse_frames_s(len(X)), Y, frames_s, tonality, prices).order
    times.append((len(case.audio) / SAMPLE_RATE, time.perf_counter() - started, time.process_time() - busy))
    return order


def taken_by_align(case, soundfont, times):
    """The order that ``align`` takes."""
    started, busy = time.perf_counter(), time.process_time()
    options = Options()
    heard = extract_features(case.audio, case.score, options)
    played = render_coarsely(case.score, music_duration_s(case.audio), soundfont, options)
    _, _, order = align_coarsely(heard, case.score, played, soundfont, options)
    times.append((len(case.audio) / SAMPLE_RATE, time.perf_counter() - started, time.process_time() - busy))
    return order or PlayingOrder((Span(0.0, end_beats(case.score)),), 0.0)


def cases(piece, random, only):
    groups = [unedited(piece, random)]
    if len(piece.beats):
        groups += [edits(piece, random), ends(piece, random), repeats(piece), applause(piece, random)]
    for group in groups:
        for case in group:
            if not only or any(case.kind.startswith(kind) for kind in only):
                yield case


# --- labels -----------------------------------------------------------------------------------------------------------


def true_notes(folder):
    """Pitch, beat and time of every note that was played, from a truth.json."""
    notes = json.loads((folder / "truth.json").read_text())["notes"]
    return np.array([(n["pitch"], n["beat_on"], n["p_on"]) for n in notes if n["p_on"] is not None])


def edited_truth(piece, notes, spans):
    """The true notes of an edited recording."""
    out, at = [], 0.0
    for k, ((a, b), (start_s, stop_s)) in enumerate(zip(spans, cut_times(piece, spans), strict=True)):
        at -= CROSSFADE_S if k else 0.0
        inside = notes[(notes[:, 1] >= a - 1e-3) & (notes[:, 1] < b - 1e-3)].copy()
        inside[:, 2] += at - start_s
        out.append(inside[(inside[:, 2] >= at - 0.1)])
        at += stop_s - start_s
    return np.concatenate(out)


def within_50_ms(truth, labels):
    """Share of the true notes that have a label of their pitch and beat within 50 ms."""
    by_pitch = {pitch: labels[labels["pitch"] == pitch] for pitch in np.unique(truth[:, 0])}
    hits = 0
    for pitch, beat, time_s in truth:
        same = by_pitch[pitch]
        same = same[np.abs(same["onset_beats"] - beat) <= 0.06]
        hits += bool(len(same)) and np.abs(same["onset_s"] - time_s).min() <= 0.05
    return 100 * hits / len(truth)


def label_table(folders, soundfont, seed, only):
    """Labels of the unedited recording, and of edited ones without and with the search for the playing order."""
    rows = []
    for folder in pieces_in(folders):
        random = np.random.default_rng([seed, *folder.name.encode()])
        piece, notes = load(folder, soundfont), true_notes(folder)
        plain = within_50_ms(notes, align(piece.recording, piece.score, soundfont).notes)
        for case in (*edits(piece, random), *repeats(piece)):
            if case.kind not in (only or LABELLED):
                continue
            truth = edited_truth(piece, notes, case.expected)
            smeared, repaired = (
                within_50_ms(truth, align(case.audio, case.score, soundfont, options=options).notes)
                for options in (Options(search_order=False), Options())
            )
            rows.append((plain, smeared, repaired))
            print(f"{piece.name[:28]:28} {case.kind:18} {plain:6.1f} {smeared:6.1f} {repaired:6.1f}", flush=True)
    print("mean: unedited {:.1f} %, edited {:.1f} %, repaired {:.1f} %".format(*np.mean(rows, axis=0)))


# --- the command ------------------------------------------------------------------------------------------------------

ABLATIONS = {
    "as it is": {},
    "a jump costs 5 s": {"jump_s": 5.0},
    "a jump costs 1.5 s": {"jump_s": 1.5},
    "downbeats no better": {"offbeat_s": 0.0},
    "downbeats much better": {"offbeat_s": 0.3},
    "width free": {"width": 0.0},
    "repeats at half price": {"repeat_s": 1.0},
    "one tempo": {"tempi": (1.0,)},
    "no margin asked": {"least_margin_s": 0.0},
    "skipping free": {"skip": 0.0},
    "staying free": {"stay": 0.0},
}


def judge_all(folders, soundfont, seed, only, prices, as_align=False, verbose=True):
    """Results by kind as (found, position errors in beats, margin), and times as (music, wall, CPU) in seconds."""
    results, times = defaultdict(list), []
    for folder in pieces_in(folders):
        random = np.random.default_rng([seed, *folder.name.encode()])
        piece = load(folder, soundfont)
        for case in cases(piece, random, only):
            order = taken_by_align(case, soundfont, times) if as_align else search(case, soundfont, prices, times)
            ok, errors = judged(case.score, order, case.expected)
            results[case.kind].append((bool(ok), errors, order.margin_s))
            if verbose and not ok:
                found = " ".join(f"{s.start_beats:.1f}-{s.end_beats:.1f}" for s in order.spans)
                wanted = " ".join(f"{a:.1f}-{b:.1f}" for a, b in case.expected)
                print(
                    f"missed: {piece.name[:24]:24} {case.kind:24} {order.margin_s:6.1f}  {found}  [{wanted}]",
                    flush=True,
                )
    return results, times


def summary(results):
    """Shares found: edits of 8 s and more, shorter ones, repeats, ends; false alarms."""
    groups = {"8 s+": [], "6 s": [], "4 s": [], "repeats": [], "ends": [], "applause": [], "false alarms": []}
    for kind, rows in results.items():
        first, last = kind.split()[0], kind.split()[-1]
        if first in ("cut", "double"):
            group = {"4": "4 s", "6": "6 s"}.get(last, "8 s+")
        elif "repeat" in kind:
            group = "repeats"
        else:
            group = {"start": "ends", "end": "ends", "applause": "applause"}.get(first, "false alarms")
        groups[group] += [ok if group != "false alarms" else not ok for ok, _, _ in rows]
    return "  ".join(f"{group} {sum(oks)}/{len(oks)}" for group, oks in groups.items() if oks)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--soundfont")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], metavar="KIND")
    parser.add_argument("--set", nargs="*", default=[], metavar="PRICE=VALUE", help="prices, as in jump_s=6")
    parser.add_argument("--as-align", action="store_true", help="judge the orders that align takes, not all found")
    parser.add_argument("--ablate", action="store_true", help="the search without each of its ideas")
    parser.add_argument("--labels", action="store_true", help="how good the labels are that align gives")
    parser.add_argument("--json")
    args = parser.parse_args()
    soundfont = choose_soundfont(args.soundfont)
    if args.labels:
        return label_table(args.folders, soundfont, args.seed, args.only)
    prices = dataclasses.replace(PRICES, **{k: json.loads(v) for k, v in (x.split("=") for x in args.set)})
    if args.ablate:
        for name, change in ABLATIONS.items():
            changed = dataclasses.replace(prices, **change)
            results, _ = judge_all(args.folders, soundfont, args.seed, args.only, changed, verbose=False)
            print(f"{name:20} {summary(results)}", flush=True)
        return None
    results, times = judge_all(args.folders, soundfont, args.seed, args.only, prices, args.as_align)
    for kind, rows in results.items():
        errors = [e for _, es, _ in rows for e in es]
        position = f"   position {np.median(errors):.2f} beats at the median" if errors else ""
        print(f"{kind:26} {sum(ok for ok, _, _ in rows):4d} of {len(rows):4d}{position}")
    print(summary(results))
    music_s, wall_s, cpu_s = np.sum(times, axis=0)
    what = "coarse alignment" if args.as_align else "search"
    print(f"{what}: {60 * cpu_s / music_s:.2f} CPU-s, {60 * wall_s / music_s:.2f} s per minute of music")
    if args.json:
        Path(args.json).write_text(json.dumps(results))
    return None


if __name__ == "__main__":
    sys.exit(main())
