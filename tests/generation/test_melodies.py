"""Test sets from MIDI files: which melody is taken, what is rendered, what is refused and why."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timbre_helpers import Line, soundfont, tune, write_tracks
from tiny_soundfont import write_soundfont

from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.timbre_set import DEFAULT_INSTRUMENTS, TRUMPET
from musicnet_build.errors import DatasetError
from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
from musicnet_build.generation.melodies import (
    TimbreTestSettings,
    generate_timbre_test,
    melodies_of,
    melody,
    unused_soundfonts,
)
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.packing.timbre.images import ImageSettings
from musicnet_build.packing.timbre.package import PackSettings, pack_timbre
from musicnet_build.packing.timbre.reader import TimbreFrames
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont


def written(line: Line) -> NoteTable:
    notes = empty_notes(len(line))
    for row, (onset, length, pitch) in zip(notes, line, strict=True):
        row["onset_beats"], row["duration_beats"], row["pitch"] = onset, length, pitch
    return notes


def as_line(notes: NoteTable) -> Line:
    return [(float(n["onset_beats"]), float(n["duration_beats"]), int(n["pitch"])) for n in notes]


def test_the_top_of_each_chord_is_the_melody() -> None:
    chords = [(beat, 1.0, pitch) for beat in (0.0, 1.0) for pitch in (60, 64, 67 + int(beat))]
    assert as_line(melody(written(chords))) == [(0.0, 1.0, 67), (1.0, 1.0, 68)]


def test_a_strummed_chord_is_one_chord() -> None:
    assert as_line(melody(written([(0.0, 2.0, 60), (0.03, 2.0, 64), (0.06, 1.9, 67)]))) == [(0.06, 1.9, 67)]


def test_an_accompaniment_under_a_long_note_is_left_out_and_a_higher_note_ends_it() -> None:
    line = [(0.0, 4.0, 72), (1.0, 1.0, 60), (2.0, 1.0, 74), (3.0, 1.0, 65)]
    assert as_line(melody(written(line))) == [(0.0, 2.0, 72), (2.0, 1.0, 74), (3.0, 1.0, 65)]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40), st.integers(40, 80)), max_size=40))
def test_a_melody_is_one_note_at_a_time_and_every_note_was_written(rows: list[tuple[int, int, int]]) -> None:
    line = melody(written([(onset / 8, length / 8, pitch) for onset, length, pitch in rows]))
    ends = line["onset_beats"] + line["duration_beats"]
    assert np.all(line["onset_beats"][1:] >= ends[:-1] - 1e-9)
    assert np.all(line["duration_beats"] >= 1 / 16)
    starts = {(onset / 8, pitch) for onset, _, pitch in rows}
    assert {(float(n["onset_beats"]), int(n["pitch"])) for n in line} <= starts
    assert len(line) > 0 or not rows


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two pieces with guitar and trumpet among other tracks, one of them with two guitars."""
    folder = tmp_path_factory.mktemp("band")
    first = [(0, 0, tune(60)), (27, 1, tune(52)), (56, 2, tune(64, beat=2)), (33, 3, tune(30))]
    second = [(29, 1, tune(60)[:4]), (26, 4, tune(55, beat=4, length=0.5)), (56, 2, tune(70, beat=4))]
    return [write_tracks(folder / "first piece.mid", first), write_tracks(folder / "second.mid", second, bpm=180)]


