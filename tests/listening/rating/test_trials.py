"""Tests of what a reviewer hears: every drawn note once, in an order of chance, and moved tones among them."""

from musicnet_build.listening.rating.listener import SHIFTS_MS
from musicnet_build.listening.rating.sample_file import NoteName, Sample, Unit
from musicnet_build.listening.rating.trials import trials_for


def sample(count: int) -> Sample:
    notes = [NoteName(row=i, onset=i * 1000, pitch=60, instrument=41, beat=i) for i in range(count)]
    units = [
        Unit(recording="1", stratum="sure" if i % 2 else "suspected", probability=0.5, note=note)
        for i, note in enumerate(notes)
    ]
    return Sample(unit="note", seed=1, labels={}, strata={}, units=units)


def test_every_note_is_judged_once_and_every_shift_is_heard() -> None:
    trials = list(trials_for(sample(200), "ada").values())
    assert sorted(trial.note.row for trial in trials if trial.shift_ms is None) == list(range(200))
    shams = [trial for trial in trials if trial.shift_ms is not None]
    assert len(shams) == 20
    assert {trial.shift_ms for trial in shams} == set(SHIFTS_MS)
    assert all(trial.note.row % 2 for trial in shams)


def test_the_order_is_of_chance_and_each_reviewers_own() -> None:
    ada, ben = ([trial.note.row for trial in trials_for(sample(200), name).values()] for name in ("ada", "ben"))
    assert ada != ben
    assert ada == [trial.note.row for trial in trials_for(sample(200), "ada").values()]
    assert abs(sum(ada[:100]) / 100 - 100) < 20


def test_a_longer_draw_keeps_the_keys_of_what_was_heard() -> None:
    short, long = (
        {key for key, trial in trials_for(sample(count), "ada").items() if trial.shift_ms is None}
        for count in (50, 200)
    )
    assert short < long
