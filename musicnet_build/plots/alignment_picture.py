"""What a picture of an alignment shows, computed from the alignment; ``plots.alignment`` draws it."""

import dataclasses
from pathlib import Path

import numpy as np

from musicnet_build._typing import Audio
from musicnet_build.alignment import Alignment
from musicnet_build.dtw.timemap import TimeMap
from musicnet_build.features import spectra
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.plots.alignment import AlignmentPicture, coarse_cost
from musicnet_build.sync.result import SyncResult, cost_along


def alignment_picture(title: str, recording: Audio, alignment: Alignment) -> AlignmentPicture:
    """Return what a picture of an alignment shows.

    Parameters
    ----------
    title : str
        First line of the picture.
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44.1 kHz.
    alignment : Alignment
        Of this recording.

    Returns
    -------
    AlignmentPicture
    """
    warping = _densely(alignment.warping)
    score_frames_s, recording_frames_s = warping.score_frames_s, warping.recording_frames_s
    in_score = (score_frames_s >= 0) & (score_frames_s <= score_frames_s[-1])
    in_recording = (recording_frames_s >= 0) & (recording_frames_s <= len(recording) / SAMPLE_RATE)
    return AlignmentPicture(
        title=title,
        score_s=warping.time_map.score_s,
        recording_s=warping.time_map.recording_s,
        path_cost=cost_along(warping),
        cost_image=coarse_cost(warping.score_features[in_score], warping.recording_features[in_recording]),
        score_duration_s=float(np.max(score_frames_s)),
        recording_duration_s=len(recording) / SAMPLE_RATE,
        pitch_energy=spectra.band_spectrogram(recording, window_length=4096, hop_length=512, bands_per_octave=12),
        frame_rate_hz=SAMPLE_RATE / 512,
        notes=alignment.notes,
        seams_s=_seams_s(alignment.warping),
        departures=alignment.quality.structure if alignment.quality else (),
        verdict=str(alignment.quality.verdict) if alignment.quality else "",
    )


def picture_title(recording: Path, score: Path) -> str:
    """Name a recording and its score, with the recording's folder: many are all called recording.flac."""
    return f"{recording.resolve().parent.name}/{recording.name} and {score.name}"


def _seams_s(warping: SyncResult) -> tuple[float, ...]:
    """Recording seconds at which one passage of the playing order ends and the next begins."""
    if warping.order is None:
        return ()
    played_beats = np.cumsum([span.end_beats - span.start_beats for span in warping.order.spans[:-1]])
    return tuple(warping.time_map.recording_at(warping.score.tempo_map.seconds_at(played_beats)).tolist())


def _densely(warping: SyncResult, step_s: float = 0.05) -> SyncResult:
    """The same with a point of the time map at least every ``step_s``, where the cost is measured."""
    time_map = warping.time_map
    grid_s = np.arange(time_map.recording_s[0], time_map.recording_s[-1], step_s)
    recording_s = np.union1d(time_map.recording_s, grid_s)
    return dataclasses.replace(warping, time_map=TimeMap(time_map.score_at(recording_s), recording_s))
