"""Two inner loops as vector instructions, which numba's compiler does not find in plain loops by itself.

They are written in LLVM's terms: vectors of eight float32, which become one AVX register, two of SSE or NEON. What
belongs here computes on memory and decides nothing; callers see to it that all indices lie inside the arrays, whose
rows follow each other without gaps.

* ``square_roots_of_squares`` keeps the sums of 4 rows by 16 columns in registers over all dimensions: a value is loaded
  once for four rows or two vectors of columns, and no sum is ever written before it is whole.
* ``skew`` turns 8 rows by 8 columns so that cells on an anti-diagonal lie side by side, by the usual three rounds of
  shuffles of a transposition.
"""

from typing import Any

from numba import types

from musicnet_build.jit import VECTOR_WIDTH, VectorWriter, are_plain, intrinsic

ROWS_AT_ONCE = 4
STRIP = 16
"""Columns at once; features of columns are stored in strips of so many."""


@intrinsic
def square_roots_of_squares(
    typing: Any, X: Any, strips: Any, row: Any, strip: Any, cost: Any, r: Any, column: Any
) -> Any:
    """Write the distances of four rows to the columns of a strip.

    Parameters
    ----------
    X [shape=(rows, d)], strips [shape=(strips, d, STRIP)] : float32
    row, strip : int
        The first of the four rows, and the strip.
    cost [shape=(rows, columns)] : float32
        Where to write to, from ``cost[r, column]`` on.
    """
    del row, strip, r, column
    if not are_plain(X, strips, cost):
        return None
    index = types.intp
    return types.void(X, strips, index, index, cost, index, index), _write_distances


def _write_distances(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    X, strips, cost = write.array(0), write.array(1), write.array(4)
    row, strip, r, column = (write.index(argument) for argument in (2, 3, 5, 6))
    dimensions, stride = write.shape(X, 1), write.shape(cost, 1)
    rows = [write.moved(X.data, (builder.add(row, write.number(k)), dimensions)) for k in range(ROWS_AT_ONCE)]
    columns = write.moved(strips.data, (strip, builder.mul(dimensions, write.number(STRIP))))
    halves = range(0, STRIP, VECTOR_WIDTH)
    sums = [[write.variable(write.zero()) for _ in halves] for _ in rows]
    with write.turns(dimensions) as turn:
        here = write.moved(columns, (turn, write.number(STRIP)))
        values = [write.load(write.moved(here, write.number(half))) for half in halves]
        for start, totals in zip(rows, sums, strict=True):
            own = write.spread(write.moved(start, turn))
            for total, value in zip(totals, values, strict=True):
                difference = builder.fsub(own, value)
                builder.store(write.call("fmuladd", difference, difference, builder.load(total)), total)
    for k, totals in enumerate(sums):
        start = write.moved(cost.data, (builder.add(r, write.number(k)), stride), column)
        for half, total in zip(halves, totals, strict=True):
            write.store(write.call("sqrt", builder.load(total)), write.moved(start, write.number(half)))
    return context.get_dummy_value()


@intrinsic
def skew(typing: Any, cost: Any, r: Any, column: Any, skewed: Any, step: Any) -> Any:
    """Write ``cost[r + k, column + s - k]`` to ``skewed[step + s, r + k]`` for k and s from 0 to 7."""
    del r, column, step
    if not are_plain(cost, skewed):
        return None
    return types.void(cost, types.intp, types.intp, skewed, types.intp), _write_skewed


def _write_skewed(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = VectorWriter(context, builder, signature, arguments)
    cost, skewed = write.array(0), write.array(3)
    r, column, step = (write.index(argument) for argument in (1, 2, 4))
    stride, lanes = write.shape(cost, 1), write.shape(skewed, 1)
    start = write.moved(cost.data, (r, stride), column)
    back = builder.sub(stride, write.number(1))
    vectors = [write.load(write.moved(start, (write.number(k), back))) for k in range(VECTOR_WIDTH)]
    for s, vector in enumerate(write.transposed(vectors)):
        write.store(vector, write.moved(skewed.data, (builder.add(step, write.number(s)), lanes), r))
    return context.get_dummy_value()
