"""Label files: what is written is what others read, and what comes back is what went in."""

import json
import warnings

import mido
import numpy as np
import pretty_midi
import pytest
from bad_midi import event, midi, note
from hypothesis import given, settings
from hypothesis import strategies as st

from musicnet_build.errors import LabelError
from musicnet_build.labels.files import DEFAULT_VELOCITY, check_ending, labelled, read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes, sorted_by_onset
from musicnet_build.score.programs import PROGRAM_NAMES

ENDINGS = (".csv", ".mid", ".midi", ".tsv", ".jams", ".txt")
KEPT = {
    # ending: seconds of tolerance, fields kept
    ".csv": (0.5001 / SAMPLE_RATE, ("program", "pitch", "onset_beats", "duration_beats")),
    ".mid": (1.0e-4, ("program", "pitch", "velocity")),
    ".tsv": (0.51e-6, ("pitch", "velocity")),
    ".jams": (1e-9, ("program", "part", "pitch", "velocity", "onset_beats", "duration_beats", "confidence")),
    ".txt": (0.51e-6, ("program", "pitch")),
}

row = st.tuples(
    st.integers(0, 10**6),  # onset in ms
    st.integers(1, 5000),  # length in ms
    st.integers(0, 127),
    st.integers(1, 127),
    st.integers(0, 127),
    st.integers(0, 3),
    st.integers(0, 1000),
    st.one_of(st.none(), st.integers(0, 10**4)),
)


def _notes(rows) -> NoteTable:
    notes = empty_notes(len(rows))
    for i, (onset, length, pitch, velocity, program, part, beats, confidence) in enumerate(rows):
        notes[i]["onset_s"], notes[i]["offset_s"] = onset / 1000, (onset + length) / 1000
        notes[i]["pitch"], notes[i]["velocity"], notes[i]["program"], notes[i]["part"] = pitch, velocity, program, part
        notes[i]["onset_beats"], notes[i]["duration_beats"] = beats / 3, length / 480
        notes[i]["confidence"] = np.nan if confidence is None else confidence / 10**4
    return sorted_by_onset(notes)


def _one(**fields) -> NoteTable:
    notes = _notes([(1000, 500, 60, 64, 40, 0, 0, None)])
    for name, value in fields.items():
        notes[name] = value
    return notes


def _in_order(notes: NoteTable, fields) -> NoteTable:
    """Order by milliseconds (all formats resolve them), then all that the format keeps."""
    times = [np.rint(notes[name] * 1000).astype(int) for name in ("offset_s", "onset_s")]
    return notes[np.lexsort([np.nan_to_num(np.round(notes[f], 9), nan=-1) for f in fields] + times)]


@pytest.mark.parametrize("ending", KEPT)
@given(rows=st.lists(row, min_size=1, max_size=25, unique_by=lambda r: (r[0], r[1], r[2], r[4])))
@settings(max_examples=30, deadline=None)
def test_labels_come_back_as_they_went_in(tmp_path_factory, ending, rows):
    path = tmp_path_factory.getbasetemp() / f"labels{ending}"
    tolerance_s, fields = KEPT[ending]
    notes = _notes(rows)
    write_labels(path, notes)
    wanted, got = _in_order(notes, fields), _in_order(read_labels(path), fields)
    assert len(got) == len(wanted)
    for name in ("onset_s", "offset_s"):
        np.testing.assert_allclose(got[name], wanted[name], rtol=0, atol=tolerance_s)
    for name in fields:
        np.testing.assert_allclose(got[name], wanted[name], rtol=1e-11, atol=0)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_notes_give_the_same_bytes_and_reading_and_writing_again_changes_nothing(tmp_path, ending):
    first, second, third = (tmp_path / f"{name}{ending}" for name in "abc")
    notes = _notes(
        [(10, 500, 60, 64, 40, 0, 0, 9000), (250, 333, 61, 70, 0, 1, 1, None), (250, 333, 61, 71, 0, 1, 1, 5)]
    )
    write_labels(first, notes)
    write_labels(second, notes)
    write_labels(third, read_labels(first))
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jams", ".txt"])
def test_an_empty_list_of_labels_is_a_list(tmp_path, ending):
    write_labels(tmp_path / f"a{ending}", empty_notes())
    assert len(read_labels(tmp_path / f"a{ending}")) == 0


