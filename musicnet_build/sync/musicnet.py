"""The preset ``musicnet``: the recipe of the MusicNet paper, kept as it is.

Log-spectrograms, the low 50 bins, Euclidean distance, exact DTW. The synthesis is normalised to its peak, as the tools
of the time did; the recording is taken as it is.
"""

import numpy as np

from musicnet_build._typing import Audio, Features
from musicnet_build.dtw.exact import dtw, estimate_seconds
from musicnet_build.dtw.timemap import map_from_path
from musicnet_build.features import spectra
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.progress import Progress
from musicnet_build.score.reader import Score
from musicnet_build.sync.result import Options, SyncResult, with_estimate
from musicnet_build.synthesis.cache import cached_synthesize
from musicnet_build.synthesis.soundfonts import Soundfont
from musicnet_build.threads import in_background

# Shares of the whole, for progress: of a piece of three minutes.
_BEFORE_DTW, _OF_DTW = 0.5, 0.5


def musicnet(recording: Audio, score: Score, soundfont: Soundfont, options: Options, progress: Progress) -> SyncResult:
    """Align a recording and a score by the recipe above; see ``alignment.align`` for the parameters.

    Returns
    -------
    SyncResult
        Without times of its own for each note.
    """
    progress("synthesizing the score", 0.0)
    hearing = in_background(spectra.log_spectrogram, recording)
    X, warnings = _rendered_spectrogram(score.detuned(options.tuning_cents or 0.0), soundfont, options.strict)
    Y = hearing.result()
    stage = with_estimate("aligning", estimate_seconds(len(X), *Y.shape))
    progress(stage, _BEFORE_DTW)
    warped = dtw(
        X, Y, memory_bytes=options.memory_bytes, progress=lambda done: progress(stage, _BEFORE_DTW + _OF_DTW * done)
    )
    hop_s = spectra.HOP_LENGTH / SAMPLE_RATE
    return SyncResult(
        score=score,
        order=None,
        time_map=map_from_path(warped.path, hop_s, hop_s),
        score_features=X,
        recording_features=Y,
        score_frames_s=spectra.frame_times_s(np.arange(len(X))),
        recording_frames_s=spectra.frame_times_s(np.arange(len(Y))),
        warnings=warnings,
    )


def _rendered_spectrogram(score: Score, soundfont: Soundfont, strict: bool) -> tuple[Features, tuple[str, ...]]:
    """Features and warnings of the synthesized score; its sound, which may be large, is not kept."""
    rendered = cached_synthesize(score, soundfont, strict=strict)
    audio = rendered.audio
    audio /= max(audio.max(), -audio.min())
    return spectra.log_spectrogram(audio), rendered.warnings
