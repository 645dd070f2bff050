"""``musicnet-build doctor``: what is installed, what is missing, and the exact command that mends it.

Its checks import lazily and take no success for granted: it must run, and report what is wrong, on a broken machine.
"""

import dataclasses
import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.score.reader import Score

_PIP = f"{sys.executable} -m pip install"
_LOUD_ENOUGH_DBFS = -60.0


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name : str
        What was looked at.
    ok : bool
        Whether it serves.
    detail : str
        What was found.
    remedy : str or None
        The command that mends or betters it.
    needed : bool
        Whether ``align`` cannot do without it.
    """

    name: str
    ok: bool
    detail: str
    remedy: str | None = None
    needed: bool = True


@click.command(name="doctor")
@parameters.json_option
def command(as_json: bool) -> int:
    """Report what is installed, what is missing, and how to mend it; exit code 1 where `align` cannot run."""
    findings = [finding for name, check in _CHECKS.items() for finding in _checked(name, check)]
    ready = all(finding.ok for finding in findings if finding.needed)
    lines = [line for finding in findings for line in _lines(finding)]
    lines.append("Everything that `align` needs is here." if ready else "`align` cannot run before this is mended.")
    values = {"ready": ready, "findings": [dataclasses.asdict(finding) for finding in findings]}
    console.report(values, lines, as_json)
    return 0 if ready else 1


def _checked(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:  # whatever a broken installation raises is what is to be told
        return [Finding(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}")]


def _lines(finding: Finding) -> list[str]:
    state = "ok" if finding.ok else "MISSING" if finding.needed else "absent"
    first = f"{state:8} {finding.name}: {finding.detail}"
    return [first, f"{'':8} -> {finding.remedy}"] if finding.remedy else [first]


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = None if fits else "make clean && make test PYTHON=python3.12"
    yield Finding("Python", fits, f"{version} ({sys.executable})", remedy)


def _packages() -> Iterator[Finding]:
    """The packages that setup.cfg asks for, from the metadata of the installed package."""
    requirements = importlib.metadata.requires("musicnet_build") or []
    present = [f"musicnet_build {importlib.metadata.version('musicnet_build')}"]
    missing = []
    for requirement in (text for text in requirements if "extra ==" not in text):
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            present.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(requirement)
    yield Finding("packages", True, ", ".join(present))
    if missing:
        quoted = " ".join(f"'{requirement}'" for requirement in missing)
        yield Finding("packages", False, f"not installed: {', '.join(missing)}", f"{_PIP} {quoted}")


def _fluidsynth() -> Iterator[Finding]:
    from musicnet_build.errors import SoundfontError
    from musicnet_build.synthesis.fluidsynth import INSTALL_COMMANDS, library_name, library_version

    try:
        path = _loaded_from(library_name())
    except SoundfontError as error:
        yield Finding("FluidSynth", False, str(error), INSTALL_COMMANDS)
        return
    bundled = ", from the extra `bundled`" if "pygame" in path else ""
    yield Finding("FluidSynth", True, f"{library_version()} ({path}{bundled})")


def _loaded_from(name: str) -> str:
    """The path of a loaded library, where the system reports it (Linux); else the name by which it was loaded."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    return next((line.split(maxsplit=5)[-1] for line in lines if "libfluidsynth" in line), name)


def _soundfonts() -> Iterator[Finding]:
    from musicnet_build.synthesis.soundfonts import INSTALL_COMMAND, find_soundfonts, find_unusable_soundfonts

    found = find_soundfonts()
    if not found:
        yield Finding("soundfonts", False, "none found", INSTALL_COMMAND)
    else:
        names = ", ".join([f"{found[0].name} (default)", *(font.name for font in found[1:])])
        only_the_least = all(font.source == "pretty_midi" for font in found)
        better = f"{INSTALL_COMMAND}   (sounds better)" if only_the_least else None
        yield Finding("soundfonts", True, names, better)
    for font in find_unusable_soundfonts():
        yield Finding("soundfont", False, f"{font.path}: {font.reason}", needed=False)


def _sound_files() -> Iterator[Finding]:
    import soundfile

    yield Finding("sound files", True, f"libsndfile {soundfile.__libsndfile_version__}")
    try:
        yield Finding("m4a files", True, f"PyAV {importlib.metadata.version('av')}", needed=False)
    except importlib.metadata.PackageNotFoundError:
        yield Finding("m4a files", False, "PyAV is not installed", f"{_PIP} 'musicnet_build[m4a]'", needed=False)


def _rendering() -> Iterator[Finding]:
    """Render one second of A4 with the default soundfont, as every alignment does with its score."""
    from musicnet_build.audio.loudness import level_dbfs
    from musicnet_build.notes import SAMPLE_RATE
    from musicnet_build.synthesis.render import synthesize
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    soundfont = choose_soundfont()
    second = synthesize(_one_note(), soundfont).audio[:SAMPLE_RATE]
    level = level_dbfs(second)
    detail = f"1 s of {soundfont.name} at {level:.1f} dBFS"
    yield Finding("rendering", level > _LOUD_ENOUGH_DBFS, detail)


def _one_note() -> "Score":
    """A second of A4 on a piano."""
    import tempfile

    from musicnet_build.labels.files import write_labels
    from musicnet_build.notes import empty_notes
    from musicnet_build.score.reader import read_score

    note = empty_notes(1)
    note["offset_s"], note["pitch"], note["velocity"] = 1.0, 69, 80
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "note.mid"
        write_labels(path, note)
        return read_score(path)


def _warping() -> Iterator[Finding]:
    """Run the compiled kernels: versions of numba and numpy that do not go together show here."""
    import numpy as np

    from musicnet_build.dtw.exact import dtw

    frames = np.eye(8, dtype=np.float32)
    ok = np.array_equal(dtw(frames, frames).path, np.tile(np.arange(8)[:, None], 2))
    yield Finding("time warping", ok, "8 frames along the diagonal" if ok else "a wrong path through 8 frames")


_CHECKS = {
    "Python": _python,
    "packages": _packages,
    "FluidSynth": _fluidsynth,
    "soundfonts": _soundfonts,
    "sound files": _sound_files,
    "rendering": _rendering,
    "time warping": _warping,
}