# --- MusicNet CSV


def test_csv_has_the_bytes_of_the_published_files(tmp_path):
    notes = _one(onset_s=0.5, offset_s=1.25, onset_beats=1 / 3, duration_beats=5 / 3)
    write_labels(tmp_path / "a.csv", np.concatenate([notes, _one(onset_s=0.1, duration_beats=2.0, onset_beats=1e3)]))
    assert (tmp_path / "a.csv").read_bytes() == (
        b"start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
        b"4410,66150,41,60,1000.0,2.0,Half\n"
        b"22050,55125,41,60,0.333333333333,1.66666666667,Dotted Quarter\n"
    )


def test_csv_times_are_rounded_and_ends_come_after_starts(tmp_path):
    write_labels(tmp_path / "a.csv", _one(onset_s=9.6 / SAMPLE_RATE, offset_s=9.7 / SAMPLE_RATE))
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("10,11,")


def test_csv_confidence_is_a_last_column_empty_where_unknown(tmp_path):
    notes = np.concatenate([_one(confidence=0.98765), _one(onset_s=1.2)])
    write_labels(tmp_path / "a.csv", notes, with_confidence=True)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[1] for line in lines] == ["confidence", "0.9877", ""]
    back = read_labels(tmp_path / "a.csv")["confidence"]
    assert back[0] == 0.9877
    assert np.isnan(back[1])


def test_lists_hold_no_drums_and_duplicates_once(tmp_path):
    notes = np.concatenate([_one(), _one(part=1), _one(pitch=36, is_drum=True), _one(offset_s=2.0)])
    assert labelled(notes)["offset_s"].tolist() == [1.5, 2.0]
    for ending in (".csv", ".tsv", ".jams", ".txt"):
        write_labels(tmp_path / f"a{ending}", notes)
        assert len(read_labels(tmp_path / f"a{ending}")) == 2


def test_csv_from_other_systems_is_read(tmp_path):
    path = tmp_path / "a.csv"
    head = "start_time,end_time,instrument,note,start_beat,end_beat,note_value"
    path.write_bytes(f"\ufeff{head}\r\n9182,90078,43,53,4.0,1.5,Dotted Quarter\r\n".encode())
    notes = read_labels(path)
    assert (notes["onset_s"] * SAMPLE_RATE).tolist() == [9182]
    assert (notes["program"][0], notes["pitch"][0], notes["velocity"][0]) == (42, 53, DEFAULT_VELOCITY)
    assert (notes["onset_beats"][0], notes["duration_beats"][0]) == (4.0, 1.5)


# --- MIDI


