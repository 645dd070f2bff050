"""MusicXML written out: read again, it is what was played."""

from pathlib import Path

import numpy as np
import pytest
from laid_score import laid
from made_notation import HEAD, MENDED, REPEATS, backward, measure, note, part, score

from musicnet_build.errors import ScoreError
from musicnet_build.exports.musicxml import score_as_played
from musicnet_build.exports.performed import performed_score
from musicnet_build.score.reader import Score, read_score

SCORES = {name: text for name, (text, _) in {**REPEATS, **MENDED}.items()}


def read(text: str, folder: Path, name: str) -> Score:
    (folder / name).write_text(text)
    return read_score(folder / name)


def count(original: Score) -> int:
    return len(set(original.measures.written.tolist()))


@pytest.mark.parametrize("name", SCORES)
def test_repeats_and_jumps_are_written_out(tmp_path: Path, name: str) -> None:
    original = read(SCORES[name], tmp_path, "a.musicxml")
    text = score_as_played((tmp_path / "a.musicxml").read_bytes(), original.measures, count(original))
    again = read(text, tmp_path, "b.musicxml")
    np.testing.assert_array_equal(again.notes["pitch"], original.notes["pitch"])
    np.testing.assert_allclose(again.notes["onset_beats"], original.notes["onset_beats"])
    np.testing.assert_allclose(again.notes["duration_beats"], original.notes["duration_beats"])
    assert again.measures.numbers == original.measures.numbers
    assert again.measures.written.tolist() == list(range(len(again.measures.written)))


def test_a_repeat_that_was_left_out_is_left_out(tmp_path: Path) -> None:
    original = read(REPEATS["a repeat"][0], tmp_path, "a.musicxml")
    played = performed_score(laid(original, order="1-4"), original)
    text = score_as_played((tmp_path / "a.musicxml").read_bytes(), played.measures, count(original))
    assert read(text, tmp_path, "b.musicxml").measures.numbers == ("1", "2", "3", "4")


def test_the_metre_in_force_is_stated_again_and_no_tie_leads_across_a_jump(tmp_path: Path) -> None:
    change = "<attributes><time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
    first = measure(1, note("C4", 4, note_id="x"), head=HEAD)
    last = measure(2, note("D4", 2, tie="start"), head=change, right=backward())
    after = measure(3, note("D4", 2, tie="stop"))
    original = read(score(part(first, last, after)), tmp_path, "a.musicxml")
    text = score_as_played((tmp_path / "a.musicxml").read_bytes(), original.measures, count(original))
    again = read(text, tmp_path, "b.musicxml")
    assert [(s.beats, s.numerator) for s in again.time_signatures] == [(0, 4), (4, 2), (6, 4), (10, 2)]
    assert again.notes["duration_beats"].tolist() == [4, 2, 4, 4]
    assert 'id="x-2"' in text


def test_what_is_no_musicxml_is_refused(tmp_path: Path) -> None:
    measures = read(REPEATS["a repeat"][0], tmp_path, "a.musicxml").measures
    for data in (b"<mei/>", b"<score-partwise>"):
        with pytest.raises(ScoreError):
            score_as_played(data, measures, 4)


def test_a_score_with_measures_that_are_never_played_is_refused(tmp_path: Path) -> None:
    original = read(REPEATS["a repeat"][0], tmp_path, "a.musicxml")
    with pytest.raises(ScoreError, match="never played"):
        score_as_played((tmp_path / "a.musicxml").read_bytes(), original.measures, 3)
