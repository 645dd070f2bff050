"""What is written to a URL is made here and uploaded; only the commands that say so take one."""

import shutil
from pathlib import Path

import click
import pytest
from small_dataset import Material

from musicnet_build.cli import group
from musicnet_build.remote.uploads import staging

memory = pytest.importorskip("fsspec").filesystem("memory")


def run(*arguments: str | Path) -> object:
    """Run a command in this process, where the store is."""
    return group.main([str(argument) for argument in arguments], standalone_mode=False)


def test_a_dataset_and_its_package_go_to_a_store(
    material: Material,
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shutil.copytree(dataset, staging("memory://shop/dataset"))  # as an earlier run left it
    options = ("--preset", "musicnet", "--soundfont", material.folder / "tiny.sf2", "--workers", "1")
    assert run("build", material.manifest, "-o", "memory://shop/dataset", *options) == 0
    assert "memory://shop/dataset: 3 up to date" in capfd.readouterr().out
    there = {path.removeprefix("/shop/dataset/") for path in memory.find("/shop/dataset")}
    assert there == {name for name in files(dataset) if not name.startswith(".")}
    assert run("pack", "musicnet", dataset, "-o", "memory://shop/musicnet.h5", "--workers", "1") is None
    assert memory.cat_file("/shop/musicnet.h5")[:4] == b"\x89HDF"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("demo", "-o", "s3://me:secret@bucket/demo"), "s3://bucket/demo is a URL: only build and pack"),
        (("pack", "parquet", ".", "-o", "https://host/a?secret"), "https://host/a: cannot be written to"),
        (("pack", "musicnet", ".", "-o", "s3://bucket/a.wav"), "must end in .h5"),
    ],
)
def test_what_is_not_written_to_is_misuse(arguments: tuple[str, ...], fault: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        run(*arguments)
    assert fault in caught.value.format_message()
    assert "secret" not in caught.value.format_message()
