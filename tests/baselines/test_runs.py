"""Tensors go into safetensors files and come back, with what is said about them; anything else is refused."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'musicnet_build[baselines]'")

from musicnet_build.baselines.catalogue import find_baseline  # noqa: E402
from musicnet_build.baselines.runs import load_tensors, save_tensors, settings_of, usable_device  # noqa: E402
from musicnet_build.errors import TrainingError  # noqa: E402


def test_tensors_and_state_come_back_and_equal_ones_are_equal_bytes(tmp_path: Path) -> None:
    tensors = {"b": torch.arange(6.0).reshape(2, 3).T, "a": torch.tensor(3)}
    for name in ("one", "two"):
        save_tensors(tmp_path / name, tensors, {"step": 7, "history": [{"loss": 0.5}]})
    read, state = load_tensors(tmp_path / "one")
    assert state == {"step": 7, "history": [{"loss": 0.5}]}
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b'\x08\0\0\0\0\0\0\0{"a": 1'])
def test_a_file_that_is_none_of_ours_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(TrainingError, match=r"weights\.safetensors: is no safetensors file"):
        load_tensors(tmp_path / "weights.safetensors")


def test_settings_come_back_from_plain_values() -> None:
    baseline = find_baseline("label-noise")
    settings = baseline.presets["small"]
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(settings).items()}
    assert settings_of(baseline, values) == settings
    with pytest.raises(TrainingError, match="another version"):
        settings_of(baseline, {"steps": 3})


def test_the_cpu_can_be_used_everywhere() -> None:
    assert usable_device("cpu").type == "cpu"
