"""A training can be killed and goes on, is the same again, and refuses what it cannot use."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from made_package import write_package  # noqa: E402

from musicnet_build.baselines import training  # noqa: E402
from musicnet_build.baselines.catalogue import find_baseline  # noqa: E402
from musicnet_build.baselines.runs import load_run, load_tensors, save_tensors  # noqa: E402
from musicnet_build.errors import TrainingError  # noqa: E402

MODEL = "musicnet-mlp"
SETTINGS = replace(
    find_baseline(MODEL).presets["small"],
    steps=30, batch_size=16, validate_every=10, window_samples=1024, filters=32, validation_windows=100,
    learning_rate=5e-3,
)  # fmt: skip


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "musicnet.h5")


@pytest.fixture(scope="module")
def run(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    training.train(MODEL, package, folder, settings=SETTINGS)
    return folder


def weights(folder: Path) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in load_tensors(folder / "weights.safetensors")[0].items()}


def test_a_network_learns(run: Path) -> None:
    history = load_run(run).record.report["history"]
    assert [row["step"] for row in history] == [10, 20, 30]
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    # A hundredth of all notes sounds: that would be chance.
    assert history[-1]["average precision"] > max(0.2, history[0]["average precision"])


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(run: Path, package: Path, tmp_path: Path) -> None:
    training.train(MODEL, package, tmp_path / "again", settings=SETTINGS)
    training.train(MODEL, package, tmp_path / "other", settings=SETTINGS, seed=1)
    for name in ("weights.safetensors", "run.json"):
        assert (run / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert (run / "weights.safetensors").read_bytes() != (tmp_path / "other" / "weights.safetensors").read_bytes()


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(run: Path, package: Path, tmp_path: Path) -> None:
    def kill(stage: str, fraction: float) -> None:
        if fraction > 0.6:
            raise KilledError

    with pytest.raises(KilledError):
        training.train(MODEL, package, tmp_path, settings=SETTINGS, progress=kill)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.safetensors"}
    told: list[float] = []
    training.train(MODEL, package, tmp_path, settings=SETTINGS, progress=lambda stage, fraction: told.append(fraction))
    assert told == pytest.approx([2 / 3, 1.0])
    assert (tmp_path / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
    assert (tmp_path / "run.json").read_bytes() == (run / "run.json").read_bytes()
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_finished_training_is_not_done_again(run: Path, package: Path) -> None:
    told: list[str] = []
    training.train(MODEL, package, run, settings=SETTINGS, progress=lambda stage, fraction: told.append(stage))
    assert told == []


@pytest.mark.parametrize("fault", ["of another seed", "damaged"])
def test_a_checkpoint_that_is_not_of_this_training_is_not_taken_up(
    fault: str, run: Path, package: Path, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    if fault == "damaged":
        path.write_bytes(b"\0" * 100)
    else:
        save_tensors(path, {"network.1.weight": torch.zeros(2)}, {"made_from": {"seed": 5}, "course": {}})
    training.train(MODEL, package, tmp_path, settings=SETTINGS)
    assert (tmp_path / "weights.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()


def test_a_run_is_read_again_with_its_weights_and_says_what_it_was_made_from(run: Path, package: Path) -> None:
    found = load_run(run)
    assert found.settings == SETTINGS
    assert found.record.made_from["seed"] == 0
    assert len(found.record.made_from["package"]) == 64
    assert found.record.report["first_losses"][0] > found.record.report["first_losses"][-1]
    for name, values in found.network.state_dict().items():
        assert np.array_equal(values.numpy(), weights(run)[name])


def test_weights_that_are_not_those_of_the_record_are_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    with (tmp_path / "run" / "weights.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(TrainingError, match="not what the training wrote"):
        load_run(tmp_path / "run")
    with pytest.raises(TrainingError, match="no finished training"):
        load_run(tmp_path)


def test_settings_of_another_version_are_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["made_from"]["settings"]["depth"] = 3
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(TrainingError, match="another version"):
        load_run(tmp_path / "run")


def test_what_is_not_there_is_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no model 'mlp'"):
        training.train("mlp", package, tmp_path)
    with pytest.raises(TrainingError, match="no preset 'huge'"):
        training.train(MODEL, package, tmp_path, preset="huge")
    if not torch.cuda.is_available():
        with pytest.raises(TrainingError, match="no CUDA device"):
            training.train(MODEL, package, tmp_path, device="cuda")
    assert not any(tmp_path.iterdir())


def test_a_loss_that_is_not_finite_ends_the_training(package: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no longer finite at step 10"):
        training.train(MODEL, package, tmp_path, settings=replace(SETTINGS, learning_rate=1e30))
    assert not (tmp_path / "weights.safetensors").exists()
