"""The former place of :mod:`musicnet_build.synthesis.soundfonts`."""

from musicnet_build.synthesis.soundfonts import Soundfont as Soundfont
from musicnet_build.synthesis.soundfonts import choose_soundfont as choose_soundfont
from musicnet_build.synthesis.soundfonts import find_soundfonts as find_soundfonts
