"""The former place of :mod:`musicnet_build.packing.thumbnails`."""

from musicnet_build.packing.thumbnails import ThumbnailsReader as ThumbnailsReader
