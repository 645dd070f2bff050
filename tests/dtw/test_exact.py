"""Exact DTW: same paths as the textbook recursion and as librosa, within the stated memory, and polite about faults."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicnet_build.dtw import exact as dtw_module
from musicnet_build.dtw.exact import band_around, dtw, dtw_of_each, estimate_seconds, kernels, plan_tiles
from musicnet_build.errors import AlignmentError

UNIT = (1.0, 1.0, 1.0)


def distance_matrix(X, Y):
    """All distances as the kernels see them, from the same float32 arithmetic."""
    m, n = len(X), len(Y)
    rows, columns = dtw_module._padded_rows(X), dtw_module._strips(Y)
    band = dtw_module._padded_band(None, m, n)
    cost = kernels.empty_block()
    C = np.empty((len(rows), n))
    for row in range(0, len(rows), kernels.LANES):
        for start in range(0, n, kernels.CHUNK):
            stop = min(start + kernels.CHUNK, n)
            kernels.distances(rows, columns, band, row, start, stop, cost)
            C[row : row + kernels.LANES, start:stop] = cost[:, kernels.MARGIN : kernels.MARGIN + stop - start]
    return C[:m]


def textbook_dtw(C, weights=UNIT):
    """The recursion written down plainly, over a full cost matrix that is infinite outside a band."""
    m, n = C.shape
    D = np.full((m + 1, n + 1), np.inf)
    choice = np.zeros((m, n), dtype=int)
    moves = ((1, 1), (0, 1), (1, 0))
    factors = (weights[0], weights[2], weights[1])
    for i in range(m):
        for j in range(n):
            sums = [D[i + 1 - a, j + 1 - b] + w * C[i, j] for (a, b), w in zip(moves, factors, strict=True)]
            choice[i, j] = int(np.argmin(sums))
            D[i + 1, j + 1] = C[i, j] if i == j == 0 else min(sums)
    path = [(m - 1, n - 1)]
    while path[-1] != (0, 0):
        i, j = path[-1]
        a, b = moves[choice[i, j]]
        path.append((i - a, j - b))
    return np.array(path[::-1]), D[m, n]


def librosa_dtw(C, weights=UNIT):
    D, path = librosa.sequence.dtw(C=C, weights_mul=np.array([weights[0], weights[2], weights[1]]))
    return path[::-1], D[-1, -1]


def random_features(rng, n, d, kind):
    if kind == "ties":
        return rng.integers(0, 3, (n, d)).astype(np.float32) / 4
    if kind == "constant":
        return np.zeros((n, d), dtype=np.float32)
    return rng.standard_normal((n, d)).astype(np.float32)


def walk(rng, n, d):
    return np.cumsum(rng.standard_normal((n, d)), axis=0).astype(np.float32)


def assert_same(result, path, cost):
    np.testing.assert_array_equal(result.path, path)
    assert result.cost == pytest.approx(cost, rel=1e-9)


# --- right paths ----------------------------------------------------------------------------------------------------


def test_a_thousand_paths_are_identical_to_librosas_even_where_costs_tie():
    rng = np.random.default_rng(1)
    for case in range(1000):
        m, n, d = rng.integers(1, 40), rng.integers(1, 40), rng.integers(1, 8)
        kind = ("ties", "ties", "generic", "constant")[case % 4]
        weights = UNIT if case % 3 else tuple(rng.choice([0.5, 1.0, 1.5, 2.0], 3))
        X, Y = random_features(rng, m, d, kind), random_features(rng, n, d, kind)
        assert_same(dtw(X, Y, step_weights=weights, threads=1), *librosa_dtw(distance_matrix(X, Y), weights))


def test_librosa_from_integer_features_gives_the_same_path():
    rng = np.random.default_rng(2)
    for _ in range(50):
        X, Y = rng.integers(-4, 5, (rng.integers(1, 60), 1)), rng.integers(-4, 5, (rng.integers(1, 60), 1))
        D, path = librosa.sequence.dtw(X.T.astype(float), Y.T.astype(float), metric="euclidean")
        assert_same(dtw(X, Y), path[::-1], D[-1, -1])


@pytest.mark.parametrize(("m", "n"), [(512, 512), (513, 1025), (1300, 700), (1, 1500), (1500, 1), (31, 1700)])
def test_paths_stay_right_where_they_cross_tile_borders(m, n):
    rng = np.random.default_rng(m * n)
    X, Y = walk(rng, m, 3), walk(rng, n, 3)
    assert_same(dtw(X, Y), *librosa_dtw(distance_matrix(X, Y)))


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(1, 40),
    n=st.integers(1, 40),
    d=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    weights=st.tuples(*[st.sampled_from([0.25, 1.0, 2.0, 3.5])] * 3),
)
def test_paths_agree_with_the_textbook(m, n, d, seed, weights):
    rng = np.random.default_rng(seed)
    X, Y = random_features(rng, m, d, "ties"), random_features(rng, n, d, "ties")
    assert_same(dtw(X, Y, step_weights=weights), *textbook_dtw(distance_matrix(X, Y), weights))


def test_distances_agree_with_numpy():
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((70, 52)).astype(np.float32), rng.standard_normal((600, 52)).astype(np.float32)
    expected = np.linalg.norm(X[:, np.newaxis].astype(float) - Y.astype(float), axis=2)
    np.testing.assert_allclose(distance_matrix(X, Y), expected, rtol=1e-5)


def test_equal_recordings_cost_nothing_and_align_frame_by_frame():
    X = walk(np.random.default_rng(4), 700, 7) * 100
    result = dtw(X, X.copy())
    assert result.cost == 0.0
    np.testing.assert_array_equal(result.path, np.repeat(np.arange(700)[:, np.newaxis], 2, axis=1))


def test_silence_against_silence_gives_a_path_from_corner_to_corner():
    result = dtw(np.zeros((700, 5)), np.zeros((900, 5)))
    assert result.path[0].tolist() == [0, 0]
    assert result.path[-1].tolist() == [699, 899]
    assert set(map(tuple, np.diff(result.path, axis=0))) <= {(1, 1), (0, 1), (1, 0)}


# --- the same answer, whatever the plan -----------------------------------------------------------------------------


def test_path_and_cost_depend_neither_on_memory_nor_on_threads():
    rng = np.random.default_rng(5)
    X, Y = walk(rng, 12_000, 3), walk(rng, 9_000, 3)
    default = plan_tiles(12_000, 9_000, 3, threads=2)
    tight = plan_tiles(12_000, 9_000, 3, threads=2, memory_bytes=default.memory_bytes - 1)
    assert tight.rows > default.rows
    one, two = dtw(X, Y, threads=1), dtw(X, Y, threads=2, memory_bytes=tight.memory_bytes)
    np.testing.assert_array_equal(one.path, two.path)
    assert one.cost == two.cost


def test_many_small_tiles_give_bit_for_bit_the_same_cost(monkeypatch):
    rng = np.random.default_rng(6)
    for _ in range(20):
        m, n, d = rng.integers(1, 400), rng.integers(1, 400), rng.integers(1, 12)
        X, Y = walk(rng, m, d), walk(rng, n, d)
        weights = tuple(rng.choice([1.0, 1.1, 1.7], 3))
        band = band_around(np.linspace(0, n - 1, m), rng.integers(0, 50), n) if rng.random() < 0.5 else None
        whole = dtw(X, Y, step_weights=weights, band=band)
        with monkeypatch.context() as patch:
            patch.setattr(dtw_module, "_SMALLEST_TILE", 32)
            cut = dtw(X, Y, step_weights=weights, band=band, threads=3)
        np.testing.assert_array_equal(whole.path, cut.path)
        assert whole.cost == cut.cost


@pytest.mark.parametrize("half", [None, 40])
def test_several_weights_at_once_give_what_each_gives_alone(half):
    rng = np.random.default_rng(12)
    X, Y = walk(rng, 1100, 19), walk(rng, 1300, 19)
    band = None if half is None else band_around(np.linspace(0, 1299, 1100), half, 1300)
    several = [(1.0, 1.0, 1.0), (1.25, 1.0, 1.0), (2.0, 1.5, 0.5)]
    together = dtw_of_each(X, Y, several, band=band, threads=2)
    for weights, warped in zip(several, together, strict=True):
        alone = dtw(X, Y, step_weights=weights, band=band)
        np.testing.assert_array_equal(warped.path, alone.path)
        assert warped.cost == alone.cost
    assert len({warped.cost for warped in together}) == 3


def test_several_weights_are_in_the_plan_of_memory():
    one, three = (plan_tiles(9000, 9000, 10, threads=1, several=count) for count in (1, 3))
    assert three.memory_bytes > one.memory_bytes + 2 * 8 * one.tiles * (one.rows + one.columns)


# --- bands ----------------------------------------------------------------------------------------------------------


def test_a_full_band_is_no_band():
    rng = np.random.default_rng(7)
    X, Y = walk(rng, 600, 4), walk(rng, 1100, 4)
    free, banded = dtw(X, Y), dtw(X, Y, band=np.tile([0, 1100], (600, 1)))
    np.testing.assert_array_equal(free.path, banded.path)
    assert free.cost == banded.cost


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 60), n=st.integers(1, 60), half=st.floats(0, 20), seed=st.integers(0, 2**32 - 1))
def test_banded_paths_are_the_best_inside_the_band(m, n, half, seed):
    rng = np.random.default_rng(seed)
    X, Y = random_features(rng, m, 2, "generic"), random_features(rng, n, 2, "ties")
    band = band_around(np.sort(rng.uniform(-5, n + 5, m)), half, n)
    before = band.copy()
    C = distance_matrix(X, Y)
    outside = (np.arange(n) < band[:, :1]) | (np.arange(n) >= band[:, 1:])
    assert_same(dtw(X, Y, band=band), *textbook_dtw(np.where(outside, np.inf, C)))
    np.testing.assert_array_equal(band, before)


def test_long_banded_paths_are_the_best_inside_the_band():
    rng = np.random.default_rng(8)
    m, n = 1400, 1900
    X, Y = walk(rng, m, 3), walk(rng, n, 3)
    centres = np.linspace(0, n, m) + 150 * np.sin(np.linspace(0, 9, m))
    band = band_around(centres, 90, n)
    outside = (np.arange(n) < band[:, :1]) | (np.arange(n) >= band[:, 1:])
    assert_same(dtw(X, Y, band=band), *librosa_dtw(np.where(outside, np.inf, distance_matrix(X, Y))))


def test_steps_of_a_narrow_band_are_kept_only_where_memory_suffices():
    band = band_around(np.arange(60_000.0), 100, 60_000)
    kept = plan_tiles(60_000, 60_000, 10, band=band, threads=1)
    tight = plan_tiles(60_000, 60_000, 10, band=band, threads=1, memory_bytes=kept.memory_bytes - 2**20)
    assert kept.kept > 0
    assert tight.kept == 0
    assert tight.memory_bytes < kept.memory_bytes - 2**20


@pytest.mark.parametrize("threads", [1, 3])
def test_steps_that_are_kept_in_a_narrow_band_give_the_path_of_tiles_that_are_computed_again(threads, monkeypatch):
    rng = np.random.default_rng(10)
    m, n = 1700, 1500
    X, Y = walk(rng, m, 3), walk(rng, n, 3)
    band = band_around(np.linspace(0, n, m) + 40 * np.sin(np.linspace(0, 20, m)), 60, n)
    weights = [(1.0, 1.0, 1.0), (1.5, 1.0, 1.2)]
    assert 0 < plan_tiles(m, n, 3, band=band).kept < 300
    kept = dtw_of_each(X, Y, weights, band=band, threads=threads)
    monkeypatch.setattr(dtw_module, "_NARROW_COLUMNS", 0)
    assert plan_tiles(m, n, 3, band=band).kept == 0
    for one, other in zip(kept, dtw_of_each(X, Y, weights, band=band, threads=threads), strict=True):
        np.testing.assert_array_equal(one.path, other.path)
        assert one.cost == other.cost


def test_bands_that_move_backwards_are_still_solved_exactly():
    rng = np.random.default_rng(9)
    X, Y = walk(rng, 40, 2), walk(rng, 30, 2)
    band = np.stack([rng.integers(0, 8, 40), rng.integers(22, 31, 40)], axis=1)
    band[0, 0], band[-1, 1] = 0, 30
    outside = (np.arange(30) < band[:, :1]) | (np.arange(30) >= band[:, 1:])
    assert_same(dtw(X, Y, band=band), *textbook_dtw(np.where(outside, np.inf, distance_matrix(X, Y))))


@settings(max_examples=200, deadline=None)
@given(
    centres=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    half=st.floats(0, 1e3),
    n=st.integers(1, 500),
)
def test_band_around_any_centres_can_be_walked_and_holds_them(centres, half, n):
    band = band_around(centres, half, n)
    np.testing.assert_array_equal(dtw_module._checked_band(band, len(centres), n), band)
    assert (np.diff(band, axis=0) >= 0).all()
    for (first, stop), centre in zip(band, np.clip(centres, 0, n - 1), strict=True):
        assert first <= centre <= stop - 1


def test_a_band_saves_memory():
    band = band_around(np.linspace(0, 93_000, 93_000), 500, 93_000)
    banded, full = (plan_tiles(93_000, 93_000, 50, band=b).memory_bytes for b in (band, None))
    assert banded < full / 2


@pytest.mark.parametrize(
    ("band", "fault"),
    [
        (np.zeros((3, 2)), "must be integers"),
        (np.zeros((2, 2), int), "must be integers of shape"),
        (np.array([[0, 4], [0, 5], [0, 4]]), "leaves the 4 columns in row 1"),
        (np.array([[-1, 4], [0, 4], [0, 4]]), "leaves the 4 columns in row 0"),
        (np.array([[1, 4], [0, 4], [0, 4]]), "first cell"),
        (np.array([[0, 4], [0, 4], [0, 3]]), "last cell"),
        (np.array([[0, 4], [2, 2], [0, 4]]), "row 1"),
        (np.array([[0, 1], [2, 4], [0, 4]]), "cut off in row 1"),
        (np.array([[0, 4], [3, 4], [0, 2], [0, 4]])[:3], "last cell"),
    ],
)
def test_bands_without_a_path_are_refused(band, fault):
    with pytest.raises(AlignmentError, match=fault):
        dtw(np.zeros((3, 1)), np.zeros((4, 1)), band=band)


def test_a_band_that_only_turns_back_is_refused():
    band = np.array([[0, 4], [3, 4], [0, 2], [0, 4]])
    with pytest.raises(AlignmentError, match="cut off in row 2"):
        dtw(np.zeros((4, 1)), np.zeros((4, 1)), band=band)


# --- faults in the arguments ----------------------------------------------------------------------------------------

GOOD = np.zeros((3, 2), dtype=np.float32)


@pytest.mark.parametrize(
    ("X", "Y", "fault"),
    [
        (np.full((3, 2), np.nan), GOOD, "X holds values that are not finite"),
        (GOOD, np.full((3, 2), np.inf), "Y holds values that are not finite"),
        (GOOD, np.full((3, 2), 1e300), "Y holds values that are not finite"),
        (np.full((3, 2), 1e30), -GOOD, "too large"),
        (np.zeros((0, 2)), GOOD, "X is empty"),
        (np.zeros((3, 0)), GOOD, "X is empty"),
        (GOOD[0], GOOD, "X must have two dimensions"),
        (GOOD, np.zeros((3, 3)), "X has 2 features a frame and Y has 3"),
        (GOOD.astype(complex), GOOD, "X must hold real numbers"),
        ([[1.0], [1.0, 2.0]], GOOD, "same number of features"),
    ],
)
def test_unusable_features_are_refused_in_one_sentence(X, Y, fault):
    with pytest.raises(AlignmentError, match=fault):
        dtw(X, Y)


@pytest.mark.parametrize("weights", [(1, 1), (1, 1, 0), (1, -1, 1), (np.nan, 1, 1), (1, np.inf, 1), "abc", None])
def test_unusable_weights_are_refused(weights):
    with pytest.raises(AlignmentError, match="step_weights must be"):
        dtw(GOOD, GOOD, step_weights=weights)


def test_zero_threads_are_refused():
    with pytest.raises(AlignmentError, match="threads must be at least 1"):
        dtw(GOOD, GOOD, threads=0)


@pytest.mark.parametrize("arguments", [([], 1, 5), ([np.nan], 1, 5), ([1.0], -1, 5), ([1.0], np.nan, 5), ([1.0], 1, 0)])
def test_senseless_bands_are_not_made(arguments):
    with pytest.raises(AlignmentError):
        band_around(*arguments)


def test_callers_arrays_are_left_alone():
    X, Y = walk(np.random.default_rng(10), 40, 5), walk(np.random.default_rng(11), 64, 5)
    before = X.copy(), Y.copy()
    X.flags.writeable = Y.flags.writeable = False
    dtw(X, Y, band=band_around(np.linspace(0, 63, 40), 9, 64))
    assert np.array_equal(X, before[0])
    assert np.array_equal(Y, before[1])


# --- memory, time, interruption -------------------------------------------------------------------------------------


def test_an_hour_fits_into_the_default_budget():
    plan = plan_tiles(310_000, 310_000, 50)
    assert plan.memory_bytes <= 2**30


def test_too_little_memory_is_refused_before_anything_is_allocated():
    with pytest.raises(AlignmentError, match=r"needs \d+\.\d MiB and only 10\.0 MiB are allowed"):
        plan_tiles(310_000, 310_000, 50, memory_bytes=10 * 2**20)


def run_python(code, **options):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options)


def test_memory_stays_within_what_was_stated():
    code = """if True:
        import resource, numpy as np
        from musicnet_build.dtw.exact import dtw, plan_tiles
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        rng = np.random.default_rng(0)
        X, Y = (rng.standard_normal((n, 10), dtype=np.float32) for n in (9000, 12000))
        dtw(X[:600], Y[:600], threads=2)
        before = peak()
        dtw(X, Y, threads=2)
        print(peak() - before, plan_tiles(9000, 12000, 10, threads=2).memory_bytes)
    """
    with run_python(code) as process:
        used, stated = map(int, process.communicate(timeout=300)[0].split())
    assert used < stated + 4 * 2**20  # the interpreter and the threads' stacks breathe a little
    assert stated < 9000 * 12000 / 4


def test_progress_rises_to_one_and_comes_from_the_calling_thread():
    seen = []
    X = np.zeros((6000, 20), dtype=np.float32)
    dtw(X, X, threads=1, progress=lambda fraction: seen.append((fraction, threading.current_thread())))
    fractions, callers = zip(*seen, strict=True)
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == 1.0
    assert set(callers) == {threading.main_thread()}


def test_an_interrupt_stops_a_long_alignment_at_once():
    code = """if True:
        import numpy as np
        from musicnet_build.dtw.exact import dtw
        X = np.zeros((80_000, 50), dtype=np.float32)
        dtw(X, X, threads=2, progress=lambda fraction: print(fraction, flush=True))
    """
    with run_python(code, stderr=subprocess.PIPE) as process:
        assert float(process.stdout.readline()) < 0.2
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors


def test_an_error_while_reporting_progress_reaches_the_caller():
    def fail(fraction):
        raise RuntimeError("window closed")

    with pytest.raises(RuntimeError, match="window closed"):
        dtw(GOOD, GOOD, progress=fail)


def test_estimates_grow_with_the_work():
    estimate = estimate_seconds(100_000, 100_000, 20)
    assert 1 < estimate < 2000
    narrow = band_around(np.linspace(0, 100_000, 100_000), 100, 100_000)
    assert estimate_seconds(100_000, 100_000, 20, band=narrow) < estimate / 10


def test_kernels_work_where_nothing_may_be_kept_on_disk():
    # Code that belongs to no file has no place for numba's cache, like a package and a home that are read-only.
    source = Path(kernels.__file__).read_text(encoding="utf-8")
    module = {"__name__": "kernels without a file"}
    exec(compile(source, "<no file>", "exec"), module)
    path = np.zeros((5, 2), dtype=np.int64)
    steps, origins = np.zeros((3, 3), dtype=np.uint8), np.zeros(1, dtype=np.int64)
    assert module["walk_back"](steps, origins, 0, 0, 2, 2, path, 4) == (-1, -1, 1)
    np.testing.assert_array_equal(path[2:], [[0, 0], [1, 1], [2, 2]])
