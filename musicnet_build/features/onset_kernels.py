"""The convolution of the onset network, nine tenths of its work, as vector instructions.

Six sums over sixteen frames stay in registers while all channels and taps are added: a product by BLAS would need every
frame copied once for each tap.
"""

from typing import Any

import numpy as np
from numba import types

from musicnet_build._typing import Float32s
from musicnet_build.jit import VECTOR_WIDTH, VectorWriter, are_plain, intrinsic, kernel

SUMS_AT_ONCE = 6
FRAMES_AT_ONCE = 16


def packed_taps(taps: Float32s) -> Float32s:
    """Return the weights of a convolution in the order in which they are used.

    Parameters
    ----------
    taps : ndarray of float32 [shape=(taps, channels, hidden)]

    Returns
    -------
    ndarray of float32 [shape=(groups, channels, taps, SUMS_AT_ONCE)]
        The last group is filled up with zeros.
    """
    count, channels, hidden = taps.shape
    filled = np.zeros((count, channels, -(-hidden // SUMS_AT_ONCE) * SUMS_AT_ONCE), np.float32)
    filled[:, :, :hidden] = taps
    return np.ascontiguousarray(filled.reshape(count, channels, -1, SUMS_AT_ONCE).transpose(2, 1, 0, 3))


@kernel
def convolved(channels: Float32s, weights: Float32s) -> Float32s:
    """Return the convolution of all channels.

    Parameters
    ----------
    channels : ndarray of float32 [shape=(channels, frames + taps - 1)]
        Frames a multiple of FRAMES_AT_ONCE.
    weights : ndarray of float32 [shape=(groups, channels, taps, SUMS_AT_ONCE)]
        As ``packed_taps`` gives them.

    Returns
    -------
    ndarray of float32 [shape=(groups * SUMS_AT_ONCE, frames)]
    """
    groups, frames = weights.shape[0], channels.shape[1] - weights.shape[2] + 1
    sums = np.empty((groups * SUMS_AT_ONCE, frames), np.float32)
    for frame in range(0, frames, FRAMES_AT_ONCE):
        for group in range(groups):
            _add_products(channels, weights, group, frame, sums)
    return sums


@intrinsic
def _add_products(typing: Any, channels: Any, weights: Any, group: Any, frame: Any, sums: Any) -> Any:
    """Write the sums of a group for FRAMES_AT_ONCE frames."""
    del group, frame
    if not are_plain(channels, weights, sums):
        return None
    return types.void(channels, weights, types.intp, types.intp, sums), _write_products


def _write_products(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    channels, weights, sums = write.array(0), write.array(1), write.array(4)
    group, frame = write.index(2), write.index(3)
    taps, size = write.shape(weights, 2), write.number(SUMS_AT_ONCE)
    heard = write.moved(channels.data, frame)
    own = write.moved(weights.data, (group, builder.mul(builder.mul(write.shape(weights, 1), taps), size)))
    halves = range(0, FRAMES_AT_ONCE, VECTOR_WIDTH)
    totals = [[write.variable(write.zero()) for _ in halves] for _ in range(SUMS_AT_ONCE)]
    with write.turns(write.shape(weights, 1)) as channel:
        row = write.moved(heard, (channel, write.shape(channels, 1)))
        factors = write.moved(own, (channel, builder.mul(taps, size)))
        with write.turns(taps) as tap:
            here = write.moved(row, tap)
            values = [write.load(write.moved(here, write.number(half))) for half in halves]
            for k, pair in enumerate(totals):
                factor = write.spread(write.moved(factors, (tap, size), write.number(k)))
                for total, value in zip(pair, values, strict=True):
                    builder.store(write.call("fmuladd", factor, value, builder.load(total)), total)
    for k, pair in enumerate(totals):
        place = builder.add(builder.mul(group, size), write.number(k))
        start = write.moved(sums.data, (place, write.shape(sums, 1)), frame)
        for half, total in zip(halves, pair, strict=True):
            write.store(builder.load(total), write.moved(start, write.number(half)))
    return context.get_dummy_value()
