"""Amplitudes in bands, for eight frames at a time: what of a spectrogram takes time, as vector instructions.

A vector holds the same place of eight frames, so that a transform never looks sideways: numbers under a window are laid
that way by a transposition, transformed by radix 4 with real and imaginary parts apart, and summed band by band.

The transform works in place, from the widest sums to the narrowest, and ``Plan.places`` tells where it leaves each
frequency (W. M. Gentleman and G. Sande, "Fast Fourier transforms: for fun and profit", AFIPS 1966). Two samples in a
row are real and imaginary part of one number, so it has half as many points as the window.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import types

from musicnet_build._typing import Float32s, Int64s
from musicnet_build.jit import VECTOR_WIDTH, VectorWriter, are_plain, intrinsic, kernel

FRAMES_AT_ONCE = VECTOR_WIDTH


class Plan(NamedTuple):
    """What transforms of one length need.

    Attributes
    ----------
    window : float32 [shape=(n,)]
        Half of ``sine_window``: bins are sums of two numbers, not their means.
    roots : float32 [shape=(2, n)]
        Real and imaginary parts of the powers of exp(-2 pi i / n).
    places : int64 [shape=(n // 2 + 1,)]
        Where the transform leaves each frequency; the last is the first again.
    """

    window: Float32s
    roots: Float32s
    places: Int64s


@lru_cache(maxsize=16)
def plan_of(length: int) -> Plan:
    """Return the plan for windows of a length: a power of two, 16 at least."""
    if length < 2 * FRAMES_AT_ONCE or length & (length - 1):
        raise ValueError(f"a window has a power of two of samples, {2 * FRAMES_AT_ONCE} at least, not {length}.")
    roots = np.exp(-2j * np.pi * np.arange(length) / length)
    places = np.argsort(_frequencies(length // 2))
    return Plan(
        np.float32(0.5) * sine_window(length),
        np.stack([roots.real, roots.imag]).astype(np.float32),
        np.append(places, places[0]),
    )


@lru_cache(maxsize=16)
def sine_window(length: int) -> Float32s:
    """Return a Hann window that gives a sine its amplitude.

    Parameters
    ----------
    length : int
        In samples.

    Returns
    -------
    ndarray of float32 [shape=(length,)]
        Their sum is 2.
    """
    window = np.hanning(length + 1)[:-1].astype(np.float32)  # periodic: the transform's frame closes on itself
    window *= np.float32(2.0 / window.sum(dtype=np.float64))
    return window


def _frequencies(points: int) -> Int64s:
    """The frequency at each place behind a transform."""
    if points < 4:
        return np.arange(points)
    quarter = 4 * _frequencies(points // 4)
    return np.concatenate([quarter + k for k in range(4)])


@kernel
def band_amplitudes(signal: Float32s, hop: int, plan: Plan, bank: Float32s, bands_of: Int64s, bands: Float32s) -> None:
    """Write the amplitudes of frames, summed in bands.

    A bin adds to two or three bands, so this is a fiftieth of the work of a product with the whole filterbank.

    Parameters
    ----------
    signal : float32 [shape=(at least (frames - 1) * hop + n,)]
        Frames a multiple of FRAMES_AT_ONCE.
    hop : int
        Samples from one frame to the next.
    plan : Plan
        For windows of n samples.
    bank : float32 [shape=(n // 2 + 1, bands)]
    bands_of : int64 [shape=(n // 2 + 1, 2)]
        Half-open range of the bands that each bin adds to.
    bands : float32 [shape=(frames, bands)]
        Written.
    """
    real = np.empty((len(plan.window) // 2, FRAMES_AT_ONCE), np.float32)
    imaginary = np.empty_like(real)
    sums = np.empty((bank.shape[1], FRAMES_AT_ONCE), np.float32)
    for frame in range(0, len(bands), FRAMES_AT_ONCE):
        for sample in range(0, len(plan.window), VECTOR_WIDTH):
            _lay(signal, frame * hop, hop, sample, plan.window, real, imaginary)
        _transform(real, imaginary, plan.roots)
        sums[:] = 0
        for k in range(len(bands_of)):
            if bands_of[k, 0] < bands_of[k, 1]:
                place, mirrored = plan.places[k], plan.places[len(plan.places) - 1 - k]
                first, stop = bands_of[k]
                _add_bin(real, imaginary, plan.roots, place, mirrored, k, bank, first, stop, sums)
        for k in range(FRAMES_AT_ONCE):
            for band in range(bands.shape[1]):
                bands[frame + k, band] = sums[band, k]


@kernel
def _transform(real: Float32s, imaginary: Float32s, roots: Float32s) -> None:
    """Transform in place: the first stage, then each quarter, which fits into the nearest cache, to its end."""
    points = len(real)
    _stage(real, imaginary, roots, 0, points, points)
    quarter = points // 4
    for start in range(0, points, quarter):
        size = quarter
        while size >= 4:
            _stage(real, imaginary, roots, start, start + quarter, size)
            size //= 4
        if size == 2:
            for at in range(start, start + quarter, 2):
                _add_pair(real, imaginary, at)


@kernel
def _stage(real: Float32s, imaginary: Float32s, roots: Float32s, start: int, stop: int, size: int) -> None:
    apart, step = size // 4, roots.shape[1] // size
    for first in range(start, stop, size):
        for k in range(apart):
            _add_four(real, imaginary, roots, first + k, apart, k * step)


@intrinsic
def _lay(typing: Any, signal: Any, start: Any, hop: Any, sample: Any, window: Any, real: Any, imaginary: Any) -> Any:
    """Write eight samples of eight frames under the window."""
    del start, hop, sample
    if not are_plain(signal, window, real, imaginary):
        return None
    index = types.intp
    return types.void(signal, index, index, index, window, real, imaginary), _write_laid


def _write_laid(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    signal, window, real, imaginary = (write.array(k) for k in (0, 4, 5, 6))
    start, hop, sample = (write.index(k) for k in (1, 2, 3))
    factors = write.load(write.moved(window.data, sample))
    frame = write.moved(signal.data, start, sample)
    rows = [builder.fmul(write.load(write.moved(frame, (write.number(k), hop))), factors) for k in range(VECTOR_WIDTH)]
    pair = builder.lshr(sample, write.number(1))
    for k, column in enumerate(write.transposed(rows)):
        part = (real, imaginary)[k % 2]
        place = builder.add(pair, write.number(k // 2))
        write.store(column, write.moved(part.data, (place, write.number(VECTOR_WIDTH))))
    return context.get_dummy_value()


@intrinsic
def _add_four(typing: Any, real: Any, imaginary: Any, roots: Any, first: Any, apart: Any, power: Any) -> Any:
    """Replace four numbers by their sums, turned by powers of a root."""
    del first, apart, power
    if not are_plain(real, imaginary, roots):
        return None
    return types.void(real, imaginary, roots, types.intp, types.intp, types.intp), _write_four


def _write_four(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    real, imaginary, roots = (write.array(k) for k in range(3))
    first, apart, power = (write.index(k) for k in (3, 4, 5))
    lanes = write.number(VECTOR_WIDTH)
    places = [(builder.add(first, builder.mul(apart, write.number(k))), lanes) for k in range(4)]
    pointers = [[write.moved(part.data, place) for part in (real, imaginary)] for place in places]
    a, b, c, d = ([write.load(pointer) for pointer in pair] for pair in pointers)
    add, sub = builder.fadd, builder.fsub
    ac, a_c = [add(*x) for x in zip(a, c, strict=True)], [sub(*x) for x in zip(a, c, strict=True)]
    bd, b_d = [add(*x) for x in zip(b, d, strict=True)], [sub(*x) for x in zip(b, d, strict=True)]
    turned = (
        [add(a_c[0], b_d[1]), sub(a_c[1], b_d[0])],
        [sub(ac[0], bd[0]), sub(ac[1], bd[1])],
        [sub(a_c[0], b_d[1]), add(a_c[1], b_d[0])],
    )
    sums = [[add(ac[0], bd[0]), add(ac[1], bd[1])]]
    for k, number in enumerate(turned, 1):
        sums.append(_product(write, number, _root(write, roots, builder.mul(power, write.number(k)))))
    for number, pair in zip(sums, pointers, strict=True):
        for value, pointer in zip(number, pair, strict=True):
            write.store(value, pointer)
    return context.get_dummy_value()


@intrinsic
def _add_pair(typing: Any, real: Any, imaginary: Any, first: Any) -> Any:
    """Replace two numbers by their sum and their difference."""
    del first
    if not are_plain(real, imaginary):
        return None
    return types.void(real, imaginary, types.intp), _write_pair


def _write_pair(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    first = write.index(2)
    for part in (write.array(0), write.array(1)):
        start = write.moved(part.data, (first, write.number(VECTOR_WIDTH)))
        behind = write.moved(start, write.number(VECTOR_WIDTH))
        one, other = write.load(start), write.load(behind)
        write.store(builder.fadd(one, other), start)
        write.store(builder.fsub(one, other), behind)
    return context.get_dummy_value()


@intrinsic
def _add_bin(
    typing: Any,
    real: Any,
    imaginary: Any,
    roots: Any,
    place: Any,
    mirrored: Any,
    k: Any,
    bank: Any,
    first: Any,
    stop: Any,
    sums: Any,
) -> Any:
    """Add the amplitude of a bin to its bands: of the bin of the real signal, from two of the transform."""
    del place, mirrored, k, first, stop
    if not are_plain(real, imaginary, roots, bank, sums):
        return None
    index = types.intp
    return types.void(real, imaginary, roots, index, index, index, bank, index, index, sums), _write_bin


def _write_bin(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    real, imaginary, roots, bank, sums = (write.array(argument) for argument in (0, 1, 2, 6, 9))
    place, mirrored, k, first, stop = (write.index(argument) for argument in (3, 4, 5, 7, 8))
    lanes = write.number(VECTOR_WIDTH)
    here, there = (
        [write.load(write.moved(part.data, (at, lanes))) for part in (real, imaginary)] for at in (place, mirrored)
    )
    add, sub = builder.fadd, builder.fsub
    even = [add(here[0], there[0]), sub(here[1], there[1])]
    odd = [sub(here[0], there[0]), add(here[1], there[1])]
    turned = _product(write, odd, _root(write, roots, k))
    value = [add(even[0], turned[1]), sub(even[1], turned[0])]
    amplitude = write.call("sqrt", write.call("fmuladd", value[0], value[0], builder.fmul(value[1], value[1])))
    weights = write.moved(bank.data, (k, write.shape(bank, 1)), first)
    totals = write.moved(sums.data, (first, lanes))
    with write.turns(builder.sub(stop, first)) as turn:
        total = write.moved(totals, (turn, lanes))
        weight = write.spread(write.moved(weights, turn))
        write.store(write.call("fmuladd", weight, amplitude, write.load(total)), total)
    return context.get_dummy_value()


def _root(write: VectorWriter, roots: Any, power: Any) -> list[Any]:
    pointer = write.moved(roots.data, power)
    return [write.spread(pointer), write.spread(write.moved(pointer, write.shape(roots, 1)))]


def _product(write: VectorWriter, one: list[Any], other: list[Any]) -> list[Any]:
    builder = write.builder
    return [
        write.call("fmuladd", one[0], other[0], builder.fneg(builder.fmul(one[1], other[1]))),
        write.call("fmuladd", one[0], other[1], builder.fmul(one[1], other[0])),
    ]
