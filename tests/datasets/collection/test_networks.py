"""One network for the recordings of an instrumentation: learnt once, and part of what labels are made from."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Music
from small_dataset import run_here

from musicnet_build.audio.io import read_audio, write_audio
from musicnet_build.datasets.build import build
from musicnet_build.datasets.collection import networks
from musicnet_build.datasets.manifest import read_manifest, write_manifest
from musicnet_build.datasets.plan import Settings, plan_build
from musicnet_build.features.onset_training import MARGIN_FRAMES, SPAN_FRAMES, Example, Training
from musicnet_build.features.onsets import CHANNELS, onset_model, read_onset_model
from musicnet_build.files import sha256_of

ADAPTED = Settings(adapt_collection=True)


def made_examples(count: int, seed: int) -> list[Example]:
    random = np.random.default_rng(seed)
    target = np.zeros(2 * SPAN_FRAMES + 1, np.float32)
    target[SPAN_FRAMES] = 1
    shape = (2 * MARGIN_FRAMES + 1, CHANNELS)
    return [Example(random.random(shape, np.float32), target, np.ones(len(target), np.bool_)) for _ in range(count)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "TRAINING", Training(steps=3))


def kept(root: Path, name: str, examples: list[Example]) -> dict[str, str]:
    place = f"{networks.FOLDER}/{name}.npz"
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    networks._write_examples(root / place, examples)
    return {place: sha256_of(root / place)}


@pytest.mark.usefixtures("quick")
def test_a_network_learns_once_and_the_same_from_the_same_examples(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    records = []
    for root in roots:
        files = [kept(root, "1", made_examples(20, 1)), kept(root, "2", made_examples(20, 2))]
        records.append(networks.learn(str(root), (41, 42), files))
    ((place, _),) = records[0].files.items()
    assert (roots[0] / place).read_bytes() == (roots[1] / place).read_bytes()
    assert read_onset_model(roots[0] / place).taps.tobytes() != onset_model().taps.tobytes()
    written = (roots[0] / place).stat().st_mtime_ns
    assert networks.learn(str(roots[0]), (41, 42), files) == records[0]
    assert (roots[0] / place).stat().st_mtime_ns == written
    other = [kept(roots[0], "1", made_examples(20, 3)), files[1]]
    assert networks.learn(str(roots[0]), (41, 42), other).files != records[0].files


def test_examples_come_back_as_they_were_but_for_the_precision_of_the_channels(tmp_path: Path) -> None:
    examples = made_examples(10, 1)
    (place,) = kept(tmp_path, "1", examples)
    back = networks._read_examples(tmp_path / place, 100)
    assert len(back) == 10
    assert np.allclose(back[3].channels, examples[3].channels, atol=1e-3)
    assert (back[3].target == examples[3].target).all()
    assert len(networks._read_examples(tmp_path / place, 4)) == 4
    (empty,) = kept(tmp_path, "2", [])
    assert networks._read_examples(tmp_path / empty, 100) == []


@pytest.fixture
def manifest(music: Music, tmp_path: Path) -> Path:
    """Two recordings of the same instruments, and one of which nothing can be learnt."""
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(music.score, folder / "score.mid")
    audio = read_audio(music.recording)
    rows = []
    for number, gain in enumerate((1.0, 0.5), start=1):
        write_audio(folder / f"{number}.flac", gain * audio)
        rows.append({"id": str(number), "recording": f"{number}.flac", "score": "score.mid"})
    write_audio(folder / "3.flac", 0.1 * np.random.default_rng(0).standard_normal(len(audio)).astype(np.float32))
    rows.append({"id": "3", "recording": "3.flac", "score": "score.mid"})
    write_manifest(folder / "manifest.csv", rows)
    return folder / "manifest.csv"


@pytest.mark.usefixtures("quick")
def test_a_collection_is_labelled_with_its_network_and_resumed(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = build(read_manifest(manifest), out, ADAPTED, run=run_here)
    assert [row.made for row in rows] == [True, True, True]
    origins = json.loads((out / "provenance.json").read_text(encoding="utf-8"))["recordings"]
    (network,) = (out / networks.FOLDER).glob("network_*.npz")
    assert {origin["network"]["sha256"] for origin in origins.values()} == {sha256_of(network)}
    assert not any(row.made for row in build(read_manifest(manifest), out, ADAPTED, run=run_here))
    assert not any(plan_build(read_manifest(manifest), out, ADAPTED).reasons.values())
    alone = plan_build(read_manifest(manifest), out, Settings()).reasons
    assert all(reasons == ["network has changed"] for reasons in alone.values())


def test_a_recording_that_cannot_be_read_is_left_to_fail_with_its_reason(manifest: Path, tmp_path: Path) -> None:
    for name in ("1.flac", "2.flac", "3.flac"):
        (manifest.parent / name).write_bytes(b"no sound")
    said: list[str] = []
    listen = lambda stage, share: said.append(stage)  # noqa: E731
    rows = build(read_manifest(manifest), tmp_path / "out", ADAPTED, run=run_here, progress=listen)
    assert [row.state for row in rows] == ["failed"] * 3
    assert "listening to the collection" in said
    assert not list((tmp_path / "out" / networks.FOLDER).glob("*.npz"))