def test_the_longest_part_of_each_instrument_is_taken_and_starts_at_once(band: list[Path]) -> None:
    melodies = melodies_of(read_score(band[1]), DEFAULT_INSTRUMENTS)
    assert set(melodies["guitar"]["program"]) == {26}
    assert melodies["guitar"]["onset_beats"][0] == melodies["trumpet"]["onset_beats"][0] == 0.0


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        ([(27, 0, tune(52))], "no trumpet"),
        ([(56, 0, tune(60))], "no guitar"),
        ([(27, 0, tune(52)), (56, 1, tune(60)[:5])], "trumpet plays a melody of 5 notes"),
        ([(27, 0, tune(10)), (56, 1, tune(60))], "guitar plays a melody of 0 notes"),
        ([(27, 0, tune(52)), (56, 1, tune(60, beat=40))], "never play together"),
        ([(27, 9, tune(52)), (56, 1, tune(60))], "no guitar"),
    ],
)
def test_pieces_that_do_not_fit_are_refused_with_the_reason(
    tmp_path: Path, tracks: list[tuple[int, int, Line]], reason: str
) -> None:
    path = write_tracks(tmp_path / "piece.mid", tracks)
    with pytest.raises(DatasetError, match=f"None of 1 pieces fits; .*piece.mid: .*{reason}"):
        generate_timbre_test(tmp_path / "out", [path], [soundfont()])
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def made(band: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    without = write_tracks(folder / "without.mid", [(27, 0, tune(52))])
    _, refused = generate_timbre_test(
        folder / "set", [*band, without], [soundfont()], TimbreTestSettings(amplifier=True)
    )
    assert [(each.path, "no trumpet" in each.reason) for each in refused] == [(without, True)]
    return folder / "set"


def test_each_piece_is_rendered_together_and_alone_at_120(made: Path) -> None:
    names = sorted(path.stem for path in (made / "audio").iterdir())
    assert names == [
        f"{piece}-{kind}"
        for piece in ("first-piece", "second")
        for kind in ("combined", "guitar-alone", "trumpet-alone")
    ]
    together, guitar, trumpet = (read_audio(made / "audio" / f"first-piece-{kind}.wav") for kind in
                                 ("combined", "guitar-alone", "trumpet-alone"))  # fmt: skip
    length = min(len(guitar), len(trumpet))
    np.testing.assert_allclose(together[:length], guitar[:length] + trumpet[:length], atol=1e-6)
    assert not trumpet[: 44_100 - 2000].any()  # it comes in after two beats, which are one second


def test_the_test_package_has_the_layout_of_the_training_package_without_folds(made: Path, tmp_path: Path) -> None:
    packed = pack_timbre(made, tmp_path / "test.h5", PackSettings(ImageSettings("log", 8192, 1024)))
    assert set(packed.parts) == {"combined", "guitar_alone", "trumpet_alone"}
    frames = TimbreFrames(tmp_path / "test.h5", "guitar_alone")
    assert frames[0][0].shape == (128, 512, 3)
    assert frames[0][1].shape == (2, 129)
    np.testing.assert_array_equal(frames.pitches()[:, 1], 128)
    # Quarter notes at 120 are two frames long; the first note of the tune is E3.
    np.testing.assert_array_equal(frames.pitches()[:4, 0], [52, 52, 54, 54])
    with pytest.raises(DatasetError, match="no fold"):
        TimbreFrames(tmp_path / "test.h5", fold=0)


def test_soundfonts_of_the_training_set_are_not_used_for_tests(tmp_path: Path) -> None:
    generate_ascension(tmp_path / "set", [soundfont()], AscensionSettings((TRUMPET,), velocities=(90,)))
    with pytest.raises(DatasetError, match=r"TimGM6mb plays in .* already"):
        unused_soundfonts([tmp_path / "set"], [soundfont()])
    other = choose_soundfont(write_soundfont(tmp_path / "other.sf2", [(0, 56)], wave="sine"))
    assert unused_soundfonts([tmp_path / "set"], [other]) == [other]
    another_version = choose_soundfont(write_soundfont(tmp_path / "TimGM6mb.sf2", [(0, 56)], wave="sine"))
    with pytest.raises(DatasetError, match=r"TimGM6mb plays in .* already"):
        unused_soundfonts([tmp_path / "set"], [another_version])
    assert all(font.name != soundfont().name for font in unused_if_any(tmp_path / "set"))


def unused_if_any(folder: Path) -> list:
    try:
        return unused_soundfonts([folder])
    except DatasetError as error:
        assert "install one more" in str(error)  # noqa: PT017
        return []
