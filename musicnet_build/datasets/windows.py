"""The former place of :mod:`musicnet_build.packing.windows`."""

from musicnet_build.packing.windows import MusicNetWindows as MusicNetWindows
