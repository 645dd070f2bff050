"""The study of thumbnails on three notes."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from small_corpus import played, write_sound  # noqa: E402

from musicnet_build.baselines.models import thumbnails  # noqa: E402
from musicnet_build.baselines.studies import thumbnails as study  # noqa: E402
from musicnet_build.baselines.studies.study import Setup  # noqa: E402
from musicnet_build.corpora import maps  # noqa: E402


def test_every_kind_of_picture_is_packed_learned_from_and_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bank in ("SynSinAa", "SynSinBb"):
        for pitch in (50, 60, 70):
            notes = played([(0.3, 0.7, pitch)])
            write_sound(tmp_path / "corpus", maps.isolated_stem("NO", "F", False, pitch, bank), notes)
    for name in thumbnails.PRESETS:
        tiny = replace(thumbnails.PRESETS[name]["small"], steps=2, validate_every=1, filters=(2,), batch_size=4)
        monkeypatch.setitem(thumbnails.PRESETS[name], "small", tiny)
    page = study.run(Setup(data=tmp_path / "corpus", output=tmp_path / "out", seeds=1))
    (table,) = page.tables
    assert [row[2] for row in table.rows] == [0.78, 0.52, 0.77, 0.82, 0.77]
    assert all(0 <= row[1].mean <= 1 for row in table.rows)
    packed = sorted(path.name for path in (tmp_path / "out" / "packages").glob("*.h5"))
    assert packed == ["cqt-24.h5", "cqt-32.h5", "stft-24.h5"]
    assert page.finding.count("points (published") == 4
