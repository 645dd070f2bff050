"""Performances: pieces that somebody could play, files that belong together, and the same bytes again."""

from pathlib import Path

import numpy as np
import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.generation import performances
from musicnet_build.generation.performances import ENSEMBLES, PerformanceSettings, compose, generate_performances
from musicnet_build.labels.files import read_labels
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont

SHORT = PerformanceSettings(pieces=2, bars=2, seed=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("performances")
    for number in (1, 2):
        assert performances.make_piece(str(folder), number, str(choose_soundfont().path), SHORT)
    return folder


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_every_voice_stays_in_its_range_and_strikes_no_note_that_sounds(ensemble: str) -> None:
    voices = ENSEMBLES[ensemble]
    notes = compose(np.random.default_rng(1), voices, 8)
    for program in {voice.program for voice in voices}:
        own = notes[notes["program"] == program]
        ranges = [(voice.lowest, voice.highest) for voice in voices if voice.program == program]
        assert all(any(low <= pitch <= high for low, high in ranges) for pitch in own["pitch"])
        for pitch in np.unique(own["pitch"]):
            same = own[own["pitch"] == pitch]
            # Two violins may begin a note together.
            later = np.diff(same["onset_s"]) > 0
            assert (same["offset_s"][:-1] <= same["onset_s"][1:])[later].all()
    assert (notes["offset_s"] > notes["onset_s"]).all()
    assert len(notes) > 12 * len(voices)


def test_score_recording_and_truth_have_the_same_notes_at_other_times(folder: Path) -> None:
    for name in ("piece-001", "piece-002"):
        written = read_score(folder / "scores" / f"{name}.mid").notes
        true = read_labels(folder / "truth" / f"{name}.csv")
        assert sorted(true["pitch"].tolist()) == sorted(written["pitch"].tolist())
        assert true["onset_s"].min() > 0.8  # after the silence before the music
        assert (folder / "recordings" / f"{name}.flac").stat().st_size > 100_000
    assert len(np.unique(read_labels(folder / "truth" / "piece-002.csv")["program"])) == 3


def test_pieces_that_are_there_are_not_made_again_and_others_are(folder: Path) -> None:
    font = str(choose_soundfont().path)
    assert not performances.make_piece(str(folder), 1, font, SHORT)
    before = (folder / "recordings" / "piece-001.flac").read_bytes()
    (folder / "recordings" / "piece-001.flac").unlink()
    assert performances.make_piece(str(folder), 1, font, SHORT)
    assert (folder / "recordings" / "piece-001.flac").read_bytes() == before


def test_a_piece_that_cannot_be_made_is_named_and_leftovers_of_killed_processes_go(tmp_path: Path) -> None:
    (tmp_path / "scores").write_text("no folder")
    leftover = tmp_path / "truth" / ".piece-001-abcd1234.csv"
    leftover.parent.mkdir()
    leftover.touch()
    with pytest.raises(DatasetError, match="piece-001: "):
        generate_performances(tmp_path, choose_soundfont(), PerformanceSettings(pieces=1, bars=2))
    assert not leftover.exists()
