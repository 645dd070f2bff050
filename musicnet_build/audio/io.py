"""Sound files: any kind in, mono float32 at one rate; WAV and FLAC out.

What cannot be labelled is refused here with its reason: files that are damaged, cut short, empty, silent, not a
number somewhere, or longer than :data:`MAX_DURATION_S`. What is made of the sound belongs elsewhere.
"""

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import ArrayLike

from musicnet_build._typing import Audio, Int32s
from musicnet_build.audio.aac import needs_pyav, pyav_blocks, pyav_info
from musicnet_build.audio.channels import CANCELLED_TIME, ChannelMix
from musicnet_build.audio.container import AudioInfo, Finding, MendedFile, conversion
from musicnet_build.audio.integrity import examine
from musicnet_build.errors import AudioError
from musicnet_build.files import replacing
from musicnet_build.notes import SAMPLE_RATE

MAX_DURATION_S = 6 * 3600
"""Recordings longer than this are refused: split them into movements."""

LOWEST_RATE_HZ = 1_000
"""A lower sample rate than this is a damaged header: brought to 44.1 kHz, a small file would fill the memory."""

SILENCE_DBFS = -90.0
"""A recording whose peak lies below this is refused as silent."""

# A block holds this many numbers whatever the number of channels, so a file of 1,024 channels takes no more memory.
_BLOCK_VALUES = 1 << 18
# libsndfile's figure for "unknown" is 2**63 - 1.
_UNKNOWN_FRAMES = 1 << 62
# A decoded AAC stream may differ from its stated length by the padding at either end.
_AAC_SLACK_S = 0.1
_SUBTYPES = {".wav": ("FLOAT", "PCM_16", "PCM_24"), ".flac": ("PCM_16", "PCM_24")}


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Read the header of a sound file.

    Parameters
    ----------
    path : str or PathLike

    Returns
    -------
    AudioInfo

    Raises
    ------
    AudioError
        When the file is missing, cut short, or not a sound file.
    """
    return _inspected(path)[1]


def audio_blocks(path: str | os.PathLike[str]) -> Iterator[Audio]:
    """Read a sound file block by block, as it is: its own rate, all its channels.

    Parameters
    ----------
    path : str or PathLike

    Yields
    ------
    float32 [shape=(frames, channels)]
        At most 2**18 values a block.

    Raises
    ------
    AudioError
        When the file is missing, not a sound file, damaged, cut short, holds a value that is not a finite number,
        or is longer than ``MAX_DURATION_S``. Damage is found where it lies, so blocks may have been given before.
    """
    found, info = _inspected(path)
    yield from _checked_blocks(Path(path), found, info)


def read_audio(path: str | os.PathLike[str], sample_rate: int = SAMPLE_RATE) -> Audio:
    """Read a recording as one channel at one rate.

    Channels are averaged and the rate converted (soxr, high quality) block by block: the peak memory is little
    more than the result. Where channels cancel each other (:mod:`musicnet_build.audio.channels`), the loudest is read
    alone, with a warning. A warning, too, names what is slightly wrong with the length that a file states.

    Parameters
    ----------
    path : str or PathLike
        Any file that libsndfile reads (WAV, FLAC, Ogg, MP3, AIFF, ...), and m4a, mp4 and aac where PyAV is
        installed (the ``m4a`` extra).
    sample_rate : int
        Of the result, in Hz.

    Returns
    -------
    float32 [shape=(n,)]

    Raises
    ------
    AudioError
        When the file is missing, not a sound file, damaged, cut short, empty, silent, holds a value that is not a
        finite number, or is longer than ``MAX_DURATION_S``.

    Examples
    --------
    >>> from musicnet_build import read_audio
    >>> recording = read_audio("recording.flac")
    >>> recording.dtype, recording.ndim, round(len(recording) / 44_100)
    (dtype('float32'), 1, 15)
    """
    audio, remarks = read_with_remarks(path, sample_rate)
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    return audio


def read_with_remarks(path: str | os.PathLike[str], sample_rate: int = SAMPLE_RATE) -> tuple[Audio, tuple[str, ...]]:
    """Read a recording as :func:`read_audio` does, and return its warnings in place of raising them.

    Parameters
    ----------
    path, sample_rate
        As of :func:`read_audio`.

    Returns
    -------
    audio : float32 [shape=(n,)]
    remarks : tuple of str
        A sentence each.

    Raises
    ------
    AudioError
        As :func:`read_audio` does.
    """
    source, (found, info) = Path(path), _inspected(path)
    remarks: tuple[str, ...] = () if found.remark is None else (f"{source} {found.remark}.",)
    mix = ChannelMix(info.sample_rate)
    audio = _at_rate(mix.mono(_checked_blocks(source, found, info)), info.sample_rate, sample_rate)
    share = mix.cancelled_share()
    if share > CANCELLED_TIME:
        loudest = mix.loudest()
        which = f"channel {loudest + 1} of {info.channels}, the loudest, is read alone"
        remarks += (f"{source}: its channels cancel each other for {share:.0%} of the time; {which}.",)
        alone = (block[:, loudest] for block in _checked_blocks(source, found, info))
        audio = _at_rate(alone, info.sample_rate, sample_rate)
    _refuse_silence(source, audio)
    return audio, remarks


def write_audio(
    path: str | os.PathLike[str], audio: ArrayLike, sample_rate: int = SAMPLE_RATE, *, subtype: str | None = None
) -> None:
    """Write a WAV or FLAC file, whole or not at all; the same audio gives the same bytes.

    Parameters
    ----------
    path : str or PathLike
        Ends in ``.wav`` or ``.flac``.
    audio : float [shape=(n,) or (n, channels)]
        Full scale is -1 to 1; whole-number subtypes clip what lies beyond.
    sample_rate : int
        In Hz.
    subtype : {"FLOAT", "PCM_16", "PCM_24"}, optional
        Default: ``FLOAT`` (IEEE float32, which MusicNet's loaders expect) for WAV, ``PCM_16`` for FLAC.

    Raises
    ------
    AudioError
        When the ending or subtype is not one of these, or the audio is empty or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from musicnet_build import write_audio
    >>> write_audio("a4.wav", 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100))
    """
    target = Path(path)
    subtypes = _SUBTYPES.get(target.suffix.lower())
    if subtypes is None:
        raise AudioError(f"{target} must end in .wav or .flac to be written as sound.")
    chosen = subtype or subtypes[0]
    if chosen not in subtypes:
        raise AudioError(f"{target} cannot be written as {chosen}; choose one of {', '.join(subtypes)}.")
    samples = np.asarray(audio, dtype=np.float32)
    if samples.ndim not in (1, 2) or not samples.size or not np.isfinite(samples).all():
        raise AudioError(f"{target} is not written: the audio is empty, not finite, or not of one or two dimensions.")
    with replacing(target) as temporary:
        try:
            _write(temporary, samples, sample_rate, chosen)
        except (soundfile.LibsndfileError, ValueError) as error:
            _raise_system_error(temporary)
            raise AudioError(f"{target} cannot be written: {error}") from error


# Writing


def _raise_system_error(path: Path) -> None:
    """Raise what the system has against more bytes, such as a full disk: libsndfile keeps that to itself."""
    with path.open("ab") as file:
        file.write(bytes(1 << 16))


def _write(path: Path, samples: Audio, sample_rate: int, subtype: str) -> None:
    if subtype == "FLOAT":
        # Not libsndfile: it adds a chunk with the time of writing to float WAV files.
        from scipy.io import wavfile

        wavfile.write(path, sample_rate, samples)
        return
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    format_name = path.suffix[1:].upper()
    with soundfile.SoundFile(path, "w", sample_rate, channels, subtype, format=format_name) as file:
        for start in range(0, len(samples), _BLOCK_VALUES):
            file.write(_quantised(samples[start : start + _BLOCK_VALUES], int(subtype[-2:])))


def _quantised(samples: Audio, bits: int) -> Int32s:
    """Round to whole numbers of ``bits`` bits, clipped, in the upper bits of int32 as libsndfile takes them."""
    full_scale = 1 << (bits - 1)
    whole = np.rint(samples.astype(np.float64) * full_scale).clip(-full_scale, full_scale - 1)
    return whole.astype(np.int32) << (32 - bits)


# From blocks to one array


def _at_rate(blocks: Iterator[Audio], from_hz: int, to_hz: int) -> Audio:
    return _gathered(_resampled(blocks, from_hz, to_hz))


def _resampled(blocks: Iterator[Audio], from_hz: int, to_hz: int) -> Iterator[Audio]:
    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _gathered(blocks: Iterator[Audio]) -> Audio:
    """Join the blocks in a buffer that grows in place: a list of them would need the memory twice."""
    buffer = bytearray()
    for block in blocks:
        buffer += np.ascontiguousarray(block).data
    return np.frombuffer(buffer, dtype=np.float32) if buffer else np.zeros(0, np.float32)


# Checks


def _inspected(path: str | os.PathLike[str]) -> tuple[Finding, AudioInfo]:
    """Look at the structure of a file and read its header."""
    source = _existing_file(path)
    try:
        _refuse_a_score(source)
        found = examine(source)
    except OSError as error:
        raise AudioError(f"{source} cannot be read: {error.strerror}.") from error
    if needs_pyav(source):
        return found, pyav_info(source)
    with _opened(source, found) as file:
        frames = None if file.frames >= _UNKNOWN_FRAMES else file.frames
        tags = (str(file.title), str(file.artist))
        return found, AudioInfo(file.samplerate, file.channels, found.frames or frames, file.format, *tags)


def _checked_blocks(source: Path, found: Finding, info: AudioInfo) -> Iterator[Audio]:
    _check_duration(source, info.duration_s or 0.0)
    if info.sample_rate < LOWEST_RATE_HZ:
        raise AudioError(f"{source} states a sample rate of {info.sample_rate} Hz, which is none of a recording.")
    read = 0
    for block in pyav_blocks(source) if needs_pyav(source) else _soundfile_blocks(source, found):
        if not np.isfinite(block).all():
            raise AudioError(f"{source} holds values that are not finite near {read / info.sample_rate:.1f} s.")
        read += len(block)
        _check_duration(source, read / info.sample_rate)
        yield block
    _check_frames_read(source, info, read)


def _existing_file(path: str | os.PathLike[str]) -> Path:
    source = Path(path)
    if source.is_dir():
        raise AudioError(f"{source} is a folder, not a sound file.")
    if not source.exists():
        raise AudioError(f"{source} does not exist.")
    if not source.is_file():
        raise AudioError(f"{source} is a pipe or a device, and recordings are read twice: save it as a file.")
    if source.stat().st_size == 0:
        raise AudioError(f"{source} is an empty file.")
    return source


def _refuse_silence(source: Path, audio: Audio) -> None:
    if not len(audio):
        raise AudioError(f"{source} holds no sound: it is 0 samples long.")
    peak = max(float(audio.max()), -float(audio.min()))
    if not np.isfinite(peak):
        raise AudioError(f"{source} holds values too large for sound.")
    if peak < 10 ** (SILENCE_DBFS / 20):
        raise AudioError(f"{source} is silent: once its channels are mixed, nothing reaches {SILENCE_DBFS:g} dBFS.")


def _refuse_a_score(source: Path) -> None:
    with source.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"MThd" or (head[:4] == b"RIFF" and head[8:] == b"RMID"):
        raise AudioError(f"{source} is a MIDI file, not a recording: give the recording first, then the score.")


def _check_duration(source: Path, duration_s: float) -> None:
    if duration_s > MAX_DURATION_S:
        hours = MAX_DURATION_S // 3600
        raise AudioError(f"{source} is longer than {hours} hours, the most that is read; split it into movements.")


def _check_frames_read(source: Path, info: AudioInfo, read: int) -> None:
    """Compare what came with what the header promises: a decoder may stop early without an error."""
    if info.frames is None or info.format == "MP3":
        # The frames of an MP3 file were counted before; where its header is silent, libsndfile's figure is a guess.
        return
    slack = round(_AAC_SLACK_S * info.sample_rate) if info.format == "M4A" else 0
    if info.frames - read > slack:
        raise AudioError(
            f"{source} is cut short or damaged: {read / info.sample_rate:.2f} s of "
            f"{info.frames / info.sample_rate:.2f} s could be read; get a whole copy of it."
        )


# libsndfile


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A file read from its start to its end, without the seek that SoundFile adds to every read.

    In FLAC of unstated length that seek fails.
    """

    def seekable(self) -> bool:
        return False


