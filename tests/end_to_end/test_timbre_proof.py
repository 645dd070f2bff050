"""The example that learns timbre: colours become values again, its pieces make tests, and it learns a small set."""

from pathlib import Path

import compose_pieces
import numpy as np
import pytest
import timbre_proof
from timbre_helpers import SMALL_PAIR, soundfont

from musicnet_build.corpora.timbre_set import DEFAULT_INSTRUMENTS
from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
from musicnet_build.generation.melodies import melodies_of
from musicnet_build.packing.timbre.frames import ABSENT
from musicnet_build.packing.timbre.images import ImageSettings, colour_table, coloured
from musicnet_build.packing.timbre.package import PackSettings, pack_timbre
from musicnet_build.packing.timbre.reader import TimbreFrames
from musicnet_build.score.reader import read_score


def test_colours_become_values_again() -> None:
    values = np.random.default_rng(0).random((3, 128, 16), dtype=np.float32)
    found = timbre_proof.loudness(coloured(values, colour_table()), colour_table())
    np.testing.assert_allclose(found, values, atol=0.5 / 255 + 1e-6)


def test_the_composed_pieces_have_both_instruments_and_are_the_same_each_time(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        compose_pieces.main(str(tmp_path / folder))
    paths = sorted((tmp_path / "one").iterdir())
    assert len(paths) == 4
    assert len({path.read_bytes() for path in paths}) == 4
    for path in paths:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        assert all(len(line) > 50 for line in melodies_of(read_score(path), DEFAULT_INSTRUMENTS).values())


def test_a_network_learns_a_small_set_and_one_without_trumpet_never_hears_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate_ascension(tmp_path / "set", [soundfont()], AscensionSettings(SMALL_PAIR, velocities=(90,)))
    package = tmp_path / "timbre.h5"
    pack_timbre(tmp_path / "set", package, PackSettings(ImageSettings("cqt", 4096, 512)))
    timbre_proof.main(str(package), str(package), str(tmp_path))
    truth = TimbreFrames(package).pitches()
    alone, balanced = (np.load(tmp_path / f"{name}.npy") for name in timbre_proof.SUBSETS)
    assert np.mean(balanced == truth) > 0.9
    assert np.all(alone[:, 1] == ABSENT)
    trumpet_only = truth[:, 0] == ABSENT
    assert np.all(alone[trumpet_only, 0] != ABSENT)
    assert "trained on combined_balanced: 144 frames" in capsys.readouterr().out
