"""Tests of what a picture shows of an alignment: this recording's times, energies and labels, and no padding."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Music

from musicnet_build.alignment import Alignment, align
from musicnet_build.audio.io import read_audio
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.plots.alignment import AlignmentPicture
from musicnet_build.plots.alignment_picture import alignment_picture, picture_title
from musicnet_build.score.order import PlayingOrder, Span
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont


@pytest.fixture(scope="module")
def alignment(music: Music) -> Alignment:
    return align(read_audio(music.recording), read_score(music.score), choose_soundfont())


@pytest.fixture(scope="module")
def picture(music: Music, alignment: Alignment) -> AlignmentPicture:
    return alignment_picture("A title", read_audio(music.recording), alignment)


def test_it_spans_the_recording_and_the_score(music: Music, picture: AlignmentPicture) -> None:
    assert picture.title == "A title"
    assert picture.verdict == "accept"
    assert picture.recording_duration_s == pytest.approx(len(read_audio(music.recording)) / SAMPLE_RATE)
    assert picture.score_duration_s >= read_score(music.score).duration_s


def test_the_title_tells_recordings_of_one_name_apart(tmp_path: Path) -> None:
    assert picture_title(tmp_path / "bach" / "recording.flac", Path("score.mid")) == "bach/recording.flac and score.mid"


def test_its_labels_are_those_of_the_alignment(alignment: Alignment, picture: AlignmentPicture) -> None:
    assert picture.notes.tobytes() == alignment.notes.tobytes()


def test_its_path_takes_each_score_onset_to_its_label(
    music: Music, alignment: Alignment, picture: AlignmentPicture
) -> None:
    expected_s = np.sort(alignment.warping.time_map.recording_at(read_score(music.score).notes["onset_s"]))
    drawn_s = np.interp(np.sort(read_score(music.score).notes["onset_s"]), picture.score_s, picture.recording_s)
    np.testing.assert_allclose(drawn_s, expected_s, atol=0.005)


def test_the_cost_is_lower_on_the_path_than_beside_it(picture: AlignmentPicture) -> None:
    assert len(picture.path_cost) == len(picture.score_s)
    assert np.median(picture.path_cost) < 0.8 * np.median(picture.cost_image)


def test_a_sounding_label_lies_on_energy_of_its_pitch(picture: AlignmentPicture) -> None:
    notes = picture.notes
    middle_s = notes["onset_s"] + 0.3 * (notes["offset_s"] - notes["onset_s"])
    frames = np.rint(middle_s * picture.frame_rate_hz).astype(int)
    below, under, above = (np.median(picture.pitch_energy[frames, notes["pitch"] - 21 + k]) for k in (-1, 0, 1))
    assert under > 1.1 * max(below, above)


def test_a_seam_lies_where_the_first_label_behind_it_does(music: Music) -> None:
    audio, score = read_audio(music.recording), read_score(music.score)
    end = float((score.notes["onset_beats"] + score.notes["duration_beats"]).max())
    order = PlayingOrder((Span(0.0, 4.0), Span(4.0, end)))
    aligned = align(audio, score, choose_soundfont(), order=order)
    (seam_s,) = alignment_picture("A title", audio, aligned).seams_s
    behind = aligned.notes[aligned.notes["onset_beats"] >= 4.0]
    assert seam_s == pytest.approx(behind["onset_s"].min(), abs=0.1)