@contextlib.contextmanager
def _opened(source: Path, found: Finding) -> Iterator[soundfile.SoundFile]:
    """Open a file as it is or, where that is not in order or refused, with its mended head."""
    try:
        with contextlib.ExitStack() as stack:
            yield stack.enter_context(_stream(source, found, stack))
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{source} is damaged: {error.error_string}") from error


def _stream(source: Path, found: Finding, stack: contextlib.ExitStack) -> _Stream:
    try:
        return _Stream(source if found.in_order else _mended(source, found, stack))
    except soundfile.LibsndfileError as error:
        if found.in_order and found.mended is not None:
            return _stream(source, replace(found, in_order=False), stack)
        reason = error.error_string.rstrip(".")
        hint = f"if a player plays it, {conversion(source)} makes a file that can be read"
        raise AudioError(f"{source} is not a sound file that can be read: {reason}; {hint}.") from error


def _mended(source: Path, found: Finding, stack: contextlib.ExitStack) -> MendedFile:
    assert found.mended is not None
    return stack.enter_context(MendedFile(source, found.mended))


def _soundfile_blocks(source: Path, found: Finding) -> Iterator[Audio]:
    with _opened(source, found) as file:
        frames = max(1, _BLOCK_VALUES // file.channels)
        while len(block := file.read(frames, dtype="float32", always_2d=True)):
            yield block
