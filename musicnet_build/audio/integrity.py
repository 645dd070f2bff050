"""Detect truncated or damaged sound files from the structure of their containers, before decoding.

libsndfile shortens a WAV, AIFF or Ogg file that was cut off without a word, reads over damaged Ogg pages, believes
whatever length a header states, and takes the length of an MP3 file from its first frame when the file does not state
it. A recording that is short by a second misplaces every label after the gap, so such files are found here, from
their bytes alone. Where only the header is wrong and the sound is whole, the file is read as if it were right.
"""

import mmap
from collections.abc import Callable
from pathlib import Path

from musicnet_build.audio.chunks import examine_aiff, examine_au, examine_caf, examine_w64, examine_wav
from musicnet_build.audio.container import Finding, conversion
from musicnet_build.audio.flac import examine_flac
from musicnet_build.audio.mpeg import examine_mpeg, is_mpeg
from musicnet_build.audio.ogg import examine_ogg
from musicnet_build.errors import AudioError


def check_complete(path: Path) -> None:
    """Raise when a sound file is cut short or damaged; say nothing of kinds that are not known here.

    A WAV header that states no length, as left by programs that write into a pipe, is accepted: all that is there is
    the recording.

    Parameters
    ----------
    path : Path
        An existing file.

    Raises
    ------
    AudioError
        Naming the file and what is missing.
    """
    examine(path)


def examine(path: Path) -> Finding:
    """Look at the structure of a WAV, AIFF, Wave64, CAF, AU, FLAC, Ogg or MPEG file.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    Finding
        Without a fault. Of other kinds of file, nothing is found.

    Raises
    ------
    AudioError
        When there is a fault; the message says how to mend it, where that is known.
    """
    with path.open("rb") as file:
        look = _examiner(file.read(16))
        if look is None:
            return Finding()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = look(content)
    if found.fault is None:
        return found
    remedy = "" if found.remedy is None else f"; {conversion(path, found.remedy)} makes a file that is read whole"
    raise AudioError(f"{path} {found.fault}{remedy}.")


def _examiner(head: bytes) -> Callable[[mmap.mmap], Finding] | None:
    if len(head) < 12:
        return None
    by_form = {b"WAVE": examine_wav, b"AIFF": examine_aiff, b"AIFC": examine_aiff}
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM"):
        return by_form.get(head[8:12])
    by_name = {b"riff": examine_w64, b"caff": examine_caf, b".snd": examine_au, b"dns.": examine_au}
    by_name |= {b"OggS": examine_ogg, b"fLaC": examine_flac}
    if head[:4] in by_name:
        return by_name[head[:4]]
    # An ID3 tag may stand before FLAC, too.
    return examine_mpeg if head[:3] == b"ID3" or is_mpeg(head) else None
