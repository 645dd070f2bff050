"""The former place of :mod:`musicnet_build.packing.frames`."""

from musicnet_build.packing.frames import FramesReader as FramesReader
