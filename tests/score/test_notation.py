"""Notation files as scores: what is played, at which pitch, beat and time, and under which measure number."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_notation import (
    GRACED,
    HEAD,
    MENDED,
    REPEATS,
    RHYTHM,
    TIED,
    TRANSPOSED,
    UPBEAT,
    VOICES,
    measure,
    note,
    part,
    scale,
    score,
)  # fmt: skip

from musicnet_build.errors import ScoreError
from musicnet_build.notes import pitch_number
from musicnet_build.score import notation
from musicnet_build.score.model import Score
from musicnet_build.score.order import describe, parse_order
from musicnet_build.score.reader import read_score


@pytest.fixture
def read_text(read):
    return lambda text, name="piece.musicxml": read(text.encode(), name)


def rows(score: Score) -> list[tuple[float, float, int]]:
    """(beats, length in beats, pitch) of all notes."""
    notes = score.notes
    return sorted(zip(*(notes[f].tolist() for f in ("onset_beats", "duration_beats", "pitch")), strict=True))


def written_out(order: str) -> list[tuple[float, float, int]]:
    names = [name for number in order.split() for name in scale(int(number))]
    return [(float(i), 1.0, pitch_number(name)) for i, name in enumerate(names)]


@pytest.mark.parametrize("name", [*REPEATS, *MENDED])
def test_repeats_and_jumps_are_played_as_written(read_text, name):
    text, order = {**REPEATS, **MENDED}[name]
    music = read_text(text)
    assert rows(music) == written_out(order)
    assert " ".join(music.measures.numbers) == order
    assert music.warnings == ()


def test_transposing_instruments_stand_at_sounding_pitch(read_text):
    music = read_text(TRANSPOSED)
    assert [(part.name, part.program) for part in music.parts] == [
        ("Clarinet in Bb", 71), ("Horn in F", 60), ("Flute", 73),
    ]  # fmt: skip
    for index, shift in enumerate([-2, -7, 0]):
        wanted = [pitch_number(name) + shift for number in (1, 2) for name in scale(number)]
        assert music.notes["pitch"][music.notes["part"] == index].tolist() == wanted


def test_tied_notes_are_one_under_the_id_of_the_first(read_text):
    music = read_text(TIED)
    assert rows(music) == [(0.0, 2.0, 60), (2.0, 7.0, 64), (9.0, 1.0, 64), (11.0, 1.0, 67)]
    ids = [music.note_ids[place] for place in music.notes["score_note"]]
    assert ids[1] == "begin"
    assert not {"middle", "end"} & set(music.note_ids)


def test_grace_notes_come_before_their_beat_and_nothing_is_lost(read_text):
    music = read_text(GRACED)
    assert music.notes["pitch"].tolist() == [60, 62, 64, 62, 65, 64]
    onsets = music.notes["onset_beats"]
    assert onsets[[0, 2, 5]].tolist() == [0.0, 1.0, 2.0]
    assert 0.75 < onsets[1] < 1 < 1.75 < onsets[3] < onsets[4] < 2
    assert music.lost.total == music.guessed.total == 0


def test_an_upbeat_and_tempo_marks_count(read_text):
    music = read_text(UPBEAT)
    assert music.measures.numbers == ("0", "1", "2")
    assert music.measures.starts_beats.tolist() == [0.0, 1.0, 5.0]
    assert music.duration_s == pytest.approx(5 * 1.0 + 4 * 0.5)
    assert parse_order("1-2", music).spans[0].start_beats == 1.0


def test_voices_chords_and_triplets_are_exact(read_text):
    third = 1 / 3
    wanted = [(0.0, 2.0, 60), (0.0, 2.0, 64), (2.0, 2.0, 67), (1.0, 3.0, 62)]
    wanted += [(0.0, third, 69), (third, third, 71), (2 * third, third, 69)]
    np.testing.assert_allclose(rows(read_text(VOICES)), sorted(wanted), atol=1e-3)


def test_durations_are_enough_where_note_values_are_missing(read_text):
    wanted = rows(read_text(RHYTHM))
    assert [row[1] for row in wanted[:4]] == [1.5, 0.5, 1.0, 1.0]
    bare = re.sub(r"<type>.*?</type>(<dot/>)?(<time-mod.*?</time-modification>)?", "", RHYTHM)
    assert "<type>" not in bare
    assert rows(read_text(bare)) == wanted
    assert read_text(bare).warnings == ()


def test_a_duration_of_no_note_value_is_one_note_under_its_id(read_text):
    odd = note("C4", 1, note_id="odd").replace("<duration>12<", "<duration>30<")
    text = score(part(measure(1, odd, note("D4", 1.5), head=HEAD), measure(2)))
    music = read_text(text)
    assert rows(music)[:2] == [(0.0, 2.5, 60), (2.5, 1.5, 62)]
    assert music.note_ids[music.notes["score_note"][0]] == "odd"


def test_measures_that_do_not_add_up_are_told(read_text):
    text = score(part(measure(1, note("C4").replace("<duration>12<", "<duration>13.7<"), head=HEAD), measure(2)))
    assert "durations do not add up to the note values in measure 1" in read_text(text).warnings[0]


def test_two_readings_are_equal_and_every_note_has_its_id(read_text):
    text = REPEATS["endings"][0]
    first, second = read_text(text), read_text(text)
    assert first.notes.tobytes() == second.notes.tobytes()
    assert first.note_ids == second.note_ids
    places = first.notes["score_note"]
    assert sorted(places.tolist()) == list(range(28))
    assert first.note_ids[places[0]] == first.note_ids[places[12]], "the second time is the same note"


# --- printed measures


def test_an_order_in_printed_measures_is_followed_through_repeats(read_text):
    music = read_text(REPEATS["endings"][0])  # played 1 2 3 1 2 4 5
    spans = [(s.start_beats, s.end_beats) for s in parse_order("1-3,1-2,4-5", music).spans]
    assert spans == [(0.0, 12.0), (0.0, 8.0), (20.0, 28.0)]
    assert [(s.start_beats, s.end_beats) for s in parse_order("2-5", music).spans] == [(4.0, 12.0), (20.0, 28.0)]
    with pytest.raises(ScoreError, match="measures 1 to 5"):
        parse_order("4-6", music)


def test_a_jump_inside_a_repeat_is_told_at_its_signs(read_text):
    music = read_text(REPEATS["a repeat"][0])  # played 1 2 3 2 3 4
    assert describe(parse_order("b0-b8,b16-b24", music), music) == ["the repeat of measures 2–3 was left out"]
    assert describe(parse_order("b0-b16,b8-b24", music), music) == ["measures 2–3 were played again"]


def test_a_departure_is_named_in_printed_measures(read_text):
    music = read_text(REPEATS["a repeat"][0])  # played 1 2 3 2 3 4
    assert describe(parse_order("b0-b12,b20-b24", music), music) == ["the repeat of measures 2–3 was left out"]
    assert describe(parse_order("b0-b20", music), music) == ["the recording ends before measure 4"]
    assert describe(parse_order("b0-b8,b20-b24", music), music) == ["measures 3, 2–3 were left out"]


# --- files


def test_a_compressed_file_is_read_by_its_container(tmp_path: Path):
    text, order = REPEATS["a repeat"]
    container = '<container><rootfiles><rootfile full-path="music/b.xml"/></rootfiles></container>'
    with zipfile.ZipFile(tmp_path / "a.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("music/a.xml", "<nothing/>")
        archive.writestr("music/b.xml", text)
    assert rows(read_score(tmp_path / "a.mxl")) == written_out(order)
    with zipfile.ZipFile(tmp_path / "b.mxl", "w") as archive:
        archive.writestr("score.xml", text)
    assert rows(read_score(tmp_path / "b.mxl")) == written_out(order)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_the_encoding_is_found(read, encoding):
    text = score(("Bläser", 0, REPEATS["a repeat"][0].split('<part id="P1">')[1].split("</part>")[0]), title="Träume")
    music = read(text.replace("UTF-8", "UTF-16" if encoding == "utf-16" else encoding[:7]).encode(encoding), "a.xml")
    assert (music.name, music.parts[0].name) == ("Träume", "Bläser")


def test_measures_filed_by_time_are_read(read_text):
    text, order = REPEATS["one after the other"]
    head, body = text.split('<part id="P1">')
    body = body.replace("</part>", "").replace("</score-partwise>", "")
    by_time = "".join(
        piece.replace(">", '><part id="P1">', 1) + "</part></measure>" for piece in body.split("</measure>")[:-1]
    )
    whole = (head + by_time + "</score-partwise>").replace("score-partwise", "score-timewise")
    assert rows(read_text(whole)) == written_out(order)


KERN = """**kern\t**kern
*I"Violoncello\t*I"Violin
*Icello\t*Ivioln
*M4/4\t*M4/4
*MM90\t*MM90
=1\t=1
4C\t4cc
4D\t4dd
2E\t2ee
=2\t=2
1G\t1gg
==\t==
*-\t*-
"""
MEI = """<?xml version="1.0"?><mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv><score>
<scoreDef meter.count="4" meter.unit="4" midi.bpm="60"><staffGrp>
<staffDef n="1" lines="5" clef.shape="G" clef.line="2"/></staffGrp></scoreDef><section><measure n="7"><staff n="1">
<layer n="1"><note xml:id="one" pname="c" oct="4" dur="2"/><note xml:id="two" pname="e" accid="f" oct="4" dur="2"/>
</layer></staff></measure></section></score></mdiv></body></music></mei>"""


def test_humdrum_and_mei_are_read(read_text):
    kern = read_text(KERN, "a.krn")
    assert [(b, d, p) for b, d, p in rows(kern) if p < 60] == [(0, 1, 48), (1, 1, 50), (2, 2, 52), (4, 4, 55)]
    assert {part.program for part in kern.parts} == {40, 42}
    assert kern.duration_s == pytest.approx(8 * 60 / 90, abs=1e-3)
    mei = read_text(MEI, "a.mei")
    assert rows(mei) == [(0.0, 2.0, 60), (2.0, 2.0, 63)]
    assert (mei.measures.numbers, mei.note_ids, mei.duration_s) == (("7",), ("one", "two"), 4.0)


def test_parts_without_a_program_play_what_their_names_say(read_text):
    text = score(part(measure(1, head=HEAD), name="Violoncello"), part(measure(1, head=HEAD), name="Part 2"))
    unstated = re.sub("<midi-instrument.*?</midi-instrument>", "", text)
    music = read_text(unstated)
    assert sorted((part.name, part.program) for part in music.parts) == [("Part 2", 0), ("Violoncello", 42)]
    assert music.warnings == ("1 part has its instrument by name",)
    assert {part.program for part in read_text(text).parts} == {0}, "what is stated stays"


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.musicxml", "no MusicXML"),
        (b"<?xml version='1.0'?><html/>", "a.xml", "no MusicXML"),
        (REPEATS["a repeat"][0].encode()[:-400], "a.musicxml", "not well-formed"),
        (b"<?xml version='1.0'?><score-partwise/>", "a.musicxml", "piece|cannot|no notes|verovio"),
        (b"PK\x03\x04nothing", "a.mxl", "cannot be unpacked"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><score-partwise/>', "a.xml", "entities"),
        (b"**kern\n\x00\xff", "a.krn", "verovio|no notes"),
    ],
)  # fmt: skip
def test_what_is_no_score_gives_one_sentence_that_names_it(read, data, name, words):
    with pytest.raises(ScoreError, match=words) as caught:
        read(data, name)
    assert f"{name}: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_on_which_the_library_crashes_or_never_ends_is_an_error_like_any_other(read_text, monkeypatch):
    with pytest.raises(ScoreError, match="verovio fails on it"):
        read_text(TIED.replace("<beat-type>4", "<beat-type>0"))  # it divides by zero, and ends by a signal
    monkeypatch.setattr(notation, "_WALL_CLOCK", 1e-3)
    with pytest.raises(ScoreError, match="given up"):
        read_text(TIED)


def test_a_bomb_in_a_zip_file_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", bytes(notation.MAX_NOTATION_BYTES + 1))
    with pytest.raises(ScoreError, match="too large"):
        read_score(tmp_path / "bomb.mxl")


def test_without_the_extra_the_install_command_is_named(read_text, monkeypatch):
    monkeypatch.setattr(notation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ScoreError, match=r"pip install 'musicnet_build\[musicxml\]'"):
        read_text(TIED)
