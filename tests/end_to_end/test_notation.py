"""Notation files wherever a command takes a score."""

import csv
from pathlib import Path

import mido
import numpy as np
import pytest
from command_line import as_json, done, misused, refused
from made_notation import HEAD, MENDED, backward, measure, note, part, score

from musicnet_build.audio.io import write_audio
from musicnet_build.generation.demo import perform, stand_in_recording
from musicnet_build.labels.files import read_labels, write_labels
from musicnet_build.notes import pitch_name
from musicnet_build.score.order import parse_order
from musicnet_build.score.reader import read_score
from musicnet_build.score.unfold import unfold_score
from musicnet_build.synthesis.soundfonts import choose_soundfont

MEASURES, REPEATED = 14, 7


def composed() -> str:
    """Two voices that wander on a scale; the first half is to be repeated."""
    random = np.random.default_rng(5)
    voices = []
    for lowest, program in ((60, 73), (43, 42)):
        scale = [pitch for pitch in range(lowest, lowest + 20) if pitch % 12 in (0, 2, 4, 5, 7, 9, 11)]
        place, measures = 5, []
        for number in range(1, MEASURES + 1):
            places = np.clip(place + np.cumsum(random.integers(-3, 4, size=4)), 0, len(scale) - 1)
            place = int(places[-1])
            content = [note(pitch_name(scale[i])) for i in places]
            head, right = HEAD * (number == 1), backward() * (number == REPEATED)
            measures.append(measure(number, *content, head=head, right=right))
        voices.append(part(*measures, name=f"voice {program}", program=program))
    return score(*voices)


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a score, the same as MIDI, and a recording that leaves the repeat out."""
    folder = tmp_path_factory.mktemp("piece")
    (folder / "score.musicxml").write_text(composed())
    written = read_score(folder / "score.musicxml")
    write_labels(folder / "score.mid", written.notes)
    midi = mido.MidiFile(folder / "score.mid")
    midi.tracks[0].insert(0, mido.MetaMessage("time_signature", numerator=4, denominator=4))
    midi.save(folder / "score.mid")
    played, _ = unfold_score(written, parse_order(f"1-{MEASURES}", written))
    performance = perform(played, 1)
    write_audio(folder / "recording.wav", stand_in_recording(performance, choose_soundfont(), 1))
    return folder


def test_a_left_out_repeat_is_named_in_printed_measures_and_midi_gives_the_same_labels(piece: Path) -> None:
    for ending in ("musicxml", "mid"):
        values = as_json("align", piece / "recording.wav", piece / f"score.{ending}", "-o", piece / f"{ending}.csv")
        if ending == "musicxml":
            assert f"the repeat of measures 1–{REPEATED} was left out" in " ".join(values["reasons"])
            assert str(piece / "musicxml.score.csv") in values["outputs"]
    assert (piece / "musicxml.csv").read_bytes() == (piece / "mid.csv").read_bytes()
    rows = (piece / "musicxml.score.csv").read_text().splitlines()
    assert rows[1].split(",")[-2:] == ["1", "1"]
    assert len(rows) == 1 + 2 * 4 * MEASURES


def test_score_info_and_synth_take_notation(tmp_path: Path) -> None:
    (tmp_path / "a.musicxml").write_text(MENDED["dal segno in words and signs"][0])
    assert "played    measures 1–4, 2–3, 5" in done("score", "info", tmp_path / "a.musicxml")
    values = as_json("synth", tmp_path / "a.musicxml", "-o", tmp_path / "a.wav")
    assert values["notes"] == 28
    assert 14 <= values["duration_s"] < 24


def test_an_anchor_holds_and_one_that_the_recording_contradicts_is_refused(piece: Path, tmp_path: Path) -> None:
    command = ("align", piece / "recording.wav", piece / "score.musicxml")
    done(*command, "-o", tmp_path / "free.csv", "--export", tmp_path / "known")
    measures = csv.DictReader((tmp_path / "known" / "measures.csv").open())
    tenth_s = float(next(row["start_s"] for row in measures if row["measure"] == "10"))
    values = as_json(*command, "-o", tmp_path / "held.csv", "--anchor", f"{tenth_s:.1f}=10:1")
    assert values["settings"]["anchors"] == f"{tenth_s:.1f}=10:1"
    free, held = (read_labels(tmp_path / name)["onset_s"] for name in ("free.csv", "held.csv"))
    np.testing.assert_allclose(held, free, atol=0.05)
    sentence = refused(*command, "-o", tmp_path / "no.csv", "--anchor", f"{tenth_s + 4:.1f}=10:1")
    assert f"contradicts the anchor at {tenth_s + 4:.1f} s" in sentence
    assert f"heard at {tenth_s:.0f}"[:-1] in sentence
    assert not (tmp_path / "no.csv").exists()
    assert "as in 12.5=33:1" in misused(*command, "-o", tmp_path / "no.csv", "--anchor", "ten")
    assert "musicnet knows no anchors" in misused(*command, "-o", "x.csv", "--anchor", "1=1", "--preset", "musicnet")
