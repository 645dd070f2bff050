"""What commands take: files that are checked before any work starts, and the options that several commands share."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.choices import ALIGNMENT_PRESETS, VERDICTS
from musicnet_build.errors import LabelError

if TYPE_CHECKING:
    from musicnet_build.progress import Progress

_URL_OF = "musicnet_build.url_of_output"


class OutputFile(click.Path):
    """A file to write: its ending is one of those given, and its folder is there or can be made.

    Parameters
    ----------
    *endings : str
    remote : bool
        Take a URL, too; what is to be uploaded to it (see ``upload``) is then made at the path that is returned.
    """

    def __init__(self, *endings: str, remote: bool = False) -> None:
        super().__init__(dir_okay=False, readable=False, path_type=Path)
        self.endings, self.remote = endings, remote

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or fail as misuse."""
        path = Path(os.fsdecode(super().convert(_staged(self, value, param, ctx), param, ctx)))
        fault = self.ending_fault(path) or _folder_fault(path.parent)
        if fault:
            self.fail(fault, param, ctx)
        return path

    def ending_fault(self, path: Path) -> str | None:
        """Return what is wrong with the ending, None where nothing is."""
        if path.suffix.lower() in self.endings:
            return None
        return f"{click.format_filename(path)} must end in {' or '.join(self.endings)}."


class LabelOutputFile(OutputFile):
    """A label file to write; its ending names the format."""

    def ending_fault(self, path: Path) -> str | None:
        """Return what is wrong with the ending, None where nothing is."""
        from musicnet_build.labels.files import check_ending

        try:
            check_ending(path)
        except LabelError as error:
            return str(error)
        return None


class WitnessFile(click.Path):
    """A file that is there and says what a transcriber heard; its ending names the format."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or fail as misuse."""
        from musicnet_build.labels.witness import check_witness_ending

        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            check_witness_ending(path)
        except LabelError as error:
            self.fail(str(error), param, ctx)
        return path


class Instrument(click.ParamType):  # type: ignore[type-arg]  # newer versions of click only know a generic one
    """An instrument of MusicNet, from 1 to 128: its number, or the name of its General MIDI program."""

    name = "number|name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or fail as misuse."""
        from musicnet_build.score.programs import PROGRAM_NAMES

        wanted = str(value).strip().casefold()
        if wanted in PROGRAM_NAMES:
            return PROGRAM_NAMES.index(wanted) + 1
        if not (wanted.isdecimal() and 1 <= int(wanted) <= len(PROGRAM_NAMES)):
            alike = [name for name in PROGRAM_NAMES if wanted in name] or get_close_matches(wanted, PROGRAM_NAMES)
            meant = f" Did you mean {' or '.join(map(repr, alike[:4]))}?" if alike else ""
            self.fail(f"{value!r} is neither a number from 1 to 128 nor a program of General MIDI.{meant}", param, ctx)
        return int(wanted)


