"""Folders and files are uploaded whole, and only what has changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.remote.uploads import publish, staging

fsspec = pytest.importorskip("fsspec")
URL = "memory://uploads/dataset"


@pytest.fixture
def store() -> Iterator[object]:
    memory = fsspec.filesystem("memory")
    yield memory
    if memory.exists("/uploads"):
        memory.rm("/uploads", recursive=True)


@pytest.fixture
def folder(tmp_path: Path, store: object) -> Path:
    files = ("index.json", "README.md", "train_data/1.wav", "train_data/2.wav", ".build/1.json", "train_data/.3-x.wav")
    for name in files:
        (tmp_path / "dataset" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dataset" / name).write_text(name)
    return tmp_path / "dataset"


def names(store: object) -> dict[str, str]:
    """What is at the place: the text of each file."""
    found = store.find("/uploads/dataset")  # type: ignore[attr-defined]
    return {path.removeprefix("/uploads/dataset/"): store.cat_file(path).decode() for path in found}  # type: ignore[attr-defined]


def test_a_folder_is_uploaded_without_what_is_hidden_and_its_index_last(folder: Path, store: object) -> None:
    told: list[str] = []
    assert publish(folder, URL, lambda stage, _: told.append(stage)) == 4
    assert names(store) == {name: name for name in ("README.md", "index.json", "train_data/1.wav", "train_data/2.wav")}
    assert [stage.removeprefix("uploading ") for stage in told] == [
        *("train_data/1.wav", "train_data/2.wav", "README.md", "index.json")
    ]
    assert publish(folder, f"{URL}/") == 0


def test_only_what_has_changed_or_is_lost_is_uploaded_again(folder: Path, store: object) -> None:
    publish(folder, URL)
    store.pipe_file("/uploads/dataset/mine.txt", b"mine")  # type: ignore[attr-defined]
    (folder / "train_data" / "1.wav").unlink()
    (folder / "train_data" / "2.wav").write_text("another")
    store.rm_file("/uploads/dataset/README.md")  # type: ignore[attr-defined]
    assert publish(folder, URL) == 3
    assert names(store) == {
        "index.json": "index.json", "README.md": "README.md", "train_data/2.wav": "another", "mine.txt": "mine",
    }  # fmt: skip


def test_an_upload_that_breaks_off_shows_no_index_and_goes_on(folder: Path, store: object) -> None:
    publish(folder, URL)
    (folder / "train_data" / "1.wav").write_text("another")

    class StoppedError(Exception):
        pass

    def stop(stage: str, _: float) -> None:
        if "index" in stage:
            raise StoppedError

    with pytest.raises(DatasetError, match="StoppedError"):
        publish(folder, URL, stop)
    assert names(store) == {name: name for name in ("README.md", "train_data/2.wav")} | {"train_data/1.wav": "another"}
    (ledger,) = folder.parent.glob(".dataset-uploaded-*")
    with ledger.open("a") as file:
        file.write('["index.js')  # a process was killed at this line
    assert publish(folder, URL) == 1
    assert names(store)["index.json"] == "index.json"


def test_a_file_is_replaced_and_a_folder_of_others_is_not_written_into(folder: Path, store: object) -> None:
    store.pipe_file("/uploads/one.h5", b"former")  # type: ignore[attr-defined]
    assert [publish(folder / "README.md", "memory://uploads/one.h5") for _ in range(2)] == [1, 0]
    assert store.cat_file("/uploads/one.h5") == b"README.md"  # type: ignore[attr-defined]
    store.pipe_file("/uploads/dataset/mine.txt", b"mine")  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(DatasetError, match="is not empty, and was not uploaded from here"):
            publish(folder, URL)
    assert names(store) == {"mine.txt": "mine"}


def test_each_place_is_made_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    here = staging(URL)
    assert here == staging(f"{URL}/")
    assert here.name == "dataset"
    assert here.is_relative_to(tmp_path)
    assert staging("memory://others/dataset") != here
    for url, fault in {"https://host/a": "cannot be written to", "s3://bucket": "names no file"}.items():
        with pytest.raises(DatasetError, match=fault):
            staging(url)
