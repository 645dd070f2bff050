"""Tests of the pictures of a report."""

from pathlib import Path

import numpy as np
import pytest
from audit_pages import write_music

from musicnet_build.listening.catalogue import files_catalogue
from musicnet_build.listening.reports.drawings import confidence_curve, spectrogram, strip, tempo_curve
from musicnet_build.listening.web.session import OpenRecording
from musicnet_build.notes import empty_notes


def test_every_label_has_its_box(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)
    opened = OpenRecording(files_catalogue(recording, [labels]).items[0], None)
    svg = spectrogram(opened)
    assert svg.count("z") - svg.partition("<path")[0].count("z") >= len(opened.labels[0].notes)
    assert "data:image/png;base64," in svg
    assert 'viewBox="0 0 2000 264"' in svg


def test_the_tempo_is_that_of_the_labels() -> None:
    notes = empty_notes(64)
    notes["onset_beats"] = np.arange(64)
    notes["onset_s"] = np.arange(64) * 0.5
    tempo, times_s = tempo_curve(notes)
    assert tempo == pytest.approx(120)
    assert times_s[0] == pytest.approx(2.0)
    assert len(tempo_curve(notes[:4])[0]) == 0


def test_curves_of_nothing_are_not_drawn() -> None:
    values, times_s = confidence_curve(empty_notes(10))
    assert strip(values, times_s, 10.0, 1.0, "nothing") == ""
