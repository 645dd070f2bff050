"""Exact dynamic time warping in bounded memory, and the time map of a warping path.

The room is callable: ``from musicnet_build import dtw`` and ``from musicnet_build.dtw import dtw`` both warp.
"""

import sys
from types import ModuleType
from typing import Any

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _CallableRoom(ModuleType):
    """A package that does what the function of its name does."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.dtw(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableRoom
