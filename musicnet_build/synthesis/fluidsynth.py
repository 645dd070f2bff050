"""FluidSynth through pyfluidsynth, which finds and loads the library and owns the synthesizer.

Added here is what pyfluidsynth has not: floating-point output (its ``get_samples`` is 16 bits wide and clips), channels
that are all melodic, the library's messages kept off the terminal, and an error for every call that fails (it hands
the return codes on, or drops them).
"""

import contextlib
import ctypes
import ctypes.util
import functools
import importlib
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any

from musicnet_build._typing import Audio
from musicnet_build.errors import SoundfontError
from musicnet_build.quiet import quietly_imported

BLOCK_SAMPLES = 64
"""FluidSynth computes sound in blocks of this size; an event takes effect where the next block starts."""

MAX_CHANNELS = 256

_LIBRARY_FILES = ("libfluidsynth.so.3", "libfluidsynth.3.dylib")

INSTALL_COMMANDS = "`sudo apt-get install libfluidsynth3` or `pip install 'musicnet_build[bundled]'`"
"""Either brings a FluidSynth library; the second needs no root."""

_FAILED = -1
_MELODIC_CHANNEL = 0
_LOG_LEVELS_KEPT = (0, 1, 2)  # panic, error, warning; not information and debugging

FEW_VOICES, MOST_VOICES = 256, 2048
"""Layered pianos need 900 voices in a dense sonata; but FluidSynth looks at all of them at every event."""

_SETTINGS = {
    "synth.reverb.active": 0,
    "synth.chorus.active": 0,
    "synth.dynamic-sample-loading": 1,  # load only the presets in use; the sound is the same to the bit
    "synth.threadsafe-api": 0,
    "synth.cpu-cores": 1,
    "synth.lock-memory": 0,
}

_POINTER, _INT, _TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
_LOG_FUNCTION = ctypes.CFUNCTYPE(None, _INT, _TEXT, _POINTER)
# What is called and pyfluidsynth does not declare: results and arguments, as in fluidsynth.h.
_PROTOTYPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "fluid_version_str": (_TEXT, {}),
    "fluid_set_log_function": (_POINTER, {"level": _INT, "fun": _LOG_FUNCTION, "data": _POINTER}),
    "fluid_synth_set_channel_type": (_INT, {"synth": _POINTER, "chan": _INT, "type": _INT}),
    "fluid_synth_write_float": (
        _INT,
        {"synth": _POINTER, "len": _INT}
        | {"lout": _POINTER, "loff": _INT, "lincr": _INT}
        | {"rout": _POINTER, "roff": _INT, "rincr": _INT},
    ),
}

_log = threading.local()


def _keep_message(level: int, message: bytes, data: None) -> None:
    if level in _LOG_LEVELS_KEPT and hasattr(_log, "messages"):
        _log.messages.append(message.decode(errors="replace").strip())


# ctypes keeps no reference to a callback: this name does.
_KEEP_MESSAGE = _LOG_FUNCTION(_keep_message)


class OutOfVoicesError(SoundfontError):
    """A note took the last of fewer than ``MOST_VOICES``: the next one would take a voice from another note."""


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
    voices : int
        How many may sound at a time; none of the sound depends on it before they all do.
    """

    def __init__(self, channels: int, sample_rate: int, gain: float, voices: int = MOST_VOICES) -> None:
        self._voices = voices
        pyfluidsynth = load_pyfluidsynth()
        self._more = _further_functions()
        _log.messages = []
        midi_channels = -(-channels // 16) * 16
        self._synth = pyfluidsynth.Synth(gain, sample_rate, midi_channels, **_SETTINGS, **{"synth.polyphony": voices})
        try:
            self._check_started(midi_channels, sample_rate)
            for channel in range(channels):
                _must(
                    "set_channel_type",
                    self._more.fluid_synth_set_channel_type,
                    self._synth.synth,
                    channel,
                    _MELODIC_CHANNEL,
                )
        except SoundfontError:
            self._synth.delete()
            raise

    def __enter__(self) -> "Synth":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._synth.delete()

    @property
    def messages(self) -> tuple[str, ...]:
        """What FluidSynth warned of in this thread since the synthesizer was made, each once."""
        return tuple(dict.fromkeys(_log.messages))

    def load(self, path: Path) -> int:
        """Load a soundfont and return FluidSynth's number for it."""
        try:
            number: int = self._synth.sfload(str(path))
        except UnicodeEncodeError as error:
            raise SoundfontError(f"The name of {str(path)!r} is not UTF-8, so FluidSynth cannot open it.") from error
        if number == _FAILED:
            raise SoundfontError(f"FluidSynth cannot load the soundfont {path}: {_reason()}.")
        return number

    def select(self, channel: int, soundfont: int, bank: int, program: int) -> None:
        """Play a channel with a preset of a loaded soundfont."""
        _must("program_select", self._synth.program_select, channel, soundfont, bank, program)

    def note_on(self, channel: int, pitch: int, velocity: int) -> bool:
        """Start a note; return whether the preset has any sound for it."""
        before = self._synth.get_active_voice_count()
        _must("noteon", self._synth.noteon, channel, pitch, velocity)
        # Where no voice is free, one is taken from another note, and the count stays.
        sounding = self._synth.get_active_voice_count()
        if sounding >= self._voices < MOST_VOICES:
            raise OutOfVoicesError(f"More than {self._voices} voices of FluidSynth sound together.")
        return bool(sounding > min(before, self._voices - 1))

    def note_off(self, channel: int, pitch: int) -> None:
        """Release a key. That nothing sounds there any more is no failure: percussion ends by itself."""
        self._synth.noteoff(channel, pitch)

    def control(self, channel: int, number: int, value: int) -> None:
        """Send a controller change."""
        _must("cc", self._synth.cc, channel, number, value)

    def pitch_bend(self, channel: int, value: int) -> None:
        """Bend by -8192 to 8191, 0 at rest."""
        _must("pitch_bend", self._synth.pitch_bend, channel, value)

    def render(self, left: Audio, right: Audio) -> None:
        """Fill two arrays of one length with what follows.

        Parameters
        ----------
        left, right : float32 [shape=(n,)]
            Contiguous. Events fall where they should when n is a multiple of ``BLOCK_SAMPLES``.
        """
        outputs = left.ctypes.data, 0, 1, right.ctypes.data, 0, 1
        _must("write_float", self._more.fluid_synth_write_float, self._synth.synth, len(left), *outputs)

    def _check_started(self, channels: int, sample_rate: int) -> None:
        """Find out what pyfluidsynth does not tell: whether there is a synthesizer, with the settings asked for."""
        if not self._synth.synth:
            raise SoundfontError(f"FluidSynth cannot start: {_reason()}.")
        for name, wanted in {"synth.midi-channels": channels, "synth.sample-rate": float(sample_rate)}.items():
            if self._synth.get_setting(name) != wanted:
                raise SoundfontError(f"FluidSynth refuses {name} = {wanted}: {_reason()}.")


