"""Tests of the pages of reports."""

from pathlib import Path

import numpy as np
from audit_pages import write_music

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.labels.files import read_labels
from musicnet_build.listening.catalogue import files_catalogue
from musicnet_build.listening.reports.pages import recording_page


def test_labels_behind_the_end_of_a_recording_are_counted(tmp_path: Path) -> None:
    recording, labels = write_music(tmp_path)[:2]
    onsets_s = np.sort(read_labels(labels)["onset_s"])
    write_audio(tmp_path / "short.wav", read_audio(recording)[: round(44_100 * float(onsets_s[-1]) - 1)])
    said = "of the labels begin behind the end of the recording"
    assert said not in recording_page(files_catalogue(recording, [labels], None).items[0])
    assert f"1 {said}" in recording_page(files_catalogue(tmp_path / "short.wav", [labels], None).items[0])
