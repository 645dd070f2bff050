"""A timbre package: frames where they should be, labels that say what sounds, subsets and folds, read by plain h5py."""

import os
import pickle
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timbre_helpers import SMALL_PAIR, TRUMPET, soundfont

from musicnet_build.audio.io import read_audio
from musicnet_build.audio.loudness import level_dbfs
from musicnet_build.corpora.timbre_set import read_set
from musicnet_build.errors import DatasetError
from musicnet_build.generation.ascension import AscensionSettings, generate_ascension
from musicnet_build.generation.preset_check import AUDIBLE_DBFS, strongest_pitch
from musicnet_build.notes import NoteTable, empty_notes
from musicnet_build.packing.shards import make_shard
from musicnet_build.packing.timbre.frames import (
    ABSENT,
    folds,
    grid_frames,
    one_hot,
    pitch_at,
    training_frames,
    training_subsets,
)
from musicnet_build.packing.timbre.images import TIMBRE_SAMPLE_RATE, ImageSettings
from musicnet_build.packing.timbre.package import PackSettings, SetPiece, pack_timbre, write_shard
from musicnet_build.packing.timbre.preview import write_excerpts
from musicnet_build.packing.timbre.reader import TimbreFrames
from musicnet_build.plots.contact_sheets import draw_timbre_frames

