"""The former place of :mod:`musicnet_build.packing.timbre_reader`."""

from musicnet_build.packing.timbre_reader import TimbreFrames as TimbreFrames