def test_pretty_midi_reads_the_aligned_midi_right(tmp_path):
    rows = [(i * 100, 90, 40 + i, 1 + i, i % 20, i % 20, 0, None) for i in range(60)]
    notes = np.concatenate([_notes(rows), _one(is_drum=True, pitch=36, program=0)])
    write_labels(tmp_path / "a.mid", notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    got = sorted(
        (round(n.start, 3), round(n.end, 3), n.pitch, n.velocity, int(i.program), i.is_drum)
        for i in read.instruments
        for n in i.notes
    )
    fields = ("pitch", "velocity", "program", "is_drum")
    assert got == sorted((round(n["onset_s"], 3), round(n["offset_s"], 3), *(n[f] for f in fields)) for n in notes)


def test_a_piano_recording_is_two_tracks_with_the_tempo_first(tmp_path):
    write_labels(tmp_path / "a.mid", _notes([(0, 100, 60, 64, 0, 0, 0, None), (50, 100, 64, 64, 0, 0, 0, None)]))
    file = mido.MidiFile(tmp_path / "a.mid")
    assert (file.type, len(file.tracks), file.tracks[0][0].type) == (1, 2, "set_tempo")


def test_midi_keeps_two_violins_in_unison_though_their_parts_are_unknown(tmp_path):
    write_labels(tmp_path / "a.mid", _notes([(0, 2000, 60, 64, 40, 0, 0, None), (1000, 500, 60, 64, 40, 0, 0, None)]))
    assert read_labels(tmp_path / "a.mid")["offset_s"].tolist() == [2.0, 1.5]


def test_midi_of_more_programs_than_channels_keeps_them_all(tmp_path):
    write_labels(tmp_path / "a.mid", _notes([(p * 10, 500, 60, 64, p, 0, 0, None) for p in range(128)]))
    assert read_labels(tmp_path / "a.mid")["program"].tolist() == list(range(128))


def test_midi_of_two_hours_opens_in_pretty_midi(tmp_path):
    write_labels(tmp_path / "a.mid", _one(onset_s=7200.0, offset_s=7201.0))
    assert pretty_midi.PrettyMIDI(str(tmp_path / "a.mid")).get_onsets()[0] == pytest.approx(7200, abs=1e-3)


def test_notes_lost_in_a_midi_label_file_are_announced(tmp_path):
    (tmp_path / "a.mid").write_bytes(midi(note(0, 480) + event(0, 0x90, 72, 64)))
    with pytest.warns(UserWarning, match="1 note without a note-off"):
        assert len(read_labels(tmp_path / "a.mid")) == 1


# --- TSV, JAMS, Audacity


def test_tsv_loads_with_numpy_and_has_the_header_of_the_loaders(tmp_path):
    write_labels(tmp_path / "a.tsv", _one())
    assert (tmp_path / "a.tsv").read_text() == "# onset,offset,note,velocity\n1.000000\t1.500000\t60\t64\n"
    assert np.loadtxt(tmp_path / "a.tsv", delimiter="\t").tolist() == [1.0, 1.5, 60.0, 64.0]


def test_tsv_of_floats_is_read_as_other_programs_write_it(tmp_path):
    (tmp_path / "a.tsv").write_text("# onset,offset,note,velocity\n1.000000\t1.500000\t60.000000\t64.000000\n")
    assert read_labels(tmp_path / "a.tsv")["pitch"].tolist() == [60]


def test_jams_has_the_shape_that_its_schema_asks_for(tmp_path):
    write_labels(tmp_path / "a.jams", np.concatenate([_one(), _one(program=41, confidence=0.5)]))
    document = json.loads((tmp_path / "a.jams").read_text())
    assert set(document) == {"annotations", "file_metadata", "sandbox"}
    assert {"title", "artist", "release", "duration", "identifiers", "jams_version"} == set(document["file_metadata"])
    assert [a["namespace"] for a in document["annotations"]] == ["note_midi"] * 2
    for annotation in document["annotations"]:
        assert {"namespace", "data", "annotation_metadata", "sandbox", "time", "duration"} == set(annotation)
        assert [set(o) for o in annotation["data"]] == [{"time", "duration", "value", "confidence"}]
    assert [a["data"][0]["confidence"] for a in document["annotations"]] == [None, 0.5]


def test_a_jams_file_from_elsewhere_is_read_without_our_sandbox(tmp_path):
    observation = {"time": 1.0, "duration": 0.5, "value": 59.9, "confidence": None}
    (tmp_path / "a.jams").write_text(json.dumps({"annotations": [{"namespace": "note_midi", "data": [observation]}]}))
    notes = read_labels(tmp_path / "a.jams")
    assert (notes["pitch"][0], notes["program"][0], notes["velocity"][0]) == (60, 0, DEFAULT_VELOCITY)


def test_audacity_shows_pitch_and_instrument(tmp_path):
    write_labels(tmp_path / "a.txt", _one(pitch=61))
    assert (tmp_path / "a.txt").read_text() == "1.000000\t1.500000\tC#4 violin\n"


def test_labels_typed_by_hand_in_audacity_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("0\t1\tDb4 Violin\n\\\t100\t200\n1\t2\t61\n2\t3\tC-1\n")
    notes = read_labels(tmp_path / "a.txt")
    assert notes["pitch"].tolist() == [61, 61, 0]
    assert notes["program"].tolist() == [40, 0, 0]


def test_instrument_names_can_be_told_apart():
    assert len(set(PROGRAM_NAMES)) == 128


# --- faults

HEAD = "start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
MALFORMED = {
    "header": (".csv", "a,b,c\n1,2,3\n", "line 1: the header"),
    "empty csv": (".csv", "", "line 1: the header"),
    "short row": (".csv", HEAD + "1,2,41,60,0.0,1.0,Quarter\n1,2,41\n", "line 3: 3 columns"),
    "word for a number": (".csv", HEAD + "one,2,41,60,0.0,1.0,Quarter\n", "line 2: the start_time 'one'"),
    "half a sample": (".csv", HEAD + "1.5,2,41,60,0.0,1.0,Quarter\n", "line 2: .* whole number"),
    "nan": (".csv", HEAD + "1,2,41,60,nan,1.0,Quarter\n", "line 2: the start_beat"),
    "end before start": (".csv", HEAD + "5,2,41,60,0.0,1.0,Quarter\n", "line 2: .* end after"),
    "instrument 0": (".csv", HEAD + "1,2,0,60,0.0,1.0,Quarter\n", "line 2: the instrument 0"),
    "huge csv field": (".csv", HEAD + '"' + "x" * 200_000 + '"\n', "line 2: "),
    "tsv columns": (".tsv", "# onset,offset,note,velocity\n1\t2\t60\n", "line 2: 3 columns"),
    "tsv pitch": (".tsv", "1\t2\t128\t64\n", "line 1: the note 128"),
    "tsv negative": (".tsv", "-1\t2\t60\t64\n", "line 1: the onset -1"),
    "audacity text": (".txt", "1\t2\tchorus\n", "line 1: .* does not start with a pitch"),
    "audacity instrument": (".txt", "1\t2\tC4 vuvuzela\n", "line 1: .* names no General MIDI instrument"),
    "audacity high": (".txt", "1\t2\tA9\n", "line 1: the pitch 129"),
    "audacity point": (".txt", "1\t1\tC4\n", "line 1: .* end after"),
    "jams syntax": (".jams", '{"annotations":\n oops', "line 2: "),
    "jams shape": (".jams", "[]", "not a JAMS file"),
    "jams deep": (".jams", "[" * 100_000, "not a JAMS file"),
    "jams other namespace": (".jams", '{"annotations": [{"namespace": "beat", "data": []}]}', "no annotation"),
    "jams short sandbox": (
        ".jams",
        '{"annotations": [{"namespace": "note_midi", "sandbox": {"velocity": []},'
        ' "data": [{"time": 0, "duration": 1, "value": 60, "confidence": null}]}]}',
        "not a JAMS file",
    ),
    "midi": (".mid", "not music", "not a MIDI file"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_naming_file_and_line(tmp_path, name):
    ending, text, words = MALFORMED[name]
    path = tmp_path / f"bad{ending}"
    path.write_text(text)
    with pytest.raises(LabelError, match=words) as caught:
        read_labels(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("ending", ENDINGS)
def test_missing_files_and_binary_files_are_label_errors(tmp_path, ending):
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(tmp_path / f"none{ending}")
    (tmp_path / f"a{ending}").write_bytes(b"\xff\xfe\x00\x01" * 20)
    with pytest.raises(LabelError):
        read_labels(tmp_path / f"a{ending}")


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    for call in (check_ending, read_labels, lambda path: write_labels(path, _one())):
        with pytest.raises(LabelError, match=r"\.csv, \.mid, \.midi, \.tsv, \.jams, \.txt"):
            call(tmp_path / "labels.xlsx")
    check_ending("LABELS.CSV")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("onset_s", np.nan, "not finite"),
        ("onset_s", -0.5, "before the recording"),
        ("offset_s", 0.2, "before its onset"),
        ("pitch", 128, "pitch"),
        ("program", -1, "program"),
        ("velocity", 300, "velocity"),
        ("duration_beats", np.inf, "beats"),
    ],
)
def test_notes_that_are_no_labels_are_not_written(tmp_path, field, value, words):
    with pytest.raises(LabelError, match=words):
        write_labels(tmp_path / "a.csv", _one(**{field: value}))
    assert list(tmp_path.iterdir()) == []
