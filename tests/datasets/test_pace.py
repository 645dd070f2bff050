"""The time that is left is told from the first moment, and follows the pace."""

from types import SimpleNamespace

import pytest
from small_dataset import Material

from musicnet_build.datasets.build import plan_build
from musicnet_build.datasets.manifest import read_manifest
from musicnet_build.datasets.pace import Pace
from musicnet_build.jobs.local import Outcome


def test_the_remaining_time_follows_the_lengths_and_then_the_pace(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr("musicnet_build.datasets.pace.time", SimpleNamespace(monotonic=lambda: now_s))
    tasks = plan_build(read_manifest(material.manifest), material.folder / "none", material.settings).tasks
    pace = Pace(tasks, ["2", "3"], 2)
    first_guess_s = pace.remaining_s()
    assert first_guess_s is not None
    assert 0 < first_guess_s < 1
    assert pace.start() == "0/3, less than a minute left"
    assert pace.step(Outcome("1", "done", None, 0.0, False)) == "1/3  1  1.flac: up to date, less than a minute left"
    assert pace.fraction == 0.0
    now_s = 200.0
    assert pace.step(Outcome("2", "done", None, 20.0, True)).endswith("2.flac: made in 20.0 s, about 3 min left")
    assert pace.remaining_s() == pytest.approx(200.0, rel=0.1)
    assert pace.step(Outcome("3", "failed", "no.", 20.0)) == "3/3  3  3.flac: no"
    assert pace.fraction == 1.0
