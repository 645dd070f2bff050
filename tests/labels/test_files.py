"""Label files: what is written is what others read, and what comes back is what went in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_notes import label_notes, one_note

from musicnet_build.errors import LabelError
from musicnet_build.labels.files import check_ending, labelled, read_labels, write_labels
from musicnet_build.notes import SAMPLE_RATE, NoteTable, empty_notes

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
    notes = label_notes(rows)
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
    notes = label_notes(
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


def test_lists_hold_no_drums_and_duplicates_once(tmp_path):
    notes = np.concatenate([one_note(), one_note(part=1), one_note(pitch=36, is_drum=True), one_note(offset_s=2.0)])
    assert labelled(notes)["offset_s"].tolist() == [1.5, 2.0]
    for ending in (".csv", ".tsv", ".jams", ".txt"):
        write_labels(tmp_path / f"a{ending}", notes)
        assert len(read_labels(tmp_path / f"a{ending}")) == 2


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
    "decimal comma": (".txt", "0,500000\t1,000000\tC4\n", "decimals take a point, not a comma"),
    "jams note of no length": (
        ".jams",
        '{"annotations": [{"namespace": "note_midi", "data": [{"time": 0.5, "duration": 0.0, "value": 60, '
        '"confidence": null}]}]}',
        "note 1 of an annotation, at 0.5 s: the duration 0.0",
    ),
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
    for call in (check_ending, read_labels, lambda path: write_labels(path, one_note())):
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
        write_labels(tmp_path / "a.csv", one_note(**{field: value}))
    assert list(tmp_path.iterdir()) == []
