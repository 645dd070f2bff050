"""``musicnet-build pack``: datasets in the packages that training code reads."""

import click

from musicnet_build.cli.lazy_group import LazyGroup

SUBCOMMANDS = {
    "frames": "Logarithmic spectra and frame-wise targets of several labelling functions.",
    "segments": "Audio at 16 kHz with onset, offset, frame and velocity rolls, mel and constant-Q spectra.",
    "thumbnails": "Small pictures of single notes, one a time step.",
    "timbre": "Pictures of short frames, labelled with what each instrument plays, in subsets and folds.",
}


@click.group(name="pack", cls=LazyGroup, subcommands=SUBCOMMANDS)
def command() -> None:
    """Write a dataset folder as one file for training. Every kind takes --help and --json."""
