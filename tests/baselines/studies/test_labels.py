"""The study of labels: which pieces do what, and the whole of it on six short pieces."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.baselines.models import transcriber  # noqa: E402
from musicnet_build.baselines.studies import labels as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup, Spread  # noqa: E402
from musicnet_build.errors import DatasetError  # noqa: E402
from musicnet_build.generation.performances import PerformanceSettings, make_piece  # noqa: E402
from musicnet_build.synthesis.soundfonts import choose_soundfont  # noqa: E402


@pytest.fixture(scope="module")
def performances(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pieces of two bars."""
    folder, font = tmp_path_factory.mktemp("performances"), str(choose_soundfont().path)
    for number in range(1, 7):
        make_piece(str(folder), number, font, PerformanceSettings(pieces=6, bars=2))
    return folder


def test_pieces_are_labelled_learned_from_and_judged(performances: Path, tmp_path: Path) -> None:
    small = transcriber.MODELS["transcriber"].presets["small"]
    settings = replace(small, steps=3, validate_every=3, channels=2, batch_size=1)
    setup = Setup(data=performances, output=tmp_path, seeds=1)
    page = study.compared(study.pieces_in(performances), setup, settings)
    learned, themselves = page.tables
    assert [row[0] for row in learned.rows] == ["musicnet", "precise", "truth"]
    assert [row[0] for row in themselves.rows] == ["musicnet", "precise"]
    assert themselves.rows[1][2] > 80  # labels of `precise`, as a transcription within 50 ms
    assert page.values["pieces"] == {"train": 4, "validation": 1, "test": 1}
    assert not list((tmp_path / "labels" / "precise").glob("piece-006*"))  # the test is never aligned
    assert (tmp_path / "labels.png").is_file()


def test_of_each_six_pieces_one_tests_and_one_validates(performances: Path) -> None:
    (performances / "scores" / ".piece-007-abcd1234.mid").write_bytes(b"half of a fi")
    assert [piece.split for piece in study.pieces_in(performances)] == [*["train"] * 4, "validation", "test"]


def test_too_few_pieces_or_missing_files_are_refused(performances: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has 0 pieces in scores/, and 6 are needed"):
        study.pieces_in(tmp_path)
    for name in ("scores", "recordings"):
        (tmp_path / name).symlink_to(performances / name)
    with pytest.raises(DatasetError, match=r"truth/piece-001\.csv: is missing"):
        study.pieces_in(tmp_path)


def test_the_finding_follows_from_the_numbers() -> None:
    def finding(*means: float) -> str:
        spreads = [{"note f1, 25 ms": Spread(mean, 1.0)} for mean in means]
        return study._finding(dict(zip(study.LABELLINGS, spreads, strict=True)))

    assert "the order that was expected: truth" in finding(40.0, 50.0, 52.0)
    assert "does not come out" in finding(50.0, 50.5, 52.0)
    assert "does not come out" in finding(40.0, 50.0, 45.0)
