"""``musicnet-build pack``: datasets in the packages that training code reads."""

import click

from musicnet_build.cli.lazy_group import LazyGroup

SUBCOMMANDS = {
    "musicnet": "One HDF5 (or .npz) file in the layout of MusicNet's first release.",
    "transcription": "HDF5 per recording, and 16 kHz FLAC with TSV, as piano transcription reads them.",
    "maestro": "WAV and MIDI of one piano with tables, in MAESTRO's layout, which most transcription code reads.",
    "parquet": "Parquet files that Hugging Face datasets opens without code.",
    "webdataset": "Tar files of FLAC and JSON, for trainings that stream them.",
    "notesequence": "TFRecord files of audio and NoteSequences, as MT3 and Magenta read them.",
    "yourmt3": "16 kHz WAV, notes and index files, as YourMT3 reads them.",
    "frames": "Logarithmic spectra and frame-wise targets of several labelling functions.",
    "segments": "Audio at 16 kHz with onset, offset, frame and velocity rolls, mel and constant-Q spectra.",
    "thumbnails": "Small pictures of single notes, one per time step.",
    "timbre": "Pictures of short frames, labelled with what each instrument plays, in subsets and folds.",
}


@click.group(name="pack", cls=LazyGroup, subcommands=SUBCOMMANDS)
def command() -> None:
    """Pack a dataset into the files that training code reads. Every kind takes --help and --json."""