def _must(name: str, function: Callable[..., Any], *arguments: int) -> None:
    """Call and check; pyfluidsynth answers False, and does not call, where a value is out of range."""
    result = function(*arguments)
    if result is False or result == _FAILED:
        raise SoundfontError(f"FluidSynth refuses {name}({', '.join(map(str, arguments))}): {_reason()}.")


def _reason() -> str:
    return "; ".join(_log.messages).rstrip(".") or "it gives no reason"


def library_version() -> str:
    """Return the version of the FluidSynth library, which the rendered samples depend on."""
    version: bytes = _further_functions().fluid_version_str()
    return version.decode()


def library_name() -> str:
    """Return the file name or path by which the library was found."""
    return str(load_pyfluidsynth().lib)


@functools.cache
def load_pyfluidsynth() -> ModuleType:
    """Import pyfluidsynth, which finds and loads the library, and keep the library's messages off the terminal.

    Returns
    -------
    ModuleType

    Raises
    ------
    SoundfontError
        When no library is found; the message says how to install one.
    """
    pyfluidsynth = _import_pyfluidsynth()
    set_log_function = _declared(pyfluidsynth, "fluid_set_log_function")
    for level in range(5):
        set_log_function(level, _KEEP_MESSAGE, None)
    return pyfluidsynth


@functools.cache
def _further_functions() -> SimpleNamespace:
    return SimpleNamespace(**{name: _declared(load_pyfluidsynth(), name) for name in _PROTOTYPES})


def _declared(pyfluidsynth: ModuleType, name: str) -> Any:
    result, arguments = _PROTOTYPES[name]
    return pyfluidsynth.cfunc(name, result, *((argument, kind, 1) for argument, kind in arguments.items()))


def _import_pyfluidsynth() -> ModuleType:
    """Import pyfluidsynth, which looks for the library as it is imported and fails when there is none."""
    try:
        return quietly_imported("fluidsynth")
    except (ImportError, OSError) as error:
        library = _system_library() or _bundled_library()
        if library is None:
            raise SoundfontError(f"FluidSynth's library was not found: install it with {INSTALL_COMMANDS}.") from error
        return _import_pyfluidsynth_with(library)


def _system_library() -> str | None:
    """Ask the loader itself: Python's search runs other programs (ldconfig, gcc), and they can fail by themselves."""
    for name in _LIBRARY_FILES:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return name
    return None


def _bundled_library() -> Path | None:
    """Return the library that the pygame-ce wheel carries (extra ``bundled``), without importing pygame."""
    spec = importlib.util.find_spec("pygame")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    folders = (package.parent / "pygame_ce.libs", package / ".dylibs")
    return next((path for folder in folders for path in sorted(folder.glob("libfluidsynth*"))), None)


def _import_pyfluidsynth_with(library: Path | str) -> ModuleType:
    """Answer pyfluidsynth's search for the library while it is imported: it takes no path and no variable."""
    search = ctypes.util.find_library
    ctypes.util.find_library = lambda name: str(library)
    try:
        return quietly_imported("fluidsynth")
    except (ImportError, OSError) as error:
        raise SoundfontError(f"{library} cannot be loaded ({error}): install {INSTALL_COMMANDS}.") from error
    finally:
        ctypes.util.find_library = search
