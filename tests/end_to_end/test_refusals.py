"""What cannot be done is refused in one line, with the right exit code, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bad_midi import GOOD, HOPELESS
from command_line import PROGRAM, misused, refused, run
from conftest import Music
from tiny_soundfont import write_soundfont


def sine(seconds: float = 1.0) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 44_100)) / 44_100)


@pytest.fixture
def good_midi(tmp_path: Path) -> Path:
    path = tmp_path / "good.mid"
    path.write_bytes(GOOD)
    return path


@pytest.fixture
def outputs(tmp_path: Path) -> tuple[str | Path, ...]:
    folder = tmp_path / "out"
    folder.mkdir()
    return ("-o", folder / "labels.csv", "--overlay", folder / "overlay.wav", "--plot", folder / "plot.png")


def bad_recording(kind: str, path: Path) -> None:
    if kind == "truncated":
        soundfile.write(path, sine(3) + 0.01 * np.random.default_rng(0).standard_normal(3 * 44_100), 44_100)
        path.write_bytes(path.read_bytes()[:-20_000])
    else:
        audio = {"silent": 0 * sine(), "not a number": np.where(np.arange(44_100) == 99, np.nan, sine())}[kind]
        soundfile.write(path, audio, 44_100, subtype="FLOAT" if path.suffix == ".wav" else None)


@pytest.mark.parametrize("name", ["empty file", "text file", "type 2", "no notes", "cut in a track"])
def test_a_broken_score_is_one_line(name: str, music: Music, outputs: tuple[str | Path, ...], tmp_path: Path) -> None:
    data, words = HOPELESS[name]
    score = tmp_path / "broken.mid"
    score.write_bytes(data)
    line = refused("align", music.recording, score, *outputs)
    assert "broken.mid" in line
    assert words in line
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [("truncated", "a.flac", "damaged"), ("silent", "a.wav", "silent"), ("not a number", "a.wav", "not finite")],
)
def test_a_recording_that_cannot_be_labelled_is_one_line(
    kind: str, name: str, words: str, good_midi: Path, outputs: tuple[str | Path, ...], tmp_path: Path
) -> None:
    bad_recording(kind, tmp_path / name)
    line = refused("align", tmp_path / name, good_midi, *outputs)
    assert name in line
    assert words in line
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("fault", ["midi", "order", "soundfont", "preset"])
def test_an_alignment_that_fails_while_a_recording_of_another_rate_is_read_ends_in_one_line(
    fault: str, music: Music, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.flac", np.tile(sine(10), 12), 48_000)
    score = tmp_path / "a.mid"
    score.write_bytes(b"no music" if fault == "midi" else music.score.read_bytes())
    write_soundfont(tmp_path / "one.sf2", [(0, 0)], wave="sine")
    options = {
        "order": ("--order", "b900-b901"),
        "soundfont": ("--soundfont", "nosuchfont"),
        # Found out while the recording is transformed.
        "preset": ("--soundfont", str(tmp_path / "one.sf2"), "--strict"),
    }
    # Once is luck: before, three of fifteen crashed.
    for _ in range(3):
        refused("align", tmp_path / "a.flac", score, "-o", tmp_path / "o.csv", *options.get(fault, ()))
    assert not (tmp_path / "o.csv").exists()


def test_a_failure_is_json_too_where_json_was_asked_for(good_midi: Path, tmp_path: Path) -> None:
    process = run("align", tmp_path / "missing.wav", good_midi, "-o", tmp_path / "a.csv", "--json")
    assert process.returncode == 2
    assert "missing.wav" in json.loads(process.stdout)["error"]
    process = run("synth", good_midi, "-o", tmp_path / "a.wav", "--soundfont", "nosuchfont", "--json")
    assert process.returncode == 1
    assert json.loads(process.stdout)["error"] in process.stderr


def test_broken_labels_are_one_line_that_names_the_line(music: Music, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    lines = music.truth.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace(",", ";")
    labels.write_text("\n".join(lines), encoding="utf-8")
    for command in (("convert", labels, "-o", tmp_path / "a.mid"), ("overlay", music.recording, labels, "-o")):
        arguments = command if command[0] == "convert" else (*command, tmp_path / "a.wav")
        assert "labels.csv: line 4" in refused(*arguments)
    assert {path.name for path in tmp_path.iterdir()} == {"labels.csv"}


def test_an_unknown_soundfont_is_answered_with_those_that_are_here(good_midi: Path, tmp_path: Path) -> None:
    line = refused("synth", good_midi, "-o", tmp_path / "a.wav", "--soundfont", "nosuchfont")
    assert "TimGM6mb" in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("-o", "{out}/labels.doc"), ".csv"),
        (("-o", "{out}/a.csv", "--plot", "{out}/a.jpg"), ".png"),
        (("-o", "{out}/a.csv", "--overlay", "{out}/a.mp3"), ".wav or .flac"),
        (("-o", "{out}/a.csv", "-o", "{out}/../out/a.csv"), "twice"),
        (("-o", "{score}"), "is an input"),
        (("-o", "{out}/a.csv", "--overlay", "{recording}"), "is an input"),
        (("-o", "{score}/a.csv"), "is not a folder"),
        (("-o", "{out}/a.csv", "--preset", "nosuchpreset"), "musicnet"),
        ((), "--output"),
    ],
)
def test_misuse_is_refused_before_any_work(
    arguments: tuple[str, ...], reason: str, music: Music, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    before = music.score.read_bytes(), music.recording.read_bytes()
    names = {"out": tmp_path / "out", "score": music.score, "recording": music.recording}
    assert reason in misused("align", music.recording, music.score, *(word.format(**names) for word in arguments))
    assert list((tmp_path / "out").iterdir()) == []
    assert (music.score.read_bytes(), music.recording.read_bytes()) == before


ROOT = os.geteuid() == 0


@pytest.mark.skipif(ROOT and not shutil.which("setpriv"), reason="root may write everywhere, without setpriv")
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(music: Music, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    as_anybody = ["setpriv", "--bounding-set=-dac_override"] if ROOT else []
    command = [*as_anybody, PROGRAM, "align", music.recording, music.score, "-o", tmp_path / "a.csv"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert "cannot be written" in process.stderr


def test_an_input_that_is_not_there_is_misuse(tmp_path: Path) -> None:
    assert "missing.mid" in misused("synth", tmp_path / "missing.mid", "-o", tmp_path / "a.wav")


def test_an_end_before_the_start_is_misuse(music: Music, tmp_path: Path) -> None:
    span = ("--start", "3", "--end", "2")
    assert "--end" in misused("overlay", music.recording, music.truth, "-o", tmp_path / "a.wav", *span)


def test_an_interrupt_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [PROGRAM, "demo", "-v", "-o", str(tmp_path / "demo")], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "listening" in line:
            break
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    assert stderr.split("\n")[-2:] == ["musicnet-build: interrupted.", ""]
    assert "Traceback" not in stderr
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"score.mid", "recording.flac", "truth.csv"}


def test_a_pipe_is_called_a_pipe(good_midi: Path, outputs: tuple[str | Path, ...], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert "pipe.wav is a pipe or a device" in misused("align", tmp_path / "pipe.wav", good_midi, *outputs)
