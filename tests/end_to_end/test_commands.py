"""The commands beside ``align``, each run as a user runs it."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bad_midi import event, midi, note
from command_line import as_json, done, misused, run
from command_server import served
from conftest import Music
from tiny_soundfont import write_soundfont

from musicnet_build.labels.files import read_labels


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return folder, done("demo", "-o", folder)


def test_the_demo_makes_its_files_and_tells_its_error(demo: tuple[Path, str]) -> None:
    folder, printed = demo
    names = {"score.mid", "recording.flac", "truth.csv", "labels.csv", "overlay.wav", "alignment.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert all(str(folder / name) in printed for name in names - {"truth.csv"})
    assert "Onset error against the true times: median" in printed


def test_the_demos_error_is_what_evaluating_its_labels_gives(demo: tuple[Path, str]) -> None:
    folder, printed = demo
    (found,) = as_json("evaluate", "alignment", folder / "truth.csv", folder / "labels.csv")["labels"]
    onset = found["pieces"][0]["onset"]
    assert f"median {onset['median_ms']:.1f} ms, 95 % under {onset['p95_ms']:.1f} ms" in printed
    assert f"{onset['within_50_ms']:.1%} within 50 ms" in printed


def test_the_demos_labels_are_good(demo: tuple[Path, str]) -> None:
    from musicnet_build.generation.demo import onset_errors

    errors_s = np.abs(onset_errors(read_labels(demo[0] / "truth.csv"), read_labels(demo[0] / "labels.csv")))
    assert len(errors_s) > 800
    assert np.median(errors_s) < 0.015
    assert np.mean(errors_s < 0.05) > 0.95


def test_synth_renders_the_score_from_its_first_second(music: Music, tmp_path: Path) -> None:
    printed = as_json("synth", music.score, "-o", tmp_path / "synth.flac")
    audio, rate = soundfile.read(tmp_path / "synth.flac")
    assert rate == 44_100
    assert printed["duration_s"] == len(audio) / rate
    assert np.abs(audio[: rate // 10]).max() > 0.001
    last_s = read_labels(music.score)["offset_s"].max()
    assert last_s < len(audio) / rate < last_s + 12


def test_synth_warns_of_a_missing_preset_in_one_line_and_refuses_it_when_strict(tmp_path: Path) -> None:
    score, output = tmp_path / "score.mid", tmp_path / "out.wav"
    score.write_bytes(midi(event(0, 0xC0, 40) + note(0, 480)))
    soundfont = write_soundfont(tmp_path / "tiny.sf2", [(0, 0)], wave="sine")
    process = run("synth", score, "-o", output, "--soundfont", soundfont)
    assert process.returncode == 0
    (warning,) = process.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert "violin" in warning
    output.unlink()
    assert run("synth", score, "-o", output, "--soundfont", soundfont, "--strict").returncode == 1
    assert not output.exists()


def test_overlay_splits_recording_and_tones(music: Music, tmp_path: Path) -> None:
    done("overlay", music.recording, music.truth, "-o", tmp_path / "split.wav", "--split")
    recording, rate = soundfile.read(music.recording)
    split, _ = soundfile.read(tmp_path / "split.wav")
    assert split.shape == (len(recording), 2)
    np.testing.assert_allclose(split[:, 0], recording, atol=1e-4)
    first = round(read_labels(music.truth)["onset_s"].min() * rate)
    assert not split[: first - 1, 1].any()
    assert np.abs(split[first : first + rate // 10, 1]).max() > 0.005


def test_overlay_says_how_many_labels_lie_behind_the_end_of_the_recording(music: Music, tmp_path: Path) -> None:
    (tmp_path / "far.tsv").write_text("# onset,offset,note,velocity\n1.0\t2.0\t60\t64\n300.0\t301.0\t72\t64\n")
    process = run("overlay", music.recording, tmp_path / "far.tsv", "-o", tmp_path / "o.wav")
    assert process.returncode == 0
    assert process.stderr.startswith("warning: 1 of the 2 labels begin behind the end of ")


def test_overlay_refuses_to_begin_behind_the_end(music: Music, tmp_path: Path) -> None:
    options = ("--start", "99", "--end", "100")
    words = misused("overlay", music.recording, music.truth, "-o", tmp_path / "o.wav", *options)
    assert "--start 99 is behind the end of" in words
    assert list(tmp_path.iterdir()) == []


def test_overlay_takes_an_instrument_and_a_span(music: Music, tmp_path: Path) -> None:
    wanted = ("--instrument", "43", "--start", "2", "--end", "4.5")  # the cello
    printed = as_json("overlay", music.recording, music.truth, "-o", tmp_path / "o.flac", "--split", *wanted)
    assert printed["duration_s"] == pytest.approx(2.5)
    tones = soundfile.read(tmp_path / "o.flac")[0][:, 1]
    notes = read_labels(music.truth)
    cello_s = notes["onset_s"][notes["program"] == 42]
    heard = np.convolve(np.abs(tones) > 1e-4, np.ones(200), "same") > 0
    starts_s = 2 + np.flatnonzero(np.diff(heard.astype(int), prepend=0) == 1) / 44_100
    expected_s = cello_s[(cello_s > 2.3) & (cello_s < 4.5)]
    assert len(expected_s) >= 1
    assert all(np.abs(starts_s - time_s).min() < 0.02 for time_s in expected_s)


def test_an_instrument_may_be_named(music: Music, tmp_path: Path) -> None:
    for name, cello in (("number.wav", "43"), ("name.wav", "Cello")):
        done("overlay", music.recording, music.truth, "-o", tmp_path / name, "--instrument", cello, "--end", "3")
    assert (tmp_path / "number.wav").read_bytes() == (tmp_path / "name.wav").read_bytes()
    for wrong, words in (("0", "from 1 to 128"), ("celo", "Did you mean 'cello'?")):
        assert words in misused(
            "overlay", music.recording, music.truth, "-o", tmp_path / "o.wav", "--instrument", wrong
        )


def test_labels_survive_a_round_trip_through_jams(music: Music, tmp_path: Path) -> None:
    jams, back = tmp_path / "labels.jams", tmp_path / "back.csv"
    done("convert", music.truth, "-o", jams)
    done("convert", jams, "-o", back)
    assert back.read_bytes() == music.truth.read_bytes()


def test_convert_writes_several_files_at_once(music: Music, tmp_path: Path) -> None:
    outputs = [tmp_path / f"labels{ending}" for ending in (".mid", ".tsv", ".txt")]
    printed = as_json("convert", music.truth, *(word for path in outputs for word in ("-o", path)))
    assert printed["outputs"] == [str(path) for path in outputs]
    assert all(len(read_labels(path)) == printed["notes"] for path in outputs)


def test_convert_says_what_it_could_not_keep(tmp_path: Path) -> None:
    source = tmp_path / "drums.mid"
    source.write_bytes(midi(note(0, 480) + note(0, 480, 38, channel=9) + event(0, 0x90, 64, 64)))
    process = run("convert", source, "-o", tmp_path / "notes.csv")
    assert process.returncode == 0
    (lost,) = process.stderr.splitlines()
    assert lost.startswith("warning: ")
    assert "note" in lost
    assert process.stdout == f"{tmp_path / 'notes.csv'}: 1 note (1 drum note left out)\n"


def test_soundfonts_lists_the_default_first_and_what_cannot_be_used(tmp_path: Path) -> None:
    best = write_soundfont(tmp_path / "mine.sf2", [(0, 0)])
    (tmp_path / "broken.sf2").write_bytes(b"no soundfont")
    process = run("soundfonts", "--json", MUSICNET_BUILD_SOUNDFONTS=str(tmp_path))
    printed = json.loads(process.stdout)
    first, *others = printed["soundfonts"]
    assert first["path"] == str(best.resolve())
    assert first["default"]
    assert not any(font["default"] for font in others)
    assert "TimGM6mb" in {font["name"] for font in others}
    assert [Path(font["path"]).name for font in printed["unusable"]] == ["broken.sf2"]
    assert "broken.sf2" in process.stderr


def test_doctor_finds_all_that_the_tests_use() -> None:
    printed = as_json("doctor")
    assert printed["ready"]
    details = {finding["name"]: finding["detail"] for finding in printed["findings"]}
    assert "fluidsynth" in details["FluidSynth"]
    assert "dBFS" in details["rendering"]
    assert "numba" in details["packages"]


def test_doctor_names_the_package_that_is_missing_and_the_command_that_brings_it(tmp_path: Path) -> None:
    # Metadata found first, of a version that asks for one package more than there is.
    (tmp_path / "musicnet_build-99.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: musicnet_build\nVersion: 99\nRequires-Dist: nosuchpackage>=1.2\n"
    (tmp_path / "musicnet_build-99.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")
    process = run("doctor", PYTHONPATH=str(tmp_path))
    assert process.returncode == 1
    assert "MISSING  packages: not installed: nosuchpackage>=1.2" in process.stdout
    assert " -m pip install 'nosuchpackage>=1.2'" in process.stdout


def test_doctor_tells_of_a_package_that_is_there_but_broken(tmp_path: Path) -> None:
    (tmp_path / "soundfile.py").write_text("raise ImportError('no libsndfile here')", encoding="utf-8")
    process = run("doctor", PYTHONPATH=str(tmp_path))
    assert process.returncode == 1
    assert process.stderr == ""
    assert "MISSING  sound files: ImportError: no libsndfile here" in process.stdout
    assert process.stdout.splitlines()[-1] == "`align` cannot run before this is mended."


def test_doctor_tells_how_to_install_fluidsynth_where_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "fluidsynth.py").write_text("raise ImportError('no library')", encoding="utf-8")
    (tmp_path / "pygame").mkdir()
    (tmp_path / "pygame" / "__init__.py").touch()
    process = run("doctor", PYTHONPATH=str(tmp_path))
    assert process.returncode == 1
    assert "MISSING  FluidSynth" in process.stdout
    assert "sudo apt-get install libfluidsynth3" in process.stdout


def test_results_are_all_that_is_printed_where_the_environment_says_ci(music: Music, tmp_path: Path) -> None:
    assert as_json("synth", music.score, "-o", tmp_path / "score.wav", CI="true")["notes"] > 0


def test_the_server_of_the_tests_starts_where_the_environment_says_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    command = [served.__wrapped__(), "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("musicnet-build")