FAST = PackSettings(ImageSettings("log", 8192, 1024))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four notes of a guitar, three of a trumpet, and all pairs, with rests."""
    folder = tmp_path_factory.mktemp("set")
    generate_ascension(folder, [soundfont()], AscensionSettings(SMALL_PAIR, velocities=(90,), rest_beats=2.0))
    return folder


@pytest.fixture(scope="module")
def package(folder: Path) -> Path:
    path = folder.parent / "timbre.h5"
    pack_timbre(folder, path, FAST)
    return path


def table(*notes: tuple[float, float, int]) -> NoteTable:
    result = empty_notes(len(notes))
    for row, (onset, offset, pitch) in zip(result, notes, strict=True):
        row["onset_s"], row["offset_s"], row["pitch"] = onset, offset, pitch
    return result


# Frames


def test_training_frames_never_cross_a_note_boundary() -> None:
    frames = training_frames([table((0.1, 0.75, 60), (0.75, 1.0, 61)), table((0.3, 1.0, 70))], 2048)
    edges = {round(t * TIMBRE_SAMPLE_RATE) for t in (0, 0.1, 0.3, 0.75, 1.0)}
    for start in frames.start.tolist():
        assert not any(start < edge < start + 2048 for edge in edges)
    assert not frames.boundary.any()
    assert set(map(tuple, frames.pitch.tolist())) == {(ABSENT, ABSENT), (60, ABSENT), (60, 70), (61, 70)}


def test_test_frames_follow_a_grid_and_are_named_after_their_centre() -> None:
    frames = grid_frames([table((0.0, 0.3, 60), (0.3, 0.6, 62)), table((0.4, 0.5, 70))], 8192)
    np.testing.assert_array_equal(frames.start, [0, 8192, 16384])
    np.testing.assert_array_equal(frames.pitch, [[60, ABSENT], [62, ABSENT], [ABSENT, ABSENT]])
    np.testing.assert_array_equal(frames.boundary, [[False, False], [True, True], [True, False]])


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 127)), max_size=20))
def test_the_pitch_at_a_sample_is_that_of_the_note_around_it(rows: list[tuple[int, int, int]]) -> None:
    time, notes = 0, []
    for rest, length, pitch in rows:
        notes.append(((time + rest) / 64, (time + rest + length) / 64, pitch))
        time += rest + length
    samples = np.arange(0, time * 512 + 1024, 256)
    expected = [
        next((p for a, b, p in notes if a * TIMBRE_SAMPLE_RATE <= s < b * TIMBRE_SAMPLE_RATE), ABSENT)
        for s in samples.tolist()
    ]
    np.testing.assert_array_equal(pitch_at(samples, table(*notes)), expected)


def test_notes_that_overlap_share_a_group_and_others_do_not() -> None:
    guitar, trumpet = table((0, 1, 60), (1, 2, 61), (3, 4, 62)), table((0.5, 1.5, 70))
    groups = grid_frames([guitar, trumpet], 8192).note_group
    assert len(set(groups[:8].tolist())) == 1  # the trumpet's note joins the guitar's first two
    assert groups[8] != groups[7]
    assert len(set(groups[12:].tolist())) == 1
    assert groups[12] not in groups[:12]


# Subsets and folds


def test_one_hot_vectors_have_129_places_and_one_one() -> None:
    vectors = one_hot(np.array([[0, 128], [127, 60]], np.uint8))
    assert vectors.shape == (2, 2, 129)
    np.testing.assert_array_equal(vectors.sum(axis=-1), 1)
    assert vectors[0, 1, 128] == vectors[1, 1, 60] == 1


def test_the_balanced_subset_has_as_many_frames_of_each_kind_and_keeps_notes_whole() -> None:
    kinds = [(60, ABSENT)] * 40 + [(ABSENT, 70)] * 20 + [(60, 70)] * 30 + [(ABSENT, ABSENT)] * 10
    group = np.arange(100) // 2
    subsets = training_subsets(np.array(kinds, np.uint8), group, ["guitar", "trumpet"], seed=1)
    assert {name: len(indices) for name, indices in subsets.items()} == {
        "guitar_alone": 40, "trumpet_alone": 20, "both_alone": 60, "combined": 100, "combined_balanced": 70,
    }  # fmt: skip
    balanced = subsets["combined_balanced"]
    kind_ends = ((0, 40), (40, 60), (60, 90), (90, 100))
    assert [int(((balanced >= a) & (balanced < b)).sum()) for a, b in kind_ends] == [20, 20, 20, 10]
    assert np.all(np.unique(group[balanced], return_counts=True)[1] == 2)


@given(st.integers(5, 60), st.integers(1, 4), st.integers(0, 5))
def test_folds_share_no_note_and_together_are_the_subset(notes: int, frames_each: int, seed: int) -> None:
    group = np.repeat(np.arange(notes), frames_each)
    indices = 7 + np.arange(len(group))
    dealt = list(folds(indices, group, seed))
    np.testing.assert_array_equal(np.sort(np.concatenate([test for _, test in dealt])), indices)
    for train, test in dealt:
        assert not set(group[train - 7]) & set(group[test - 7])
        assert len(train) + len(test) == len(indices)


def test_folds_are_those_that_studies_with_scikit_learn_draw() -> None:
    kfold = pytest.importorskip("sklearn.model_selection").KFold
    for count, seed in ((5, 0), (23, 1), (1001, 7)):
        theirs = kfold(5, shuffle=True, random_state=seed).split(np.arange(count))
        for (train, test), (expected_train, expected_test) in zip(
            folds(np.arange(count), None, seed), theirs, strict=True
        ):
            np.testing.assert_array_equal(train, expected_train)
            np.testing.assert_array_equal(test, expected_test)


def test_notes_are_split_between_folds_only_when_asked() -> None:
    dealt = list(folds(np.arange(40), None, 0))
    assert any(set((train // 4).tolist()) & set((test // 4).tolist()) for train, test in dealt)
    with pytest.raises(DatasetError, match="4 notes cannot be dealt to 5 folds"):
        list(folds(np.arange(40), np.arange(40) // 10, 0))


# The package


def test_plain_h5py_reads_it_as_the_documentation_says(package: Path) -> None:
    with h5py.File(package, "r") as file:
        assert file.attrs["format"] == "musicnet_build timbre package 1"
        assert file.attrs["colour_map"] == "magma"
        count = len(file["pitch"])
        assert file["image"].shape == (count, 128, 512, 3)
        assert file["image"].dtype == np.uint8
        assert file["image"].chunks == (1, 128, 512, 3)
        assert file["label"].shape == (count, 2, 129)
        np.testing.assert_array_equal(file["label"][...].argmax(axis=-1), file["pitch"][...])
        assert file["row_frequency_hz"].shape == (128,)
        assert set(file["subsets"]) == {"guitar_alone", "trumpet_alone", "both_alone", "combined", "combined_balanced"}
        groups = file["note_group"][...]
        for subset in file["subsets"].values():
            for fold in range(5):
                train, test = subset[f"fold_{fold}/train"][...], subset[f"fold_{fold}/test"][...]
                assert not set(groups[train]) & set(groups[test])
                assert set(train) | set(test) == set(subset["indices"][...])
        notes = file["notes"][...]
        assert len(notes) == 12 + 12 + 2 * 12
        names = [name.decode() for name in file["piece_name"][...]]
        assert names[int(notes["piece"][-1])].startswith("guitar-and-trumpet")


def test_the_kinds_are_balanced_and_every_frame_of_a_note_is_there(package: Path) -> None:
    with h5py.File(package, "r") as file:
        sizes = {name: len(group["indices"]) for name, group in file["subsets"].items()}
    assert sizes["guitar_alone"] == sizes["trumpet_alone"] == 2 * 12
    assert sizes["combined_balanced"] == 4 * 24  # there are rests too


def test_labels_say_what_sounds_and_absent_is_silent(folder: Path, package: Path) -> None:
    source = read_set(folder)
    with h5py.File(package, "r") as file:
        pitch, start, piece = file["pitch"][...], file["start_sample"][...], file["piece"][...]
    audio = [read_audio(source.audio_path(each), TIMBRE_SAMPLE_RATE) for each in source.pieces]
    sounds = [audio[p][s : s + 8192] for p, s in zip(piece, start, strict=True)]
    one = (pitch != ABSENT).sum(axis=1) == 1
    heard = np.array([strongest_pitch(sound, TIMBRE_SAMPLE_RATE) for sound in sounds])
    assert np.mean(heard[one] == pitch.min(axis=1)[one]) >= 0.99
    rests = (pitch == ABSENT).all(axis=1)
    assert rests.sum() > 20
    assert max(level_dbfs(sounds[i]) for i in np.flatnonzero(rests)) < AUDIBLE_DBFS


def test_two_workers_write_the_bytes_of_one(folder: Path, package: Path, tmp_path: Path) -> None:
    pack_timbre(folder, tmp_path / "two.h5", FAST, workers=2)
    assert (tmp_path / "two.h5").read_bytes() == package.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["two.h5"]


def test_an_interrupted_packing_goes_on_from_its_shards_unless_the_settings_changed(
    folder: Path, package: Path, tmp_path: Path
) -> None:
    shards, source = tmp_path / ".out.h5-shards", read_set(folder)
    first, second = SetPiece(source, 0), SetPiece(source, 1)
    make_shard(first, shards / f"{first.name}.h5", write_shard, asdict(FAST))
    other = PackSettings(ImageSettings("log", 4096, 1024))
    make_shard(second, shards / f"{second.name}.h5", write_shard, asdict(other))
    assert make_shard(first, shards / f"{first.name}.h5", write_shard, asdict(FAST))[0] is False
    assert pack_timbre(folder, tmp_path / "out.h5", FAST).made == len(source.pieces) - 1
    assert (tmp_path / "out.h5").read_bytes() == package.read_bytes()


def test_single_labels_and_float_pictures(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "single.h5"
    pack_timbre(folder, path, PackSettings(ImageSettings("mel", 8192, 1024), "float", "trumpet", split_notes=True))
    frames = TimbreFrames(path, "trumpet_alone")
    picture, label = frames[0]
    assert picture.shape == (128, 512)
    assert picture.dtype == np.float32
    assert 0.3 < picture.max() <= 1
    assert label.shape == (129,)
    assert label.argmax() in TRUMPET.pitches


def test_an_instrument_that_is_not_there_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="its instruments are guitar, trumpet"):
        pack_timbre(folder, tmp_path / "x.h5", PackSettings(instrument="oboe"))


def test_sound_that_was_changed_is_not_packed(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    piece = SetPiece(read_set(copy), 0)
    with piece.inputs["audio"].open("r+b") as file:
        file.seek(4000)
        file.write(b"\0\0\0\0")
    with pytest.raises(DatasetError, match="is not the file that was generated"):
        make_shard(piece, tmp_path / "x.h5", write_shard, asdict(FAST))
    assert not (tmp_path / "x.h5").exists()


# The reader


def test_the_reader_gives_folds_and_survives_being_sent_to_another_process(package: Path) -> None:
    frames = TimbreFrames(package, "combined_balanced", fold=2, train=False)
    whole = TimbreFrames(package, "combined_balanced")
    assert 0 < len(frames) < len(whole)
    assert frames[0][0].shape == (128, 512, 3)
    sent = pickle.loads(pickle.dumps(frames))
    np.testing.assert_array_equal(sent[1][0], frames[1][0])
    assert frames.pitches().shape == (len(frames), 2)
    with pytest.raises(IndexError):
        frames[len(frames)]
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(frames[0][1], whole[list(whole.indices).index(frames.indices[0])][1]) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_reader_refuses_what_is_not_there(package: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="it has both_alone, combined"):
        TimbreFrames(package, "oboe_alone")
    with pytest.raises(DatasetError, match="no fold 5"):
        TimbreFrames(package, fold=5)
    (tmp_path / "no.h5").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="make it again"):
        TimbreFrames(tmp_path / "no.h5")


def test_the_contact_sheet_names_instruments_pitches_and_axes(package: Path) -> None:
    figure = draw_timbre_frames(TimbreFrames(package), shape=(2, 3))
    captions = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(captions) == 6
    assert any("guitar" in caption and "trumpet" in caption for caption in captions)
    assert "250 ms" in figure.get_supxlabel()
    assert "20 Hz to 16 kHz" in figure.get_supylabel()


def test_the_preview_is_a_sound_of_every_kind(folder: Path, tmp_path: Path) -> None:
    written = write_excerpts(tmp_path, folder)
    assert [path.name for path in written] == ["guitar_alone.wav", "trumpet_alone.wav", "guitar_and_trumpet.wav"]
    assert all(len(read_audio(path)) > 44_100 for path in written)
