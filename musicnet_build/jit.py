"""Compiling numerical functions with numba, and keeping the machine code on disk where there is a place for it."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.extending import intrinsic as numba_intrinsic

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
