"""What a build is going to do, and why."""

from pathlib import Path

import pytest
from small_dataset import Material

from musicnet_build.datasets.manifest import InvalidManifestError, read_manifest
from musicnet_build.datasets.plan import Plan, plan_build


def planned(material: Material, dataset: Path) -> Plan:
    return plan_build(read_manifest(material.manifest), dataset, material.settings)


def test_anchors_of_a_file_make_their_recording_anew_and_so_does_a_change_of_them(
    material: Material, dataset: Path, tmp_path: Path
) -> None:
    changed = material.copy(tmp_path / "in")
    heard = changed.folder / "heard.csv"
    heard.write_text("recording_s,measure,beat\n1.25,2,3\n0.5,1,\n")
    changed.change("2", anchors="heard.csv")
    plan = planned(changed, dataset)
    assert [task.settings.anchors for task in plan.tasks] == ["", "0.5=1:1,1.25=2:3", ""]
    assert [len(reasons) for reasons in plan.reasons.values()] == [0, 1, 0]
    assert "anchors" in plan.reasons["2"][0]
    heard.write_text("recording_s,measure\n0.5,1\n")
    assert planned(changed, dataset).reasons["2"] != plan.reasons["2"]


def test_a_file_of_anchors_that_cannot_be_read_is_a_problem_of_its_line(
    material: Material, dataset: Path, tmp_path: Path
) -> None:
    changed = material.copy(tmp_path / "in")
    (changed.folder / "heard.csv").write_text("recording_s,measure\nlate,2\n")
    changed.change("2", anchors="heard.csv")
    with pytest.raises(InvalidManifestError) as raised:
        planned(changed, dataset)
    (problem,) = raised.value.problems
    assert problem.startswith("line 3: ")
    assert "heard.csv: line 2: 'late=2:1' is no anchor" in problem


def test_a_file_of_anchors_outside_the_folder_is_refused(material: Material, tmp_path: Path) -> None:
    changed = material.copy(tmp_path / "in")
    (tmp_path / "heard.csv").write_text("recording_s,measure\n1,2\n")
    changed.change("2", anchors="../heard.csv")
    with pytest.raises(InvalidManifestError, match=r"anchors \.\./heard\.csv lies outside"):
        read_manifest(changed.manifest)
