"""The onset network learns how one recording sounds, from the notes that it is sure of.

Speech aligners have re-estimated their models on the recording at hand since the 1980s. Here 50 steps of gradient
descent start from the network of the package, which itself is never changed. A wrong score would teach it to hear what
is not there, so nothing is learnt where few notes are sure.
"""

import numpy as np

from musicnet_build._typing import Bools, Float64s
from musicnet_build.features.onset_training import SPAN_FRAMES, Example, Training, fine_tuned, onset_example
from musicnet_build.features.onsets import HOP_S, OnsetModel, OnsetSpectrograms, onset_model, pitch_channels
from musicnet_build.notes import NoteTable
from musicnet_build.sync.passes import PADDING_FRAMES
from musicnet_build.sync.refinement import Refinement

SURE, AGREED_S = 0.97, 0.1
"""The network learns from notes with at least this ``Refinement.p_within_50ms`` that no pass puts further away."""

LEAST_SURE_SHARE = 0.2
"""Of the notes of right scores 45 % and more are so, of those of wrong ones 8 % at most (27 and 17 pairs)."""

LEAST_EXAMPLES = 32
MOST_EXAMPLES = 1500

SPREAD_FRAMES = 2.0
"""Standard deviation of what the network is told around a label: labels are not better than that."""

TRAINING = Training()


def adapted_model(
    notes: NoteTable, refinement: Refinement, spectrograms: OnsetSpectrograms, training: Training = TRAINING
) -> OnsetModel | None:
    """Return the network of the package after learning from the sure notes of a recording.

    Parameters
    ----------
    notes : NoteTable [shape=(n,)]
    refinement : Refinement
        Of these notes, found with the network of the package.
    spectrograms : OnsetSpectrograms
        Of the padded recording.
    training : Training

    Returns
    -------
    OnsetModel or None
        None where too few notes are sure to learn from.
    """
    examples = sure_examples(notes, refinement, spectrograms, training.seed)
    return fine_tuned(onset_model(), examples, training) if examples else None


def sure_examples(
    notes: NoteTable, refinement: Refinement, spectrograms: OnsetSpectrograms, seed: int = TRAINING.seed
) -> list[Example]:
    """Return what the sure notes of a recording teach; nothing where too few are sure (see ``adapted_model``)."""
    sure = sure_notes(refinement)
    if np.mean(sure) < LEAST_SURE_SHARE:
        return []
    examples = _examples(notes, refinement.onset_s, sure, spectrograms, seed)
    return examples if len(examples) >= LEAST_EXAMPLES else []


def sure_notes(refinement: Refinement) -> Bools:
    """Return which notes are sure enough to learn from, or to judge a witness by.

    Parameters
    ----------
    refinement : Refinement
        Of n notes.

    Returns
    -------
    ndarray of bool [shape=(n,)]
    """
    apart_s = np.abs(refinement.pass_onsets_s - refinement.onset_s).max(axis=0)
    sure: Bools = (refinement.p_within_50ms > SURE) & (apart_s < AGREED_S)
    return sure


def _examples(
    notes: NoteTable, onset_s: Float64s, sure: Bools, spectrograms: OnsetSpectrograms, seed: int
) -> list[Example]:
    """What the sure notes teach, pitch by pitch; each stands somewhere in the middle of what the network is shown."""
    random = np.random.default_rng(seed)
    rows = np.flatnonzero(sure)
    if len(rows) > MOST_EXAMPLES:
        rows = np.sort(random.choice(rows, MOST_EXAMPLES, replace=False))
    places = random.uniform(-0.6, 0.6, len(rows)) * SPAN_FRAMES
    frames = onset_s / HOP_S + PADDING_FRAMES
    found = []
    for pitch in np.unique(notes["pitch"][rows]):
        channels = pitch_channels(spectrograms, int(pitch))
        own = np.unique(frames[notes["pitch"] == pitch])
        for index in np.flatnonzero(notes["pitch"][rows] == pitch):
            true = frames[rows[index]]
            example = onset_example(channels, true, own[own != true], round(true + places[index]), SPREAD_FRAMES)
            found += [example] if example else []
    return found
