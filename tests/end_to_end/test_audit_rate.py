"""From a draw to the quoted rate, on the command line."""

from pathlib import Path

from command_line import as_json, done, misused, refused
from judged_dataset import made_dataset, note_event, true_rate

from musicnet_build.listening.catalogue import judgements_folder
from musicnet_build.listening.judgements import Journal
from musicnet_build.listening.rating.sample_file import read_sample


def test_from_the_draw_to_the_rate(tmp_path: Path) -> None:
    dataset = made_dataset(tmp_path / "set")
    folder = judgements_folder(dataset)
    assert "audit sample" in refused("audit", "report", dataset)
    drawn = as_json("audit", "sample", dataset, "--n", "60", "--seed", "2")
    assert drawn["drawn"] == 60
    assert sum(stratum["units"] for stratum in drawn["strata"].values()) == 800
    assert "there is no error rate" in done("audit", "report", dataset)
    assert "200 notes of 4 recordings" in done("audit", "sample", dataset, "--n", "200", "--seed", "2")
    assert "--anew" in refused("audit", "sample", dataset, "--n", "200", "--seed", "3")
    units = read_sample(folder).units
    events = [note_event(i, dataset, unit.recording, unit.note.row) for i, unit in enumerate(units) if unit.note]
    Journal(folder).append("ada", events)
    report = as_json("audit", "report", dataset, "--accept-below", "5")
    assert report["rate"]["low"] < true_rate(dataset) < report["rate"]["high"]
    assert report["sentence"] in done("audit", "report", dataset)
    assert not list(dataset.glob("*.json"))
    assert "leave out --n" in misused("audit", "sample", dataset, "--clips", "30", "--n", "30")
    assert as_json("audit", "sample", dataset, "--clips", "3", "--seconds", "1", "--anew")["unit"] == "clip"
    assert "Invalid value for '--n'" in misused("audit", "sample", dataset, "--n", "0")
