"""The preset ``precise``: coarse passes, re-synthesis in the performance's tempo, fine passes, a time for each note.

1. The score is rendered at the recording's overall tempo. ``jumps`` finds where in the recording the music is, and
   which passages were left out or played again, through the anchors where there are any; the score is then put in that
   order and rendered again.
2. Three coarse passes align both signals, with other floors under the spectrum and other weights of the diagonal. Where
   they disagree, the onset activations of the recording decide.
3. The score is rendered with its notes sent through the smoothed coarse map. Three fine passes align this rendering in
   a narrow band.
4. ``refinement`` turns the passes and the onset activations into a time for each note; ``adaptation`` lets the onset
   network learn how this recording sounds, and the notes are placed again. What a transcriber heard (``witness``) is
   one more opinion there, if it agrees with the notes that are sure without it.
"""

from dataclasses import dataclass, replace

import numpy as np

from musicnet_build._typing import Audio, Features, Float64s
from musicnet_build.anchors import found_places, pins_finder
from musicnet_build.audio.loudness import music_duration_s
from musicnet_build.dtw.timemap import TimeMap, monotone_map, smoothed
from musicnet_build.features import onsets, spectra
from musicnet_build.features.onset_training import Example, fine_tuned
from musicnet_build.notes import NoteTable, pitched
from musicnet_build.progress import Progress
from musicnet_build.score.beats import measures_of
from musicnet_build.score.model import Measures
from musicnet_build.score.order import PlayingOrder, describe
from musicnet_build.score.reader import Score
from musicnet_build.score.unfold import played_measures, unfold_score
from musicnet_build.sync.adaptation import TRAINING, sure_examples, sure_notes
from musicnet_build.sync.chords import chord_means
from musicnet_build.sync.ends import in_score_order, level_falls
from musicnet_build.sync.jumps import search_playing_order
from musicnet_build.sync.passes import (
    COARSE_HOP,
    COARSE_PASSES,
    FINE_HOP,
    FINE_PASSES,
    FLOOR,
    PADDING_FRAMES,
    PIANO_BANDS,
    SemitoneSpectra,
    best_of,
    coarse_band,
    coarse_features,
    coarse_frames_s,
    coarse_maps,
    fine_map,
    padded,
    semitone_spectra,
    silence_outside,
)
from musicnet_build.sync.refinement import Refinement, refine
from musicnet_build.sync.result import Options, SyncResult
from musicnet_build.sync.witness.agreement import Agreement, agreement, joined
from musicnet_build.synthesis.cache import cached_synthesize
from musicnet_build.synthesis.render import synthesize
from musicnet_build.synthesis.soundfonts import Soundfont
from musicnet_build.threads import in_background

SAME_SOUND, OTHER_SOUND = 0.2, 0.3
"""Mean cost of a step of the fine passes: under the one, a rendering is compared with itself (0.07 to 0.2 measured);
recordings, and renderings with another soundfont, cost 0.6 and more."""

TEMPO_SMOOTHING_S = 0.3
MUSIC_SHARE = 0.9
"""Where less than this of what sounds is the music, the score is rendered again, as long as the music."""

RENDERING_RATE = 22_050
"""Renderings are only compared, and that up to the highest key of a piano, 4.2 kHz."""

VOLUME, EXPRESSION = 7, 11
LEAST_LEVEL = 64
"""Volume and expression of what is only rendered to be compared: a score that fades out still has its notes."""


@dataclass(frozen=True, eq=False)
class RecordingFeatures:
    """What is taken from a recording, once for all passes.

    Attributes
    ----------
    fine, coarse : SemitoneSpectra
    spectrograms : OnsetSpectrograms
        Of the padded recording.
    activations : dict of ndarray of float32 [shape=(frames,)]
        By pitch, of the recording without its padding.
    tuning_cents : float
    """

    fine: SemitoneSpectra
    coarse: SemitoneSpectra
    spectrograms: onsets.OnsetSpectrograms
    activations: dict[int, Features]
    tuning_cents: float

    @property
    def levels(self) -> Features:
        """The log spectrum in semitones, in the frames of the activations."""
        return self.fine.onset_window[PADDING_FRAMES:-PADDING_FRAMES]


@dataclass(frozen=True, eq=False)
class RenderedFeatures:
    """A score as synthesized to last ``music_s``: ``stretch`` recording seconds per score second."""

    spectra: SemitoneSpectra
    music_s: float
    stretch: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CoarseAlignment:
    """What the coarse passes give.

    ``stretch`` is recording seconds per score second, ``passes_s`` the recording seconds of each note by each pass,
    ``settled`` the smoothed map that the fine passes start from, ``music_s`` where in the recording the music is.
    """

    stretch: float
    score_features: Features
    recording_features: Features
    passes_s: Float64s
    settled: TimeMap
    music_s: tuple[float, float] | None
    warnings: tuple[str, ...]

    @property
    def score_frames_s(self) -> Float64s:
        """Score seconds of the rows of ``score_features``."""
        return coarse_frames_s(len(self.score_features)) / self.stretch

    @property
    def recording_frames_s(self) -> Float64s:
        """Recording seconds of the rows of ``recording_features``."""
        return coarse_frames_s(len(self.recording_features))

    def guess_s(self, score_s: Float64s) -> Float64s:
        """Recording seconds of score seconds, roughly."""
        return self.settled.recording_at(score_s * self.stretch)


