"""The preset ``precise``: coarse passes, re-synthesis in the performance's tempo, fine passes, a time for each note.

1. The score is rendered at the recording's overall tempo, and both signals are aligned coarsely, twice: with a low and
   a high floor under the spectrum. Where the two disagree, the onset evidence of the recording decides. On the same
   features ``structure`` finds passages that were left out or played again; the score is then put in that order, and
   aligned coarsely again.
2. The score is rendered again with its notes sent through the smoothed coarse map. Three fine passes align this
   rendering in a narrow band.
3. ``refinement`` turns the passes and the onset evidence into a time for each note.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from musicnet_build._typing import Audio, Features, Float64s, Int64s
from musicnet_build.audio.loudness import active_span, level_factor
from musicnet_build.dtw.exact import band_around, dtw
from musicnet_build.dtw.timemap import TimeMap, map_from_path, monotone_map, smoothed
from musicnet_build.features import onsets, spectra
from musicnet_build.jit import kernel
from musicnet_build.notes import SAMPLE_RATE, NoteTable, pitched
from musicnet_build.progress import Progress
from musicnet_build.score.beats import end_beats
from musicnet_build.score.order import PlayingOrder, describe
from musicnet_build.score.reader import Score
from musicnet_build.score.unfold import unfold_score
from musicnet_build.sync.jumps import find_playing_order
from musicnet_build.sync.refinement import Refinement, chord_means, most_probable_path, refine
from musicnet_build.sync.result import Options, Warping
from musicnet_build.synthesis.cache import cached_synthesize
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont
from musicnet_build.threads import in_background

COARSE_HOP, FINE_HOP = 4 * onsets.HOP_LENGTH, onsets.HOP_LENGTH
PADDING_FRAMES = 172
PADDING_S = PADDING_FRAMES * onsets.HOP_S
"""About a second of silence put at both ends: a score begins at once, a recording does not."""

PIANO_BANDS = spectra.HIGHEST_PITCH - spectra.LOWEST_PITCH + 1

COARSE_DIAGONAL, FINE_DIAGONAL = 1.5, 1.25
"""Weights of the diagonal step, which otherwise is cheaper than the two steps it replaces."""

FLOORS = (0.1, 0.3)
"""Floors under the log spectrum: the high one resists long decays, the low one keeps a pianissimo."""

FINE_PASSES = ((1000.0, 0.1), (100.0, 0.1), (1000.0, 0.2))
"""Log gain of the spectrum, and time in seconds over which an onset fades."""

SAME_SOUND, OTHER_SOUND = 0.2, 0.3
"""Mean cost of a step of the fine passes: under the one, a rendering is compared with itself (0.07 to 0.2 measured);
recordings, and renderings with another soundfont, cost 0.6 and more."""

FINE_BAND_S = 0.5
TEMPO_SMOOTHING_S = 0.3
LEAST_SHARE = 0.25
"""Share of a score that a playing order must have at least."""

SWITCH_COST = 15.0
"""What the evidence must say, as a log likelihood ratio, before the search goes from one coarse map to the other."""


@dataclass(frozen=True, eq=False)
class View:
    """What the passes see of a signal: its semitone spectrograms over the range of the piano, a row a frame.

    Attributes
    ----------
    onset_window, pitch_window : ndarray of float32 [shape=(frames, 88)]
        With windows of 2048 and 4096 samples; the one is sharp in time, the other in pitch.
    """

    onset_window: Features
    pitch_window: Features


def view(audio: Audio, hop_length: int) -> View:
    """Return the view of a signal, with silence put at both ends.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal at 44.1 kHz, of any level.
    hop_length : int
        Samples from frame to frame.

    Returns
    -------
    View
        Frame *k* is centred on sample ``k * hop_length`` of the padded signal.
    """
    padded = _padded(audio)
    return View(*(onsets.semitones(padded, length, hop_length, spectra.HIGHEST_PITCH) for length in (2048, 4096)))


def coarse_features(seen: View, floor: float = FLOORS[0]) -> Features:
    """Return what a coarse pass compares: the spectrum beside its onsets.

    Parameters
    ----------
    seen : View
        With a hop of ``COARSE_HOP``.
    floor : float
        Taken off the log spectrum before frames are normalised.

    Returns
    -------
    ndarray of float32 [shape=(frames, 176)]
    """
    rise = _relative_to_loudest(_rise(seen.onset_window, lag_frames=1), COARSE_HOP, 2.0)
    return np.hstack([_normalised(seen.pitch_window, floor), 3.0 * rise])


def coarse_frames_s(count: int) -> Float64s:
    """Return the times in seconds, in the signal without its padding, on which the first coarse frames are centred."""
    return spectra.frame_times_s(np.arange(count), COARSE_HOP) - PADDING_S


def fine_features(seen: View, log_gain: float, fade_s: float) -> Features:
    """Return what a fine pass compares.

    Parameters
    ----------
    seen : View
        With a hop of ``FINE_HOP``.
    log_gain, fade_s : float
        One of ``FINE_PASSES``.

    Returns
    -------
    ndarray of float32 [shape=(frames, 176)]
    """
    # Half by half: these are the largest arrays of all.
    features = np.empty((len(seen.pitch_window), 2 * PIANO_BANDS), np.float32)
    rise = _relative_to_loudest(_rise(seen.onset_window, lag_frames=2), FINE_HOP, 1.0)
    features[:, PIANO_BANDS:] = _fading(rise, np.float32(np.exp(-FINE_HOP / SAMPLE_RATE / fade_s)))
    spectrum = np.expm1(seen.pitch_window, out=rise)
    spectrum *= np.float32(log_gain / spectra.BAND_GAIN)
    features[:, :PIANO_BANDS] = _normalised(np.log1p(spectrum, out=spectrum), 0.0)
    return features


@dataclass(frozen=True, eq=False)
class Heard:
    """What is taken from a recording, once for all passes."""

    fine: View
    coarse: View
    evidence: dict[int, Features]
    tuning_cents: float


@dataclass(frozen=True, eq=False)
class Played:
    """A score as synthesized to last ``music_s``: ``stretch`` recording seconds to a score second."""

    seen: View
    music_s: float
    stretch: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Rough:
    """What the coarse passes give.

    ``stretch`` is recording seconds to a score second, ``opinions_s`` the recording seconds of each note by each pass,
    ``settled`` the smoothed map that the fine passes start from.
    """

    stretch: float
    score_features: Features
    recording_features: Features
    opinions_s: Float64s
    settled: TimeMap
    warnings: tuple[str, ...]

    @property
    def score_frames_s(self) -> Float64s:
        return coarse_frames_s(len(self.score_features)) / self.stretch

    @property
    def recording_frames_s(self) -> Float64s:
        return coarse_frames_s(len(self.recording_features))

    def guess_s(self, score_s: Float64s) -> Float64s:
        """Recording seconds of score seconds, roughly."""
        return self.settled.recording_at(score_s * self.stretch)


def precise(recording: Audio, score: Score, soundfont: Soundfont, options: Options, progress: Progress) -> Warping:
    """Align a recording and a score by the recipe above; see ``alignment.align`` for the parameters.

    Returns
    -------
    Warping
        With times of all pitched notes in ``refinement``.
    """
    progress("listening for onsets", 0.0)
    rendering = in_background(render_coarsely, score, music_duration_s(recording), soundfont, options)
    heard = listen(recording, score)
    progress("aligning coarsely", 0.4)
    score, rough, order = align_coarsely(heard, score, rendering.result(), soundfont, options)
    progress("aligning finely", 0.65)
    notes = pitched(score.notes)
    times_s = np.unique(np.concatenate([notes["onset_s"], notes["offset_s"]]))
    cost, fine_s = _align_finely(heard, score, soundfont, options, rough, times_s)
    progress("placing the notes", 0.95)
    at = np.searchsorted(times_s, notes["onset_s"])
    doubt = float(np.clip((cost - SAME_SOUND) / (OTHER_SOUND - SAME_SOUND), 0.0, 1.0))
    refined = refine(notes, fine_s[:, at], rough.opinions_s, heard.evidence, doubt)
    progress("placing the notes", 1.0)
    return Warping(
        score=score,
        order=order,
        time_map=_through_chords(times_s, np.median(fine_s, axis=0), notes, refined),
        score_features=rough.score_features[:, :PIANO_BANDS],
        recording_features=rough.recording_features[:, :PIANO_BANDS],
        score_frames_s=rough.score_frames_s,
        recording_frames_s=rough.recording_frames_s,
        warnings=rough.warnings,
        refinement=refined,
        tuning_cents=heard.tuning_cents,
    )


def listen(recording: Audio, score: Score) -> Heard:
    """Take from a recording what the passes compare with a score.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44.1 kHz.
    score : Score
        Whose pitches are listened for.

    Returns
    -------
    Heard
    """
    notes = pitched(score.notes)
    tuning_cents = spectra.estimated_tuning_cents(recording)
    spectrograms = onsets.onset_spectrograms(_padded(recording), tuning_cents)
    curves = onsets.onset_evidence(spectrograms, map(int, notes["pitch"]))
    # Copies, so that the bands above are not kept.
    fine = View(spectrograms.medium[:, :PIANO_BANDS].copy(), spectrograms.long[:, :PIANO_BANDS].copy())
    return Heard(
        fine=fine,
        coarse=View(fine.onset_window[::4], fine.pitch_window[::4]),
        evidence={pitch: curve[PADDING_FRAMES:-PADDING_FRAMES] for pitch, curve in curves.items()},
        tuning_cents=tuning_cents,
    )


def music_duration_s(recording: Audio) -> float:
    """Return how many seconds of a recording, mono at 44.1 kHz, are music."""
    start, end = active_span(recording)
    return (end - start) / SAMPLE_RATE


def render_coarsely(score: Score, music_s: float, soundfont: Soundfont, options: Options) -> Played:
    """Synthesize a score as long as the music is; the sound itself, which may be large, is not kept.

    Parameters
    ----------
    score : Score
    music_s : float
        Seconds of the recording that are music.
    soundfont : Soundfont
    options : Options

    Returns
    -------
    Played
    """
    notes = pitched(score.notes)
    stretch = music_s / float(notes["offset_s"].max() - notes["onset_s"].min())
    retimed = score.retimed(lambda time_s: time_s * stretch)
    rendered = cached_synthesize(retimed, soundfont, strict=options.strict)
    return Played(view(rendered.audio, COARSE_HOP), music_s, stretch, rendered.warnings)


def align_coarsely(
    heard: Heard, score: Score, played: Played, soundfont: Soundfont, options: Options
) -> tuple[Score, Rough, PlayingOrder | None]:
    """Align coarsely, with the score in the order in which it is played.

    Parameters
    ----------
    heard : Heard
    score : Score
    played : Played
        The score as it is written.
    soundfont : Soundfont
        Renders the score in another order.
    options : Options

    Returns
    -------
    Score
        As it is played.
    Rough
        Its coarse alignment.
    PlayingOrder or None
        None where the score is played as written, or no order was asked for.
    """
    rough = _rough(heard, score, played, options)
    order = _departing_order(score, rough) if options.search_order else None
    if order:
        score, _ = unfold_score(score, order)
        rough = _rough(heard, score, render_coarsely(score, played.music_s, soundfont, options), options)
    return score, rough, order


def _rough(heard: Heard, score: Score, played: Played, options: Options) -> Rough:
    notes, stretch = pitched(score.notes), played.stretch
    sides = [(coarse_features(played.seen, floor), coarse_features(heard.coarse, floor)) for floor in FLOORS]
    maps = [_coarse_map(X, Y, options.memory_bytes) for X, Y in sides]
    opinions_s = np.array([time_map.recording_at(notes["onset_s"] * stretch) for time_map in maps])
    settled = smoothed(_settled(maps, opinions_s, notes, stretch, heard.evidence), TEMPO_SMOOTHING_S)
    return Rough(stretch, *sides[0], opinions_s, settled, played.warnings)


def _departing_order(score: Score, rough: Rough) -> PlayingOrder | None:
    """The order in which the score is played, where it is not played as written.

    A scrap of the score found in a recording is no playing order but a sign of a wrong score, which ``quality`` finds.
    """
    order = find_playing_order(
        score, rough.score_features, rough.score_frames_s, rough.recording_features, rough.recording_frames_s
    )
    kept_beats = sum(span.end_beats - span.start_beats for span in order.spans)
    scrap = kept_beats < LEAST_SHARE * end_beats(score)
    return order if describe(order, score) and not scrap else None


def _align_finely(
    heard: Heard, score: Score, soundfont: Soundfont, options: Options, rough: Rough, times_s: Float64s
) -> tuple[float, Float64s]:
    """The least mean cost of a fine pass, and recording seconds of score seconds by each [passes, times]."""
    retimed = score.retimed(lambda time_s: np.maximum(rough.guess_s(time_s), 0.0))
    # Not kept in the cache: this rendering is of one recording's tempo.
    played = view(synthesize(retimed, soundfont, strict=options.strict).audio, FINE_HOP)
    guess_s = rough.guess_s(times_s)
    fine = [_fine_map(played, heard.fine, *settings, options.memory_bytes) for settings in FINE_PASSES]
    return min(cost for cost, _ in fine), np.array([time_map.recording_at(guess_s) for _, time_map in fine])


def _padded(audio: Audio) -> Audio:
    margin = PADDING_FRAMES * onsets.HOP_LENGTH
    padded = np.zeros(len(audio) + 2 * margin, np.float32)
    np.multiply(audio, level_factor(audio), out=padded[margin:-margin])
    return padded


def _normalised(spectrum: Features, floor: float) -> Features:
    """Frames of nearly unit length, silence kept near zero."""
    above: Features = np.maximum(spectrum - np.float32(floor), 0.0)
    above /= np.linalg.norm(above, axis=1, keepdims=True) + np.float32(0.5)
    return above


def _rise(spectrum: Features, lag_frames: int) -> Features:
    """The half-wave rectified difference of the log spectrum over some frames."""
    rise = np.zeros_like(spectrum)
    np.maximum(spectrum[lag_frames:] - spectrum[:-lag_frames], 0.0, out=rise[lag_frames:])
    return rise


def _relative_to_loudest(rise: Features, hop_length: int, reach_s: float) -> Features:
    """Divided, in place, by the largest norm of a frame within ``reach_s``."""
    reach = int(2 * reach_s * SAMPLE_RATE / hop_length) | 1
    loudest = scipy.ndimage.maximum_filter1d(np.linalg.norm(rise, axis=1), reach)
    rise /= loudest[:, None] + np.float32(0.01)
    return rise


@kernel
def _fading(rise: Features, fade: np.float32) -> Features:
    """Each onset holds on, losing a constant share from frame to frame."""
    faded = rise.copy()
    for frame in range(1, len(faded)):
        for band in range(faded.shape[1]):
            faded[frame, band] = max(faded[frame, band], faded[frame - 1, band] * fade)
    return faded


def _coarse_map(X: Features, Y: Features, memory_bytes: int) -> TimeMap:
    warped = dtw(X, Y, step_weights=(COARSE_DIAGONAL, 1.0, 1.0), memory_bytes=memory_bytes)
    hop_s = COARSE_HOP / SAMPLE_RATE
    return _unpadded(map_from_path(warped.path, hop_s, hop_s))


def _fine_map(played: View, heard: View, log_gain: float, fade_s: float, memory_bytes: int) -> tuple[float, TimeMap]:
    """A map from the re-synthesis to the recording, which is nearly the identity, and its mean cost a step."""
    hop_s = FINE_HOP / SAMPLE_RATE
    band = band_around(np.arange(len(played.pitch_window)), FINE_BAND_S / hop_s, len(heard.pitch_window))
    warped = dtw(
        # Without names, so that they can go when they have been copied.
        fine_features(played, log_gain, fade_s),
        fine_features(heard, log_gain, fade_s),
        step_weights=(FINE_DIAGONAL, 1.0, 1.0),
        band=band,
        memory_bytes=memory_bytes,
    )
    return warped.cost / len(warped.path), _unpadded(map_from_path(warped.path, hop_s, hop_s))


def _unpadded(time_map: TimeMap) -> TimeMap:
    return TimeMap(time_map.score_s - PADDING_S, time_map.recording_s - PADDING_S)


def _settled(
    rough: Sequence[TimeMap], rough_s: Float64s, notes: NoteTable, stretch: float, evidence: dict[int, Features]
) -> TimeMap:
    """One map from several: at each chord the one whose times the recording's onsets support, seldom switching."""
    support = np.zeros(rough_s.shape)
    for pitch in np.unique(notes["pitch"]):
        rows = np.flatnonzero(notes["pitch"] == pitch)
        curve = evidence[int(pitch)]
        audible = np.maximum(curve, np.quantile(curve, 0.95))
        nearby = scipy.ndimage.maximum_filter1d(audible, 2 * round(0.06 / onsets.HOP_S) + 1)
        frames = np.round(rough_s[:, rows] / onsets.HOP_S).astype(np.int64)
        support[:, rows] = nearby[np.clip(frames, 0, len(curve) - 1)]
    onsets_s, of_note = np.unique(notes["onset_s"], return_inverse=True)
    emission = np.array([np.bincount(of_note, row) for row in support]).T
    chosen: Int64s = most_probable_path(emission, -SWITCH_COST * (1 - np.eye(len(rough))))
    if np.ptp(chosen) == 0:
        return rough[int(chosen[0])]
    times_s = np.array([time_map.recording_at(onsets_s * stretch) for time_map in rough])
    return monotone_map(onsets_s * stretch, times_s[chosen, np.arange(len(chosen))])


def _through_chords(times_s: Float64s, recording_s: Float64s, notes: NoteTable, refined: Refinement) -> TimeMap:
    """The map of the fine passes, bent so that it goes through the refined times of the chords."""
    onsets_s, chord_s = chord_means(notes["onset_s"], refined.chord_s)
    shift_s = chord_s - np.interp(onsets_s, times_s, recording_s)
    return monotone_map(times_s, recording_s + np.interp(times_s, onsets_s, shift_s))
