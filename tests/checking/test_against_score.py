"""Missing and surplus notes, told against the alignment of a score."""

import numpy as np
import pytest
from conftest import Music

from musicnet_build.alignment import Alignment, align
from musicnet_build.audio.io import read_audio
from musicnet_build.checking import errata as kinds
from musicnet_build.checking.against_score import against_score
from musicnet_build.checking.check import check_labels
from musicnet_build.labels.files import read_labels
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont


@pytest.fixture(scope="module")
def alignment(music: Music) -> Alignment:
    return align(read_audio(music.recording), read_score(music.score), choose_soundfont())


def test_a_deleted_and_an_inserted_note_are_named(music: Music, alignment: Alignment) -> None:
    truth = read_labels(music.truth)
    labels = np.delete(truth, 20)
    labels["pitch"][40] = 100
    found = against_score(check_labels(read_audio(music.recording), labels), alignment)
    missing = [erratum for erratum in found.errata if erratum.what == kinds.MISSING]
    (surplus,) = (erratum for erratum in found.errata if erratum.what == kinds.SURPLUS)
    assert {int(truth["pitch"][20]), int(truth["pitch"][41])} == {erratum.pitch for erratum in missing}
    assert min(abs(erratum.start_s - truth["onset_s"][20]) for erratum in missing) < 0.05
    assert surplus.pitch == 100


def test_a_score_that_does_not_fit_says_nothing_but_that(music: Music, alignment: Alignment) -> None:
    from dataclasses import replace

    from musicnet_build.quality.verdict import Verdict

    assert alignment.quality is not None
    unfit = replace(alignment, quality=replace(alignment.quality, verdict=Verdict.REJECT))
    found = against_score(check_labels(read_audio(music.recording), read_labels(music.truth)), unfit)
    assert found.verdict == "review"
    assert "does not fit" in found.reasons[-1]
    assert not any(erratum.what == kinds.MISSING for erratum in found.errata)
