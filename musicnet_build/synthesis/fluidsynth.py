"""The FluidSynth library, found and declared: a thin layer of ctypes over what is called of it.

pyfluidsynth finds the library; its own classes are not used, because they render 16-bit integers and do not say when
a call fails.
"""

import contextlib
import ctypes
import ctypes.util
import functools
import importlib
import importlib.util
import io
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicnet_build.errors import SoundfontError

BLOCK_SAMPLES = 64
"""FluidSynth computes sound in blocks of this size; an event takes effect where the next block starts."""

MAX_CHANNELS = 256

INSTALL_COMMANDS = "`sudo apt-get install libfluidsynth3` or `pip install 'musicnet_build[bundled]'`"
"""Either brings a FluidSynth library; the second needs no root."""

_FAILED = -1
_MELODIC_CHANNEL = 0
_LOG_LEVELS_KEPT = (0, 1, 2)  # panic, error, warning; not information and debugging

_POLYPHONY = 2048  # layered pianos need 900 voices in a dense sonata
_INTEGER_SETTINGS = {
    "synth.reverb.active": 0,
    "synth.chorus.active": 0,
    "synth.polyphony": _POLYPHONY,
    "synth.dynamic-sample-loading": 1,  # load only the presets in use; the sound is the same to the bit
    "synth.threadsafe-api": 0,
    "synth.cpu-cores": 1,
    "synth.lock-memory": 0,
}

_POINTER, _INT, _DOUBLE, _TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_double, ctypes.c_char_p
_LOG_FUNCTION = ctypes.CFUNCTYPE(None, _INT, _TEXT, _POINTER)
_PROTOTYPES: dict[str, tuple[Any, Sequence[Any]]] = {
    "fluid_version_str": (_TEXT, ()),
    "fluid_set_log_function": (_POINTER, (_INT, _LOG_FUNCTION, _POINTER)),
    "new_fluid_settings": (_POINTER, ()),
    "delete_fluid_settings": (None, (_POINTER,)),
    "fluid_settings_setint": (_INT, (_POINTER, _TEXT, _INT)),
    "fluid_settings_setnum": (_INT, (_POINTER, _TEXT, _DOUBLE)),
    "new_fluid_synth": (_POINTER, (_POINTER,)),
    "delete_fluid_synth": (None, (_POINTER,)),
    "fluid_synth_sfload": (_INT, (_POINTER, _TEXT, _INT)),
    "fluid_synth_set_channel_type": (_INT, (_POINTER, _INT, _INT)),
    "fluid_synth_program_select": (_INT, (_POINTER, _INT, _INT, _INT, _INT)),
    "fluid_synth_noteon": (_INT, (_POINTER, _INT, _INT, _INT)),
    "fluid_synth_noteoff": (_INT, (_POINTER, _INT, _INT)),
    "fluid_synth_cc": (_INT, (_POINTER, _INT, _INT, _INT)),
    "fluid_synth_pitch_bend": (_INT, (_POINTER, _INT, _INT)),
    "fluid_synth_get_active_voice_count": (_INT, (_POINTER,)),
    "fluid_synth_write_float": (_INT, (_POINTER, _INT, _POINTER, _INT, _INT, _POINTER, _INT, _INT)),
}

_log = threading.local()


def _keep_message(level: int, message: bytes, data: None) -> None:
    if level in _LOG_LEVELS_KEPT and hasattr(_log, "messages"):
        _log.messages.append(message.decode(errors="replace").strip())


# ctypes keeps no reference to a callback: this name does.
_KEEP_MESSAGE = _LOG_FUNCTION(_keep_message)