class Anchors(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    """An anchor such as ``12.5=33:1``, or a CSV file of anchors."""

    name = "anchor|file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return anchors as text, with commas between them, or fail as misuse."""
        from musicnet_build.anchors import parse_anchors, read_anchors
        from musicnet_build.errors import AlignmentError

        text = str(value)
        try:
            found = read_anchors(text) if text.lower().endswith(".csv") else parse_anchors(text)
        except AlignmentError as error:
            self.fail(str(error), param, ctx)
        return ",".join(map(str, found))


class OutputFolder(click.Path):
    """A folder to write into, which is there or can be made; ``remote`` as for a file."""

    def __init__(self, *, remote: bool = False) -> None:
        super().__init__(file_okay=False, readable=False, path_type=Path)
        self.remote = remote

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or fail as misuse."""
        path = Path(os.fsdecode(super().convert(_staged(self, value, param, ctx), param, ctx)))
        if fault := _folder_fault(path):
            self.fail(fault, param, ctx)
        return path


class Shard(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.3 on
    """The k-th of n parts, such as ``2/8``."""

    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return k and n, or fail as misuse."""
        part, _, parts = str(value).partition("/")
        if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
            self.fail(f"{value!r} is no part of several, such as 2/8.", param, ctx)
        return int(part), int(parts)


class Verdict(click.Choice[str]):
    """A verdict on labels; ``accepted`` and ``rejected``, as version 0.1 had them, will do."""

    def __init__(self) -> None:
        super().__init__(VERDICTS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the verdict, or fail as misuse."""
        former = {"accepted": "accept", "rejected": "reject"}
        return super().convert(former.get(value, value), param, ctx)


def upload(output: Path, progress: "Progress") -> str:
    """Upload what was made where a parameter that takes URLs was given one; return the place of the result.

    Parameters
    ----------
    output : Path
        As the command was given it.
    progress : callable

    Returns
    -------
    str
        The URL as it may be shown, or the path.
    """
    url = click.get_current_context().meta.get(_URL_OF, {}).get(output)
    if url is None:
        return str(output)
    from musicnet_build.remote.uploads import publish
    from musicnet_build.remote.urls import shown

    publish(output, url, progress)
    return shown(url)


def _staged(
    output: OutputFile | OutputFolder, value: Any, param: click.Parameter | None, ctx: click.Context | None
) -> Any:
    """The path at which something is made that goes to a URL; what is no URL as it is."""
    from musicnet_build.errors import DatasetError
    from musicnet_build.remote.uploads import staging
    from musicnet_build.remote.urls import is_remote, shown

    if not is_remote(str(value)):
        return value
    if not output.remote:
        output.fail(f"{shown(str(value))} is a URL: only build and pack write to these.", param, ctx)
    try:
        path = staging(str(value))
    except DatasetError as error:
        output.fail(str(error), param, ctx)
    if ctx:
        ctx.meta.setdefault(_URL_OF, {})[path] = str(value)
    return path


def check_outputs(inputs: Iterable[Path], outputs: Iterable[Path | None]) -> None:
    """Refuse, as misuse, to write over an input or to write one file twice.

    Parameters
    ----------
    inputs : iterable of Path
        Files that are read.
    outputs : iterable of Path or None
        Files to be written; None stands for an option that is not given.

    Raises
    ------
    click.UsageError
    """
    read = {path.resolve() for path in inputs}
    written: set[Path] = set()
    for output in filter(None, outputs):
        target = output.resolve()
        if target in read:
            raise click.UsageError(f"{click.format_filename(output)} is an input: give the output another name.")
        if target in written:
            raise click.UsageError(f"{click.format_filename(output)} is given twice as an output.")
        written.add(target)


def keep_labels(outputs: Iterable[Path], force: bool) -> None:
    """Refuse, as misuse, to replace label files, which a person may have corrected, unless that was asked for.

    Raises
    ------
    click.UsageError
    """
    present = [path for path in outputs if path.exists()]
    if present and not force:
        raise click.UsageError(
            f"{click.format_filename(present[0])} exists already, and may have been corrected by hand: "
            "--force replaces it."
        )


def _folder_fault(folder: Path) -> str | None:
    """Return what keeps files from being written into a folder, which may have to be made first."""
    present = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not present.is_dir():
        return f"{click.format_filename(present)} is not a folder."
    if not os.access(present, os.W_OK | os.X_OK):
        return f"the folder {click.format_filename(present)} cannot be written to."
    return None


class ExistingFile(click.Path):
    """A file to read, any number of times."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or fail as misuse."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.is_file():
            name = click.format_filename(path)
            self.fail(f"{name} is a pipe or a device, and is read more than once: save it as a file.", param, ctx)
        return path


existing_file = ExistingFile()
existing_folder = click.Path(exists=True, file_okay=False, path_type=Path)

label_outputs_option = click.option(
    "-o", "--output", "outputs", type=LabelOutputFile(), required=True, multiple=True, help="Labels to write; the "
    "ending names the format: .csv (MusicNet), .mid, .tsv, .jams, .txt (Audacity). May be given several times.",
)  # fmt: skip
audio_output_option = click.option(
    "-o", "--output", type=OutputFile(".wav", ".flac"), required=True, help="WAV or FLAC file to write."
)
confidence_option = click.option("--with-confidence", is_flag=True, help="Add the column `confidence` to CSV output.")
played_option = click.option(
    "--with-played", is_flag=True,
    help="Add the column `played` to CSV output: the probability that a note was played at all.",
)  # fmt: skip
confidence_beside_option = click.option(
    "--confidence-beside", is_flag=True,
    help="Write the confidence into a file of its own; labels keep the seven columns of MusicNet.",
)  # fmt: skip
soundfont_option = click.option(
    "--soundfont", metavar="NAME|FILE", help="Soundfont to render with; by default the best one found."
)
strict_option = click.option("--strict", is_flag=True, help="Fail where the soundfont lacks a preset.")
preset_option = click.option(
    "--preset", type=click.Choice(ALIGNMENT_PRESETS), default=ALIGNMENT_PRESETS[0], show_default=True,
    help="Alignment recipe.",
)  # fmt: skip
witness_offsets_option = click.option(
    "--witness-offsets", is_flag=True,
    help="Let piano notes end where the witness hears them end: for transcribers of piano that hear dampers.",
)  # fmt: skip
fail_on_option = click.option(
    "--fail-on", type=click.Choice(VERDICTS[1:]),
    help="End with exit code 3 where a verdict is this or worse; everything is written all the same.",
)  # fmt: skip
force_option = click.option("--force", is_flag=True, help="Replace label files that exist already.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Report each step as it is done.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
