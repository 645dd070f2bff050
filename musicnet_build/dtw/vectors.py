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

from llvmlite import ir
from numba import types
from numba.core import cgutils as numba_cgutils

from musicnet_build.jit import intrinsic

cgutils: Any = numba_cgutils  # whose functions have no types

ROWS_AT_ONCE = 4
STRIP = 16
"""Columns at once; features of columns are stored in strips of so many."""

_WIDTH = 8
_LANE = ir.FloatType()
_VECTOR = ir.VectorType(_LANE, _WIDTH)
_INDEX = ir.IntType(32)

# Each round of a transposition takes pairs of vectors to two vectors: places in the pair, 8 and more in the second.
_ROUNDS = (
    (1, (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
    (2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    (4, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)
_ORDER = (0, 2, 1, 3, 4, 6, 5, 7)  # in which these rounds leave the columns


class _Writer:
    """Writes vector instructions on numba's arrays."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.context, self.builder, self.signature, self.arguments = context, builder, signature, arguments
        self._size = context.get_value_type(types.intp)

    def number(self, value: int) -> Any:
        return ir.Constant(self._size, value)

    def index(self, argument: int) -> Any:
        """An integer argument, as wide as a pointer."""
        given = self.signature.args[argument]
        return self.context.cast(self.builder, self.arguments[argument], given, types.intp)

    def array(self, argument: int) -> Any:
        kind = self.context.make_array(self.signature.args[argument])
        return kind(self.context, self.builder, self.arguments[argument])

    def shape(self, array: Any, axis: int) -> Any:
        return self.builder.extract_value(array.shape, axis)

    def moved(self, pointer: Any, *steps: Any) -> Any:
        """A pointer moved on by a sum of products of indices."""
        for step in steps:
            factors = step if isinstance(step, tuple) else (step, self.number(1))
            pointer = self.builder.gep(pointer, [self.builder.mul(*factors)])
        return pointer

    def load(self, pointer: Any) -> Any:
        loaded = self.builder.load(self.builder.bitcast(pointer, _VECTOR.as_pointer()))
        loaded.align = 4
        return loaded

    def store(self, vector: Any, pointer: Any) -> None:
        self.builder.store(vector, self.builder.bitcast(pointer, _VECTOR.as_pointer())).align = 4

    def shuffled(self, first: Any, second: Any, places: tuple[int, ...]) -> Any:
        return self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_INDEX, _WIDTH), list(places)))

    def spread(self, pointer: Any) -> Any:
        """One number in all lanes."""
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        lane = self.builder.insert_element(undefined, self.builder.load(pointer), ir.Constant(_INDEX, 0))
        return self.shuffled(lane, undefined, (0,) * _WIDTH)

    def variable(self, value: Any) -> Any:
        """A place for a vector, which the compiler makes a register."""
        place = cgutils.alloca_once(self.builder, _VECTOR)
        self.builder.store(value, place)
        return place

    def keep_rolled(self) -> None:
        """Keep a loop as it is, by an empty call: unrolled, it would need more registers than there are."""
        self.builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)

    def call(self, name: str, *vectors: Any) -> Any:
        """An operation of LLVM on whole vectors."""
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(vectors))
        whole = f"llvm.{name}.v{_WIDTH}f32"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, whole), vectors)


def _are_plain(*arrays: Any) -> bool:
    return all(
        isinstance(array, types.Array) and array.layout == "C" and array.dtype == types.float32 for array in arrays
    )


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
    if not _are_plain(X, strips, cost):
        return None
    index = types.intp
    return types.void(X, strips, index, index, cost, index, index), _write_distances


def _write_distances(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = _Writer(context, builder, signature, arguments)
    X, strips, cost = write.array(0), write.array(1), write.array(4)
    row, strip, r, column = (write.index(argument) for argument in (2, 3, 5, 6))
    dimensions, stride = write.shape(X, 1), write.shape(cost, 1)
    rows = [write.moved(X.data, (builder.add(row, write.number(k)), dimensions)) for k in range(ROWS_AT_ONCE)]
    columns = write.moved(strips.data, (strip, builder.mul(dimensions, write.number(STRIP))))
    halves = range(0, STRIP, _WIDTH)
    sums = [[write.variable(ir.Constant(_VECTOR, None)) for _ in halves] for _ in rows]
    with cgutils.for_range(builder, dimensions) as loop:
        write.keep_rolled()
        here = write.moved(columns, (loop.index, write.number(STRIP)))
        values = [write.load(write.moved(here, write.number(half))) for half in halves]
        for start, totals in zip(rows, sums, strict=True):
            own = write.spread(write.moved(start, loop.index))
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
    if not _are_plain(cost, skewed):
        return None
    return types.void(cost, types.intp, types.intp, skewed, types.intp), _write_skewed


def _write_skewed(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    write = _Writer(context, builder, signature, arguments)
    cost, skewed = write.array(0), write.array(3)
    r, column, step = (write.index(argument) for argument in (1, 2, 4))
    stride, lanes = write.shape(cost, 1), write.shape(skewed, 1)
    start = write.moved(cost.data, (r, stride), column)
    back = builder.sub(stride, write.number(1))
    vectors = [write.load(write.moved(start, (write.number(k), back))) for k in range(_WIDTH)]
    for apart, low, high in _ROUNDS:
        for first in (k for k in range(_WIDTH) if not k & apart):
            pair = vectors[first], vectors[first + apart]
            vectors[first], vectors[first + apart] = write.shuffled(*pair, low), write.shuffled(*pair, high)
    for s, place in enumerate(_ORDER):
        write.store(vectors[place], write.moved(skewed.data, (builder.add(step, write.number(s)), lanes), r))
    return context.get_dummy_value()
