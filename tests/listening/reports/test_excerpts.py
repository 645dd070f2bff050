"""Tests of what is heard in a report: the most telling passages, within the recording and within the budget."""

from pathlib import Path

import numpy as np
import pytest
from audit_pages import write_music

from musicnet_build.listening.catalogue import files_catalogue
from musicnet_build.listening.reports import excerpts as module
from musicnet_build.listening.reports.excerpts import CLIP_S, Excerpt, excerpts, least_certain_s, with_sound
from musicnet_build.listening.web.session import OpenRecording
from musicnet_build.notes import empty_notes


@pytest.fixture
def opened(tmp_path: Path) -> OpenRecording:
    recording, labels = write_music(tmp_path, 40.0, shifted=(80, 81, 82, 83))
    return OpenRecording(files_catalogue(recording, [labels]).items[0], None)


def test_the_least_certain_passage_is_found() -> None:
    notes = empty_notes(100)
    notes["onset_s"] = np.arange(100)
    notes["confidence"] = np.where((notes["onset_s"] >= 60) & (notes["onset_s"] < 70), 0.3, 0.9)
    assert least_certain_s(notes) == 59.5


def test_excerpts_lie_within_the_recording(opened: OpenRecording) -> None:
    found = excerpts(opened)
    assert [one.what for one in found] == ["the least certain ten seconds", "the beginning", "the end"]
    assert all(0 <= one.start_s <= 40 - CLIP_S for one in found)


def test_what_does_not_fit_is_said(opened: OpenRecording) -> None:
    wanted = [(opened, Excerpt(f"passage {i}", float(i))) for i in range(9)]
    made = with_sound(wanted, 0)
    assert made.count('class="clip"') == module.MOST_CLIPS
    assert "passage 6 (0:06.0); passage 7" in made
    assert len(made) < module.BUDGET_BYTES
    assert with_sound(wanted, module.BUDGET_BYTES - 1000).count('class="clip"') == 0
