"""Folders of other datasets: which recordings are found in them, and what their labels are."""

from pathlib import Path

import pytest
from bad_midi import event, midi, note
from small_corpus import BANKS, PIECES, played, sound, write_corpus

from musicnet_build.audio.io import write_audio
from musicnet_build.corpora.layouts import find_recordings, read_notes
from musicnet_build.errors import DatasetError
from musicnet_build.labels.files import write_labels

NOTES = played([(0.5, 1.0, 60)])
SUSTAINED = midi(event(0, 0xB0, 64, 127) + note(480, 480, 60) + event(960, 0xB0, 64, 0) + note(480, 480, 62))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("maps"))


def maestro(folder: Path, rows: list[str]) -> Path:
    (folder / "2004").mkdir(parents=True)
    for name in ("a", "b", "c"):
        write_audio(folder / "2004" / f"{name}.wav", sound(NOTES))
        (folder / "2004" / f"{name}.midi").write_bytes(SUSTAINED)
    header = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"
    (folder / "maestro-v3.0.0.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def musicnet(folder: Path, train: list[str], test: list[str]) -> Path:
    for part, ids in (("train", train), ("test", test)):
        for name in ids:
            write_audio(folder / f"{part}_data" / f"{name}.wav", sound(NOTES))
            write_labels(folder / f"{part}_labels" / f"{name}.csv", NOTES)
    return folder


def test_maps_is_read_with_its_text_files_and_never_its_midi(corpus: Path) -> None:
    for path in corpus.rglob("*.wav"):
        path.with_suffix(".mid").write_bytes(b"not even MIDI")
    recordings = find_recordings(corpus)
    assert [r.name for r in recordings] == sorted(f"MAPS_MUS-{p}_{b}" for p in PIECES for b in BANKS)
    assert {(r.bank, r.piece) for r in recordings} == {(b, p) for p in PIECES for b in BANKS}
    assert len(read_notes(recordings[0])) == 7


def test_labels_of_a_maps_take_the_place_of_text_files_and_none_may_be_missing(corpus: Path, tmp_path: Path) -> None:
    for recording in find_recordings(corpus):
        (tmp_path / f"{recording.name}.mid").write_bytes(SUSTAINED)
    recording = find_recordings(corpus, a_maps=tmp_path)[0]
    assert read_notes(recording)["pitch"].tolist() == [60, 62]
    next(tmp_path.iterdir()).unlink()
    with pytest.raises(DatasetError, match="no MIDI file for 1 of 6"):
        find_recordings(corpus, a_maps=tmp_path)


def test_maestro_is_read_with_its_splits_and_its_pedal(tmp_path: Path) -> None:
    rows = [f"Bach,Fugue {name},{split},2004,2004/{name}.midi,2004/{name}.wav,2.0" for name, split in
            (("a", "train"), ("b", "validation"), ("c", "test"))]  # fmt: skip
    recordings = find_recordings(maestro(tmp_path, rows))
    assert [(r.name, r.split, r.piece) for r in recordings] == [
        ("a", "train", "Bach | Fugue a"), ("b", "validation", "Bach | Fugue b"), ("c", "test", "Bach | Fugue c"),
    ]  # fmt: skip
    assert read_notes(recordings[0])["offset_s"].tolist() == [2.0, 3.0]
    assert read_notes(recordings[0], sustain=False)["offset_s"].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("B,F,train,2004,../../etc/passwd,2004/a.wav,2", "line 2: '../../etc/passwd' lies outside"),
        ("B,F,train,2004,/etc/passwd,2004/a.wav,2", "lies outside"),
        ("B,F,train,2004,2004/none.midi,2004/a.wav,2", "does not exist"),
        ("B,F,dev,2004,2004/a.midi,2004/a.wav,2", "split 'dev'"),
    ],
)
def test_a_maestro_table_cannot_lead_out_of_its_folder(row: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=words):
        find_recordings(maestro(tmp_path, [row]))


def test_the_folders_of_a_musicnet_say_what_trains_validates_and_tests(tmp_path: Path) -> None:
    musicnet(tmp_path, ["x", "2382"], ["1759"])
    (tmp_path / "train_data").rename(tmp_path / "validation_data")
    (tmp_path / "train_labels").rename(tmp_path / "validation_labels")
    found = find_recordings(musicnet(tmp_path, ["2303"], []))
    splits = {"1759": "test", "2303": "train", "2382": "validation", "x": "validation"}
    assert {r.name: r.split for r in found} == splits
    assert read_notes(found[0])["pitch"].tolist() == [60]
    (tmp_path / "test_labels" / "1759.csv").unlink()
    with pytest.raises(DatasetError, match=r"1759\.csv does not exist"):
        find_recordings(tmp_path)


def test_files_that_a_killed_build_left_are_no_recordings(tmp_path: Path) -> None:
    musicnet(tmp_path, ["1"], ["2"])
    (tmp_path / "train_data" / ".3-abcd1234.wav").write_bytes(b"half")
    assert [recording.name for recording in find_recordings(tmp_path)] == ["1", "2"]


def test_a_folder_of_nothing_known_is_told_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither banks of MAPS"):
        find_recordings(tmp_path)
    with pytest.raises(DatasetError, match="not a folder"):
        find_recordings(tmp_path / "none")
