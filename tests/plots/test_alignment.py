"""Tests of the picture of an alignment: it must show what is there, where it is."""

import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

from musicnet_build.errors import AlignmentError
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.plots.alignment import (
    AlignmentPicture,
    coarse_cost,
    draw_alignment,
    excerpt_spans,
    local_tempo_ratio,
    plot_alignment,
)

RATE_HZ = 50.0
DURATION_S = 30.0


def some_notes(count: int = 55, confidence: float = np.nan) -> NoteTable:
    notes = empty_notes(count)
    notes["onset_s"] = 1.0 + 0.5 * np.arange(count)
    notes["offset_s"] = notes["onset_s"] + 0.4
    notes["pitch"] = 60 + np.arange(count) % 12
    notes["confidence"] = confidence
    return notes


def a_picture(**changes: Any) -> AlignmentPicture:
    notes = some_notes()
    energy = np.zeros((round(DURATION_S * RATE_HZ) + 1, 88))
    for note in notes:
        energy[round(note["onset_s"] * RATE_HZ) : round(note["offset_s"] * RATE_HZ), note["pitch"] - 21] = 1.0
    path_s = np.linspace(0.0, DURATION_S, 300)
    picture = AlignmentPicture(
        title="A test",
        score_s=path_s / 1.5,
        recording_s=path_s,
        path_cost=1.0 + np.sin(path_s),
        cost_image=np.abs(np.subtract.outer(np.arange(40.0), np.arange(60.0) / 1.5)),
        score_duration_s=DURATION_S / 1.5,
        recording_duration_s=DURATION_S,
        pitch_energy=energy,
        frame_rate_hz=RATE_HZ,
        notes=notes,
    )
    return dataclasses.replace(picture, **changes)


def excerpts_of(figure: Any) -> list[Any]:
    return [axes for axes in figure.axes if "onsets" in axes.get_title(loc="left")]


def bars_of(axes: Any) -> LineCollection:
    """The coloured onset bars: the last thing drawn."""
    return [artist for artist in axes.collections if isinstance(artist, LineCollection)][-1]


