"""The commands for timbre sets, run as a user runs them; killed, and run again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import PROGRAM, as_json, done, misused, refused, run

sys.path.insert(0, str(Path(__file__).parents[1]))
from timbre_helpers import tune, write_tracks

SMALL = ("--instrument", "guitar=26-27:60-63", "--instrument", "trumpet=56:62-64", "--soundfont", "TimGM6mb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("timbre")
    (folder / "printed").write_text(done("generate", "ascension", "-o", folder / "set", *SMALL), encoding="utf-8")
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_generate_prints_balanced_counts_and_writes_sound_scores_and_labels(folder: Path) -> None:
    printed = (folder / "printed").read_text(encoding="utf-8")
    assert [line.split()[1] for line in printed.splitlines()[1:4]] == ["12", "12", "12"]
    made = files_in(folder / "set")
    assert {Path(name).suffix for name in made} == {".wav", ".mid", ".csv", ".json"}


def test_a_run_that_is_killed_is_finished_by_the_next_and_two_workers_write_the_bytes_of_one(
    folder: Path, tmp_path: Path
) -> None:
    command = [PROGRAM, "generate", "ascension", "-o", str(tmp_path / "set"), *SMALL, "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and not list((tmp_path / "set").glob("records/[!.]*.json")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)  # with its workers: none may write while the next run does
    process.wait()
    (tmp_path / "set" / "audio" / ".guitar-alone-0000-abcd1234.wav").write_bytes(b"half a file")
    done(*command[1:])
    assert files_in(tmp_path / "set") == files_in(folder / "set")


def test_from_packing_to_evaluation(folder: Path, tmp_path: Path) -> None:
    package, preview = tmp_path / "timbre.h5", tmp_path / "preview"
    printed = as_json("pack", "timbre", folder / "set", "-o", package, "--hop", "1024", "--preview", preview)
    assert printed["subsets"]["combined_balanced"] == 72
    assert printed["bytes"] == package.stat().st_size
    assert (preview / "contact_sheet.png").is_file()
    results = as_json("evaluate", "timbre", folder / "set" / "labels", package)["results"]
    assert results["average"]["all"]["f_measure"] == 1.0
    assert "guitar_alone" in done("evaluate", "timbre", folder / "set" / "labels", folder / "set")


def test_a_test_set_is_made_of_what_fits_and_the_rest_is_named(folder: Path, tmp_path: Path) -> None:
    good = write_tracks(tmp_path / "good.mid", [(27, 0, tune(52)), (56, 1, tune(62))])
    other = write_tracks(tmp_path / "other.mid", [(26, 0, tune(55)), (56, 1, tune(64, beat=1))])
    bad = write_tracks(tmp_path / "bad.mid", [(27, 0, tune(52)), (73, 1, tune(62))])
    outputs = ("-o", tmp_path / "test", "--pack", tmp_path / "test.h5")
    process = run("generate", "timbre-test", good, bad, other, *outputs, "--soundfont", "TimGM6mb", "--json")
    assert process.returncode == 0, process.stderr
    printed = json.loads(process.stdout)
    assert printed["pieces"] == 6
    assert [(each["path"], each["reason"]) for each in printed["refused"]] == [
        (str(bad), "it has no trumpet (program 56).")
    ]
    assert "bad.mid: it has no trumpet" in process.stderr
    assert (tmp_path / "test.h5").is_file()
    assert "it has no trumpet" in refused(
        "generate", "timbre-test", bad, "-o", tmp_path / "none", "--soundfont", "TimGM6mb"
    ).replace("warning", "")
    assert "TimGM6mb plays in" in refused(
        "generate", "timbre-test", good, "-o", tmp_path / "n", "--training", folder / "set", "--soundfont", "TimGM6mb"
    )
    assert "Give --training" in misused("generate", "timbre-test", good, "-o", tmp_path / "none")


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [
        ("guitar=26-31", "write it as NAME"),
        ("guitar=26-31:D6-E2", "no range from MIDI pitch 86 to 40"),
        ("guitar=26-131:E2-D6", "128 is none"),
        ("guitar=31-26:E2-D6", "needs a General MIDI program"),
        ("Guitar!=26:E2-D6", "cannot name an instrument"),
    ],
)
def test_an_instrument_that_cannot_be_is_misuse(instrument: str, reason: str, tmp_path: Path) -> None:
    message = misused("generate", "ascension", "-o", tmp_path / "set", "--instrument", instrument)
    assert reason in " ".join(message.split())
    assert not (tmp_path / "set").exists()
