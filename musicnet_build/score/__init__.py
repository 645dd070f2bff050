"""Scores: what is written, in which order it is played, and how it is read from MIDI files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
