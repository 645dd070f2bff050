"""The choices that commands offer are those that the rooms know."""

import ast
from pathlib import Path
from typing import get_args

from musicnet_build import choices
from musicnet_build.alignment import RECIPES
from musicnet_build.generation.maps_recipe import read_recipe
from musicnet_build.labels.pianoroll import label_frames
from musicnet_build.packing.thumbnails import Spectrum
from musicnet_build.packing.timbre.images import Spectrogram


def test_every_choice_is_one_that_the_package_acts_on() -> None:
    assert tuple(RECIPES) == choices.ALIGNMENT_PRESETS
    assert get_args(Spectrum) == choices.THUMBNAIL_SPECTRA
    assert get_args(Spectrogram) == choices.TIMBRE_SPECTROGRAMS
    for preset in choices.CORPUS_PRESETS:
        assert read_recipe(preset).banks
    for labelling in choices.LABELLINGS:
        label_frames([0.0], [1.0], 0.01, labelling)


def test_the_choices_need_no_import() -> None:
    tree = ast.parse(Path(choices.__file__).read_text(encoding="utf-8"))
    assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree))
