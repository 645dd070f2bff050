"""The passes of the alignment: what they compare, warping paths at two resolutions, one coarse map from several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from musicnet_build._typing import Audio, Features, Float64s, Int64s
from musicnet_build.anchors import Pins
from musicnet_build.audio.loudness import level_factor
from musicnet_build.dtw.bands import band_of_rough_path, band_through
from musicnet_build.dtw.exact import WarpingPath, band_around, dtw, dtw_of_each
from musicnet_build.dtw.timemap import TimeMap, map_from_path, monotone_map
from musicnet_build.errors import AlignmentError
from musicnet_build.features import onsets, spectra
from musicnet_build.jit import kernel
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.sync.chords import most_probable_path

COARSE_HOP, FINE_HOP = 4 * onsets.HOP_LENGTH, onsets.HOP_LENGTH
PADDING_FRAMES = 172
PADDING_S = PADDING_FRAMES * onsets.HOP_S
"""About a second of silence put at both ends: a score begins at once, a recording does not."""

PIANO_BANDS = spectra.HIGHEST_PITCH - spectra.LOWEST_PITCH + 1

FLOOR, HIGH_FLOOR = 0.1, 0.3
"""Floors under the log spectrum: the high one resists long decays, the low one keeps a pianissimo."""

OUTSIDE_MARGIN_S = 1.5

PIN_SLACK_S = 0.15
"""How far from an anchor the coarse path may be: people hear a beat so well."""

MOST_DEARER_S = 0.8
"""How much dearer an anchor may make the path, in seconds of frames that do not fit: one that is a second off costs
about as much, one that is right nothing."""

COARSE_PASSES = ((HIGH_FLOOR, (1.5,)), (FLOOR, (1.25, 1.0)))
"""Floors under the spectrum, and for each the weights of the diagonal step of its passes.

