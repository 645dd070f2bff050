"""One aligner of somebody else, as its authors show it: prints when each score note begins in a recording, as JSON.
A transcriber, which has no score, prints the notes that it hears, each with onset, offset and pitch.

    python tests/benchmarks/peer_aligners.py NAME RECORDING NOTES.csv RENDERED.wav

Runs in an environment of its own, which need not have musicnet_build. NOTES.csv has a row a note and the columns
``start`` and ``duration`` in seconds, ``pitch``, ``velocity`` (0 to 1), ``instrument``, ``onset_beat``; RENDERED.wav is
the same score as sound. Who has no use for one of the two leaves it alone. ``--have`` prints which aligners this
environment has.
"""

import importlib.util
import json
import sys

import numpy as np

SAMPLE_RATE = 22_050
"""That of the librosa and Sync Toolbox examples."""


def librosa_dtw(recording, notes, rendered, chroma):
    """As "Music Synchronization with Dynamic Time Warping" in librosa's gallery: hop 1,024, cosine distance."""
    import librosa

    hop = 1024
    sides = [librosa.load(path, sr=SAMPLE_RATE)[0] for path in (rendered, recording)]
    features = [getattr(librosa.feature, chroma)(y=side, sr=SAMPLE_RATE, hop_length=hop) for side in sides]
    _, path = librosa.sequence.dtw(X=features[0], Y=features[1], metric="cosine")
    score_s, recording_s = librosa.frames_to_time(path[::-1], sr=SAMPLE_RATE, hop_length=hop).T
    return through(notes["start"], score_s, recording_s)


def sync_toolbox(recording, notes, rendered):
    """As its notebook ``sync_audio_score_full``: chroma and DLNCO at 50 Hz, MrMsDTW, weights 1.5, 1.5 and 2."""
    import librosa
    import pandas as pd
    from synctoolbox.dtw.mrmsdtw import sync_via_mrmsdtw
    from synctoolbox.dtw.utils import (
        compute_optimal_chroma_shift,
        make_path_strictly_monotonic,
        shift_chroma_vectors,
    )
    from synctoolbox.feature.chroma import pitch_to_chroma, quantize_chroma, quantized_chroma_to_CENS
    from synctoolbox.feature.csv_tools import df_to_pitch_features, df_to_pitch_onset_features
    from synctoolbox.feature.dlnco import pitch_onset_features_to_DLNCO
    from synctoolbox.feature.pitch import audio_to_pitch_features
    from synctoolbox.feature.pitch_onset import audio_to_pitch_onset_features
    from synctoolbox.feature.utils import estimate_tuning

    rate = 50
    audio, _ = librosa.load(recording, sr=SAMPLE_RATE)
    heard_at = {"Fs": SAMPLE_RATE, "tuning_offset": estimate_tuning(audio, SAMPLE_RATE)}
    table = pd.DataFrame({name: notes[name] for name in ("start", "duration", "pitch", "velocity", "instrument")})
    heard = quantize_chroma(pitch_to_chroma(audio_to_pitch_features(audio, feature_rate=rate, **heard_at)))
    written = quantize_chroma(pitch_to_chroma(df_to_pitch_features(table, feature_rate=rate)))
    heard_onsets = pitch_onset_features_to_DLNCO(
        audio_to_pitch_onset_features(audio, **heard_at), heard.shape[1], feature_rate=rate
    )
    written_onsets = pitch_onset_features_to_DLNCO(
        df_to_pitch_onset_features(table), written.shape[1], feature_rate=rate
    )
    cens = [quantized_chroma_to_CENS(chroma, 201, 50, rate)[0] for chroma in (heard, written)]
    shift = compute_optimal_chroma_shift(*cens)
    path = sync_via_mrmsdtw(
        f_chroma1=heard,
        f_onset1=heard_onsets,
        f_chroma2=shift_chroma_vectors(written, shift),
        f_onset2=shift_chroma_vectors(written_onsets, shift),
        input_feature_rate=rate,
        step_weights=np.array([1.5, 1.5, 2.0]),
        threshold_rec=10**6,
    )
    recording_s, score_s = make_path_strictly_monotonic(path) / rate
    return through(notes["start"], score_s, recording_s)


def parangonar(recording, notes, rendered):
    """Its ``AudioToScoreMatcher`` with the options that it has by default."""
    import soundfile
    from parangonar.match.audio_matchers import AudioToScoreMatcher

    audio, rate = soundfile.read(recording, dtype="float32", always_2d=True)
    table = np.zeros(len(notes), [("onset_beat", "f4"), ("pitch", "i4"), ("id", "U16")])
    table["onset_beat"], table["pitch"] = notes["onset_beat"], notes["pitch"]
    table["id"] = [f"n{i}" for i in range(len(notes))]
    matches = AudioToScoreMatcher()(audio.mean(axis=1), table, sample_rate=rate)
    times_s = {match["score_id"]: match["performance_time"] for match in matches}
    return np.array([times_s[name] for name in table["id"]])


def through(times_s, score_s, recording_s):
    """Times through a path, at the mean where it is vertical."""
    places, index = np.unique(score_s, return_inverse=True)
    return np.interp(times_s, places, np.bincount(index, recording_s) / np.bincount(index))


def basic_pitch(recording):
    """Its ``predict`` with the model that it comes with, and the thresholds that it has by default."""
    from basic_pitch import ICASSP_2022_MODEL_PATH
    from basic_pitch.inference import predict

    _, _, heard = predict(recording, ICASSP_2022_MODEL_PATH)
    return [[start_s, end_s, pitch] for start_s, end_s, pitch, *_ in sorted(heard)]


ALIGNERS = {
    "librosa, chroma_cqt": ("librosa", lambda *files: librosa_dtw(*files, "chroma_cqt")),
    "librosa, chroma_cens": ("librosa", lambda *files: librosa_dtw(*files, "chroma_cens")),
    "Sync Toolbox": ("synctoolbox", sync_toolbox),
    "parangonar": ("parangonar", parangonar),
}
"""By name: the package that it needs, and what it does."""

TRANSCRIBERS = {"Basic Pitch": ("basic_pitch", basic_pitch)}


def main():
    if sys.argv[1:] == ["--have"]:
        print(json.dumps({name: version(package) for name, (package, _) in (ALIGNERS | TRANSCRIBERS).items()}))
        return
    name, recording, table, rendered = sys.argv[1:]
    if name in TRANSCRIBERS:
        found = TRANSCRIBERS[name][1](recording)
    else:
        notes = np.genfromtxt(table, delimiter=",", names=True, dtype=None, encoding="utf-8")
        found = ALIGNERS[name][1](recording, notes, rendered)
    print("\n" + json.dumps(np.asarray(found, float).tolist()))  # on a line of its own: some print their progress


def version(package):
    from importlib.metadata import version

    return f"{package} {version(package)}" if importlib.util.find_spec(package) else None


if __name__ == "__main__":
    main()
