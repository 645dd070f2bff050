"""``musicnet-build pack segments``: audio, rolls and spectra."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicnet_build.cli import pack_options

if TYPE_CHECKING:
    from musicnet_build.packing.sources import Packed


@click.command(name="segments")
@pack_options.recordings_options("MUS")
@pack_options.test_bank_option
@click.option(
    "--with-spectra/--without-spectra", "store_spectra", default=True,
    help="Store mel and constant-Q spectra, or let the reader compute them.",
)  # fmt: skip
@click.option("--keep-test-pieces", is_flag=True, help="Train on pieces that are also in the test set.")
@pack_options.sustain_option
@pack_options.run_options
def command(folder: Path, output: Path, workers: int, verbose: bool, as_json: bool, **chosen: Any) -> None:
    """Pack the recordings of FOLDER (MAPS, MAESTRO or MusicNet in layout) at 16 kHz, with rolls and spectra."""
    from musicnet_build.packing.segments import SegmentsSettings, pack_segments

    settings = SegmentsSettings(**chosen)
    pack_options.run_packer(
        pack_segments, folder, output, settings, workers=workers, verbose=verbose, as_json=as_json, shown=_shown
    )


def _shown(packed: "Packed") -> pack_options.Shown:
    removed = packed.counts["removed_test_pieces"]
    sizes = ", ".join(f"{count} {part}" for part, count in packed.parts.items())
    line = f"{packed.recordings} recordings ({sizes}); {removed} left out, their pieces being tested on"
    return pack_options.Shown({**packed.parts, "removed_test_pieces": removed}, line)
