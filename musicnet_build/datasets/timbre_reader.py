"""The former place of :mod:`musicnet_build.packing.timbre.reader`."""

from musicnet_build.packing.timbre.reader import TimbreFrames as TimbreFrames
