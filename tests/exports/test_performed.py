"""The score as it was played: its beats count on, and each note has a name."""

import numpy as np
from laid_score import laid
from made_notation import REPEATS
from made_score import made_score

from musicnet_build.exports.performed import performed_score
from musicnet_build.score.reader import read_score


def test_without_repeats_the_beats_are_the_written_ones_and_the_times_those_of_the_map() -> None:
    score = made_score([60, 62, 64, 65, 67])
    performed = performed_score(laid(score, slower=2.0, starts_s=1.0), score)
    np.testing.assert_array_equal(performed.onset_beats, np.arange(5.0))
    np.testing.assert_allclose(performed.recording_at(performed.onset_beats), 1.0 + np.arange(5))
    assert performed.ids == ("n1", "n2", "n3", "n4", "n5")
    assert performed.end_beats == 5.0


def test_a_passage_played_twice_counts_on_and_its_notes_are_told_apart() -> None:
    score = made_score(list(range(60, 72)))
    performed = performed_score(laid(score, order="1-2,1-3"), score)
    np.testing.assert_allclose(performed.onset_beats, np.arange(20))
    assert performed.measures.numbers == ("1", "2", "1", "2", "3")
    np.testing.assert_allclose(performed.measures.starts_beats, [0, 4, 8, 12, 16])
    assert performed.ids[:2] == ("n1-1", "n2-1")
    assert performed.ids[8:10] == ("n1-2", "n2-2")
    assert performed.ids[-1] == "n12-1"


def test_unisons_of_one_part_have_names_of_their_own() -> None:
    score = made_score([60, 60])
    score.notes[["onset_beats", "onset_s"]] = 0.0, 0.0
    score.notes["offset_s"] = 0.5
    assert len(set(performed_score(laid(score), score).ids)) == 2


def test_the_ids_of_notation_are_kept_also_in_its_own_repeats(tmp_path) -> None:
    (tmp_path / "a.musicxml").write_text(REPEATS["a repeat"][0])
    score = read_score(tmp_path / "a.musicxml")
    performed = performed_score(laid(score), score)
    stems = [name.rpartition("-") for name in performed.ids]
    assert {stem for stem, _, _ in stems} == set(score.note_ids)
    assert [time for _, _, time in stems] == ["1"] * 12 + ["2"] * 8 + ["1"] * 4
