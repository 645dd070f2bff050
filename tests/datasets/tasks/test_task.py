"""Inputs may be anywhere: what is remote is read once, named as in the manifest, and its copy does not stay."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_dataset import Material, contents

from musicnet_build.datasets.manifest import read_manifest, write_manifest
from musicnet_build.datasets.plan import Plan, plan_build
from musicnet_build.errors import ManifestError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def elsewhere(material: Material, tmp_path: Path) -> Iterator[Material]:
    """The first recording and its score in a store, and two manifests of it: with URLs, and with ``local`` paths."""
    memory = fsspec.filesystem("memory")
    here = material.copy(tmp_path / "in")
    for name in ("1.flac", "1.mid"):
        memory.pipe_file(f"/elsewhere/{name}", (here.folder / name).read_bytes())
    row = here.rows()[0]
    write_manifest(here.folder / "local.csv", [row])
    write_manifest(here.manifest, [row | {name: f"memory://elsewhere/{row[name]}" for name in ("recording", "score")}])
    yield here
    memory.rm("/elsewhere", recursive=True)


def planned(material: Material, dataset: Path) -> Plan:
    return plan_build(read_manifest(material.manifest), dataset, material.settings)


def test_remote_inputs_give_the_same_labels_and_sound_and_are_read_once(elsewhere: Material, tmp_path: Path) -> None:
    assert planned(elsewhere, tmp_path / "out").reasons == {"1": ["it was not made before"]}
    (row,) = elsewhere.build(tmp_path / "out")
    made = contents(tmp_path / "out")
    assert row.name == "1.flac"
    assert b"memory://elsewhere/1.mid" in made["provenance.json"]
    assert sorted(name for name in made if "copies" in name) == [
        f".build/copies/1-{name}.seen.json" for name in ("recording", "score")
    ]
    plan = planned(elsewhere, tmp_path / "out")
    assert plan.reasons == {"1": []}
    assert plan.tasks[0].sha256  # known without the bytes
    assert not elsewhere.build(tmp_path / "out")[0].made
    assert contents(tmp_path / "out") == made
    elsewhere.manifest.write_bytes((elsewhere.folder / "local.csv").read_bytes())
    assert not elsewhere.build(tmp_path / "out")[0].made  # the same bytes, wherever they lie


def test_what_has_changed_elsewhere_is_made_again(elsewhere: Material, tmp_path: Path) -> None:
    elsewhere.build(tmp_path / "out")
    fsspec.filesystem("memory").pipe_file("/elsewhere/1.mid", (elsewhere.folder / "2.mid").read_bytes())
    assert planned(elsewhere, tmp_path / "out").reasons == {"1": ["its files elsewhere were not read as they are now"]}
    assert elsewhere.build(tmp_path / "out")[0].made


def test_what_cannot_be_read_is_a_reason_that_names_the_url_without_its_secrets(
    elsewhere: Material, tmp_path: Path
) -> None:
    fsspec.filesystem("memory").pipe_file("/elsewhere/1.flac", b"no sound")
    (row,) = elsewhere.build(tmp_path / "out")
    assert row.state == "failed"
    assert row.reason.startswith("memory://elsewhere/1.flac")
    elsewhere.change("1", recording="http://127.0.0.1:9/1.flac?signature=secret")
    (row,) = elsewhere.build(tmp_path / "out")
    assert row.reason.startswith("http://127.0.0.1:9/1.flac: ")
    assert not [name for name, data in contents(tmp_path / "out").items() if b"secret" in data]


def test_urls_that_lead_to_files_of_this_machine_are_problems_of_the_manifest(
    elsewhere: Material, tmp_path: Path
) -> None:
    elsewhere.change("1", recording=f"file://{elsewhere.folder}/1.flac")
    read_manifest(elsewhere.manifest)  # a path in the manifest's folder, in other words
    elsewhere.change("1", recording="file:///etc/hostname", score="zip://1.mid::memory://elsewhere/1.zip")
    with pytest.raises(ManifestError) as caught:
        read_manifest(elsewhere.manifest)
    assert "recording /etc/hostname lies outside the manifest's folder" in str(caught.value)
    assert "zip:// is not read" in str(caught.value)
    elsewhere.change("1", recording="https://me:secret@host/1.flac", score="1.mid", anchors="https://host/a.csv")
    with pytest.raises(ManifestError, match=r"anchors https://host/a\.csv: is not read by a URL") as caught:
        read_manifest(elsewhere.manifest)
    assert "secret" not in str(caught.value)
