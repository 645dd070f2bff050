"""The former place of :mod:`musicnet_build.packing.segments`."""

from musicnet_build.packing.segments import SegmentsReader as SegmentsReader
