"""Options that commands share which generate and pack datasets, and the one way in which packers are run.

An option of a packer has the name of the setting that it gives, so that a command hands on what it is given.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from musicnet_build.choices import MAPS_CATEGORIES, PUBLISHED_SPLITS
from musicnet_build.cli import console, parameters

if TYPE_CHECKING:
    from musicnet_build.packing.sources import Packed

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _workers(context: click.Context, parameter: click.Parameter, value: int | None) -> int:
    from musicnet_build.jobs.local import default_workers

    return value or default_workers()


folder_argument = click.argument("folder", type=parameters.existing_folder)
output_option = click.option(
    "-o",
    "--output",
    type=parameters.OutputFile(".h5", ".hdf5", remote=True),
    required=True,
    help="HDF5 file to write, or its URL.",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 256), help="Processes; by default one per processor.",
    callback=_workers,
)  # fmt: skip
seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
a_maps_option = click.option(
    "--a-maps", type=parameters.existing_folder,
    help="Folder of A-MAPS, whose MIDI files are then the labels of MAPS.",
)  # fmt: skip
test_bank_option = click.option(
    "--test-bank",
    "test_banks",
    multiple=True,
    help="Bank held back for testing; by default the Disklavier banks of MAPS.",
)
sustain_option = click.option(
    "--sustain/--no-sustain",
    default=True,
    show_default=True,
    help="Extend note offsets while the sustain pedal is down (MIDI labels).",
)


shard_option = click.option(
    "--shard-size", "shard_megabytes", type=click.IntRange(1, 100_000), default=500, show_default=True,
    help="Megabytes per file, at most; longer recordings have a file each.",
)  # fmt: skip


def run_options(command: _Command) -> _Command:
    """Add the options of how a command runs: workers, progress, result."""
    return workers_option(parameters.verbose_option(parameters.json_option(command)))


def source_options(command: _Command) -> _Command:
    """Add what all packers of recordings are told of their source, but for MAPS."""
    published = click.option(
        "--published-split", type=click.Choice(PUBLISHED_SPLITS),
        help="Test on MusicNet's published test recordings; by default the dataset's own folders or table decide.",
    )  # fmt: skip
    share = click.option(
        "--validation-share", type=click.FloatRange(0, 0.5), default=0.0, show_default=True,
        help="Validate on this share of the training recordings: whole compositions and performers, drawn with --seed.",
    )  # fmt: skip
    partial = click.option("--partial", is_flag=True, help="Pack an unfinished dataset as far as it is built.")
    return folder_argument(published(share(seed_option(partial(command)))))


def recordings_options(category: str) -> Callable[[_Command], _Command]:
    """Return what packers of any corpus begin with: folder, file to write, and what to take of MAPS."""

    def add(command: _Command) -> _Command:
        return source_options(output_option(category_option(category)(a_maps_option(command))))

    return add


def folders_options(category: str) -> Callable[[_Command], _Command]:
    """Return the same for packers that write a folder."""
    output = click.option(
        "-o", "--output", type=parameters.OutputFolder(remote=True), required=True, help="Folder to write, or its URL."
    )

    def add(command: _Command) -> _Command:
        return source_options(output(category_option(category)(a_maps_option(command))))

    return add


def category_option(default: str) -> Callable[[_Command], _Command]:
    """Return the option that chooses categories of MAPS."""
    return click.option(
        "--category", "categories", type=click.Choice(MAPS_CATEGORIES), multiple=True,
        default=(default,), show_default=True, help="Category of MAPS to pack; may be given several times.",
    )  # fmt: skip


class Shown(NamedTuple):
    """What a command reports of a package besides what all do: values for programs, and what the line says."""

    values: Mapping[str, Any] = {}
    line: str = ""


def run_packer(
    pack: "Callable[..., Packed]",
    folder: Path,
    output: Path,
    settings: Any,
    *,
    workers: int,
    verbose: bool,
    as_json: bool,
    preview: "Callable[[], Sequence[Path]] | None" = None,
    shown: "Callable[[Packed], Shown]" = lambda _: Shown(),
) -> None:
    """Pack a folder and report it: the end of every packing command.

    Parameters
    ----------
    pack : callable
        ``pack_frames`` and the like.
    folder, output : Path
    settings : object
        Of this packer.
    workers, verbose, as_json
        As ``run_options`` gives them.
    preview : callable, optional
        Writes previews once the package is there; returns their paths.
    shown : callable, optional
        What to report of this kind of package.
    """
    started = time.monotonic()
    with console.progress_bar(verbose) as progress:
        packed = pack(folder, output, settings, workers=workers, progress=progress)
        if preview:
            progress("drawing", 0.0)
        previews = preview() if preview else ()
        place = parameters.upload(output, progress)
    console.warn(packed.warnings)
    special = shown(packed)
    others = _other_categories(folder, settings)
    values = {
        "output": place,
        "recordings": packed.recordings,
        "made": packed.made,
        "parts": dict(packed.parts),
        "counts": dict(packed.counts),
        "other_categories": others,
        "bytes": packed.size_bytes,
        "warnings": list(packed.warnings),
        **special.values,
        "preview": [str(path) for path in previews],
        "seconds": round(time.monotonic() - started, 3),
    }
    line = special.line or f"{packed.recordings} recordings{_in_brackets(packed.parts)}"
    line += f"; {others} of other categories left out (--category)" if others else ""
    size = f"{packed.size_bytes / 1e6:.1f} MB, in {values['seconds']:.1f} s"
    console.report(values, [f"{place}: {line}, {size}", *map(str, previews)], as_json)


def _other_categories(folder: Path, settings: Any) -> int:
    from musicnet_build.packing.sources import SourceSettings, other_categories

    return other_categories(folder, settings) if isinstance(settings, SourceSettings) else 0


def _in_brackets(parts: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{size} {part}' for part, size in parts.items())})" if parts else ""
