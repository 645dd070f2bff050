"""Windows for training: the right audio, the right pitches, in any process."""

import pickle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.notes import empty_notes
from musicnet_build.packing import hdf5
from musicnet_build.packing.musicnet_h5 import h5_labels
from musicnet_build.packing.windows import MusicNetWindows

LENGTHS = {"1": 100_000, "2": 17_000, "3": 1000}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings whose samples count from 0 and whose notes change every 10,000 samples, rising by semitones."""
    path = tmp_path_factory.mktemp("windows") / "musicnet.h5"
    with hdf5.writing(path) as file:
        for name, length in LENGTHS.items():
            notes = empty_notes(10)
            notes["onset_s"] = np.arange(10) * 10_000 / 44_100
            notes["offset_s"] = np.arange(1, 11) * 10_000 / 44_100
            notes["pitch"] = 60 + np.arange(10)
            group = file.create_group(f"id_{name}")
            group.attrs["split"] = "test" if name == "2" else "train"
            hdf5.add(group, "data", np.arange(length, dtype=np.float32))
            hdf5.add(group, "labels", h5_labels(notes))
    return path


def check(audio: np.ndarray, targets: np.ndarray) -> None:
    for window, target in zip(audio, targets, strict=True):
        np.testing.assert_array_equal(np.diff(window), 1)
        middle = window[len(window) // 2]
        assert np.flatnonzero(target).tolist() == [60 + int(middle) // 10_000]


def draw(windows: MusicNetWindows, seed: int) -> tuple[np.ndarray, np.ndarray]:
    return windows.random(50, np.random.default_rng(seed))


def test_random_windows_carry_the_pitch_at_their_middle(path: Path) -> None:
    audio, targets = draw(MusicNetWindows(path), 0)
    assert (audio.shape, audio.dtype, targets.shape) == ((50, 16_384), np.float32, (50, 128))
    check(audio, targets)
    assert len({window[0] for window in audio}) > 40


def test_every_place_is_drawn_also_the_first_and_the_last(path: Path) -> None:
    windows = MusicNetWindows(path, ids=["2"], window_samples=16_998)
    starts = {int(window[0]) for window in windows.random(60, np.random.default_rng(1))[0]}
    assert starts == {0, 1, 2}


def test_recordings_are_chosen_by_set_and_by_id_and_too_short_ones_left_out(path: Path) -> None:
    assert MusicNetWindows(path).ids == ("1", "2")
    assert MusicNetWindows(path, split="test").ids == ("2",)
    with pytest.raises(DatasetError, match="has no recording 9"):
        MusicNetWindows(path, ids=["9"])
    with pytest.raises(DatasetError, match="at least 16384 samples"):
        MusicNetWindows(path, ids=["3"])
    with pytest.raises(DatasetError, match="does not exist"):
        MusicNetWindows(path.with_name("nothing.h5"))


def test_the_test_windows_are_those_of_the_paper(path: Path) -> None:
    windows = list(MusicNetWindows(path).test("1"))
    middles = [int(audio[8192]) for audio, _ in windows]
    assert middles[:2] == [44_100, 44_612]
    assert middles[-1] <= 100_000 - 8192 < middles[-1] + 512
    check(np.array([audio for audio, _ in windows]), np.array([target for _, target in windows]))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_reader_that_was_used_may_be_handed_to_other_processes(start: str, path: Path) -> None:
    windows = MusicNetWindows(path)
    draw(windows, 0)
    with get_context(start).Pool(2) as pool:
        for seed, (audio, targets) in enumerate(pool.starmap(draw, [(windows, seed) for seed in range(4)])):
            check(audio, targets)
            np.testing.assert_array_equal(audio, draw(windows, seed)[0])


def test_an_epoch_has_windows_of_its_own_that_follow_from_seed_epoch_and_index(path: Path) -> None:
    windows = MusicNetWindows(path, seed=3, epoch_windows=200)
    first, second = ([audio[0] for audio, _ in windows] for _ in range(2))
    assert len(windows) == 200
    assert len(set(first)) > 195
    assert len(set(first) & set(second)) < 5
    again = MusicNetWindows(path, seed=3, epoch_windows=200)
    assert [again[i][0][0] for i in reversed(range(200))] == first[::-1]
    assert [again.item(i, 1)[0][0] for i in range(200)] == second
    check(*map(np.array, zip(*[windows[i] for i in range(50)], strict=True)))
    assert MusicNetWindows(path, seed=4)[0][0][0] != first[0]


@pytest.mark.parametrize("semitones", [-12, 0, 12])
def test_a_shifted_window_keeps_its_middle_and_moves_its_labels(semitones: int, path: Path) -> None:
    windows = MusicNetWindows(path)
    audio, target = windows.shifted("1", 40_000, semitones)
    assert audio[8192] == 48_192
    np.testing.assert_allclose(np.diff(audio), 2.0 ** (semitones / 12), atol=0.01)
    assert np.flatnonzero(target).tolist() == [64 + semitones]


def test_shifts_are_drawn_anew_and_beyond_the_recording_is_silence(path: Path) -> None:
    windows = MusicNetWindows(path, shift_semitones=5, jitter_semitones=0.1, epoch_windows=100)
    steps = {round(float(np.diff(windows[index][0])[8000]), 3) for index in range(100)}
    assert len(steps) > 40
    assert 2 ** (-5.2 / 12) < min(steps) < 0.8
    assert 1.25 < max(steps) < 2 ** (5.2 / 12)
    assert not MusicNetWindows(path).shifted("1", 0, 12)[0][:4000].any()


def test_integers_are_read_as_the_same_sound(tmp_path: Path) -> None:
    with hdf5.writing(tmp_path / "a.h5") as file:
        group = file.create_group("id_1")
        hdf5.add(group, "data", np.full(20_000, -16384, np.int16), attributes={"scale": 1 / 32768})
        hdf5.add(group, "labels", h5_labels(empty_notes(0)))
    windows = pickle.loads(pickle.dumps(MusicNetWindows(tmp_path / "a.h5")))
    audio, targets = windows.random(3, np.random.default_rng(0))
    assert audio.dtype == np.float32
    assert set(audio.ravel()) == {-0.5}
    assert not targets.any()