def test_the_file_is_a_png_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    plot_alignment(tmp_path / "a.png", a_picture())
    plot_alignment(tmp_path / "b.png", a_picture())
    first = (tmp_path / "a.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert first == (tmp_path / "b.png").read_bytes()
    assert b"Software" not in first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_drawing_leaves_pyplot_alone(tmp_path: Path) -> None:
    code = (
        "import sys; import musicnet_build.plots.alignment as f; assert 'matplotlib' not in sys.modules;"
        "from test_alignment import a_picture;"
        f"f.plot_alignment({str(tmp_path / 'a.png')!r}, a_picture());"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parent).returncode == 0
    assert (tmp_path / "a.png").is_file()


def test_onset_bars_stand_at_the_labelled_times_and_pitches() -> None:
    picture = a_picture()
    excerpts = excerpts_of(draw_alignment(picture))
    assert len(excerpts) == 3
    for axes in excerpts:
        bars = np.array(bars_of(axes).get_segments())
        begin_s, end_s = axes.get_xlim()
        expected = picture.notes[(picture.notes["onset_s"] < end_s) & (picture.notes["offset_s"] > begin_s)]
        np.testing.assert_allclose(bars[:, 0, 0], expected["onset_s"])
        np.testing.assert_allclose(bars[:, :, 1].mean(axis=1), expected["pitch"])


def test_energy_is_drawn_centred_on_frame_times_and_pitches() -> None:
    energy = np.zeros((round(DURATION_S * RATE_HZ) + 1, 88))
    energy[100, 69 - 21] = 1.0  # at 2.0 s, A4
    image = excerpts_of(draw_alignment(a_picture(pitch_energy=energy)))[0].get_images()[0]
    left, right, bottom, top = image.get_extent()
    values = np.asarray(image.get_array())
    row, column = np.unravel_index(np.argmax(values), values.shape)
    assert left + (column + 0.5) * (right - left) / values.shape[1] == pytest.approx(2.0)
    assert bottom + (row + 0.5) * (top - bottom) / values.shape[0] == pytest.approx(69.0)


def test_sure_unsure_and_unknown_labels_differ_in_colour() -> None:
    colours = set()
    for confidence in (0.2, 0.7, 0.95, np.nan):
        figure = draw_alignment(a_picture(notes=some_notes(confidence=confidence)))
        drawn = {to_rgba(colour) for colour in bars_of(excerpts_of(figure)[0]).get_color()}
        assert len(drawn) == 1
        colours |= drawn
        key = [handle.get_color() for handle in figure.legends[0].legend_handles]
        assert drawn <= {to_rgba(colour) for colour in key}
    assert len(colours) == 4


def test_the_path_is_drawn_in_seconds_over_a_cost_image_of_the_same_extent() -> None:
    picture = a_picture()
    axes = draw_alignment(picture).axes[0]
    path = {line.get_label(): line for line in axes.lines}["warping path"]
    np.testing.assert_array_equal(path.get_xdata(), picture.recording_s)
    np.testing.assert_array_equal(path.get_ydata(), picture.score_s)
    assert axes.get_images()[0].get_extent() == [0.0, DURATION_S, 0.0, DURATION_S / 1.5]
    assert axes.get_images()[0].origin == "lower"


def test_a_recording_shorter_than_an_excerpt_and_labels_of_none_can_be_drawn(tmp_path: Path) -> None:
    path_s = np.linspace(0.0, 2.0, 5)
    changes: dict[str, Any] = {"score_s": path_s, "recording_s": path_s, "path_cost": np.zeros(5)}
    changes |= {"recording_duration_s": 2.0, "score_duration_s": 2.0, "pitch_energy": np.zeros((101, 88))}
    plot_alignment(tmp_path / "short.png", a_picture(**changes, notes=empty_notes()))
    assert (tmp_path / "short.png").stat().st_size > 0


@given(speed=st.floats(0.3, 3.0))
def test_tempo_ratio_is_the_speed_of_the_performance(speed: float) -> None:
    recording_s = np.linspace(0.0, 20.0, 200)
    ratio = local_tempo_ratio(speed * recording_s, recording_s, np.array([0.0, 5.0, 12.3, 20.0]))
    np.testing.assert_allclose(ratio, speed, rtol=1e-9)


@given(first=st.floats(0, 500), length=st.floats(0, 500), rest=st.floats(0.5, 20))
@settings(max_examples=60)
def test_excerpts_lie_inside_the_recording_and_do_not_overlap(first: float, length: float, rest: float) -> None:
    notes = empty_notes(2)
    notes["onset_s"] = [first, first + length]
    duration_s = first + length + rest
    spans = excerpt_spans(notes, duration_s)
    assert 1 <= len(spans) <= 3
    assert spans[0][0] <= first < spans[0][1] + 1e-9
    assert all(0 <= begin < end <= duration_s for begin, end in spans)
    assert all(earlier[1] <= later[0] + 1e-9 for earlier, later in itertools.pairwise(spans))
    if length > 30:
        assert len(spans) == 3
        assert spans[2][0] <= first + length <= spans[2][1]


def test_the_coarse_cost_is_the_distance_of_averaged_frames() -> None:
    random = np.random.default_rng(0)
    X, Y = random.random((7, 5)), random.random((9, 5))
    exact = np.linalg.norm(X[:, None] - Y[None], axis=2)
    np.testing.assert_allclose(coarse_cost(X, Y), exact, atol=1e-7)
    long = np.repeat(X, 100, axis=0)
    np.testing.assert_allclose(coarse_cost(long, Y, largest=7)[:, :7], coarse_cost(X, Y, largest=7), atol=1e-6)
    assert coarse_cost(np.ones((1203, 2)), np.ones((11, 2))).shape == (500, 11)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path_cost": np.zeros(3)}, "3 costs"),
        ({"score_s": np.linspace(5.0, 0.0, 300)}, "neither"),
        ({"pitch_energy": np.zeros((100, 80))}, "88 pitches"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AlignmentError, match=words):
        a_picture(**changes)


def test_a_jump_is_marked_where_it_was_made_and_said_in_words() -> None:
    words = ("measures 1–4 were left out (at 0:10.0)", "measures 5–8 were played again (at 0:20.0)", "a third")
    figure = draw_alignment(a_picture(seams_s=(10.0, 20.0), departures=words))
    path_axes = figure.axes[0]
    marks = [c for c in path_axes.collections if isinstance(c, LineCollection)]
    across = sorted({float(x) for mark in marks for segment in mark.get_segments() for x in segment[:, 0]})
    assert across == [0.0, 10.0, 20.0, DURATION_S]
    assert path_axes.get_ylabel().startswith("score as played")
    said = [text.get_text() for text in figure.texts]
    assert f"{words[0]}; {words[1]}; and 1 more" in said


def test_a_score_played_as_written_has_no_jumps_marked() -> None:
    axes = draw_alignment(a_picture()).axes[0]
    assert not [c for c in axes.collections if isinstance(c, LineCollection)]
    assert axes.get_ylabel().startswith("score (")
