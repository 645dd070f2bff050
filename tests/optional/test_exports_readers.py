"""Note tables as partitura and parangonar read them, where they are installed."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from laid_score import laid
from made_notation import HEAD, backward, measure, note, part
from made_notation import score as whole
from made_score import made_score

from musicnet_build.exports.folder import write_exports
from musicnet_build.exports.performed import performed_score
from musicnet_build.score.reader import Score, read_score

with pytest.MonkeyPatch.context() as patch:
    patch.setitem(sys.modules, "fluidsynth", None)  # with it, partitura downloads a soundfont as it is imported
    partitura = pytest.importorskip("partitura")
    parangonar = pytest.importorskip("parangonar")


def scores(folder: Path) -> dict[str, tuple[Score, Path]]:
    first = measure(1, *(note(name, note_id=f"n{name}") for name in ("C4", "E4", "G4", "F4")), head=HEAD)
    last = measure(2, note("B4", 3, note_id="nB"), note("C5", note_id="nC"), right=backward())
    (folder / "a.musicxml").write_text(whole(part(first, last)))
    return {
        "midi": (made_score([60, 61, 63, 64, 66] * 8, beats_each=1 / 3, metre=(3, 4)), folder / "a.mid"),
        "notation": (read_score(folder / "a.musicxml"), folder / "a.musicxml"),
    }


@pytest.mark.parametrize("kind", ["midi", "notation"])
def test_every_table_is_read_with_every_note(tmp_path: Path, kind: str) -> None:
    score, path = scores(tmp_path)[kind]
    write_exports(tmp_path / "x", laid(score), score, path)
    performed = performed_score(laid(score), score)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        performance, alignment, read = partitura.load_match(tmp_path / "x" / "alignment.match", create_score=True)
    played, written = performance.note_array(), read.note_array()
    np.testing.assert_allclose(np.sort(played["onset_sec"]), np.sort(performed.notes["onset_s"]), atol=1e-4)
    np.testing.assert_allclose(written["onset_quarter"], np.sort(performed.onset_beats), atol=1e-3)
    assert sorted(written["id"].tolist()) == sorted(performed.ids)
    # It passes over ids that do not begin with n.
    table = partitura.io.importparangonada.load_alignment_from_ASAP(tmp_path / "x" / "note_alignment.tsv")
    by_folder = partitura.io.importparangonada.load_parangonada_csv(tmp_path / "x" / "parangonada")[1]
    for other in (table, by_folder):
        assert parangonar.fscore_alignments(other, alignment, ["match"])[2] == 1.0
