"""The labels of a short piece, to the sample: they change only by decision.

Renew them with ``PYTHONPATH=.:tests:tests/end_to_end python tests/end_to_end/test_golden_labels.py``.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from small_dataset import LATE_S, Material, write_material

from musicnet_build.align_files import align_files
from musicnet_build.choices import ALIGNMENT_PRESETS
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.recipe import RecipeSettings

GOLDEN = Path(__file__).with_name("golden_labels.json")
RENEW = "PYTHONPATH=.:tests:tests/end_to_end python tests/end_to_end/test_golden_labels.py"

CHANGED = (
    "The labels of the preset {preset} have changed. Where that is not meant, it is a bug. Where it is, it is a "
    "decision: measure it, write it with its figures into CHANGELOG.md under 'Labels', and renew the file with\n"
    "    {renew}"
)


def labels(material: Material, preset: str, folder: Path) -> list[list[float]]:
    """Start and end in samples, instrument and pitch of each label, and its confidence to two decimals."""
    settings = RecipeSettings(preset=preset, soundfont=str(material.folder / "tiny.sf2"))
    aligned = align_files(material.folder / "1.flac", material.folder / "1.mid", settings)
    write_labels(folder / "labels.csv", aligned.notes, with_confidence=True)
    notes = read_labels(folder / "labels.csv")
    start, end = (np.rint(notes[name] * SAMPLE_RATE).astype(int) for name in ("onset_s", "offset_s"))
    confidence = np.nan_to_num(notes["confidence"], nan=-1.0).round(2)
    columns = (start, end, notes["program"] + 1, notes["pitch"], confidence)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


@pytest.mark.parametrize("preset", ALIGNMENT_PRESETS)
def test_labels_do_not_change_by_accident(preset: str, material: Material, tmp_path: Path) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))[preset]
    found = labels(material, preset, tmp_path)
    assert len(found) == 12
    assert 0.7 * LATE_S < found[0][0] / SAMPLE_RATE < 1.3 * LATE_S or preset == "musicnet"
    assert found == golden, CHANGED.format(preset=preset, renew=RENEW)


def renew() -> None:
    """Write the labels as they are now."""
    with tempfile.TemporaryDirectory() as name:
        material = write_material(Path(name) / "in", count=1)
        found = {preset: labels(material, preset, Path(name)) for preset in ALIGNMENT_PRESETS}
    rows = {preset: ",\n    ".join(map(json.dumps, rows)) for preset, rows in found.items()}
    body = ",\n".join(f'  "{preset}": [\n    {text}\n  ]' for preset, text in rows.items())
    GOLDEN.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")
    sys.stdout.write(f"{GOLDEN} renewed\n")


if __name__ == "__main__":
    renew()
