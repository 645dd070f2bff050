"""What an ascension set holds: every note, every pair, as many of each kind."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timbre_helpers import GUITAR, SMALL_PAIR, TRUMPET, soundfont

from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.timbre_set import Instrument, read_set
from musicnet_build.errors import DatasetError
from musicnet_build.generation.ascension import (
    AscensionSettings,
    ascensions,
    generate_ascension,
    plan_pieces,
)
from musicnet_build.generation.preset_check import UsablePreset, all_presets, strongest_pitch
from musicnet_build.jobs.local import Outcome
from musicnet_build.labels.files import read_labels

SETTINGS = AscensionSettings(SMALL_PAIR, velocities=(80, 110))


def presets() -> dict[str, list[UsablePreset]]:
    return {each.name: all_presets(each, [soundfont()]) for each in SMALL_PAIR}


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 3))
def test_every_pair_of_notes_is_played_just_as_often_as_asked(first: int, second: int, passes: int) -> None:
    pieces = ascensions([range(first), range(50, 50 + second)], passes * first * second)
    counts = Counter(itertools.chain(*pieces))
    assert set(counts) == set(itertools.product(range(first), range(50, 50 + second)))
    assert set(counts.values()) == {passes}


@given(st.integers(1, 30), st.integers(1, 400))
def test_notes_alone_differ_by_one_repetition_at_most(size: int, count: int) -> None:
    pieces = list(ascensions([range(size)], count))
    counts = Counter(chord[0] for piece in pieces for chord in piece)
    assert sum(counts.values()) == count
    assert max(counts.values()) - min(counts.get(i, 0) for i in range(size)) <= 1
    assert all(piece == sorted(piece) for piece in pieces)


def test_the_default_set_has_1645_quarter_notes_of_each_kind() -> None:
    settings = AscensionSettings()
    whole = {each.name: all_presets(each, [soundfont()]) for each in settings.instruments}
    counts = Counter()
    for piece in plan_pieces(settings, whole):
        counts[piece.subset] += max(len(stem.notes) for stem in piece.stems)
    assert counts == {"guitar_alone": 47 * 35, "trumpet_alone": 47 * 35, "guitar_and_trumpet": 47 * 35}


def test_three_instruments_stay_balanced_though_their_ranges_differ() -> None:
    settings = AscensionSettings((GUITAR, TRUMPET, Instrument("flute", (73,), 60, 70)))
    whole = {each.name: all_presets(each, [soundfont()]) for each in settings.instruments}
    counts = Counter()
    for piece in plan_pieces(settings, whole):
        counts[piece.subset] += max(len(stem.notes) for stem in piece.stems)
    assert len(counts) == 6
    assert set(counts.values()) == {44}


def test_one_instrument_alone_gets_every_variation_of_every_note() -> None:
    planned = plan_pieces(AscensionSettings((GUITAR,), velocities=(80, 110)), presets())
    heard = Counter((note.pitch, note.program, note.velocity) for p in planned for s in p.stems for note in s.notes)
    assert set(heard.values()) == {1}
    assert len(heard) == 4 * 2 * 2


def test_variations_change_with_the_seed_and_only_with_it() -> None:
    def order(seed: int) -> list[tuple[int, int]]:
        settings = AscensionSettings(SMALL_PAIR, velocities=(60, 70, 80, 90), seed=seed)
        return [(s.notes[0].program, s.notes[0].velocity) for p in plan_pieces(settings, presets()) for s in p.stems]

    assert order(0) == order(0)
    assert order(0) != order(1)


def test_a_note_that_a_preset_does_not_play_is_given_to_another() -> None:
    font = soundfont()
    halves = {
        "guitar": [UsablePreset(font, 26, frozenset({60, 61})), UsablePreset(font, 27, frozenset(range(60, 64)))],
        "trumpet": all_presets(TRUMPET, [font]),
    }
    notes = [n for p in plan_pieces(SETTINGS, halves) for s in p.stems if s.instrument == "guitar" for n in s.notes]
    assert {note.pitch for note in notes if note.program == 26} == {60, 61}
    assert {note.pitch for note in notes if note.program == 27} == {60, 61, 62, 63}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"velocities": (0,)}, "Velocities"),
        ({"passes": 0}, "one pass"),
        ({"rest_beats": -1.0}, "rests"),
        (
            {"instruments": (Instrument("a", (1,), 0, 127), Instrument("b", (2,), 0, 127)), "passes": 99},
            "quarter notes",
        ),
        ({"instruments": (GUITAR, Instrument("lute", (26,), 50, 60))}, "program 26"),
    ],
)
def test_settings_that_make_no_set_are_refused(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        AscensionSettings(**settings)


def test_sound_labels_and_midi_agree_and_a_second_run_makes_nothing_anew(tmp_path: Path) -> None:
    made = generate_ascension(tmp_path, [soundfont()], AscensionSettings((TRUMPET,), velocities=(90,), rest_beats=1.0))
    assert read_set(tmp_path) == made
    (piece,) = made.pieces
    labels = read_labels(made.labels_path(piece))
    midi = read_labels(tmp_path / "midi" / f"{piece.name}.mid")
    audio = read_audio(made.audio_path(piece))
    np.testing.assert_allclose(labels["onset_s"], [0.0, 1.0, 2.0])
    np.testing.assert_allclose(labels["offset_s"], [0.5, 1.5, 2.5])
    np.testing.assert_array_equal(labels["pitch"], midi["pitch"])
    starts = np.rint(labels["onset_s"] * 44_100).astype(int)
    assert [strongest_pitch(audio[s : s + 22_050], 44_100) for s in starts] == [62, 63, 64]
    done: list[Outcome] = []
    again = generate_ascension(
        tmp_path, [soundfont()], AscensionSettings((TRUMPET,), velocities=(90,), rest_beats=1.0), on_done=done.append
    )
    assert again == made
    assert [outcome.result for outcome in done] == [False]


def test_a_file_that_was_changed_is_made_again(tmp_path: Path) -> None:
    settings = AscensionSettings((TRUMPET,), velocities=(90,))
    made = generate_ascension(tmp_path, [soundfont()], settings)
    path = made.audio_path(made.pieces[0])
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"\1\2\3\4")
    generate_ascension(tmp_path, [soundfont()], settings)
    assert path.read_bytes() == whole
