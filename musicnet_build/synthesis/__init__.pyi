from .cache import cached_synthesize as cached_synthesize
from .render import Synthesis as Synthesis
from .render import synthesize as synthesize
from .soundfonts import Soundfont as Soundfont
from .soundfonts import choose_soundfont as choose_soundfont
from .soundfonts import find_soundfonts as find_soundfonts
