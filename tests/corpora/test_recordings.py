"""Folders of other datasets, and how their recordings are split."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bad_midi import event, midi, note
from small_corpus import BANKS, PIECES, played, sound, write_corpus

from musicnet_build.audio.io import write_audio
from musicnet_build.corpora import folds
from musicnet_build.corpora.recordings import Recording, find_recordings, read_notes
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
        ("a", "train", "Bach | Fugue a"), ("b", "valid", "Bach | Fugue b"), ("c", "test", "Bach | Fugue c"),
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


def test_musicnet_is_tested_on_the_papers_recordings_where_they_are_and_else_on_its_test_folder(tmp_path: Path) -> None:
    published = find_recordings(musicnet(tmp_path / "a", ["1727", "2382"], ["1759", "2303"]))
    assert {r.name: r.split for r in published} == {"1727": "train", "2382": "test", "1759": "train", "2303": "test"}
    ours = find_recordings(musicnet(tmp_path / "b", ["x"], ["y"]))
    assert {r.name: r.split for r in ours} == {"x": "train", "y": "test"}
    assert read_notes(ours[0])["pitch"].tolist() == [60]
    (tmp_path / "b" / "train_labels" / "x.csv").unlink()
    with pytest.raises(DatasetError, match=r"x\.csv is missing"):
        find_recordings(tmp_path / "b")


def test_a_folder_of_nothing_known_is_told_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither banks of MAPS"):
        find_recordings(tmp_path)
    with pytest.raises(DatasetError, match="not a folder"):
        find_recordings(tmp_path / "none")


# Splits


def fake(banks: list[str], pieces: int) -> list[Recording]:
    return [
        Recording(f"MAPS_MUS-p{i}_{bank}", Path("a"), Path("b"), bank, "MUS", f"p{i}")
        for bank in banks
        for i in range(pieces)
    ]


NINE = ["AkPnBcht", "AkPnBsdf", "AkPnCGdD", "AkPnStgb", "ENSTDkAm", "ENSTDkCl", "SptkBGAm", "SptkBGCl", "StbgTGd2"]


def is_partition(fold: folds.Fold, recordings: list[Recording]) -> bool:
    names = [*fold.train, *fold.valid, *fold.test]
    return sorted(names) == sorted(recording.name for recording in recordings)


def test_configuration_1_has_four_folds_of_the_published_sizes_that_test_on_different_pieces() -> None:
    recordings = fake(NINE, 30)
    drawn = folds.configuration_1(recordings, 0)
    assert list(drawn) == ["fold_1", "fold_2", "fold_3", "fold_4"]
    for fold in drawn.values():
        assert (len(fold.train), len(fold.valid), len(fold.test)) == (190, 26, 54)
        assert is_partition(fold, recordings)
    tested = [name for fold in drawn.values() for name in fold.test]
    assert len(set(tested)) == len(tested)
    assert folds.configuration_1(recordings, 0) == drawn != folds.configuration_1(recordings, 1)


def test_configuration_2_tests_on_the_real_pianos_and_trains_on_no_other_bank_of_them() -> None:
    recordings = fake(NINE, 30)
    fold = folds.configuration_2(recordings, 0)["fold_1"]
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (180, 30, 60)
    assert {name[-8:] for name in fold.test} == {"ENSTDkAm", "ENSTDkCl"}
    assert is_partition(fold, recordings)
    other = folds.configuration_2(recordings, 0, ["AkPnBcht"])["fold_1"]
    assert {name[-8:] for name in other.test} == {"AkPnBcht"}
    with pytest.raises(DatasetError, match="no bank Nowhere1"):
        folds.configuration_2(recordings, 0, ["Nowhere1"])
    with pytest.raises(DatasetError, match="at least one"):
        folds.configuration_2(recordings, 0, NINE)


def test_pieces_that_are_tested_on_are_taken_out_of_training() -> None:
    recordings = [*fake(["AkPnBcht"], 10), *fake(["ENSTDkCl"], 4)]
    fold, removed = folds.without_test_pieces(recordings, folds.configuration_2(recordings, 0)["fold_1"])
    assert removed == 4
    pieces = {recording.name: recording.piece for recording in recordings}
    assert {pieces[name] for name in (*fold.train, *fold.valid)} == {f"p{i}" for i in range(4, 10)}
    assert len(fold.test) == 4


def test_four_to_one_puts_every_recording_in_one_set() -> None:
    names = [f"r{i}" for i in range(100)]
    fold = folds.four_to_one(names, 0)
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (64, 16, 20)
    assert sorted([*fold.train, *fold.valid, *fold.test]) == sorted(names)
    assert folds.four_to_one(["only"], 0) == folds.Fold(("only",), (), ())


def write_folds(folder: Path, train: str, test: str, valid: str | None = None) -> Path:
    folder.mkdir(parents=True)
    for name, text in (("train", train), ("test", test), ("valid", valid)):
        if text is not None:
            (folder / name).write_text(text)
    return folder


def test_fold_files_of_the_published_kinds_are_read(tmp_path: Path) -> None:
    recordings = fake(["AkPnBcht", "ENSTDkCl"], 2)
    pairs = "data/AkPnBcht/MUS/MAPS_MUS-p1_AkPnBcht.wav,data/AkPnBcht/MUS/MAPS_MUS-p1_AkPnBcht.mid\n"
    train = "AkPnBcht/MUS/MAPS_MUS-p0_AkPnBcht\n" + pairs
    write_folds(tmp_path / "all" / "fold_1", train, "ENSTDkCl/MUS/MAPS_MUS-p0_ENSTDkCl\n", valid=pairs)
    (fold,) = folds.read_folds(tmp_path / "all", recordings).values()
    assert fold == folds.Fold(("MAPS_MUS-p0_AkPnBcht",), ("MAPS_MUS-p1_AkPnBcht",), ("MAPS_MUS-p0_ENSTDkCl",))
    assert folds.read_folds(tmp_path / "all" / "fold_1", recordings) == {"fold_1": fold}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            lambda folder: write_folds(folder, "MAPS_MUS-none_AkPnBcht\n", ""),
            "line 1: there is no recording MAPS_MUS-none",
        ),
        (lambda folder: write_folds(folder, "MAPS_MUS-p0_AkPnBcht", "MAPS_MUS-p0_AkPnBcht"), "in training and test"),
        (lambda folder: folder.mkdir(), "holds no file `train`"),
        (lambda folder: (folder / "fold_1").mkdir(parents=True), "holds no file `train`"),
    ],
)
def test_fold_files_that_do_not_fit_are_refused(files: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    files(tmp_path / "folds")
    with pytest.raises(DatasetError, match=words):
        folds.read_folds(tmp_path / "folds", fake(["AkPnBcht"], 1))


def test_the_split_a_corpus_states_is_used() -> None:
    recordings = [
        Recording(str(i), Path("a"), Path("b"), "x", "MUS", "p", split) for i, split in enumerate(["train", "test"])
    ]
    assert folds.train_and_test(recordings, 0) == folds.Fold(("0",), (), ("1",))
    assert np.array_equal(
        [len(part) for part in vars(folds.train_and_test(fake(["AkPnBcht"], 10), 0)).values()], [6, 2, 2]
    )
