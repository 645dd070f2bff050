"""Piano rolls in blocks."""

import numpy as np
import pytest
from tunes import notes

from musicnet_build.errors import LabelError
from musicnet_build.evaluation.rolls import roll_blocks
from musicnet_build.labels.pianoroll import ALL_PITCHES, label_rolls


def test_blocks_put_together_are_the_roll_of_the_whole() -> None:
    random = np.random.default_rng(0)
    long = notes(np.sort(random.uniform(0, 1300, 400)), pitch=random.integers(40, 80, 400), length_s=1.234)
    short = notes([0.5], pitch=[60])
    blocks = list(roll_blocks((long, short), 0.01))
    assert len(blocks) == 3
    assert all(len(one) == len(other) for one, other in blocks)
    whole = np.concatenate([one for one, _ in blocks])
    np.testing.assert_array_equal(whole, label_rolls(long, len(whole), 0.01, pitches=ALL_PITCHES).frame)
    assert sum(int(other.sum()) for _, other in blocks) == 50


def test_notes_of_days_are_refused() -> None:
    with pytest.raises(LabelError, match="no more than 21600 s"):
        list(roll_blocks((notes([1e6]),), 0.01))
