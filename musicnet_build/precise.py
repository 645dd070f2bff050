"""The preset ``precise``: coarse passes, re-synthesis in the performance's tempo, fine passes, a time for each note.

1. The score is rendered at the recording's overall tempo, and both signals are aligned coarsely, twice: with a low and
   a high floor under the spectrum. Where the two disagree, the onset evidence of the recording decides.
2. The score is rendered again with its notes sent through the smoothed coarse map. Three fine passes align this
   rendering in a narrow band.
3. ``refinement`` turns the passes and the onset evidence into a time for each note.
"""

from dataclasses import dataclass

import numba
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from musicnet_build import onsets, spectra
from musicnet_build.dtw import band_around, dtw
from musicnet_build.levels import active_span, levelled
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.refinement import Refinement, chord_means, most_probable_path, refine
from musicnet_build.score import Score
from musicnet_build.soundfonts import Soundfont
from musicnet_build.spectra import Features
from musicnet_build.synthesis import synthesize
from musicnet_build.timemap import TimeMap, map_from_path, monotone_map, smoothed
from musicnet_build.warping import Progress, Warping

Floats = NDArray[np.float64]

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

FINE_BAND_S = 0.5
TEMPO_SMOOTHING_S = 0.3
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


def view(audio: Features, hop_length: int) -> View:
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
    onset_window, pitch_window = (onsets.semitones(padded, length, hop_length) for length in (2048, 4096))
    return View(onset_window[:, :PIANO_BANDS], pitch_window[:, :PIANO_BANDS])


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
    rise = _relative_to_loudest(_rise(seen.onset_window, lag_frames=2), FINE_HOP, 1.0)
    spectrum = np.log1p(np.expm1(seen.pitch_window) * np.float32(log_gain / spectra.BAND_GAIN))
    return np.hstack([_normalised(spectrum, 0.0), _fading(rise, np.float32(np.exp(-FINE_HOP / SAMPLE_RATE / fade_s)))])


def precise(
    recording: Features,
    score: Score,
    soundfont: Soundfont,
    strict: bool,
    memory_bytes: int,
    progress: Progress,
) -> Warping:
    """Align a recording and a score by the recipe above; see ``alignment.align`` for the parameters.

    Returns
    -------
    Warping
        With a time for each pitched note in ``note_onsets_s``.
    """
    notes = score.notes[~score.notes["is_drum"]]
    progress("listening for onsets", 0.0)
    spectrograms = onsets.onset_spectrograms(_padded(recording))
    curves = onsets.onset_evidence(spectrograms, map(int, notes["pitch"]))
    evidence = {pitch: curve[PADDING_FRAMES:-PADDING_FRAMES] for pitch, curve in curves.items()}
    heard = View(spectrograms.medium[:, :PIANO_BANDS], spectrograms.long[:, :PIANO_BANDS])
    progress("listening for onsets", 1.0)

    stretch = _stretch(recording, notes)
    rendered = synthesize(score.retimed(lambda time_s: time_s * stretch), soundfont, strict=strict)
    progress("aligning coarsely", 0.0)
    played = view(rendered.audio, COARSE_HOP)
    heard_coarsely = View(heard.onset_window[::4], heard.pitch_window[::4])
    X, Y = coarse_features(played), coarse_features(heard_coarsely)
    rough = [_coarse_map(X, Y, memory_bytes)]
    rough += [
        _coarse_map(coarse_features(played, floor), coarse_features(heard_coarsely, floor), memory_bytes)
        for floor in FLOORS[1:]
    ]
    progress("aligning coarsely", 1.0)
    rough_s = np.array([time_map.recording_at(notes["onset_s"] * stretch) for time_map in rough])
    settled = smoothed(_settled(rough, rough_s, notes, stretch, evidence), TEMPO_SMOOTHING_S)

    progress("aligning finely", 0.0)
    retimed = score.retimed(lambda time_s: np.maximum(settled.recording_at(time_s * stretch), 0.0))
    again = synthesize(retimed, soundfont, strict=strict)
    times_s = np.unique(np.concatenate([notes["onset_s"], notes["offset_s"]]))
    guess_s = settled.recording_at(times_s * stretch)
    fine_s = np.array(
        [fine.recording_at(guess_s) for fine in _fine_maps(view(again.audio, FINE_HOP), heard, memory_bytes)]
    )
    progress("aligning finely", 1.0)

    at = np.searchsorted(times_s, notes["onset_s"])
    refined = refine(notes, fine_s[:, at], rough_s, evidence)
    return Warping(
        time_map=_through_chords(times_s, np.median(fine_s, axis=0), notes, refined),
        score_features=X,
        recording_features=Y,
        score_frames_s=(spectra.frame_times_s(np.arange(len(X)), COARSE_HOP) - PADDING_S) / stretch,
        recording_frames_s=spectra.frame_times_s(np.arange(len(Y)), COARSE_HOP) - PADDING_S,
        warnings=rendered.warnings,
        note_onsets_s=refined.onset_s,
    )


