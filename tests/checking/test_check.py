"""A verdict on labels: right ones are accepted, and every planted fault is told."""

from collections import Counter

import numpy as np
import pytest
from conftest import Music
from heard_labels import evidence_of, melody

from musicnet_build.audio.io import read_audio
from musicnet_build.checking import errata as kinds
from musicnet_build.checking.check import Check, check_labels, checked
from musicnet_build.errors import LabelError
from musicnet_build.labels.files import read_labels
from musicnet_build.notes import NoteTable, empty_notes, sorted_by_onset


def check(labels: NoteTable) -> Check:
    return checked(evidence_of(melody()), sorted_by_onset(labels))


def test_right_labels_are_accepted_with_confidence() -> None:
    found = check(melody())
    assert found.verdict == "accept"
    assert found.reasons == ()
    assert found.confident_share > 0.99


def test_a_constant_offset_is_told_and_takes_the_confidence_of_all_labels() -> None:
    labels = melody()
    labels["onset_s"] += 0.2
    found = check(labels)
    assert found.verdict == "reject"
    assert [erratum.what for erratum in found.errata] == [kinds.OFFSET, *[kinds.BEHIND] * (len(found.errata) - 1)]
    assert found.mean_confidence < 0.1
    assert found.as_dict()["offset_s"] == pytest.approx(0.2, abs=0.002)


def test_single_notes_are_told_on_the_clock_of_the_labels() -> None:
    labels = melody()
    labels["onset_s"] += 0.03
    labels["onset_s"][10] += 0.15
    labels["pitch"][90] += 30
    found = check(labels)
    assert found.verdict == "review"
    by_kind = {erratum.what: erratum for erratum in found.errata}
    assert by_kind[kinds.MOVED].by == pytest.approx(0.18, abs=0.01)
    assert by_kind[kinds.NOT_HEARD].pitch == labels["pitch"][90]
    assert Counter(erratum.what for erratum in found.errata)[kinds.MOVED] == 1


def test_labels_of_other_music_and_in_another_key_are_rejected() -> None:
    other = check(melody(seed=5))
    assert (other.verdict, other.clock, other.errata[0].what) == ("reject", None, kinds.OTHER_RECORDING)
    higher = melody()
    higher["pitch"] += 2
    found = check(higher)
    assert (found.verdict, found.transposition, found.mean_confidence) == ("reject", 2, 0.0)


def test_a_passage_of_other_music_is_for_review_and_its_notes_are_not_told_one_by_one() -> None:
    labels = melody()
    labels["pitch"][80:120] = melody(40, seed=9)["pitch"]
    found = check(labels)
    assert kinds.OTHER_MUSIC in [erratum.what for erratum in found.errata]
    assert sum(erratum.note is not None for erratum in found.errata) < 8


def test_few_labels_have_no_clock_and_are_heard_all_the_same() -> None:
    few = melody()[:5]
    few["pitch"][:] -= 12
    found = check(few)
    assert (found.clock, found.transposition) == (None, 0)
    assert {erratum.what for erratum in found.errata} == {kinds.OCTAVE}


def test_nothing_but_drums_is_refused(music: Music) -> None:
    drums = empty_notes(3)
    drums["is_drum"] = True
    with pytest.raises(LabelError, match="nothing to check"):
        check_labels(read_audio(music.recording), drums)


def test_a_real_rendering_is_accepted_with_its_true_labels_and_not_with_late_ones(music: Music) -> None:
    audio, truth = read_audio(music.recording), read_labels(music.truth)
    assert check_labels(audio, truth).verdict == "accept"
    late = truth.copy()
    late["onset_s"] += 0.15
    found = check_labels(audio, late)
    assert found.clock is not None
    assert found.clock.offset_s == pytest.approx(0.15, abs=0.015)
    assert np.mean(found.notes["confidence"]) < 0.3
