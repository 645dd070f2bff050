"""AAC in its containers (m4a, mp4, aac), through PyAV: libsndfile has no decoder for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile

from musicnet_build._typing import Audio
from musicnet_build.audio.container import AudioInfo
from musicnet_build.errors import AudioError

_SUFFIXES = {".m4a", ".mp4", ".aac"}


def needs_pyav(source: Path) -> bool:
    """Whether a file is of a kind that PyAV decodes and libsndfile does not."""
    if source.suffix.lower() not in _SUFFIXES:
        return False
    try:
        soundfile.SoundFile(source).close()
    except soundfile.LibsndfileError:
        return True
    return False


def _import_pyav() -> Any:
    try:
        import av
    except ImportError as error:
        raise AudioError(
            "m4a, mp4 and aac files need PyAV: pip install 'musicnet_build[m4a]', or convert them to FLAC."
        ) from error
    return av


def pyav_info(source: Path) -> AudioInfo:
    """Read what a file says of itself."""
    av = _import_pyav()
    try:
        with av.open(str(source)) as container:
            stream = _audio_stream(source, container)
            # Raw AAC states no length; what libav offers instead is a guess from the bit rate.
            stated = stream.duration is not None and container.format.name != "aac"
            frames = round(stream.duration * stream.time_base * stream.rate) if stated else None
            return AudioInfo(stream.rate, stream.channels, frames, "M4A")
    except av.error.FFmpegError as error:
        raise AudioError(f"{source} is not a sound file that can be read: {error.strerror}.") from error


def pyav_blocks(source: Path) -> Iterator[Audio]:
    """Yield the sound of a file [shape=(frames, channels)], some thousand frames at a time."""
    av = _import_pyav()
    try:
        with av.open(str(source)) as container:
            to_planar_floats = av.AudioResampler(format="fltp")
            for frame in container.decode(_audio_stream(source, container)):
                for part in to_planar_floats.resample(frame):
                    yield part.to_ndarray().T
    except av.error.FFmpegError as error:
        raise AudioError(f"{source} is damaged or cut short: {error.strerror}.") from error


def _audio_stream(source: Path, container: Any) -> Any:
    if not container.streams.audio:
        raise AudioError(f"{source} holds no sound.")
    return container.streams.audio[0]
