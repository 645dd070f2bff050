"""Work that other cores do meanwhile.

For calls that release the interpreter's lock most of the time: decoding, hashing, spectra, synthesis. What belongs
here is nothing but starting them and waiting for them.
"""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Item = TypeVar("Item")
Result = TypeVar("Result")

_BACKGROUND = "background"


def in_background(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **keywords: Arguments.kwargs
) -> "Future[Result]":
    """Call a function in a thread of its own.

    A program does not end before the thread does: an interpreter that goes away under a native call crashes. Who cannot
    wait asks :func:`in_flight`, and leaves by ``os._exit``.

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

    threading.Thread(target=call, name=f"{_BACKGROUND} {getattr(function, '__name__', 'call')}").start()
    return future


def in_flight() -> bool:
    """Return whether a call of :func:`in_background` has not ended yet."""
    return any(thread.name.startswith(_BACKGROUND) for thread in threading.enumerate())


def on_all_cores(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call a function with each item, in as many threads as may be used.

    Parameters
    ----------
    function : callable
    items : iterable
        All are taken before the first call ends.

    Returns
    -------
    list
        What the function returns, in the order of the items. What it raises is raised.
    """
    with ThreadPoolExecutor(thread_count()) as threads:
        return list(threads.map(function, items))


def thread_count() -> int:
    """Return how many threads may be used: what ``OMP_NUM_THREADS`` says, else one per available processor."""
    if (wanted := os.environ.get("OMP_NUM_THREADS", "")).isdecimal():
        return max(1, int(wanted))
    return available_processors()


def available_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