def precise(recording: Audio, score: Score, soundfont: Soundfont, options: Options, progress: Progress) -> SyncResult:
    """Align a recording and a score by the recipe above; see ``alignment.align`` for the parameters.

    Returns
    -------
    SyncResult
        With times of all pitched notes in ``refinement``.
    """
    progress("listening for onsets", 0.0)
    rendering = in_background(render_coarsely, score, music_duration_s(recording), soundfont, options)
    heard = extract_features(recording, score, options)
    progress("aligning coarsely", 0.4)
    score, coarse, order = align_coarsely(heard, score, rendering.result(), soundfont, options)
    progress("aligning finely", 0.65)
    notes = pitched(score.notes)
    times_s = np.unique(np.concatenate([notes["onset_s"], notes["offset_s"]]))
    cost, fine_s = _align_finely(heard, score, soundfont, options, coarse, times_s)
    progress("placing the notes", 0.95)
    at = np.searchsorted(times_s, notes["onset_s"])
    mismatch = float(np.clip((cost - SAME_SOUND) / (OTHER_SOUND - SAME_SOUND), 0.0, 1.0))
    refined, agreed, examples = _placed(notes, fine_s[:, at], coarse.passes_s, heard, mismatch, options)
    progress("placing the notes", 1.0)
    return SyncResult(
        score=score,
        order=order,
        time_map=_through_chords(times_s, np.median(fine_s, axis=0), notes, refined),
        score_features=coarse.score_features[:, :PIANO_BANDS],
        recording_features=coarse.recording_features[:, :PIANO_BANDS],
        score_frames_s=coarse.score_frames_s,
        recording_frames_s=coarse.recording_frames_s,
        warnings=coarse.warnings,
        refinement=refined,
        tuning_cents=heard.tuning_cents,
        agreement=agreed,
        falls=level_falls(heard.spectrograms, notes),
        examples=tuple(examples) if options.examples else (),
    )


def extract_features(recording: Audio, score: Score, options: Options) -> RecordingFeatures:
    """Take from a recording what the passes compare with a score.

    Parameters
    ----------
    recording : ndarray of float32 [shape=(n,)]
        Mono audio at 44.1 kHz.
    score : Score
        Whose pitches are listened for.
    options : Options
        Which may state the tuning.

    Returns
    -------
    RecordingFeatures
    """
    tuning_cents = options.tuning_cents
    if tuning_cents is None:
        tuning_cents = spectra.estimated_tuning_cents(recording)
    spectrograms = onsets.onset_spectrograms(padded(recording), tuning_cents)
    fine = SemitoneSpectra(spectrograms.medium[:, :PIANO_BANDS], spectrograms.long[:, :PIANO_BANDS])
    return RecordingFeatures(
        fine=fine,
        coarse=SemitoneSpectra(fine.onset_window[::4], fine.pitch_window[::4]),
        spectrograms=spectrograms,
        activations=_activations(spectrograms, pitched(score.notes)),
        tuning_cents=tuning_cents,
    )


def _activations(
    spectrograms: onsets.OnsetSpectrograms, notes: NoteTable, model: onsets.OnsetModel | None = None
) -> dict[int, Features]:
    curves = onsets.onset_activations(spectrograms, map(int, notes["pitch"]), model)
    return {pitch: curve[PADDING_FRAMES:-PADDING_FRAMES] for pitch, curve in curves.items()}


