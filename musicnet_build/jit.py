"""Compiling numerical functions with numba, and keeping the machine code on disk where there is a place for it."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

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
