"""The study of timbre: the whole of it on a small set, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from timbre_helpers import SMALL_PAIR, soundfont, write_tracks  # noqa: E402

from musicnet_build.baselines.models import timbre  # noqa: E402
from musicnet_build.baselines.studies import timbre as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup, Spread  # noqa: E402
from musicnet_build.errors import DatasetError  # noqa: E402
from musicnet_build.generation.melodies import TimbreTestSettings, generate_timbre_test  # noqa: E402
from musicnet_build.packing.timbre.images import ImageSettings  # noqa: E402
from musicnet_build.packing.timbre.package import PackSettings, pack_timbre  # noqa: E402


@pytest.fixture(scope="module")
def packages(timbre_package: Path) -> Path:
    folder = timbre_package.parent
    lines = [(27, 0, [(k, 1.0, 60 + k % 4) for k in range(9)]), (56, 1, [(k, 1.0, 62 + k % 3) for k in range(9)])]
    piece = write_tracks(folder / "piece.mid", lines)
    generate_timbre_test(folder / "tests", [piece], [soundfont()], TimbreTestSettings(SMALL_PAIR))
    for source, package in (("set", "training-8192"), ("tests", "tests-8192"), ("tests", "tests-4096")):
        settings = PackSettings(ImageSettings("cqt", int(package[-4:]), 1024))
        pack_timbre(folder / source, folder / f"{package}.h5", settings)
    return folder


def test_every_network_is_trained_and_tested_and_the_rolls_are_drawn(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(study.EPOCHS, "small", 1)
    for name in timbre.PRESETS:
        tiny = replace(timbre.PRESETS[name]["small"], filters=(2,), hidden=0)
        monkeypatch.setitem(timbre.PRESETS[name], "small", tiny)
    page = study.run(Setup(data=packages, output=tmp_path, seeds=1))
    of_sets, kinds = page.tables
    assert [row[0] for row in of_sets.rows] == [*(case.name for case in study.CASES), study.SINGLE]
    assert of_sets.columns[3:] == ["combined", "guitar_alone", "trumpet_alone"]
    figures = page.values["seeds"][study.BALANCED.name][0]
    row = kinds.rows[4]
    assert [cell.mean for cell in row[1:]] == [figures[kind] for kind in study.KINDS]
    # 9 notes of half a second by two instruments, in frames of 10 ms.
    assert figures["correct"] + figures["wrong"] + figures["missed"] == pytest.approx(900, abs=10)
    assert (tmp_path / study.PICTURE).read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"tests-8192\.h5: is missing"):
        study.run(Setup(data=tmp_path, output=tmp_path / "out"))


def test_the_finding_follows_from_the_numbers() -> None:
    def finding(balanced: float) -> str:
        average = {case.name: Spread(0.5, 0.01) for case in study.CASES}
        return study._finding(average | {study.BALANCED.name: Spread(balanced, 0.01)})

    assert "The balanced set, 0.900, is better than" in finding(0.9)
    assert "in short frames, 0.500, it is not clearly better than" in finding(0.9)
    assert "The balanced set, 0.510, is not clearly better than" in finding(0.51)
