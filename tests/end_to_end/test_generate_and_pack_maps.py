"""A corpus generated and packed in three forms, by the commands of the README."""

from pathlib import Path

import pytest
from bad_midi import midi, note
from command_line import as_json, done, misused, refused, run
from tiny_soundfont import write_soundfont

from musicnet_build.packing.frames import FramesReader
from musicnet_build.packing.segments import SegmentsReader
from musicnet_build.packing.thumbnails import ThumbnailsReader

RECIPE = """
banks:
  - {{name: SynSinAa, soundfont: {soundfont}}}
  - {{name: SynSinBb, soundfont: {soundfont}, room: {{decay_s: 0.2, level_db: -9}}, noise_dbfs: -70}}
isolated: {{styles: [NO], loudness: {{M: [60, 68]}}, pitches: [60, 64]}}
pieces: [pieces]
pieces_per_bank: 2
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maps")
    soundfont = write_soundfont(folder / "sine.sf2", [(0, 0)], wave="sine")
    (folder / "pieces").mkdir()
    for name in ("a", "b", "c"):
        (folder / "pieces" / f"{name}.mid").write_bytes(midi(note(0, 480, 60) + note(0, 480, ord(name) - 30)))
    (folder / "recipe.yaml").write_text(RECIPE.format(soundfont=soundfont))
    return folder


def test_generate_and_pack(corpus: Path) -> None:
    generate = ("generate", "maps", "--recipe", corpus / "recipe.yaml", "-o", corpus / "out")
    printed = as_json(*generate, "--workers", "2")
    assert (printed["sounds"], printed["made"], printed["banks"]) == (14, 14, ["SynSinAa", "SynSinBb"])
    assert "14 sounds in 2 banks, 0 of them made now" in done(*generate)

    frames = as_json(
        "pack", "frames", corpus / "out", "-o", corpus / "frames.h5", "--labelling", "a", "--labelling", "e"
    )
    assert (frames["recordings"], frames["other_categories"]) == (4, 10)
    assert "configuration_1/fold_4" in frames["splits"]
    assert len(FramesReader(corpus / "frames.h5", "configuration_2/fold_1/test", labelling="e")) > 30

    segments = as_json("pack", "segments", corpus / "out", "-o", corpus / "segments.h5")
    assert (segments["train"] + segments["valid"], segments["test"], segments["removed_test_pieces"]) == (1, 2, 1)
    assert len(SegmentsReader(corpus / "segments.h5", "test")) == 2

    options = ("--preview", corpus / "sheet.png", "--size", "48", "--spectrum", "stft")
    assert "48 × 48" in done("pack", "thumbnails", corpus / "out", "-o", corpus / "thumbnails.h5", *options)
    assert (corpus / "sheet.png").stat().st_size > 5_000
    assert ThumbnailsReader(corpus / "thumbnails.h5", "train")[0][0].shape == (1, 48, 48)


def test_what_cannot_be_generated_or_packed_is_one_line(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("banks: [{name: short}]")
    assert "banks.0.name" in refused("generate", "maps", "--recipe", tmp_path / "r.yaml", "-o", tmp_path / "out")
    assert "not both" in misused(
        "generate", "maps", "--preset", "tiny", "--recipe", tmp_path / "r.yaml", "-o", tmp_path
    )
    assert "no dataset known here" in refused("pack", "frames", tmp_path, "-o", tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


@pytest.mark.parametrize(
    "words", [("generate", "maps"), ("pack", "frames"), ("pack", "segments"), ("pack", "thumbnails")]
)
def test_help_of_subcommands_tells_their_options(words: tuple[str, str]) -> None:
    printed = done(*words, "--help")
    assert printed.startswith(f"Usage: musicnet-build {' '.join(words)} ")
    assert "--json" in printed
    assert words[1] in done(words[0], "--help")
    assert run(words[0], "nothing").returncode == 2