def render_coarsely(score: Score, music_s: float, soundfont: Soundfont, options: Options) -> RenderedFeatures:
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
    RenderedFeatures
    """
    notes = pitched(score.notes)
    stretch = music_s / float(notes["offset_s"].max() - notes["onset_s"].min())
    retimed = audible(score).retimed(lambda time_s: time_s * stretch)
    rendered = cached_synthesize(retimed, soundfont, sample_rate=RENDERING_RATE, strict=options.strict)
    seen = semitone_spectra(rendered.audio, COARSE_HOP, RENDERING_RATE)
    return RenderedFeatures(seen, music_s, stretch, rendered.warnings)


def audible(score: Score) -> Score:
    """Return a score in which volume and expression silence no note.

    Parameters
    ----------
    score : Score

    Returns
    -------
    Score
        With both controllers at ``LEAST_LEVEL`` or above.
    """
    controls = score.controls.copy()
    levels = np.isin(controls["number"], (VOLUME, EXPRESSION))
    controls["value"][levels] = np.maximum(controls["value"][levels], LEAST_LEVEL)
    return replace(score, controls=controls)


def align_coarsely(
    heard: RecordingFeatures, score: Score, rendered: RenderedFeatures, soundfont: Soundfont, options: Options
) -> tuple[Score, CoarseAlignment, PlayingOrder | None]:
    """Align coarsely, with the score in the order in which it is played.

    Parameters
    ----------
    heard : RecordingFeatures
    score : Score
    rendered : RenderedFeatures
        The score as it is written.
    soundfont : Soundfont
        Renders the score in another order.
    options : Options

    Returns
    -------
    Score
        As it is played.
    CoarseAlignment
    PlayingOrder or None
        None where the score is played as written, or no order was asked for.
    """
    places = found_places(options.anchors, score, measures_of(score))
    found = search_playing_order(score, rendered.spectra, rendered.stretch, heard.coarse, places)
    departs = bool(describe(found.order, score))
    if departs and not options.search_order:
        return score, _aligned(heard, score, rendered, None, options, measures_of(score)), None
    measures = played_measures(score, found.order if departs else None)
    music_s = found.music_s[1] - found.music_s[0] if found.music_s else rendered.music_s
    if departs:
        score, _ = unfold_score(score, found.order)
    if departs or music_s < MUSIC_SHARE * rendered.music_s:
        rendered = render_coarsely(score, min(music_s, rendered.music_s), soundfont, options)
    return score, _aligned(heard, score, rendered, found.music_s, options, measures), found.order if departs else None


def _aligned(
    heard: RecordingFeatures,
    score: Score,
    rendered: RenderedFeatures,
    music_s: tuple[float, float] | None,
    options: Options,
    measures: Measures,
) -> CoarseAlignment:
    notes, stretch = pitched(score.notes), rendered.stretch
    sides = {
        floor: (coarse_features(rendered.spectra, floor), coarse_features(heard.coarse, floor))
        for floor, _ in COARSE_PASSES
    }
    for _, recorded in sides.values():
        silence_outside(recorded, music_s, COARSE_HOP)
    band = coarse_band(sides[FLOOR], pins_finder(options.anchors, score, measures, stretch), options.memory_bytes)
    maps = [
        time_map
        for floor, diagonals in COARSE_PASSES
        for time_map in coarse_maps(*sides[floor], diagonals, options.memory_bytes, band)
    ]
    passes_s = np.array([time_map.recording_at(notes["onset_s"] * stretch) for time_map in maps])
    settled = smoothed(best_of(maps, passes_s, notes, stretch, heard.activations), TEMPO_SMOOTHING_S)
    return CoarseAlignment(stretch, *sides[FLOOR], passes_s, settled, music_s, rendered.warnings)


def _align_finely(
    heard: RecordingFeatures,
    score: Score,
    soundfont: Soundfont,
    options: Options,
    coarse: CoarseAlignment,
    times_s: Float64s,
) -> tuple[float, Float64s]:
    """The least mean cost of a fine pass, and recording seconds of score seconds by each [passes, times]."""
    retimed = audible(score).retimed(lambda time_s: np.maximum(coarse.guess_s(time_s), 0.0))
    # Not kept in the cache: this rendering is of one recording's tempo.
    played = synthesize(retimed, soundfont, sample_rate=RENDERING_RATE, strict=options.strict)
    rendered = semitone_spectra(played.audio, FINE_HOP, RENDERING_RATE)
    del played
    fine = [fine_map(rendered, heard.fine, settings, coarse.music_s, options.memory_bytes) for settings in FINE_PASSES]
    guess_s = coarse.guess_s(times_s)
    return min(cost for cost, _ in fine), np.array([time_map.recording_at(guess_s) for _, time_map in fine])


def _placed(
    notes: NoteTable,
    fine_s: Float64s,
    coarse_s: Float64s,
    heard: RecordingFeatures,
    mismatch: float,
    options: Options,
) -> tuple[Refinement, Agreement | None, list[Example]]:
    """The notes' times: by the network of the package, with a witness, and by a network that has learnt from them.

    How sure they are is told by the network as it was: what has learnt from its own answers is too sure of them.
    """

    def place(activations: dict[int, Features], levels: Features | None = None) -> Refinement:
        judge = None if activations is heard.activations else heard.activations
        refined = refine(notes, fine_s, coarse_s, activations, mismatch, judge, levels)
        return replace(refined, onset_s=in_score_order(refined.onset_s, notes))

    refined, agreed = place(heard.activations), None
    if mismatch == 0:
        return refined, None, []
    if options.witness:
        agreed = agreement(options.witness, notes, refined.onset_s, sure_notes(refined), len(heard.levels))
        refined = place(joined(heard.activations, agreed)) if agreed.agrees else refined
    examples = sure_examples(notes, refined, heard.spectrograms)
    if examples:
        model = options.network or fine_tuned(onsets.onset_model(), examples, TRAINING)
        refined = place(joined(_activations(heard.spectrograms, notes, model), agreed), heard.levels)
    return refined, agreed, examples


def _through_chords(times_s: Float64s, recording_s: Float64s, notes: NoteTable, refined: Refinement) -> TimeMap:
    """The map of the fine passes, bent so that it goes through the refined times of the chords."""
    onsets_s, chord_s = chord_means(notes["onset_s"], refined.chord_s)
    shift_s = chord_s - np.interp(onsets_s, times_s, recording_s)
    return monotone_map(times_s, recording_s + np.interp(times_s, onsets_s, shift_s))
