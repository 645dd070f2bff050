"""What several test files share: twelve seconds of music made on the spot, with score, recording and truth."""

import os
import signal

# Tests render what they test, and leave the user's cache alone; those of the cache have a folder of their own.
os.environ["MUSICNET_BUILD_CACHE"] = "off"
# Workers share the cores: threads of torch and BLAS would burn them while they wait for one another.
os.environ["MKL_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
# Of the processes that tests start, only the first has to compile the package.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell that starts them in the background has interrupts ignored, and what tests start would ignore them too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import multiprocessing
import shutil
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import record_pieces
from command_server import IMPORTED
from small_corpus import write_corpus
from small_dataset import Material, write_material
from timbre_helpers import SMALL_PAIR, soundfont

from musicnet_build.audio.io import write_audio
from musicnet_build.cli import group
from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
from musicnet_build.generation.demo import SEED, perform, stand_in_recording, write_canon
from musicnet_build.jobs import local
from musicnet_build.labels.files import write_labels
from musicnet_build.score.reader import read_score
from musicnet_build.synthesis.soundfonts import choose_soundfont

# The same examples each time, however busy the machine is.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.load_profile("suite")

# Workers of jobs are forks of a process that has made their imports, which take seconds; see the fixture `spawned`.
multiprocessing.set_forkserver_preload([*IMPORTED, "torch._dynamo"])
local._context = multiprocessing.get_context("forkserver")

EXCERPT_BEATS = (24.0, 34.0)  # where all five instruments play


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that at the end no worker waits for another."""
    items.sort(key=lambda item: ("example_files" not in item.fixturenames, "end_to_end" not in item.path.parts))


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of jobs that start as they do outside the tests, with the limits of this process."""
    monkeypatch.setattr(local, "_context", multiprocessing.get_context("spawn"))


@dataclass(frozen=True)
class Music:
    """A score, a recording of it, and the true labels of the recording."""

    score: Path
    recording: Path
    truth: Path


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Music:
    """An excerpt of the demo's canon, written as MIDI, and its stand-in recording."""
    folder = tmp_path_factory.mktemp("music")
    files = Music(folder / "score.mid", folder / "recording.flac", folder / "truth.csv")
    write_canon(folder / "whole.mid")
    whole = read_score(folder / "whole.mid").notes
    first, last = EXCERPT_BEATS
    notes = whole[(whole["onset_beats"] >= first) & (whole["onset_beats"] < last)].copy()
    start_s = notes["onset_s"].min()
    notes["onset_s"] -= start_s
    notes["offset_s"] -= start_s
    write_labels(files.score, notes)
    performance = perform(read_score(files.score), SEED)
    write_audio(files.recording, stand_in_recording(performance, choose_soundfont(), SEED))
    write_labels(files.truth, performance.notes)
    return files


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Three small recordings with scores and a manifest; copy it before changing anything."""
    return write_material(tmp_path_factory.mktemp("material") / "in")


@pytest.fixture(scope="session")
def dataset(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of ``material``, built by one worker; copy it before changing anything."""
    folder = tmp_path_factory.mktemp("dataset") / "out"
    material.build(folder)
    return folder


@pytest.fixture(scope="session")
def example_files(music: Music, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples in documents and docstrings read, under the names that they use; copy it before using it."""
    folder = tmp_path_factory.mktemp("examples") / "files"
    for number in (1, 2, 3):
        record_pieces.record(number, folder / "recordings", folder / "scores")
    (folder / "demo").mkdir()
    for path in (music.recording, music.score, music.truth):
        shutil.copy(path, folder / "demo")
    manifests = shutil.ignore_patterns("demo", "pieces")  # what a person's own commands left there
    shutil.copytree(Path(__file__).parents[1] / "data_manifests", folder / "data_manifests", ignore=manifests)
    shutil.copytree(folder / "demo", folder / "data_manifests" / "demo")
    shutil.copytree(dataset, folder / "dataset")
    corpus = write_corpus(folder / "corpus")
    shutil.copy(music.recording, folder / "recording.flac")
    shutil.copy(music.score, folder / "score.mid")
    shutil.copy(music.truth, folder / "labels.csv")
    generate_ascension(folder / "ascension", [soundfont()], AscensionSettings(SMALL_PAIR, velocities=(90,)))
    packages = {"musicnet": dataset, "frames": corpus, "segments": dataset, "thumbnails": corpus}
    for package, source in packages.items():
        _run("pack", package, source, "-o", folder / f"{package}.h5")
    _run("pack", "timbre", folder / "ascension", "-o", folder / "timbre.h5", "--hop", "1024")
    return folder


def _run(*arguments: str | Path) -> None:
    """Run a command in this process."""
    group.main([str(argument) for argument in arguments], standalone_mode=False)