def _padded(audio: Features) -> Features:
    return np.pad(levelled(audio), PADDING_FRAMES * onsets.HOP_LENGTH)


def _stretch(recording: Features, notes: NoteTable) -> float:
    """How many seconds of the recording's music there are to a second of the score's."""
    start, end = active_span(recording)
    return (end - start) / SAMPLE_RATE / float(notes["offset_s"].max() - notes["onset_s"].min())


def _normalised(spectrum: Features, floor: float) -> Features:
    """Frames of nearly unit length, silence kept near zero."""
    above = np.maximum(spectrum - np.float32(floor), 0.0)
    normalised: Features = above / (np.linalg.norm(above, axis=1, keepdims=True) + np.float32(0.5))
    return normalised


def _rise(spectrum: Features, lag_frames: int) -> Features:
    """The half-wave rectified difference of the log spectrum over some frames."""
    rise = np.zeros_like(spectrum)
    np.maximum(spectrum[lag_frames:] - spectrum[:-lag_frames], 0.0, out=rise[lag_frames:])
    return rise


def _relative_to_loudest(rise: Features, hop_length: int, reach_s: float) -> Features:
    """Divided by the largest norm of a frame within ``reach_s``."""
    reach = int(2 * reach_s * SAMPLE_RATE / hop_length) | 1
    loudest = scipy.ndimage.maximum_filter1d(np.linalg.norm(rise, axis=1), reach)
    relative: Features = rise / (loudest[:, None] + np.float32(0.01))
    return relative


@numba.njit(cache=True)
def _fading(rise: Features, fade: np.float32) -> Features:
    """Each onset holds on, losing a constant share from frame to frame."""
    faded = rise.copy()
    for frame in range(1, len(faded)):
        for band in range(faded.shape[1]):
            faded[frame, band] = max(faded[frame, band], faded[frame - 1, band] * fade)
    return faded


def _coarse_map(X: Features, Y: Features, memory_bytes: int) -> TimeMap:
    warped = dtw(X, Y, step_weights=(COARSE_DIAGONAL, 1.0, 1.0), memory_bytes=memory_bytes)
    return _unpadded(map_from_path(warped.path, COARSE_HOP / SAMPLE_RATE, COARSE_HOP / SAMPLE_RATE))


def _fine_maps(played: View, heard: View, memory_bytes: int) -> list[TimeMap]:
    """Maps from the re-synthesis to the recording, which are nearly the identity."""
    hop_s = FINE_HOP / SAMPLE_RATE
    maps = []
    for log_gain, fade_s in FINE_PASSES:
        X, Y = fine_features(played, log_gain, fade_s), fine_features(heard, log_gain, fade_s)
        band = band_around(np.arange(len(X)), FINE_BAND_S / hop_s, len(Y))
        warped = dtw(X, Y, step_weights=(FINE_DIAGONAL, 1.0, 1.0), band=band, memory_bytes=memory_bytes)
        maps.append(_unpadded(map_from_path(warped.path, hop_s, hop_s)))
    return maps


def _unpadded(time_map: TimeMap) -> TimeMap:
    return TimeMap(time_map.score_s - PADDING_S, time_map.recording_s - PADDING_S)


def _settled(
    rough: list[TimeMap], rough_s: Floats, notes: NoteTable, stretch: float, evidence: dict[int, Features]
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
    chosen: NDArray[np.int64] = most_probable_path(emission, -SWITCH_COST * (1 - np.eye(len(rough))))
    if np.ptp(chosen) == 0:
        return rough[int(chosen[0])]
    times_s = np.array([time_map.recording_at(onsets_s * stretch) for time_map in rough])
    return monotone_map(onsets_s * stretch, times_s[chosen, np.arange(len(chosen))])


def _through_chords(times_s: Floats, recording_s: Floats, notes: NoteTable, refined: Refinement) -> TimeMap:
    """The map of the fine passes, bent so that it goes through the refined times of the chords."""
    onsets_s, chord_s = chord_means(notes["onset_s"], refined.chord_s)
    shift_s = chord_s - np.interp(onsets_s, times_s, recording_s)
    return monotone_map(times_s, recording_s + np.interp(times_s, onsets_s, shift_s))