class Synth:
    """One FluidSynth synthesizer without effects, to be used as a context manager.

    Every method raises :class:`SoundfontError` when FluidSynth reports a failure.

    Parameters
    ----------
    channels : int
        Channels to play on, 1 to ``MAX_CHANNELS``; all are melodic, so none is taken for drums by its number.
    sample_rate : int
        In Hz.
    gain : float
        Amplitude of everything; FluidSynth's own default is 0.2.
    """

    def __init__(self, channels: int, sample_rate: int, gain: float) -> None:
        self._library = load_library()
        _log.messages = []
        self._settings = self._library.new_fluid_settings()
        for name, value in _INTEGER_SETTINGS.items():
            self._library.fluid_settings_setint(self._settings, name.encode(), value)
        self._must("fluid_settings_setint", self._settings, b"synth.midi-channels", -(-channels // 16) * 16)
        self._must("fluid_settings_setnum", self._settings, b"synth.sample-rate", float(sample_rate))
        self._must("fluid_settings_setnum", self._settings, b"synth.gain", gain)
        self._synth = self._library.new_fluid_synth(self._settings)
        if not self._synth:
            raise SoundfontError(f"FluidSynth cannot start: {self._reason()}.")
        for channel in range(channels):
            self._must("fluid_synth_set_channel_type", self._synth, channel, _MELODIC_CHANNEL)

    def __enter__(self) -> "Synth":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.delete_fluid_synth(self._synth)
        self._library.delete_fluid_settings(self._settings)

    @property
    def messages(self) -> tuple[str, ...]:
        """What FluidSynth warned of in this thread since the synthesizer was made, each once."""
        return tuple(dict.fromkeys(_log.messages))

    def load(self, path: Path) -> int:
        """Load a soundfont and return FluidSynth's number for it."""
        number: int = self._library.fluid_synth_sfload(self._synth, str(path).encode(), 0)
        if number == _FAILED:
            raise SoundfontError(f"FluidSynth cannot load the soundfont {path}: {self._reason()}.")
        return number

    def select(self, channel: int, soundfont: int, bank: int, program: int) -> None:
        """Play a channel with a preset of a loaded soundfont."""
        self._must("fluid_synth_program_select", self._synth, channel, soundfont, bank, program)

    def note_on(self, channel: int, pitch: int, velocity: int) -> bool:
        """Start a note; return whether the preset has any sound for it."""
        voices = self._library.fluid_synth_get_active_voice_count(self._synth)
        self._must("fluid_synth_noteon", self._synth, channel, pitch, velocity)
        # Where no voice is free, one is taken from another note, and the count stays.
        return bool(self._library.fluid_synth_get_active_voice_count(self._synth) > min(voices, _POLYPHONY - 1))

    def note_off(self, channel: int, pitch: int) -> None:
        """Release a key. That nothing sounds there any more is no failure: percussion ends by itself."""
        self._library.fluid_synth_noteoff(self._synth, channel, pitch)

    def control(self, channel: int, number: int, value: int) -> None:
        """Send a controller change."""
        self._must("fluid_synth_cc", self._synth, channel, number, value)

    def pitch_bend(self, channel: int, value: int) -> None:
        """Bend by -8192 to 8191, 0 at rest."""
        self._must("fluid_synth_pitch_bend", self._synth, channel, value + 8192)

    def render(self, left: NDArray[np.float32], right: NDArray[np.float32]) -> None:
        """Fill two arrays of one length with what follows.

        Parameters
        ----------
        left, right : float32 [shape=(n,)]
            Contiguous. Events fall where they should when n is a multiple of ``BLOCK_SAMPLES``.
        """
        addresses = left.ctypes.data, right.ctypes.data
        self._must("fluid_synth_write_float", self._synth, len(left), addresses[0], 0, 1, addresses[1], 0, 1)

    def _must(self, function: str, *arguments: Any) -> None:
        if getattr(self._library, function)(*arguments) == _FAILED:
            shown = ", ".join(map(str, arguments[1:]))
            raise SoundfontError(f"FluidSynth refuses {function}({shown}): {self._reason()}.")

    def _reason(self) -> str:
        return "; ".join(_log.messages).rstrip(".") or "it gives no reason"


def library_version() -> str:
    """Return the version of the FluidSynth library, which the rendered samples depend on."""
    version: bytes = load_library().fluid_version_str()
    return version.decode()


@functools.cache
def load_library() -> ctypes.CDLL:
    """Find the FluidSynth library, declare the functions used here, and keep its messages off the terminal.

    Returns
    -------
    CDLL

    Raises
    ------
    SoundfontError
        When no library is found; the message says how to install one.
    """
    library = ctypes.CDLL(_import_pyfluidsynth().lib)
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    for level in range(5):
        library.fluid_set_log_function(level, _KEEP_MESSAGE, None)
    return library


def _quietly_imported() -> ModuleType:
    """pyfluidsynth prints where it found its library when the environment says ``CI``; our output is for results."""
    with contextlib.redirect_stdout(io.StringIO()):
        return importlib.import_module("fluidsynth")


def _import_pyfluidsynth() -> ModuleType:
    """Import pyfluidsynth, which looks for the library as it is imported and fails when there is none."""
    try:
        return _quietly_imported()
    except (ImportError, OSError) as error:
        bundled = _bundled_library()
        if bundled is None:
            raise SoundfontError(f"FluidSynth's library was not found: install it with {INSTALL_COMMANDS}.") from error
        return _import_pyfluidsynth_with(bundled)


def _bundled_library() -> Path | None:
    """Return the library that the pygame-ce wheel carries (extra ``bundled``), without importing pygame."""
    spec = importlib.util.find_spec("pygame")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    folders = (package.parent / "pygame_ce.libs", package / ".dylibs")
    return next((path for folder in folders for path in sorted(folder.glob("libfluidsynth*"))), None)


def _import_pyfluidsynth_with(library: Path) -> ModuleType:
    """Answer pyfluidsynth's search for the library, which takes no path, while it is imported."""
    search = ctypes.util.find_library
    ctypes.util.find_library = lambda name: str(library)
    try:
        return _quietly_imported()
    except (ImportError, OSError) as error:
        raise SoundfontError(f"{library} cannot be loaded ({error}): install {INSTALL_COMMANDS}.") from error
    finally:
        ctypes.util.find_library = search
