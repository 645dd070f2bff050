"""The packages frames, segments and thumbnails: layout, targets, readers, and what survives a bad night."""

import multiprocessing
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import matplotlib.image
import numpy as np
import pytest
from small_corpus import BANKS, write_corpus

from musicnet_build.audio.io import read_audio
from musicnet_build.corpora.layouts import find_recordings, read_notes
from musicnet_build.corpora.recording import SPLITS, Recording
from musicnet_build.errors import DatasetError
from musicnet_build.features.model_inputs import log_filter_spectrogram
from musicnet_build.labels.pianoroll import label_frames, label_rolls
from musicnet_build.packing import frames, segments, thumbnails
from musicnet_build.plots.contact_sheets import draw_thumbnails
from musicnet_build.plots.style import write_png


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def pieces(corpus: Path) -> list[Recording]:
    return find_recordings(corpus)


def with_splits(recordings: list[Recording], *splits: str) -> list[Recording]:
    return [replace(recording, split=split) for recording, split in zip(recordings, splits, strict=False)]


@pytest.fixture(scope="module")
def packages(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three packages, made by one worker each."""
    folder = tmp_path_factory.mktemp("packages")
    frames.pack_frames(corpus, folder / "frames.h5", frames.FramesSettings(seed=3))
    everything = segments.SegmentsSettings(keep_test_pieces=True)
    segments.pack_segments(corpus, folder / "segments.h5", everything)
    isolated = with_splits(find_recordings(corpus, categories=["ISOL"]), *SPLITS)
    packed = thumbnails.pack_thumbnails(isolated, folder / "thumbnails.h5")
    assert packed.parts["train"] == packed.parts["valid"] == packed.parts["test"] > 0
    return folder


def test_nothing_but_the_packages_is_left(packages: Path) -> None:
    assert sorted(path.name for path in packages.iterdir()) == ["frames.h5", "segments.h5", "thumbnails.h5"]


def test_two_workers_pack_the_same_bytes_as_one(corpus: Path, packages: Path, tmp_path: Path) -> None:
    frames.pack_frames(corpus, tmp_path / "frames.h5", frames.FramesSettings(seed=3), workers=2)
    assert (tmp_path / "frames.h5").read_bytes() == (packages / "frames.h5").read_bytes()


# Frames


def test_frames_hold_the_spectra_and_targets_of_their_recordings(pieces: list[Recording], packages: Path) -> None:
    recording = pieces[2]
    audio, notes = read_audio(recording.audio), read_notes(recording)
    with h5py.File(packages / "frames.h5") as file:
        assert file.attrs["kind"] == "frames"
        assert file["filter_hz"].shape == (229,)
        group = file[recording.name]
        assert (group.attrs["bank"], group.attrs["piece"]) == (recording.bank, recording.piece)
        for rate in (31.25, 100.0):
            spectrogram = group[f"spectrogram_{rate:g}"][:]
            np.testing.assert_allclose(spectrogram, log_filter_spectrogram(audio / abs(audio).max(), rate), atol=1e-6)
            for labelling in ("a", "b", "c", "d", "d_ceil", "e", "f"):
                targets = group[f"targets_{rate:g}/{labelling}"][:]
                expected = label_rolls(notes, len(spectrogram), 1 / rate, labelling, seed=3)
                np.testing.assert_array_equal(targets, expected.frame)
                assert group.attrs[f"count_short_{labelling}_{rate:g}"] == expected.short


def test_reference_targets_are_function_a_at_100_frames_over_at_most_30_s(
    pieces: list[Recording], packages: Path, tmp_path: Path
) -> None:
    reader = frames.FramesReader(packages / "frames.h5", "configuration_2/fold_1/test", labelling="c")
    name = reader.names[0]
    recording = next(recording for recording in pieces if recording.name == name)
    reference = reader.reference(name)
    expected = label_rolls(read_notes(recording), len(reference), 0.01, "a").frame
    np.testing.assert_array_equal(reference, expected)
    assert len(reference) == 1 + int(len(read_audio(recording.audio)) / 441)
    assert len(frames._reference(read_notes(recording), 40 * 44_100)) == 3000


def test_a_window_is_the_frame_and_its_neighbours_and_zeros_beyond_the_ends(packages: Path) -> None:
    reader = frames.FramesReader(packages / "frames.h5", "configuration_1/fold_2/train", rate_hz=100, labelling="f")
    wide = frames.FramesReader(packages / "frames.h5", "configuration_1/fold_2/train", rate_hz=100, context=17)
    spectrogram, targets = reader.recording(reader.names[0])
    for index in (0, 1, 50, len(spectrogram) - 1):
        window, target = reader[index]
        assert (window.shape, window.dtype) == ((5, 229), np.float32)
        padded = np.pad(spectrogram, ((8, 8), (0, 0)))
        np.testing.assert_array_equal(window, padded[index + 6 : index + 11])
        np.testing.assert_array_equal(wide[index][0], padded[index : index + 17])
        np.testing.assert_array_equal(target, targets[index])
    first_of_second = reader[len(spectrogram)]
    np.testing.assert_array_equal(first_of_second[0][:2], 0)
    np.testing.assert_array_equal(first_of_second[1], reader.recording(reader.names[1])[1][0])
    assert len(reader) == sum(len(reader.recording(name)[0]) for name in reader.names)
    np.testing.assert_array_equal(reader[-1][0], reader[len(reader) - 1][0])
    with pytest.raises(IndexError):
        reader[len(reader)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "none"}, "no split 'none': it has configuration_1/fold_1/test"),
        ({"rate_hz": 50}, "no spectrogram_50"),
        ({"labelling": "z"}, "no targets_31.25/z"),
        ({"context": 4}, "odd number"),
    ],
)
def test_asking_for_what_a_package_has_not_is_told(options: dict[str, Any], words: str, packages: Path) -> None:
    options = {"split": "configuration_1/fold_1/train"} | options
    with pytest.raises(DatasetError, match=words):
        frames.FramesReader(packages / "frames.h5", **options)
    with pytest.raises(DatasetError, match="not a package of frames"):
        frames.FramesReader(packages / "segments.h5", "x")
    with pytest.raises(DatasetError, match="does not exist"):
        frames.FramesReader(packages / "none.h5", "x")


# Segments


def test_segments_hold_audio_and_rolls_at_16_khz(pieces: list[Recording], packages: Path) -> None:
    recording = pieces[0]
    with h5py.File(packages / "segments.h5") as file:
        group = file[recording.name]
        audio = group["audio"][:] / 32767
        np.testing.assert_allclose(audio, read_audio(recording.audio, 16_000), atol=2 / 32767)
        notes = read_notes(recording)
        rolls = label_rolls(notes, 1 + len(audio) // 512, 0.032)
        np.testing.assert_array_equal(group["codes"], rolls.codes)
        np.testing.assert_array_equal(group["velocity"], rolls.velocity)
        assert group["mel"].shape == (len(rolls.codes), 229)
        assert group["cqt"].shape == (len(rolls.codes), 176)
        for name in ("mel", "cqt"):
            assert (group[name][:].min(), group[name][:].max()) == (0, 1)


def test_a_segment_starts_on_a_frame_and_everything_in_it_belongs_together(packages: Path) -> None:
    reader = segments.SegmentsReader(packages / "segments.h5", "test", samples=512 * 20, seed=1)
    item = reader[1]
    assert {name: array.shape for name, array in item.items()} == {
        "audio": (10_240,), "onset": (20, 88), "offset": (20, 88), "frame": (20, 88), "velocity": (20, 88),
        "mel": (20, 229), "cqt": (20, 176),
    }  # fmt: skip
    with h5py.File(packages / "segments.h5") as file:
        group = file[reader.names[1]]
        # The last segments reach beyond the recording, where there is silence.
        whole = np.pad(group["audio"][:] / np.float32(32767), (0, 10_240))
        starts = [k for k in range(len(group["codes"]) - 19) if np.allclose(whole[512 * k :][:10_240], item["audio"])]
        (start,) = starts
        codes = group["codes"][start : start + 20]
        np.testing.assert_array_equal(item["mel"], group["mel"][start : start + 20])
    for name, expected in (("onset", codes == 3), ("offset", codes == 1), ("frame", codes >= 2)):
        np.testing.assert_array_equal(item[name], expected)


def test_segments_depend_on_seed_epoch_and_index_alone(packages: Path) -> None:
    def starts(seed: int, epoch: int) -> list[float]:
        reader = segments.SegmentsReader(packages / "segments.h5", "test", samples=5120, seed=seed, spectra="none")
        return [float(np.abs(reader.item(i, epoch)["audio"]).sum()) for i in reversed(range(len(reader)))]

    assert starts(0, 0) == starts(0, 0)
    assert starts(0, 0) != starts(0, 1)
    assert starts(0, 0) != starts(1, 0)


def test_a_recording_shorter_than_a_segment_is_followed_by_silence(packages: Path) -> None:
    item = segments.SegmentsReader(packages / "segments.h5", "test")[0]
    assert item["audio"].shape == (327_680,)
    assert item["mel"].shape == (640, 229)
    assert not item["audio"][-16_000:].any()
    assert not item["frame"][-31:].any()
    assert item["frame"].any()


def test_the_reader_computes_the_spectra_that_the_package_would_store(
    pieces: list[Recording], packages: Path, tmp_path: Path
) -> None:
    recordings = pieces[:1]
    bare = segments.SegmentsSettings(store_spectra=False)
    segments.pack_segments(with_splits(recordings, "test"), tmp_path / "bare.h5", bare)
    with pytest.raises(DatasetError, match="stores no spectra"):
        segments.SegmentsReader(tmp_path / "bare.h5", "test")
    with h5py.File(packages / "segments.h5") as file:
        stored = {name: file[recordings[0].name][name][:] for name in ("mel", "cqt")}
        samples = len(file[recordings[0].name]["audio"]) // 512 * 512
    item = segments.SegmentsReader(tmp_path / "bare.h5", "test", samples=samples, spectra="computed").segment(0, 0)
    for name, spectrum in stored.items():
        # The last frames see the samples after the segment's end.
        np.testing.assert_allclose(item[name][:-5], spectrum[: samples // 512][:-5], atol=0.02)
    with pytest.raises(DatasetError, match="multiple of 512"):
        segments.SegmentsReader(packages / "segments.h5", "test", samples=1000)


# Thumbnails


def test_every_picture_is_of_one_note_and_its_recording_is_in_one_set(packages: Path) -> None:
    with h5py.File(packages / "thumbnails.h5") as file:
        images, pitches = file["images"], file["pitch"][:]
        assert images.shape[1:] == (32, 32)
        assert set(pitches) == {45, 69}
        sets = set(zip(file["recording"][:], file["part"][:], strict=True))
        assert len(sets) == len({name for name, _ in sets}) == 3
        assert all(name.decode().endswith(BANKS) for name, _ in sets)
        starts, ends = label_frames([0.5], [1.5], 0.032)
        assert len(images) == 3 * (ends[0] - starts[0])
        assert np.allclose(np.unique(file["time_s"][:]), np.arange(starts[0], ends[0]) * 0.032)


def test_windows_of_frames_move_in_time_with_their_targets(packages: Path) -> None:
    split = "configuration_1/fold_1/train"
    still = frames.FramesReader(packages / "frames.h5", split, context=1)
    moved = frames.FramesReader(packages / "frames.h5", split, context=1, shift_frames=3, seed=2)
    pairs = {(window.tobytes(), target.tobytes()) for window, target in still}
    places = range(40, 80)
    items = [moved[place] for place in places]
    assert {(window.tobytes(), target.tobytes()) for window, target in items} <= pairs
    near = [[other for other in range(place - 3, place + 4) if np.array_equal(still[other][0], item[0])]
            for place, item in zip(places, items, strict=True)]  # fmt: skip
    assert all(near)
    assert any(place not in found for place, found in zip(places, near, strict=True))
    again = [moved[place] for place in places]
    assert any(not np.array_equal(one[0], other[0]) for one, other in zip(items, again, strict=True))
    np.testing.assert_array_equal(moved.item(50, 1)[0], again[10][0])
    whole, _ = moved.recording(moved.names[0])
    assert {moved.item(0, epoch)[0].tobytes() for epoch in range(40)} == {row.tobytes() for row in whole[:4]}


def test_segments_move_in_pitch_with_their_rolls(packages: Path) -> None:
    path = packages / "segments.h5"
    still = segments.SegmentsReader(path, "test", samples=512 * 20, seed=1)
    moved = segments.SegmentsReader(path, "test", samples=512 * 20, seed=1, shift_semitones=2)
    seen = set()
    for epoch in range(30):
        exact, item = still.item(0, epoch), moved.item(0, epoch)
        assert set(item) == {"onset", "offset", "frame", "velocity", "cqt"}
        by = [n for n in range(-2, 3) if np.array_equal(item["cqt"][:, 8:-8], np.roll(exact["cqt"], 2 * n, 1)[:, 8:-8])]
        assert len(by) == 1
        seen.add(by[0])
        for name in ("onset", "frame", "velocity"):
            np.testing.assert_array_equal(item[name], np.roll(exact[name], by[0], 1))
        assert not item["cqt"][:, : 2 * max(by[0], 0)].any()
    assert seen == {-2, -1, 0, 1, 2}
    with pytest.raises(DatasetError, match="Only stored spectra"):
        segments.SegmentsReader(path, "test", spectra="none", shift_semitones=1)


@pytest.mark.parametrize("spectrum", ["cqt", "stft"])
def test_in_a_picture_high_is_up_and_late_is_right(spectrum: Any) -> None:
    time_s = np.arange(48_000) / 16_000
    low_then_high = np.where(time_s < 1.5, np.sin(2 * np.pi * 220 * time_s), np.sin(2 * np.pi * 3520 * time_s))
    rows = thumbnails.picture_rows(low_then_high.astype(np.float32), 32, spectrum)
    (picture,) = thumbnails.thumbnails(rows, np.array([round(1.5 / 0.032)]))
    assert picture.shape == (32, 32)
    assert picture[:, 4].argmax() > picture[:, 28].argmax()


def test_a_picture_is_centred_on_its_time_step_and_black_beyond_the_recording() -> None:
    rows = np.arange(1, 41, dtype=np.uint8)[:, None].repeat(32, axis=1)
    first, middle = thumbnails.thumbnails(rows, np.array([0, 20]))
    assert middle[0, 16] == 21
    assert first[0, 16] == 1
    assert not first[:, :16].any()


def test_reader_gives_pictures_and_pitches_and_augments_only_when_asked(packages: Path) -> None:
    plain = thumbnails.ThumbnailsReader(packages / "thumbnails.h5", "train")
    picture, pitch = plain[5]
    assert (picture.shape, picture.dtype, pitch) == ((1, 32, 32), np.float32, 45)
    with h5py.File(packages / "thumbnails.h5") as file:
        np.testing.assert_allclose(picture[0] * 255, file["images"][int(plain.indices[5])], atol=1e-4)
    augmentation = thumbnails.Augmentation(brightness=0.1, contrast=0.2)
    changed = thumbnails.ThumbnailsReader(packages / "thumbnails.h5", "train", augmentation=augmentation)
    once, again = changed[5][0], changed[5][0]
    assert not np.array_equal(once, again)
    np.testing.assert_array_equal(changed.item(5, 0)[0], once)
    np.testing.assert_array_equal(changed.item(5, 1)[0], again)
    assert 0 <= once.min() < once.max() <= 1
    assert np.abs(once - picture).max() < 0.35
    with pytest.raises(DatasetError, match="no set 'dev'"):
        thumbnails.ThumbnailsReader(packages / "thumbnails.h5", "dev")  # type: ignore[arg-type]


def test_pictures_are_mirrored_only_if_asked() -> None:
    picture = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (8, 1))
    mirrored = [
        thumbnails.augmented(picture, thumbnails.Augmentation(mirror=True), np.random.default_rng(seed))[0, 0] > 0.5
        for seed in range(40)
    ]
    assert 8 < sum(mirrored) < 32
    never = thumbnails.augmented(picture, thumbnails.Augmentation(0.1, 0.1), np.random.default_rng(0))
    assert (np.diff(never[0]) >= 0).all()


def test_a_contact_sheet_goes_from_low_to_high_and_says_what_its_axes_are(packages: Path, tmp_path: Path) -> None:
    figure = draw_thumbnails(packages / "thumbnails.h5", columns=4)
    captions = [axes.get_title() for axes in figure.axes if axes.get_title()]
    pitches = [int(caption.split("(")[1].rstrip(")")) for caption in captions]
    assert len(captions) == 16
    assert pitches == sorted(pitches)
    assert "1024 ms" in figure.get_supxlabel()
    assert "27.5 Hz to 4.31 kHz" in figure.get_supylabel()
    assert figure.axes[-1].get_ylabel().startswith("dB")
    for name in ("one.png", "two.png"):
        write_png(tmp_path / name, draw_thumbnails(packages / "thumbnails.h5", columns=4))
    assert matplotlib.image.imread(tmp_path / "one.png")[:, :, :3].std() > 0.05
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_pictures_have_only_the_sizes_that_are_offered_and_need_single_notes(
    pieces: list[Recording], tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="32, 48"):
        thumbnails.ThumbnailsSettings(size=33)
    chords = with_splits(pieces[:1], "train")
    (tmp_path / "chord.txt").write_text("OnsetTime\tOffsetTime\tMidiPitch\n0\t9\t60\n0\t9\t64\n")
    chords = [replace(chords[0], labels=tmp_path / "chord.txt")]
    with pytest.raises(DatasetError, match="no time step at which a single note"):
        thumbnails.pack_thumbnails(chords, tmp_path / "t.h5")


# Several processes


def checksums(reader: Any) -> list[float]:
    def total(item: Any) -> float:
        arrays = item.values() if isinstance(item, dict) else item
        return float(sum(np.asarray(array, dtype=np.float64).sum() for array in arrays))

    return [total(reader.item(index, 0)) for index in range(min(len(reader), 40))]


def reader_of(kind: str, packages: Path) -> Any:
    if kind == "frames":
        return frames.FramesReader(packages / "frames.h5", "configuration_2/fold_1/test")
    if kind == "segments":
        return segments.SegmentsReader(packages / "segments.h5", "test", samples=5120)
    return thumbnails.ThumbnailsReader(packages / "thumbnails.h5", "test")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_readers_that_were_read_already_read_the_same_in_other_processes(method: str, packages: Path) -> None:
    readers = [reader_of(kind, packages) for kind in ("frames", "segments", "thumbnails")]
    expected = [checksums(reader) for reader in readers]
    with multiprocessing.get_context(method).Pool(2) as pool:
        for got in (pool.map(checksums, readers * 2), pool.map(checksums, readers * 2)):
            assert got == expected * 2
    assert [checksums(reader) for reader in readers] == expected


@pytest.mark.parametrize("kind", ["frames", "segments", "thumbnails"])
def test_a_reader_is_sent_without_its_data(kind: str, packages: Path) -> None:
    reader = reader_of(kind, packages)
    before = len(pickle.dumps(reader))
    checksums(reader)
    assert len(pickle.dumps(reader)) == before < 20_000
