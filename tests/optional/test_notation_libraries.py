"""Made scores as two other libraries unfold them, where these are installed and agree: music21 and partitura."""

import sys
from pathlib import Path

import numpy as np
import pytest
from made_notation import GRACED, MENDED, REPEATS, RHYTHM, TIED, TRANSPOSED, UPBEAT, VOICES

from musicnet_build.score.reader import read_score

music21 = pytest.importorskip("music21")
with pytest.MonkeyPatch.context() as patch:
    patch.setitem(sys.modules, "fluidsynth", None)  # with it, partitura downloads a soundfont as it is imported
    partitura = pytest.importorskip("partitura")

SCORES = {
    **{name: text for name, (text, _) in {**REPEATS, **MENDED}.items()},
    **{"ties": TIED, "grace notes": GRACED, "transposing": TRANSPOSED},
    **{"upbeat": UPBEAT, "voices": VOICES, "rhythm": RHYTHM},
}

Rows = list[tuple[float, float, int]]


def _sorted(rows: Rows) -> Rows:
    return sorted((round(beats, 3), round(length, 3), pitch) for beats, length, pitch in rows)


def by_music21(path: Path) -> Rows:
    unfolded = music21.converter.parse(path, format="musicxml", forceSource=True).expandRepeats()
    flat = unfolded.toSoundingPitch().stripTies().flatten().notes
    return _sorted([(float(n.offset), float(n.quarterLength), p.midi) for n in flat for p in n.pitches])


def by_partitura(path: Path) -> Rows:
    rows: Rows = []
    for part in partitura.load_musicxml(path).parts:
        notes = partitura.score.unfold_part_maximal(part).note_array()
        first = notes["onset_quarter"].min()
        rows += zip(
            (notes["onset_quarter"] - first).tolist(), notes["duration_quarter"].tolist(), notes["pitch"].tolist(),
            strict=True,
        )  # fmt: skip
    return _sorted(rows)


def ours(path: Path) -> Rows:
    notes = read_score(path).notes
    return _sorted(list(zip(*(notes[f].tolist() for f in ("onset_beats", "duration_beats", "pitch")), strict=True)))


def test_where_two_libraries_agree_so_do_we(tmp_path: Path) -> None:
    compared = []
    for name, text in SCORES.items():
        path = tmp_path / "score.musicxml"
        path.write_text(text)
        try:
            first, second = by_music21(path), by_partitura(path)
        except (ValueError, music21.exceptions21.Music21Exception):
            continue
        if len(first) == len(second) and np.allclose(first, second, atol=2e-3):
            compared.append(name)
            # Grace notes take no time there, and a little of the time before them here.
            tolerance = 0.15 if name == "grace notes" else 2e-3
            np.testing.assert_allclose(ours(path), first, atol=tolerance, err_msg=name)
    print("compared:", ", ".join(compared))
    assert len(compared) >= 10
