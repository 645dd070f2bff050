"""Scores to sound: soundfonts, the FluidSynth library, rendering, and the cache of rendered scores."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
