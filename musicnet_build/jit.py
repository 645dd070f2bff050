"""Compiling numerical functions with numba, and keeping the machine code on disk where there is a place for it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils as numba_cgutils
from numba.extending import intrinsic as numba_intrinsic

cgutils: Any = numba_cgutils  # whose functions have no types

VECTOR_WIDTH = 8
_LANE = ir.FloatType()
_VECTOR = ir.VectorType(_LANE, VECTOR_WIDTH)
_INDEX = ir.IntType(32)
# Each round of a transposition takes pairs of vectors to two vectors: places in the pair, 8 and more in the second.
_ROUNDS = (
    (1, (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
    (2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    (4, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)
_ORDER = (0, 2, 1, 3, 4, 6, 5, 7)  # in which these rounds leave the columns

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function, fastmath: bool | set[str] = False) -> Function:
    """Compile a function on its first call; other threads run while it does.

    Parameters
    ----------
    function : callable
        On arrays and numbers, in what numba compiles without the interpreter.
    fastmath : bool or set of str
        Liberties that the compiler may take with floating-point arithmetic, as LLVM names them.

    Returns
    -------
    callable
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    try:
        return cast(Function, njit(cache=True, **options)(function))
    except RuntimeError:  # neither the package's folder nor one of the user's can be written: nothing is kept
        return cast(Function, njit(**options)(function))


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of kernels that is written in the compiler's own terms.

    Parameters
    ----------
    function : callable
        Returns a signature and what writes the code for it, as numba's ``intrinsic`` wants them.

    Returns
    -------
    callable
        Called by kernels without the first argument, the typing context.
    """
    return cast(Callable[..., Any], numba_intrinsic(function))


def are_plain(*arrays: Any) -> bool:
    """Return whether numba's types are those of float32 arrays whose rows follow each other without gaps."""
    return all(isinstance(kind, types.Array) and kind.layout == "C" and kind.dtype == types.float32 for kind in arrays)


class VectorWriter:
    """Writes vector instructions on numba's arrays, for an ``intrinsic``.

    A vector of ``VECTOR_WIDTH`` float32 becomes what a processor has: one AVX register, two of SSE or NEON.

    Parameters
    ----------
    context, builder, signature, arguments
        What numba hands to what writes the code.
    """

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
        return self.builder.shuffle_vector(
            first, second, ir.Constant(ir.VectorType(_INDEX, VECTOR_WIDTH), list(places))
        )

    def transposed(self, vectors: list[Any]) -> list[Any]:
        """As many vectors as they are wide: the first of the result has the first lane of each."""
        vectors = list(vectors)
        for apart, low, high in _ROUNDS:
            for first in (k for k in range(VECTOR_WIDTH) if not k & apart):
                pair = vectors[first], vectors[first + apart]
                vectors[first], vectors[first + apart] = self.shuffled(*pair, low), self.shuffled(*pair, high)
        return [vectors[place] for place in _ORDER]

    def spread(self, pointer: Any) -> Any:
        """One number in all lanes."""
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        lane = self.builder.insert_element(undefined, self.builder.load(pointer), ir.Constant(_INDEX, 0))
        return self.shuffled(lane, undefined, (0,) * VECTOR_WIDTH)

    def variable(self, value: Any) -> Any:
        """A place for a vector, which the compiler makes a register."""
        place = cgutils.alloca_once(self.builder, _VECTOR)
        self.builder.store(value, place)
        return place

    def zero(self) -> Any:
        """A vector of zeros."""
        return ir.Constant(_VECTOR, None)

    @contextlib.contextmanager
    def turns(self, count: Any) -> Iterator[Any]:
        """A loop; gives the number of the turn. An empty call in it keeps the compiler from unrolling it, which would
        take more registers than there are."""
        with cgutils.for_range(self.builder, count) as loop:
            self.builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)
            yield loop.index

    def call(self, name: str, *vectors: Any) -> Any:
        """An operation of LLVM on whole vectors."""
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(vectors))
        whole = f"llvm.{name}.v{VECTOR_WIDTH}f32"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, whole), vectors)
