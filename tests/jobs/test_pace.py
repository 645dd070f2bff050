"""The time that is left is told from the first moment, and follows the pace."""

from types import SimpleNamespace

import pytest

from musicnet_build.jobs.local import Outcome
from musicnet_build.jobs.pace import Pace


def test_the_remaining_time_follows_the_estimates_and_then_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr("musicnet_build.jobs.pace.time", SimpleNamespace(monotonic=lambda: now_s))
    names = {one: f"{one}.flac" for one in "123"}
    pace = Pace(names, {"2": 300.0, "3": 600.0}, 2)
    assert pace.start() == "0/3, about 8 min left"
    assert pace.step(Outcome("1", "done", None, 0.0, False)) == "1/3  1  1.flac: up to date, about 8 min left"
    assert pace.fraction == 0.0
    now_s = 100.0
    assert pace.step(Outcome("2", "done", None, 99.0, True)) == "2/3  2  2.flac: made in 99.0 s, about 3 min left"
    assert pace.fraction == pytest.approx(1 / 3)
    assert pace.step(Outcome("3", "failed", "no.", 20.0)) == "3/3  3  3.flac: no"
    assert pace.fraction == 1.0


def test_nothing_is_promised_where_nothing_is_known() -> None:
    assert Pace({"1": "1.flac"}, {"1": 300.0}, None).start() == "0/1"
    assert Pace({"1": "1.flac"}, {}, 2).start() == "0/1"