With a weight of 1 that step is cheaper than the two that it replaces. A large weight lets the path leave the diagonal
cheaply: rubato needs that, ostinatos slip on it."""

ROUGH_FRAMES, ROUGH_DIAGONAL, ROUGH_REACH_S = 4, 1.25, 15.0
"""Coarse passes keep this near to a rough path between means of so many frames. In 26 recordings none of them went
further away than 7.6 s, nor would have without the band."""

FINE_PASSES = ((1000.0, 0.1), (100.0, 0.1), (1000.0, 0.2))
"""Log gain of the spectrum, and time in seconds over which an onset fades."""

FINE_DIAGONAL = 1.25
FINE_BAND_S = 0.5

SWITCH_COST = 15.0
"""Log likelihood ratio required before the search goes from one coarse map to another."""

_HEARD_WITHIN_S = 0.06
_AUDIBLE_SHARE = 0.95


@dataclass(frozen=True, eq=False)
class SemitoneSpectra:
    """Semitone spectrograms of a signal over the range of the piano, one row per frame.

    Attributes
    ----------
    onset_window, pitch_window : ndarray of float32 [shape=(frames, 88)]
        With windows of 2048 and 4096 samples; the one is sharp in time, the other in pitch.
    """

    onset_window: Features
    pitch_window: Features


def semitone_spectra(audio: Audio, hop_length: int, sample_rate: int = SAMPLE_RATE) -> SemitoneSpectra:
    """Return the semitone spectra of a signal, with silence put at both ends.

    Parameters
    ----------
    audio : ndarray of float32 [shape=(n,)]
        Mono signal of any level.
    hop_length : int
        From frame to frame, in samples at 44.1 kHz.
    sample_rate : int
        Of the signal, in Hz: 44,100 or a whole fraction of it.

    Returns
    -------
    SemitoneSpectra
        Frame *k* is centred on second ``k * hop_length / 44100`` of the padded signal.
    """
    signal, part = padded(audio, sample_rate), SAMPLE_RATE // sample_rate
    onset_window, pitch_window = (
        onsets.semitones(signal, length // part, hop_length // part, spectra.HIGHEST_PITCH, sample_rate=sample_rate)
        for length in (2048, 4096)
    )
    return SemitoneSpectra(onset_window, pitch_window)


def padded(audio: Audio, sample_rate: int = SAMPLE_RATE) -> Audio:
    """Return a signal at the level at which signals are compared, with silence put at both ends."""
    margin = round(PADDING_S * sample_rate)
    signal = np.zeros(len(audio) + 2 * margin, np.float32)
    np.multiply(audio, level_factor(audio), out=signal[margin:-margin])
    return signal


def coarse_features(seen: SemitoneSpectra, floor: float = FLOOR) -> Features:
    """Return what a coarse pass compares: the spectrum beside its onsets.

    Parameters
    ----------
    seen : SemitoneSpectra
        With a hop of ``COARSE_HOP``.
    floor : float
        Taken off the log spectrum before frames are normalised.

    Returns
    -------
    ndarray of float32 [shape=(frames, 176)]
    """
    rise = np.empty_like(seen.onset_window)
    _rise(seen.onset_window, 1, rise)
    _relative_to_loudest(rise, COARSE_HOP, 2.0)
    return np.hstack([_normalised(seen.pitch_window, floor), 3.0 * rise])


def coarse_frames_s(count: int) -> Float64s:
    """Return the times in seconds, in the signal without its padding, on which the first coarse frames are centred."""
    return spectra.frame_times_s(np.arange(count), COARSE_HOP) - PADDING_S


def fine_features(seen: SemitoneSpectra, log_gain: float, fade_s: float) -> Features:
    """Return what a fine pass compares.

    Parameters
    ----------
    seen : SemitoneSpectra
        With a hop of ``FINE_HOP``.
    log_gain : float
        Of the spectrum.
    fade_s : float
        Time over which an onset fades.

    Returns
    -------
    ndarray of float32 [shape=(frames, 176)]
    """
    features = np.empty((len(seen.pitch_window), 2 * PIANO_BANDS), np.float32)
    chords, rise = features[:, :PIANO_BANDS], features[:, PIANO_BANDS:]
    for rows in spectra.row_blocks(len(features)):
        chords[rows] = _normalised(_with_gain(seen.pitch_window[rows], log_gain), 0.0)
    # Worked out again for each pass: kept, they would be a tenth of the memory.
    _rise(seen.onset_window, 2, rise)
    _relative_to_loudest(rise, FINE_HOP, 1.0)
    _fade(rise, np.float32(np.exp(-FINE_HOP / SAMPLE_RATE / fade_s)))
    return features


def _with_gain(spectrum: Features, log_gain: float) -> Features:
    """A log spectrum as it would be with another gain."""
    if log_gain == spectra.BAND_GAIN:
        return spectrum
    # Not expm1 and log1p, which take six times as long for digits that no float32 near 1 has.
    amplitudes = np.exp(spectrum)
    amplitudes -= np.float32(1.0)
    amplitudes *= np.float32(log_gain / spectra.BAND_GAIN)
    amplitudes += np.float32(1.0)
    scaled: Features = np.log(amplitudes, out=amplitudes)
    return scaled


def silence_outside(features: Features, music_s: tuple[float, float] | None, hop_length: int) -> None:
    """Take applause and other noise before and behind the music out of features, in place.

    Features and not the signal, because a signal that is cut begins and ends like a note.

    Parameters
    ----------
    features : ndarray of float32 [shape=(frames, d)]
        Of a padded signal.
    music_s : (float, float) or None
        Seconds between which the music is, without the padding; None where that is not known.
    hop_length : int
    """
    if music_s is not None:
        times_s = spectra.frame_times_s(np.arange(len(features)), hop_length) - PADDING_S
        before, behind = music_s[0] - OUTSIDE_MARGIN_S, music_s[1] + OUTSIDE_MARGIN_S
        features[(times_s < before) | (times_s > behind)] = 0.0


def _normalised(spectrum: Features, floor: float) -> Features:
    """Frames of nearly unit length, silence kept near zero."""
    above: Features = np.maximum(spectrum - np.float32(floor), 0.0)
    above /= np.linalg.norm(above, axis=1, keepdims=True) + np.float32(0.5)
    return above


def _rise(spectrum: Features, lag_frames: int, rise: Features) -> None:
    """Write the half-wave rectified difference of the log spectrum over some frames."""
    rise[:lag_frames] = 0.0
    for rows in spectra.row_blocks(len(spectrum) - lag_frames):
        np.maximum(spectrum[lag_frames:][rows] - spectrum[rows], 0.0, out=rise[lag_frames:][rows])


def _relative_to_loudest(rise: Features, hop_length: int, reach_s: float) -> None:
    """Divide, in place, by the largest norm of a frame within ``reach_s``."""
    reach = int(2 * reach_s * SAMPLE_RATE / hop_length) | 1
    norms = np.concatenate([np.linalg.norm(rise[rows], axis=1) for rows in spectra.row_blocks(len(rise))])
    rise /= scipy.ndimage.maximum_filter1d(norms, reach)[:, None] + np.float32(0.01)


@kernel
def _fade(rise: Features, fade: np.float32) -> None:
    """Let each onset hold on, in place, losing a constant share from frame to frame."""
    for frame in range(1, len(rise)):
        for band in range(rise.shape[1]):
            rise[frame, band] = max(rise[frame, band], rise[frame - 1, band] * fade)


def coarse_maps(X: Features, Y: Features, diagonals: Sequence[float], memory_bytes: int, band: Int64s) -> list[TimeMap]:
    """Return the maps from a rendering to the recording by coarse passes over the same features.

    Parameters
    ----------
    X, Y : ndarray of float32 [shape=(frames, d)]
        Coarse features of the rendering and of the recording.
    diagonals : sequence of float
        Weight of the diagonal step in each pass.
    memory_bytes : int
        Budget of the dynamic time warping.
    band : ndarray of int64 [shape=(frames of X, 2)]
        Half-open column range of every row.

    Returns
    -------
    list of TimeMap
        One for each pass.
    """
    weights = [(diagonal, 1.0, 1.0) for diagonal in diagonals]
    warped = dtw_of_each(X, Y, weights, band=band, memory_bytes=memory_bytes)
    return [_coarse_map(way) for way in warped]


def coarse_band(
    sides: tuple[Features, Features], pins_of: Callable[[TimeMap], Pins] | None, memory_bytes: int
) -> Int64s:
    """Return the band of the coarse passes: through anchors, or around a rough path.

    Parameters
    ----------
    sides : (ndarray of float32 [shape=(frames, d)], ndarray of float32 [shape=(frames, d)])
        Coarse features of the rendering and of the recording.
    pins_of : callable or None
        Given the map of a pass that nothing holds, returns rendering and recording seconds of the anchors; None where
        there are none.
    memory_bytes : int
        Budget of the dynamic time warping.

    Returns
    -------
    ndarray of int64 [shape=(frames, 2)]

    Raises
    ------
    AlignmentError
        When the recording sounds otherwise at an anchor.
    """
    if pins_of is None:
        reach = round(ROUGH_REACH_S * SAMPLE_RATE / COARSE_HOP)
        return band_of_rough_path(*sides, (ROUGH_DIAGONAL, 1.0, 1.0), ROUGH_FRAMES, reach, memory_bytes)
    free = dtw(*sides, memory_bytes=memory_bytes)
    pins = pins_of(_coarse_map(free))
    _check_pins(pins, free, sides, memory_bytes)
    return _held(pins, sides)


def _coarse_map(warped: WarpingPath) -> TimeMap:
    hop_s = COARSE_HOP / SAMPLE_RATE
    return _unpadded(map_from_path(warped.path, hop_s, hop_s))


def _held(pins: Pins, sides: tuple[Features, Features]) -> Int64s:
    hop_s = COARSE_HOP / SAMPLE_RATE
    rows, columns = ((times_s + PADDING_S) / hop_s for times_s in pins)
    return band_through(rows, columns, PIN_SLACK_S / hop_s, (len(sides[0]), len(sides[1])))


def _check_pins(pins: Pins, free: WarpingPath, sides: tuple[Features, Features], memory_bytes: int) -> None:
    """Raise where a pin makes the path clearly dearer; pins one by one only where all together do."""

    def dearer_s(some: Pins) -> float:
        held = dtw(*sides, band=_held(some, sides), memory_bytes=memory_bytes)
        return (held.cost - free.cost) * COARSE_HOP / SAMPLE_RATE

    if dearer_s(pins) <= MOST_DEARER_S:
        return
    heard_s = _coarse_map(free).recording_at(pins.score_s)
    for i, (at_s, said_s) in enumerate(zip(heard_s, pins.recording_s, strict=True)):
        if dearer_s(Pins(pins.score_s[i : i + 1], pins.recording_s[i : i + 1])) > MOST_DEARER_S:
            raise AlignmentError(
                f"the recording contradicts the anchor at {said_s:.10g} s: that place of the score is heard at "
                f"{at_s:.1f} s, and the alignment is clearly worse where it has to go through the anchor."
            )


def fine_map(
    rendered: SemitoneSpectra,
    recorded: SemitoneSpectra,
    settings: tuple[float, float],
    music_s: tuple[float, float] | None,
    memory_bytes: int,
) -> tuple[float, TimeMap]:
    """Return the mean cost of a step, and the map from a re-synthesis to the recording, which is nearly the identity.

    Parameters
    ----------
    rendered, recorded : SemitoneSpectra
        With a hop of ``FINE_HOP``.
    settings : (float, float)
        One of ``FINE_PASSES``.
    music_s : (float, float) or None
        Recording seconds outside which there is nothing but noise.
    memory_bytes : int

    Returns
    -------
    (float, TimeMap)
    """
    hop_s = FINE_HOP / SAMPLE_RATE
    band = band_around(np.arange(len(rendered.pitch_window)), FINE_BAND_S / hop_s, len(recorded.pitch_window))
    warped = dtw(
        # Without names, so that they can go when they have been copied.
        fine_features(rendered, *settings),
        _heard(recorded, settings, music_s),
        step_weights=(FINE_DIAGONAL, 1.0, 1.0),
        band=band,
        memory_bytes=memory_bytes,
    )
    return warped.cost / len(warped.path), _unpadded(map_from_path(warped.path, hop_s, hop_s))


def _heard(recorded: SemitoneSpectra, settings: tuple[float, float], music_s: tuple[float, float] | None) -> Features:
    features = fine_features(recorded, *settings)
    silence_outside(features, music_s, FINE_HOP)
    return features


def _unpadded(time_map: TimeMap) -> TimeMap:
    return TimeMap(time_map.score_s - PADDING_S, time_map.recording_s - PADDING_S)


def best_of(
    maps: Sequence[TimeMap], estimates_s: Float64s, notes: NoteTable, stretch: float, activations: dict[int, Features]
) -> TimeMap:
    """Return one map from several: at each chord the one that the onset activations support, seldom switching.

    Parameters
    ----------
    maps : sequence of TimeMap
        From the rendering to the recording.
    estimates_s : ndarray of float64 [shape=(maps, n)]
        Recording seconds of each note by each map.
    notes : NoteTable [shape=(n,)]
    stretch : float
        Seconds of the rendering per score second.
    activations : dict of ndarray of float32 [shape=(frames,)]
        By pitch.

    Returns
    -------
    TimeMap
    """
    onsets_s, of_note = np.unique(notes["onset_s"], return_inverse=True)
    support = _support(estimates_s, notes, activations)
    emission = np.array([np.bincount(of_note, row) for row in support]).T
    switches = -SWITCH_COST * (1 - np.eye(len(maps)))
    chosen = most_probable_path(emission, switches[None], np.zeros(len(emission), np.int64))
    if np.ptp(chosen) == 0:
        return maps[int(chosen[0])]
    times_s = np.array([time_map.recording_at(onsets_s * stretch) for time_map in maps])
    return monotone_map(onsets_s * stretch, times_s[chosen, np.arange(len(chosen))])


def _support(estimates_s: Float64s, notes: NoteTable, activations: dict[int, Features]) -> Float64s:
    """The highest activation of each note within 60 ms of where each map puts it [maps, n]."""
    support = np.zeros(estimates_s.shape)
    for pitch in np.unique(notes["pitch"]):
        rows = np.flatnonzero(notes["pitch"] == pitch)
        curve = activations[int(pitch)]
        audible = np.maximum(curve, np.quantile(curve, _AUDIBLE_SHARE))
        nearby = scipy.ndimage.maximum_filter1d(audible, 2 * round(_HEARD_WITHIN_S / onsets.HOP_S) + 1)
        frames = np.round(estimates_s[:, rows] / onsets.HOP_S).astype(np.int64)
        support[:, rows] = nearby[np.clip(frames, 0, len(curve) - 1)]
    return support
