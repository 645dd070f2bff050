"""A manifest is read as a person meant it, and every mistake in it is named with its line."""

from pathlib import Path

import pytest

from musicnet_build.datasets.manifest import InvalidManifestError, read_manifest, write_manifest
from musicnet_build.datasets.tables.columns import COLUMNS
from musicnet_build.errors import ManifestError

HEADER = "id,recording,score,split,composer,start_s,end_s,transposition\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.wav", "a.mid"):
        (tmp_path / name).touch()
    return tmp_path


def write(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, **options: bool) -> tuple[str, ...]:
    with pytest.raises(InvalidManifestError) as caught:
        read_manifest(path, **options)
    return caught.value.problems


def test_cells_become_fields_and_empty_cells_their_defaults(folder: Path) -> None:
    path = write(folder, HEADER + '7,a.wav,a.mid,test,"Bach, J. S.",1.5,20,-2\n\n8,b.wav,a.mid,,,,,\n')
    first, second = read_manifest(path).entries
    assert (first.id, first.split, first.composer) == ("7", "test", "Bach, J. S.")
    assert (first.start_s, first.end_s, first.transposition) == (1.5, 20.0, -2)
    assert (second.split, second.start_s, second.end_s, second.transposition) == ("train", 0.0, None, 0)
    assert read_manifest(path).lines == (2, 4)


def test_semicolons_and_a_byte_order_mark_of_a_spreadsheet_are_understood(folder: Path) -> None:
    (entry,) = read_manifest(write(folder, "\ufeffid;recording;score\n7;a.wav;a.mid\n")).entries
    assert entry.recording == "a.wav"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id;recording;score;start_s\n1.0;a.wav;a.mid;0,5\n", "utf-8-sig"),
        ("ID\tRecording\tScore\tStart s\n1\ta.wav\ta.mid\t0,5\n", "utf-16"),
        ('id,recording,score,start_s\n1,a.wav,a.mid,"0,5"\n', "utf-16"),
        ("sep=;\nid;recording;score;start_s\n1,0;a.wav;a.mid;0.5\n", "utf-8"),
        ("id,recording,score,start_s,notes,x_mood,\n1,.\\a.wav,a.mid,0.5,mine,glad,\n", "utf-8"),
    ],
)
def test_what_spreadsheets_write_is_read(folder: Path, text: str, encoding: str) -> None:
    (folder / "m.csv").write_bytes(text.encode(encoding))
    (entry,) = read_manifest(folder / "m.csv").entries
    assert (entry.id, entry.score, entry.start_s) == ("1", "a.mid", 0.5)
    assert (folder / entry.recording).is_file()


def test_words_are_read_as_people_write_them(folder: Path) -> None:
    header = "id,recording,score,split,verdict,preset\n"
    rows = "1,a.wav,a.mid,Train,Accept,Precise\n2,a.wav,a.mid,dev,rejected,\n3,a.wav,a.mid,TEST,Review,\n"
    entries = read_manifest(write(folder, header + rows)).entries
    assert [(one.split, one.verdict) for one in entries] == [
        ("train", "accept"),
        ("validation", "reject"),
        ("test", "review"),
    ]
    assert entries[0].preset == "precise"


def test_a_fault_of_form_is_told_once_with_all_its_lines_and_what_to_write(folder: Path) -> None:
    rows = "".join(f'{one},a.wav,a.mid,"{one},500"\n' for one in range(1, 10))
    found = problems(write(folder, "id,recording,score,start_s\n" + rows))
    assert found == (
        "line 2: start_s '1,500': write seconds with a point, as in 1.500 (likewise in lines 3, 4, 5, 6, 7 and 3 more)",
    )
    found = problems(write(folder, "id,recording,score,transposition,tuning_cents\n1,a.wav,a.mid,99,x\n"))
    assert found == (
        "line 2: transposition '99': is more than 36",
        "line 2: tuning_cents 'x': is no number of cents, such as 0.5",
    )
    found = problems(write(folder, "id,recording,score,start_s,end_s\n1,a.wav,a.mid,nan,1e400\n"))
    assert found == ("line 2: end_s '1e400': is no number", "line 2: start_s 'nan': is no number")


def test_labels_by_hand_need_no_score(folder: Path) -> None:
    (folder / "mine.txt").touch()
    (entry,) = read_manifest(write(folder, "id,recording,labels\n1,a.wav,mine.txt\n")).entries
    assert (entry.labels, entry.score) == ("mine.txt", "")
    found = problems(write(folder, "id,recording,labels\n1,a.wav,\n2,a.wav,none.csv\n"))
    assert found == ("line 2: score is empty", "line 3: labels none.csv does not exist")


def test_yaml_says_the_same_as_csv(folder: Path) -> None:
    text = "recordings:\n  - id: 7\n    recording: a.wav\n    score: a.mid\n    composer: No\n    start_s: 1.5\n"
    (entry,) = read_manifest(write(folder, text, "m.yaml")).entries
    assert (entry.id, entry.composer, entry.start_s) == ("7", "No", 1.5)


