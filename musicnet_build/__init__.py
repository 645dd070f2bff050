"""From recordings and MIDI scores to note-labelled audio that can be trusted.

Importing the package does no work and imports nothing heavy: take what you need from its modules, for example
``from musicnet_build.dtw import dtw``.
"""

__version__ = "0.1.0"
