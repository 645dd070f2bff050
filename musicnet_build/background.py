"""Work that another core does meanwhile.

For calls that release the interpreter's lock most of the time: decoding, hashing, spectra, synthesis. What belongs
here is nothing but starting one and waiting for it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def in_background(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **keywords: Arguments.kwargs
) -> "Future[Result]":
    """Call a function in a thread of its own.

    The thread is a daemon: a program that is interrupted does not wait for it.

    Parameters
    ----------
    function : callable
    *arguments, **keywords
        What to call it with.

    Returns
    -------
    Future
        ``result()`` waits, and returns what the function returns or raises what it raises.
    """
    future: Future[Result] = Future()

    def call() -> None:
        try:
            future.set_result(function(*arguments, **keywords))
        except BaseException as error:  # handed on, whatever it is: the caller waits for either
            future.set_exception(error)

    threading.Thread(target=call, daemon=True, name=f"background {getattr(function, '__name__', 'call')}").start()
    return future
