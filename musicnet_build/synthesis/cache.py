"""Synthesized scores, kept between runs in the user's cache folder.

Rendering is the slowest stage after the alignment itself, and the same score is often rendered again: for another
recording, another preset, another try. ``cached_synthesize`` stands in for ``synthesis.synthesize`` and gives the
same bytes.

An entry is a file named by the hash of everything that its sound depends on, so it is never out of date; it is
written whole or not at all, so any number of processes may share the folder. Where the entries would exceed
``MAX_BYTES``, or a quarter of the room on the disk, those not used for longest are deleted. The folder is
``$XDG_CACHE_HOME/musicnet_build``, by default ``~/.cache/musicnet_build``, and may be deleted at any time;
``MUSICNET_BUILD_CACHE=off`` neither reads nor writes it.

Compiled kernels are cached by numba, beside the package or, where that is read-only, in a folder of the user's.
"""

import hashlib
import json
import os
import shutil
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from musicnet_build.files import replacing, user_cache
from musicnet_build.jobs.resume import code_fingerprint
from musicnet_build.notes import SAMPLE_RATE
from musicnet_build.score.reader import Score
from musicnet_build.synthesis import fluidsynth as fluidsynth_library
from musicnet_build.synthesis.render import Synthesis, synthesize
from musicnet_build.synthesis.soundfonts import Soundfont

SWITCH = "MUSICNET_BUILD_CACHE"
"""Environment variable; ``off`` switches the cache off."""

MAX_BYTES = 4 * 2**30
"""Room for six or seven hours of sound."""

_SHARE_OF_DISK = 4
_LONGEST_WRITE_NS = 3600 * 10**9  # a temporary file older than this is nobody's any more
_NOTE_FIELDS = ("onset_s", "offset_s", "pitch", "velocity", "part", "is_drum")
_CONTROL_FIELDS = ("time_s", "part", "number", "value")
# What of the package decides on the samples: a change in any of these files is a new key.
_RENDERING_CODE = ("score.programs", "synthesis.fluidsynth", "synthesis.render", "synthesis.soundfonts")


def cached_synthesize(
    score: Score, soundfont: Soundfont, *, sample_rate: int = SAMPLE_RATE, strict: bool = False
) -> Synthesis:
    """Render a score, or return the same rendering from an earlier call.

    A cache that cannot be written costs a warning, not the result.

    Parameters
    ----------
    score, soundfont, sample_rate, strict
        As for ``synthesis.synthesize``.

    Returns
    -------
    Synthesis

    Raises
    ------
    SoundfontError, ScoreError
        As ``synthesis.synthesize`` does; failures are not kept.
    """
    folder = cache_folder()
    if folder is None:
        return synthesize(score, soundfont, sample_rate=sample_rate, strict=strict)
    entry = folder / "synthesis" / f"{rendering_key(score, soundfont, sample_rate, strict)}.npz"
    found = _load(entry)
    if found is not None:
        return found
    rendered = synthesize(score, soundfont, sample_rate=sample_rate, strict=strict)
    _keep(entry, rendered)
    return rendered


def cache_folder() -> Path | None:
    """Return the folder of the cache, which need not exist, or None where it is switched off or has no place."""
    return None if os.environ.get(SWITCH, "").strip().lower() == "off" else user_cache()


def rendering_key(score: Score, soundfont: Soundfont, sample_rate: int, strict: bool) -> str:
    """Return a hash of all that the samples and warnings of a rendering depend on.

    Parameters
    ----------
    score, soundfont, sample_rate, strict
        As for ``synthesis.synthesize``.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    settings = {
        "code": code_fingerprint(*_RENDERING_CODE),
        "library": [fluidsynth_library.library_version(), fluidsynth_library.library_name()],
        "soundfont": [soundfont.sha256(), soundfont.name],
        "sample_rate": sample_rate,
        "strict": strict,
        "parts": [[part.program, part.is_drum] for part in score.parts],
        "rows": [len(score.notes), len(score.controls)],
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode("utf-8", "surrogateescape"))
    for table, fields in ((score.notes, _NOTE_FIELDS), (score.controls, _CONTROL_FIELDS)):
        for field in fields:
            digest.update(np.ascontiguousarray(table[field]).tobytes())
    return digest.hexdigest()


# Entries


def _load(entry: Path) -> Synthesis | None:
    """Read an entry and mark it as used; None where there is none that is whole."""
    try:
        with np.load(entry, allow_pickle=False) as content:
            audio, sentences = content["audio"], json.loads(content["warnings"].tobytes())
        os.utime(entry)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # damaged on the disk: it is rendered again and replaced
    return Synthesis(audio, tuple(sentences))


def _keep(entry: Path, rendered: Synthesis) -> None:
    """Write an entry after making room for it, where it has room."""
    try:
        entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _make_room(entry.parent, rendered.audio.nbytes):
            return
        with replacing(entry) as temporary:
            sentences = np.frombuffer(json.dumps(rendered.warnings).encode(), dtype=np.uint8)
            np.savez(temporary, audio=rendered.audio, warnings=sentences)
    except OSError as error:
        warnings.warn(
            f"The synthesized score could not be cached in {entry.parent} ({error.strerror or error}); "
            f"with {SWITCH}=off this is not tried.",
            stacklevel=1,  # one place for all, so that it is said once a process
        )


def _make_room(folder: Path, size_bytes: int) -> bool:
    """Delete the entries not used for longest until another fits; return whether it does."""
    entries = sorted(_files(folder))
    used = sum(size for _, size, _ in entries)
    limit = min(MAX_BYTES, (shutil.disk_usage(folder).free + used) // _SHARE_OF_DISK)
    if size_bytes > limit:
        return False
    for _, size, path in entries:
        if used + size_bytes <= limit:
            break
        path.unlink(missing_ok=True)
        used -= size
    return True


def _files(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Yield (time of last use, size, path) of the entries, and of what processes killed while writing left behind."""
    writing_since_ns = time.time_ns() - _LONGEST_WRITE_NS
    for path in folder.iterdir():
        try:
            status = path.stat()
        except FileNotFoundError:  # another process made room
            continue
        if not path.name.startswith(".") or status.st_mtime_ns < writing_since_ns:
            yield status.st_mtime_ns, status.st_size, path