def test_all_problems_of_the_file_are_named_at_once_with_their_lines(folder: Path) -> None:
    rows = [
        "x1,a.wav,a.mid,train,,,,",
        "2,nothing.wav,a.mid,practice,,,,",
        "3,a.wav,,train,,,,",
        "4,a.wav,a.mid,train,,9,3,",
        "5,a.wav,a.mid,train,,,,half",
        "5,missing.wav,a.mid,train,,,,",
        "5,a.wav,a.mid,train,,,,",
        "6,../b.wav,a.mid,train,,,,",
        "7,a.wav,a.mid,train,,,,,,,surplus",
    ]
    found = "\n".join(problems(write(folder, HEADER + "\n".join(rows) + "\n")))
    for line, words in [
        (2, "id 'x1': is not a whole number"),
        (3, "split 'practice': is none of train, validation, test"),
        (3, "recording nothing.wav does not exist"),
        (4, "score is empty"),
        (5, "end_s 3 is not after start_s 9"),
        (6, "transposition 'half': write a whole number of semitones, as in -2"),
        (7, "recording missing.wav does not exist"),
        (7, "id 5 is that of line 6 already"),
        (8, "id 5 is that of line 6 already"),
        (9, "recording ../b.wav lies outside"),
        (10, "11 cells in 8 columns"),
    ]:
        assert f"line {line}: {words}" in found


def test_a_playing_order_is_read_where_it_is_quoted_and_one_that_no_score_has_is_named(folder: Path) -> None:
    header = "id,recording,score,order,transposition\n"
    (entry,) = read_manifest(write(folder, header + '1,a.wav,a.mid,"1-24, 9-48",\n')).entries
    assert entry.order == "1-24, 9-48"
    rows = ["1,a.wav,a.mid,12-Jan,", "2,a.wav,a.mid,9-1,", "3,a.wav,a.mid,1-24,9-48", "4,a.wav,a.mid,1-2,3-4,"]
    found = problems(write(folder, header + "\n".join(rows) + "\n"))
    assert found[0].startswith("line 2: order '12-Jan': '12-Jan' is no passage of a playing order: write measures")
    assert found[1].startswith(
        "line 3: order '9-1': the passage '9-1' is not from a measure to the same or a later one"
    )
    assert found[2].startswith("line 4: transposition '9-48'")
    assert "line 5: 6 cells in 5 columns; a cell with ',' in it needs quotes" in found


def test_a_misspelt_column_is_named_with_the_one_that_is_meant(folder: Path) -> None:
    assert problems(write(folder, "id,recording,score,composser\n")) == (
        "line 1: 'composser' is no field of a manifest; is 'composer' meant?",
    )
    (found,) = problems(write(folder, "- id: 1\n  recording: a.wav\n  score: a.mid\n  lizence: x\n", "m.yml"))
    assert found == "line 1: 'lizence' is no field of a manifest; is 'licence' meant?"


def test_a_link_that_leads_outside_is_refused_unless_the_user_permits_it(folder: Path, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.wav"
    elsewhere.touch()
    (folder / "link.wav").symlink_to(elsewhere)
    path = write(folder, f"id,recording,score\n1,link.wav,a.mid\n2,{elsewhere},a.mid\n")
    assert ["lies outside" in problem for problem in problems(path)] == [True, True]
    assert len(read_manifest(path, allow_outside=True).entries) == 2


def test_a_path_that_no_file_can_have_is_one_that_does_not_exist(folder: Path) -> None:
    (folder / "circle").symlink_to("circle")
    rows = f"1,circle,a.mid\n2,{'x' * 900},a.mid\n3,.,a.mid\n4,a.wav/b,a.mid\n"
    found = problems(write(folder, "id,recording,score\n" + rows))
    assert [problem.split(" ")[1] for problem in found] == ["2:", "3:", "4:", "5:"]
    assert all(problem.endswith("does not exist") for problem in found)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.csv", "", "line 1: the column 'id' is missing"),
        ("m.csv", "id,recording,score\n", "names no recording"),
        ("m.csv", 'id,recording,score\n"1,a', "line"),
        ("m.yaml", "recordings: [", "is not YAML"),
        ("m.yaml", "just text", "is a list of recordings"),
        ("m.yaml", "- {id: 1, recording: [a], score: a.mid}", "not plain text"),
        ("m.yaml", "!!python/object/apply:os.system ['true']", "line 1: is not a list of fields"),
        ("m.txt", "", "ends in .csv"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused(name: str, text: str, words: str, folder: Path) -> None:
    with pytest.raises(ManifestError, match=words):
        read_manifest(write(folder, text, name))


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "m.csv").write_bytes(b"id,recording,score\n1,\xff.wav,a.mid\n")
    with pytest.raises(ManifestError, match="not UTF-8"):
        read_manifest(folder / "m.csv")


def test_a_line_break_in_a_cell_is_refused_as_it_would_break_the_lists(folder: Path) -> None:
    (found,) = problems(write(folder, 'id,recording,score,composer\n1,a.wav,a.mid,"Bach\nJ. S."\n'))
    assert "control character" in found


def test_what_is_written_is_read_back(folder: Path) -> None:
    write_manifest(folder / "m.csv", [{"id": "1", "recording": "a.wav", "score": "a.mid", "composer": 'A "b", c'}])
    assert (folder / "m.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert read_manifest(folder / "m.csv").entries[0].composer == 'A "b", c'
