"""Imports of libraries that print while they are imported: our standard output is for results."""

import contextlib
import importlib
import io
from types import ModuleType


def quietly_imported(name: str) -> ModuleType:
    """Import a module, and drop what it prints meanwhile.

    pyfluidsynth prints where it found its library when the environment says ``CI``, and pretty_midi imports it.

    Parameters
    ----------
    name : str

    Returns
    -------
    module

    Examples
    --------
    >>> quietly_imported("json").__name__
    'json'
    """
    with contextlib.redirect_stdout(io.StringIO()):
        return importlib.import_module(name)
