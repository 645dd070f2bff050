"""Names of pitches."""

import numpy as np
import pytest

from musicnet_build.exports.spelling import spelled
from musicnet_build.notes import pitch_number

MAJOR = np.array([0, 2, 4, 5, 7, 9, 11, 12])
SCALES = {60: "CDEFGABC", 65: "FGABCDEF", 67: "GABCDEFG", 62: "DEFGABCD", 58: "BCDEFGAB", 63: "EFGABCDE"}


@pytest.mark.parametrize("tonic", SCALES)
def test_each_note_of_a_scale_has_a_letter_of_its_own(tonic: int) -> None:
    names = spelled(np.tile(tonic + MAJOR, 3))
    assert "".join(letter for letter, _, _ in names[:8]) == SCALES[tonic]


def test_every_name_is_a_name_of_its_pitch() -> None:
    pitches = np.random.default_rng(1).integers(21, 109, 500)
    for pitch, (letter, alteration, octave) in zip(pitches.tolist(), spelled(pitches), strict=True):
        assert pitch_number(f"{letter}{octave}") + alteration == pitch
        assert abs(alteration) <= 2


def test_no_notes_have_no_names() -> None:
    assert spelled(np.zeros(0, np.int64)) == []
