"""The pieces that the example composes: they make tests for timbre sets."""

from pathlib import Path

import compose_pieces

from musicnet_build.corpora.timbre_set import DEFAULT_INSTRUMENTS
from musicnet_build.generation.melodies import melodies_of
from musicnet_build.score.reader import read_score


def test_the_composed_pieces_have_both_instruments_and_are_the_same_each_time(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        compose_pieces.main(str(tmp_path / folder))
    paths = sorted((tmp_path / "one").iterdir())
    assert len(paths) == 4
    assert len({path.read_bytes() for path in paths}) == 4
    for path in paths:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        assert all(len(line) > 50 for line in melodies_of(read_score(path), DEFAULT_INSTRUMENTS).values())
