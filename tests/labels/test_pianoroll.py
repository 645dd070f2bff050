"""Labelling functions against a table worked by hand and against whole-number arithmetic; rolls; the pedal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicnet_build.errors import LabelError
from musicnet_build.labels import pianoroll as rolls
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.score.reader import CONTROL_DTYPE

FRAME_S = 0.1
# Onset and offset in seconds, then start and end in frames of 0.1 s by each function, worked out by hand.
BY_HAND = [
    ((0.12, 0.38), {"a": (1, 4), "b": (2, 4), "c": (1, 3), "d": (1, 3), "d_ceil": (2, 5)}),
    ((0.17, 0.31), {"a": (2, 3), "b": (2, 4), "c": (1, 3), "d": (1, 2), "d_ceil": (2, 4)}),
    ((0.0, 0.1), {"a": (0, 1), "b": (0, 1), "c": (0, 1), "d": (0, 1), "d_ceil": (0, 1)}),
    # Ties: half-way cases of a go to the even frame.
    ((0.05, 0.15), {"a": (0, 2), "b": (1, 2), "c": (0, 1), "d": (0, 1), "d_ceil": (1, 2)}),
    ((0.25, 0.35), {"a": (2, 4), "b": (3, 4), "c": (2, 3), "d": (2, 3), "d_ceil": (3, 4)}),
    # 0.3 / 0.1 is computed as 2.9999999999999996, and 0.7 / 0.1 as 6.999999999999999.
    ((0.3, 0.7), {"a": (3, 7), "b": (3, 7), "c": (3, 7), "d": (3, 7), "d_ceil": (3, 7)}),
    # Shorter than a frame.
    ((0.21, 0.24), {"a": (2, 2), "b": (3, 3), "c": (2, 2), "d": (2, 2), "d_ceil": (3, 4)}),
]


def table(*rows: tuple[float, float, int], part: int = 0) -> NoteTable:
    notes = empty_notes(len(rows))
    for i, (onset_s, offset_s, pitch) in enumerate(rows):
        notes["onset_s"][i], notes["offset_s"][i], notes["pitch"][i] = onset_s, offset_s, pitch
    notes["velocity"], notes["part"] = 64, part
    return notes


def pedal(*events: tuple[float, int], part: int = 0) -> np.ndarray:
    controls = np.zeros(len(events), dtype=CONTROL_DTYPE)
    for i, (time_s, value) in enumerate(events):
        controls["time_s"][i], controls["value"][i] = time_s, value
    controls["number"], controls["part"] = 64, part
    return controls


@pytest.mark.parametrize("labelling", ["a", "b", "c", "d", "d_ceil"])
@pytest.mark.parametrize(("times", "expected"), BY_HAND)
def test_labelling_functions_give_the_frames_worked_out_by_hand(
    times: tuple[float, float], expected: dict[str, tuple[int, int]], labelling: str
) -> None:
    start, end = rolls.label_frames([times[0]], [times[1]], FRAME_S, labelling)
    assert (start[0], end[0]) == expected[labelling]


def half_even(value: int, unit: int) -> int:
    """value / unit rounded, in whole numbers only."""
    whole, rest = divmod(value, unit)
    return whole + (2 * rest > unit or (2 * rest == unit and whole % 2 == 1))


def independent(onset: int, offset: int, unit: int, labelling: str, steps: tuple[int, int]) -> tuple[int, int]:
    """The table of the functions in whole microseconds, where nothing is rounded unseen."""
    if labelling == "b":
        return -(-onset // unit), -(-offset // unit)
    if labelling == "c":
        return onset // unit, offset // unit
    if labelling == "d":
        return onset // unit, onset // unit + (offset - onset) // unit
    if labelling == "d_ceil":
        return -(-onset // unit), -(-onset // unit) + -(-(offset - onset) // unit)
    start, end = half_even(onset, unit), half_even(offset, unit)
    if labelling == "a":
        return start, end
    return start + steps[0], end + (steps[0] if labelling == "e" else steps[1])


@pytest.mark.parametrize("unit", [10_000, 32_000])
def test_labelling_functions_agree_with_whole_number_arithmetic_on_100_000_notes(unit: int) -> None:
    random = np.random.default_rng(1)
    onset = random.integers(0, 600_000_000, 100_000)
    onset[::10] = onset[::10] // (unit // 2) * (unit // 2)  # plenty of ties and whole frames
    offset = onset + random.integers(1, 5_000_000, 100_000)
    offset[::7] = offset[::7] // (unit // 2) * (unit // 2) + unit // 2
    steps = np.random.default_rng(5).integers(-1, 2, size=(100_000, 2)).tolist()
    for labelling in rolls.LABELLINGS:
        start, end = rolls.label_frames(onset / 1e6, offset / 1e6, unit / 1e6, labelling, seed=5)
        expected = [
            independent(x, y, unit, labelling, step)
            for x, y, step in zip(onset.tolist(), offset.tolist(), steps, strict=True)
        ]
        np.testing.assert_array_equal(np.stack([start, end], axis=1), expected)


def test_random_steps_move_e_as_a_whole_f_at_each_end_and_both_alike_at_any_frame_rate() -> None:
    onset = np.arange(3000) * 1.0
    offset = onset + 0.5
    moves = {}
    for labelling in "ef":
        for frame_s in (0.01, 0.032):
            clean = np.stack(rolls.label_frames(onset, offset, frame_s, "a"))
            moves[labelling, frame_s] = np.stack(rolls.label_frames(onset, offset, frame_s, labelling, seed=3)) - clean
        np.testing.assert_array_equal(moves[labelling, 0.01], moves[labelling, 0.032])
    start, end = moves["e", 0.01]
    np.testing.assert_array_equal(start, end)
    start, end = moves["f", 0.01]
    assert (start != end).mean() == pytest.approx(2 / 3, abs=0.05)
    assert np.bincount(start + 1) / 3000 == pytest.approx([1 / 3] * 3, abs=0.05)
    other = np.stack(rolls.label_frames(onset, offset, 0.01, "f", seed=4))
    assert (other - np.stack(rolls.label_frames(onset, offset, 0.01, "a")) != moves["f", 0.01]).any()


def test_faults_are_told_in_a_sentence() -> None:
    with pytest.raises(LabelError, match="no labelling function 'g': choose one of a, b"):
        rolls.label_frames([0.0], [1.0], 0.1, "g")
    with pytest.raises(LabelError, match="more than 0 s"):
        rolls.label_frames([0.0], [1.0], 0.0)
    with pytest.raises(LabelError, match="not finite"):
        rolls.label_frames([0.0], [np.nan], 0.1)


def test_a_roll_has_the_codes_of_a_note_and_its_velocity() -> None:
    notes = table((0.2, 0.5, 60))
    result = rolls.label_rolls(notes, 8, FRAME_S)
    np.testing.assert_array_equal(result.codes[:, 60 - 21], [0, 0, 3, 2, 2, 1, 0, 0])
    np.testing.assert_array_equal(result.velocity[:, 60 - 21], [0, 0, 64, 64, 64, 0, 0, 0])
    np.testing.assert_array_equal(result.frame[:, 60 - 21], result.codes[:, 60 - 21] >= 2)
    assert result.onset.sum() == result.offset.sum() == 1
    assert result.codes.shape == (8, 88)
    assert rolls.label_rolls(notes, 8, FRAME_S, pitches=rolls.ALL_PITCHES).codes[2, 60] == 3


def test_a_note_struck_again_shows_both_onsets() -> None:
    result = rolls.label_rolls(table((0.5, 0.8, 60), (0.1, 0.5, 60)), 10, FRAME_S)
    np.testing.assert_array_equal(result.codes[:, 39], [0, 3, 2, 2, 2, 3, 2, 2, 1, 0])


def test_a_note_shorter_than_a_frame_is_kept_or_left_out_and_always_counted() -> None:
    notes = table((0.11, 0.14, 60), (0.3, 0.6, 62))
    kept = rolls.label_rolls(notes, 10, FRAME_S)
    dropped = rolls.label_rolls(notes, 10, FRAME_S, keep_short=False)
    np.testing.assert_array_equal(kept.codes[:4, 39], [0, 3, 1, 0])
    assert not dropped.codes[:, 39].any()
    assert kept.short == dropped.short == 1
    assert dropped.onset.sum() == 1


def test_notes_outside_the_roll_are_counted_not_drawn() -> None:
    result = rolls.label_rolls(table((0.1, 0.2, 12), (0.1, 0.2, 120), (5.0, 6.0, 60), (0.9, 3.0, 61)), 10, FRAME_S)
    assert (result.out_of_range, result.outside) == (2, 1)
    np.testing.assert_array_equal(np.argwhere(result.codes), [[9, 40]])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 80), st.integers(21, 30)), min_size=1, max_size=25),
    st.sampled_from(rolls.LABELLINGS),
)
def test_no_onset_ever_disappears(rows: list[tuple[int, int, int]], labelling: str) -> None:
    notes = table(*((onset / 100, (onset + length) / 100, pitch) for onset, length, pitch in rows))
    result = rolls.label_rolls(notes, 50, FRAME_S, labelling, seed=2)
    start, _ = rolls.label_frames(notes["onset_s"], notes["offset_s"], FRAME_S, labelling, seed=2)
    heard = start >= 0
    assert (result.codes[start[heard], notes["pitch"][heard] - 21] == rolls.ONSET).all()
    assert result.onset.sum() == len({*zip(start[heard].tolist(), notes["pitch"][heard].tolist(), strict=True)})


def test_packed_rolls_come_back() -> None:
    roll = np.random.default_rng(0).random((7, 88)) < 0.2
    bits = rolls.packed(roll)
    assert bits.shape == (7, 11)
    np.testing.assert_array_equal(rolls.unpacked(bits, 88), roll)


# The pedal


def test_the_pedal_holds_a_note_until_it_is_lifted_or_the_key_is_struck_again() -> None:
    notes = table((0.0, 1.0, 60), (0.5, 1.5, 62), (3.0, 4.0, 62), (6.0, 7.0, 64))
    sounding = rolls.sustained(notes, pedal((0.8, 127), (5.0, 0)))
    np.testing.assert_array_equal(sounding["offset_s"], [5.0, 3.0, 5.0, 7.0])


def test_the_pedal_of_another_part_and_half_pedals_below_64_hold_nothing() -> None:
    notes = table((0.0, 1.0, 60))
    assert rolls.sustained(notes, pedal((0.5, 127), (5.0, 0), part=1))["offset_s"][0] == 1.0
    assert rolls.sustained(notes, pedal((0.5, 63), (5.0, 0)))["offset_s"][0] == 1.0


def test_a_pedal_never_lifted_ends_with_the_last_event() -> None:
    notes = table((0.0, 1.0, 60), (2.0, 3.0, 62))
    assert rolls.sustained(notes, pedal((0.5, 127)))["offset_s"].tolist() == [3.0, 3.0]


def test_a_pedal_that_goes_down_as_the_key_is_released_is_late_and_one_lifted_then_is_not() -> None:
    notes = table((0.0, 1.0, 60))
    assert rolls.sustained(notes, pedal((1.0, 127), (5.0, 0)))["offset_s"][0] == 1.0
    assert rolls.sustained(notes, pedal((0.5, 127), (1.0, 0), (2.0, 127), (5.0, 0)))["offset_s"][0] == 1.0


def keyboard_and_pedal(rows: list[tuple[int, int, int]], events: list[tuple[int, bool]], end: int) -> list[list[bool]]:
    """Play in steps of one unit: which of the pitches 60 to 62 sounds in which step, by a plain simulation."""
    sounding = [False] * 3
    history = []
    for now in range(end):
        released = [pitch for onset, offset, pitch in rows if offset == now]
        struck = [pitch for onset, offset, pitch in rows if onset == now]
        down_before = any(down for time, down in [e for e in events if e[0] < now][-1:])
        down_now = any(down for time, down in [e for e in events if e[0] <= now][-1:])
        held = [any(on <= now < off and p == pitch for on, off, p in rows) for pitch in (60, 61, 62)]
        for pitch in (60, 61, 62):
            key = pitch - 60
            if pitch in released and not down_before and not held[key]:
                sounding[key] = False
            if down_before and not down_now and not held[key]:
                sounding[key] = False
            if pitch in struck:
                sounding[key] = True
        history.append(list(sounding))
    return history


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(60, 62)), min_size=1, max_size=10),
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=8, unique_by=lambda event: event[0]),
)
def test_notes_on_one_keyboard_sound_as_a_simulation_of_keys_and_pedal(
    strikes: list[tuple[int, int, int]], events: list[tuple[int, bool]]
) -> None:
    rows = [(onset, onset + length, pitch) for onset, length, pitch in strikes]
    events = [*sorted(events), (45, False)]
    notes = rolls.on_one_keyboard(table(*((float(on), float(off), pitch) for on, off, pitch in rows)))
    sounding = rolls.sustained(notes, pedal(*((float(time), 127 * down) for time, down in events)))
    expected = np.array(keyboard_and_pedal(rows, events, 50))
    got = np.zeros_like(expected)
    for note in sounding:
        got[int(note["onset_s"]) : int(note["offset_s"]), note["pitch"] - 60] = True
    np.testing.assert_array_equal(got, expected)
    assert len(notes) == len({(onset, pitch) for onset, _, pitch in rows})
