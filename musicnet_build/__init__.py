"""From recordings and scores to note-labelled audio that can be trusted.

Importing the package does no work and imports nothing heavy: the names below are loaded when they are first used.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
