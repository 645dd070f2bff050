"""What a sound file says of itself, what its structure tells, and the file as it is read when its header is wrong."""

import io
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import Buffer


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file says about itself.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
    frames : int or None
        Samples a channel, None where the file does not state it.
    format : str
        The container, such as ``WAV``.
    title, artist : str
        What its tags say; empty where they say nothing.
    """

    sample_rate: int
    channels: int
    frames: int | None
    format: str
    title: str = ""
    artist: str = ""

    @property
    def duration_s(self) -> float | None:
        """Stated length in seconds."""
        return None if self.frames is None else self.frames / self.sample_rate


@dataclass(frozen=True)
class Finding:
    """What the structure of a sound file tells, before anything is decoded.

    ``fault`` and ``remark`` continue a sentence that begins with the file's name.

    Attributes
    ----------
    fault : str or None
        Why the file must not be read.
    remark : str or None
        What its user should know though it is read.
    frames : int or None
        Samples per channel, where the structure tells it and the header does not.
    mended : Head or None
        The head of a file that holds the same sound and is in order.
    in_order : bool
        Whether the file is in order as it is; ``mended`` then helps where the decoder's library takes offence.
    remedy : str or None
        For a fault, the options with which ffmpeg reads the whole sound (:func:`conversion`).
    """

    fault: str | None = None
    remark: str | None = None
    frames: int | None = None
    mended: "Head | None" = None
    in_order: bool = True
    remedy: str | None = None


@dataclass(frozen=True)
class Head:
    """Bytes that stand in for the first ``replaces`` bytes of a file."""

    content: bytes
    replaces: int


class MendedFile(io.RawIOBase):
    """A file read with another head; nothing is written or copied.

    Parameters
    ----------
    path : Path
    head : Head
    """

    def __init__(self, path: Path, head: Head) -> None:
        self._file = path.open("rb")
        self._head = head
        self._size = len(head.content) + path.stat().st_size - head.replaces
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Read what comes next, at most to the end of the head at a time; return how many bytes."""
        room = memoryview(buffer).cast("B")
        head = self._head.content[self._position : self._position + len(room)]
        if head:
            room[: len(head)] = head
            count = len(head)
        else:
            self._file.seek(self._position - len(self._head.content) + self._head.replaces)
            count = self._file.readinto(room)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()


def conversion(path: Path, options: str = "") -> str:
    """Return the command that makes a FLAC file of a sound file, to be pasted into a shell.

    Examples
    --------
    >>> conversion(Path("My tape.wav"))
    "`ffmpeg -i 'My tape.wav' 'My tape.flac'`"
    """
    target = path.with_suffix(".flac") if path.suffix.lower() != ".flac" else path.with_name(f"{path.stem}-mended.flac")
    # A file whose name begins with a dash would be taken for an option.
    source, made = (str(name) if str(name)[0] != "-" else f"./{name}" for name in (path, target))
    return f"`ffmpeg {options}{options and ' '}-i {shlex.quote(source)} {shlex.quote(made)}`"
