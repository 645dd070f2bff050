"""Tests of the demo: music that is right, a performance whose truth is known, a recording that sounds at that truth."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from musicnet_build.audio.io import read_audio
from musicnet_build.errors import LabelError
from musicnet_build.generation.demo import (
    GROUND_BEATS,
    GROUNDS,
    LEADING_SILENCE_S,
    DemoFiles,
    onset_errors,
    perform,
    prepare_demo,
    stand_in_recording,
    write_canon,
)
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable
from musicnet_build.score.reader import Score, read_score
from musicnet_build.synthesis.soundfonts import Soundfont, choose_soundfont

VIOLIN, FLUTE, CLARINET, CELLO = 40, 73, 71, 42
D_MAJOR = {2, 4, 6, 7, 9, 11, 1}
# D, A, B minor, F sharp minor, G, D, G, A: the harmony over each note of the ground
HARMONY = [{2, 6, 9}, {9, 1, 4}, {11, 2, 6}, {6, 9, 1}, {7, 11, 2}, {2, 6, 9}, {7, 11, 2}, {9, 1, 4}]


@pytest.fixture(scope="module")
def canon(tmp_path_factory: pytest.TempPathFactory) -> Score:
    path = tmp_path_factory.mktemp("canon") / "score.mid"
    write_canon(path)
    return read_score(path)


@pytest.fixture(scope="module")
def soundfont() -> Soundfont:
    return choose_soundfont(None)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, soundfont: Soundfont) -> DemoFiles:
    return prepare_demo(tmp_path_factory.mktemp("demo") / "new", soundfont)


def played_by(score: Score, program: int) -> NoteTable:
    return score.notes[score.notes["program"] == program]


def opening(score: Score, beats: float = 4.0) -> Score:
    return dataclasses.replace(score, notes=score.notes[score.notes["onset_beats"] < beats])


def level(audio: NDArray[np.float32], start_s: float, end_s: float) -> float:
    part = audio[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]
    return float(np.sqrt(np.mean(part.astype(np.float64) ** 2)))


def test_the_score_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    write_canon(tmp_path / "a.mid")
    write_canon(tmp_path / "b.mid")
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_the_score_is_read_back_whole(canon: Score) -> None:
    assert canon.warnings == ()
    assert 75 < canon.duration_s < 100
    assert sorted({part.program for part in canon.parts}) == [6, 40, 42, 71, 73]
    assert canon.notes["onset_beats"].max() == GROUNDS * GROUND_BEATS
    assert {(meter.numerator, meter.denominator) for meter in canon.time_signatures} == {(4, 4)}


def test_every_note_is_in_the_key_and_every_beat_in_the_harmony_of_the_ground(canon: Score) -> None:
    assert {int(pitch) % 12 for pitch in canon.notes["pitch"]} == D_MAJOR
    strange = []
    for note in canon.notes[canon.notes["onset_beats"] < GROUNDS * GROUND_BEATS]:
        beat = float(note["onset_beats"])
        if beat.is_integer() and int(note["pitch"]) % 12 not in HARMONY[int(beat) % GROUND_BEATS]:
            strange.append((int(beat) % GROUND_BEATS, int(note["pitch"])))
    assert strange == [(7, 74)] * 3  # the suspension D over A that ends the fourth variation, once in each voice


def test_the_voices_follow_each_other_in_canon(canon: Score) -> None:
    fields = ["onset_beats", "duration_beats", "pitch"]
    leader = played_by(canon, VIOLIN)[fields]
    for program, delay in ((FLUTE, GROUND_BEATS), (CLARINET, 2 * GROUND_BEATS)):
        follower = played_by(canon, program)[fields]
        expected = leader[leader["onset_beats"] < GROUNDS * GROUND_BEATS - delay].copy()
        expected["onset_beats"] += delay
        np.testing.assert_array_equal(follower[:-1], expected)


def test_the_cello_repeats_the_ground(canon: Score) -> None:
    pitches = played_by(canon, CELLO)["pitch"]
    np.testing.assert_array_equal(pitches[:-1].reshape(GROUNDS, 8), np.tile(pitches[:8], (GROUNDS, 1)))


def test_a_performance_has_the_notes_of_the_score_at_human_times(canon: Score) -> None:
    played = perform(canon, seed=3).notes
    late = onset_errors(canon.notes, played)  # also checks that they are the same notes
    assert played["onset_s"].min() == pytest.approx(LEADING_SILENCE_S, abs=0.03)
    by_beat = [late[canon.notes["onset_beats"] == beat] for beat in range(80)]
    apart_s = np.concatenate([times - times.mean() for times in by_beat])
    assert 0.005 < apart_s.std() < 0.01
    assert np.abs(apart_s).max() < 0.04
    assert len(np.unique(played["velocity"])) > 15
    assert np.all(played["offset_s"] - played["onset_s"] > 0.02)


def test_the_tempo_sways_and_slows_down_at_the_end(canon: Score) -> None:
    notes = perform(canon, seed=3).notes
    beats = np.arange(81)
    beat_s = np.array([notes["onset_s"][notes["onset_beats"] == beat].mean() for beat in beats])
    slowness = np.diff(beat_s) / (60 / 58)
    assert 0.84 < slowness[:70].min() < 0.97
    assert 1.03 < slowness[:70].max() < 1.18
    assert slowness[-1] > 1.15


def test_no_part_strikes_a_pitch_that_it_still_holds(canon: Score) -> None:
    notes = perform(canon, seed=4).notes
    order = np.lexsort((notes["onset_s"], notes["pitch"], notes["part"]))
    ordered = notes[order]
    same = (np.diff(ordered["part"]) == 0) & (np.diff(ordered["pitch"]) == 0)
    assert same.sum() > 300
    assert np.all(ordered["offset_s"][:-1][same] < ordered["onset_s"][1:][same])


def test_a_seed_names_one_performance(canon: Score) -> None:
    assert perform(canon, seed=1).notes.tobytes() == perform(canon, seed=1).notes.tobytes()
    assert np.abs(onset_errors(perform(canon, seed=1).notes, perform(canon, seed=2).notes)).max() > 0.1


def test_the_recording_sounds_when_the_performance_says(canon: Score, soundfont: Soundfont) -> None:
    performance = perform(opening(canon), seed=1)
    audio = stand_in_recording(performance, soundfont, seed=1)
    first_s = performance.notes["onset_s"][0]
    assert audio.dtype == np.float32
    assert np.abs(audio).max() == pytest.approx(0.9, abs=0.01)
    before = level(audio, 0.1, first_s - 0.02)
    assert 1e-4 < before < 2e-3  # a room, not digital silence
    heard = np.abs(audio) > 20 * before
    assert first_s < np.argmax(heard) / SAMPLE_RATE < first_s + 0.04


def test_the_recording_is_the_same_for_a_seed_and_rings_on_after_the_last_note(
    canon: Score, soundfont: Soundfont
) -> None:
    performance = perform(opening(canon), seed=1)
    first, second = (stand_in_recording(performance, soundfont, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    end_s = performance.duration_s
    assert level(first, end_s + 0.2, end_s + 0.4) > 3 * level(first, 0.1, 0.8)


def test_the_demo_folder_holds_score_recording_and_truth(demo: DemoFiles) -> None:
    assert {path.name for path in demo.score.parent.iterdir()} == {"score.mid", "recording.flac", "truth.csv"}
    audio, truth = read_audio(demo.recording), read_labels(demo.truth)
    assert len(truth) == len(read_score(demo.score).notes)
    assert truth["offset_s"].max() < len(audio) / SAMPLE_RATE < truth["offset_s"].max() + 10


def test_the_truth_file_is_true_to_the_sample(demo: DemoFiles) -> None:
    score = read_score(demo.score)
    truth = read_labels(demo.truth)
    late = onset_errors(perform(score, 1680).notes, truth)
    assert np.abs(late).max() <= 1.01 / SAMPLE_RATE
    assert np.abs(onset_errors(truth, score.notes)).max() > 0.5  # the score itself is no answer


def test_errors_are_label_minus_truth_in_the_order_of_the_truth(canon: Score) -> None:
    truth = canon.notes
    labels = truth.copy()
    lateness = np.random.default_rng(0).normal(0, 0.05, len(truth))
    labels["onset_s"] += lateness
    labels["part"] = 0
    shuffled = labels[np.random.default_rng(1).permutation(len(labels))]
    np.testing.assert_allclose(onset_errors(truth, shuffled), lateness, atol=1e-12)


def test_labels_of_other_music_are_refused(canon: Score) -> None:
    wrong = canon.notes.copy()
    wrong["pitch"][3] += 1
    for labels in (wrong, canon.notes[1:]):
        with pytest.raises(LabelError, match="own score"):
            onset_errors(canon.notes, labels)
