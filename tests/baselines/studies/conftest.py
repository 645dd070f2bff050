"""One process at a time for the tests of studies: each takes seconds to import what it needs."""

import contextlib

import pytest


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for study in ("trainings", "labels"):
        with contextlib.suppress(ImportError):
            monkeypatch.setattr(f"musicnet_build.baselines.studies.{study}.available_processors", lambda: 1)
