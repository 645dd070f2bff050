"""``train`` and ``study`` as a user runs them: what is trained, what is refused, and what is said without PyTorch."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import as_json, done, misused, refused
from made_package import write_package


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "musicnet.h5", seconds=2.0)


def test_a_model_is_trained_and_what_is_there_is_not_trained_again(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")
    printed = as_json("train", "musicnet-linear", package, "-o", tmp_path / "run")
    assert printed["parameters"] == 128 * 1025 + 128
    assert printed["figures"]["average precision"] > 0.8
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"weights.safetensors", "run.json", "curves.png"}
    before = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    assert "musicnet-linear, 131,328 parameters, 600 steps" in done(
        "train", "musicnet-linear", package, "-o", tmp_path / "run"
    )
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == before


def test_what_cannot_be_trained_is_refused(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")
    assert "'alexnet' is not one of" in misused("train", "alexnet", package, "-o", tmp_path / "run")
    assert "'sleep' is not one of" in misused("study", "sleep", package, "-o", tmp_path / "out")
    assert "is not a package of frames" in refused("train", "label-noise", package, "-o", tmp_path / "run")
    assert "pieces in scores/" in refused("study", "labels", tmp_path, "-o", tmp_path / "out")
    assert not (tmp_path / "run").exists() or not any((tmp_path / "run").iterdir())


def test_without_pytorch_one_line_says_what_to_install(package: Path, tmp_path: Path) -> None:
    arguments = ["musicnet-build", "train", "musicnet-mlp", str(package), "-o", str(tmp_path / "run")]
    code = f"import sys; sys.modules['torch'] = None; sys.argv = {arguments}; import musicnet_build.cli as c; c.main()"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert "pip install 'musicnet_build[baselines]'" in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "run").exists()


def test_performances_are_generated_with_their_truth(tmp_path: Path) -> None:
    printed = as_json("generate", "performances", "-o", tmp_path / "out", "--pieces", 2, "--bars", 2)
    assert printed["pieces"] == 2
    for folder, ending in (("scores", "mid"), ("recordings", "flac"), ("truth", "csv")):
        assert sorted(path.name for path in (tmp_path / "out" / folder).iterdir()) == [
            f"piece-00{number}.{ending}" for number in (1, 2)
        ]
