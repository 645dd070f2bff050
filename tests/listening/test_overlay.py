"""Tests of the overlay: what a listener would hear if it were wrong."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from musicnet_build.errors import AudioError, LabelError
from musicnet_build.listening.overlay import (
    ATTACK_S,
    LONGEST_TONE_S,
    SHORTEST_TONE_S,
    TONE_GAIN,
    overlay,
    tone_envelope,
)
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes

LONGEST = round(LONGEST_TONE_S * SAMPLE_RATE)


def notes_at(onsets_s: list[float], pitches: list[int], duration_s: float = 0.5, program: int = 0) -> NoteTable:
    notes = empty_notes(len(onsets_s))
    notes["onset_s"] = onsets_s
    notes["offset_s"] = notes["onset_s"] + duration_s
    notes["pitch"] = pitches
    notes["velocity"] = 64
    notes["program"] = program
    return notes


def music(duration_s: float, peak: float = 0.3, seed: int = 0) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).uniform(-peak, peak, round(duration_s * SAMPLE_RATE))
    return noise.astype(np.float32)


def tones_of(recording: NDArray[np.float32], notes: NoteTable) -> NDArray[np.float32]:
    return overlay(recording, notes, split=True)[:, 1]


def silence(duration_s: float) -> NDArray[np.float32]:
    return np.zeros(round(duration_s * SAMPLE_RATE), dtype=np.float32)


@given(sample=st.integers(0, SAMPLE_RATE), pitch=st.integers(21, 108))
@settings(max_examples=25, deadline=None)
def test_a_tone_begins_on_the_sample_of_its_note(sample: int, pitch: int) -> None:
    tones = tones_of(silence(2.0), notes_at([sample / SAMPLE_RATE], [pitch]))
    sounding = np.flatnonzero(tones)
    assert sounding[0] == sample + 1  # a sine starts at zero
    assert sample + LONGEST - 100 < sounding[-1] < sample + LONGEST


@pytest.mark.parametrize("pitch", [33, 57, 81, 105])
def test_a_tone_is_there_within_a_few_milliseconds_of_its_note(pitch: int) -> None:
    onset = 30_000
    tones = np.abs(tones_of(silence(2.0), notes_at([onset / SAMPLE_RATE], [pitch])))
    half_peak = np.flatnonzero(tones > 0.5 * tones.max())[0]
    assert 0 < half_peak - onset < 0.006 * SAMPLE_RATE


@pytest.mark.parametrize("pitch", range(24, 109, 12))
def test_a_tone_sounds_at_the_equal_tempered_pitch(pitch: int) -> None:
    tones = tones_of(silence(1.0), notes_at([0.2], [pitch]))
    spectrum = np.abs(np.fft.rfft(tones, 16 * SAMPLE_RATE))
    found_hz = np.argmax(spectrum) / 16
    expected_hz = 440 * 2 ** ((pitch - 69) / 12)
    assert found_hz == pytest.approx(expected_hz, rel=0.03 if pitch < 40 else 0.003)


def test_all_notes_of_a_chord_are_heard_and_share_the_level_of_one() -> None:
    recording = music(2.0)
    chord = tones_of(recording, notes_at([0.5] * 4, [57, 61, 64, 69]))
    single = tones_of(recording, notes_at([0.5], [69]))
    spectrum = np.abs(np.fft.rfft(chord, SAMPLE_RATE))
    for pitch in (57, 61, 64, 69):
        frequency = round(440 * 2 ** ((pitch - 69) / 12))
        assert spectrum[frequency - 3 : frequency + 4].max() > 0.3 * spectrum.max()
    assert np.sum(chord**2) == pytest.approx(np.sum(single**2), rel=0.6)


@given(
    onsets_s=st.lists(st.floats(0.0, 2.2), min_size=1, max_size=12),
    pitch=st.integers(21, 108),
    duration_s=st.floats(0.0, 1.0),
)
@settings(max_examples=30, deadline=None)
def test_no_tone_clicks(onsets_s: list[float], pitch: int, duration_s: float) -> None:
    tones = tones_of(silence(2.0), notes_at(onsets_s, [pitch] * len(onsets_s), duration_s)).astype(np.float64)
    # A smooth tone of peak a moves by no more than a·(2πf + the slope of its attack) from sample to sample.
    peak = 0.01 * TONE_GAIN * 3.0 * len(onsets_s)
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    steepest = peak * (2 * np.pi * frequency + np.pi / 2 / ATTACK_S) / SAMPLE_RATE
    assert np.abs(np.diff(tones)).max() <= steepest
    assert abs(tones[0]) == 0


def test_the_envelope_rises_from_zero_and_falls_to_zero_without_a_step() -> None:
    for length in (round(SHORTEST_TONE_S * SAMPLE_RATE), LONGEST):
        envelope = tone_envelope(length)
        assert envelope[0] == 0
        assert envelope[-1] < 1e-4
        assert envelope.max() > 0.75
        assert np.abs(np.diff(envelope)).max() < 1.1 * np.pi / 2 / (ATTACK_S * SAMPLE_RATE)


@pytest.mark.parametrize("split", [False, True])
def test_a_loud_recording_with_many_tones_does_not_clip(split: bool) -> None:
    recording = music(2.0, peak=1.0)
    notes = notes_at([0.5 + 0.01 * k for k in range(40)], list(range(40, 80)))
    heard = overlay(recording, notes, split=split)
    assert np.abs(heard).max() <= 1.0
    before = heard[:20_000, 0] if split else heard[:20_000]
    gain = before[1000] / recording[1000]
    np.testing.assert_allclose(before, gain * recording[:20_000], atol=1e-6)  # turned down, not cut off


def test_where_nothing_clips_the_recording_is_left_as_it_is() -> None:
    recording = music(2.0)
    heard = overlay(recording, notes_at([1.0], [69]), split=True)
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(heard[:, 0], recording)


def test_the_mix_is_the_recording_plus_the_tones() -> None:
    recording = music(2.0)
    notes = notes_at([0.3, 1.0], [69, 50])
    np.testing.assert_array_equal(overlay(recording, notes), recording + tones_of(recording, notes))


def test_tones_follow_the_loudness_of_the_music_and_stay_audible_in_silence() -> None:
    recording = music(9.0)
    recording[3 * SAMPLE_RATE : 6 * SAMPLE_RATE] *= 0.4
    recording[6 * SAMPLE_RATE :] = 0
    tones = np.abs(tones_of(recording, notes_at([1.5, 4.5, 7.5], [69, 69, 69])))
    loud, soft, silent = (tones[int(start * SAMPLE_RATE) :][:LONGEST].max() for start in (1.5, 4.5, 7.5))
    assert soft == pytest.approx(0.4 * loud, rel=0.02)
    assert 0.1 * loud < silent < 0.3 * loud
    assert tones_of(silence(1.0), notes_at([0.2], [69])).max() > 0.005


def test_a_short_note_gets_a_short_tone() -> None:
    sounding = np.flatnonzero(tones_of(silence(2.0), notes_at([0.5], [69], duration_s=0.1)))
    assert sounding[-1] < (0.5 + 0.1) * SAMPLE_RATE


def test_an_excerpt_is_cut_from_the_whole_with_tones_that_began_before_it() -> None:
    recording = music(4.0)
    notes = notes_at([0.2, 0.9, 1.5, 1.95, 3.0], [60, 64, 67, 72, 76])
    excerpt = overlay(recording, notes, split=True, span_s=(1.0, 2.0))
    whole = overlay(recording, notes, split=True)
    np.testing.assert_array_equal(excerpt, whole[SAMPLE_RATE : 2 * SAMPLE_RATE])
    assert np.any(excerpt[:1000, 1] != 0)


def test_only_the_instruments_asked_for_are_heard() -> None:
    recording = music(2.0)
    violin, cello = notes_at([0.5], [76], program=40), notes_at([1.0], [48], program=42)
    both = np.concatenate([violin, cello])
    np.testing.assert_array_equal(overlay(recording, both, instruments=[42]), overlay(recording, cello))


def test_drums_have_no_pitch_and_get_no_tone() -> None:
    notes = notes_at([0.5], [36])
    notes["is_drum"] = True
    assert not np.any(tones_of(music(1.0), notes))


def test_an_instrument_that_does_not_play_is_named_with_those_that_do() -> None:
    with pytest.raises(LabelError, match=r"\(68\).*40, 42"):
        overlay(
            music(1.0),
            np.concatenate([notes_at([0.1], [60], program=40), notes_at([0.2], [60], program=42)]),
            instruments=[68],
        )


@pytest.mark.parametrize("span_s", [(2.0, 1.0), (5.0, 6.0), (-2.0, -1.0)])
def test_a_span_outside_the_recording_is_refused(span_s: tuple[float, float]) -> None:
    with pytest.raises(AudioError, match=r"lasts 3\.00 s"):
        overlay(music(3.0), notes_at([0.5], [60]), span_s=span_s)


def test_a_stereo_recording_is_refused() -> None:
    with pytest.raises(AudioError, match="one channel"):
        overlay(np.zeros((100, 2), dtype=np.float32), notes_at([0.0], [60]))


def test_a_recording_without_labels_is_heard_alone() -> None:
    recording = music(1.0)
    np.testing.assert_array_equal(overlay(recording, empty_notes()), recording)


def test_ten_minutes_with_ten_thousand_notes_take_seconds() -> None:
    random = np.random.default_rng(1)
    count = 10_000
    notes = notes_at(list(random.uniform(0, 600, count)), list(random.integers(30, 100, count)))
    notes["offset_s"] = notes["onset_s"] + random.uniform(0.05, 0.5, count)
    recording = np.zeros(600 * SAMPLE_RATE, dtype=np.float32)
    started = time.process_time()
    overlay(recording, notes)
    assert time.process_time() - started < 15
