"""Labelled notes: label files, both ways, and frame-wise targets."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
