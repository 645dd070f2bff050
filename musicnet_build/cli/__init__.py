"""The command line: one small module per command, imported when the command is named.

Each command parses its arguments, calls the package, and reports. Errors become one line on standard error. Exit
codes: 0 done, 1 failed, 2 misuse, 130 interrupted.
"""

import errno
import os
import sys

import click

from musicnet_build import __version__
from musicnet_build.cli import console
from musicnet_build.cli.lazy_group import LazyGroup
from musicnet_build.errors import NO_SPACE_LEFT, MusicnetBuildError

COMMANDS = {
    "align": "Label a recording with the notes of its score.",
    "synth": "Render a score to audio.",
    "overlay": "Mix a short tone into a recording at every labelled onset.",
    "check": "Find what is wrong with labels that exist.",
    "refine": "Move nearly right labels to where their notes are heard.",
    "convert": "Convert labels from one format to another.",
    "audit": "Hear, see and judge labels in the browser.",
    "report": "Report on labels in one file of HTML that opens from a mail.",
    "init": "Pair recordings and scores into a manifest.",
    "build": "Build a dataset from the recordings and scores of a manifest.",
    "generate": "Generate exactly labelled music from soundfonts.",
    "pack": "Pack a dataset into the files that training code reads.",
    "train": "Train a published model on a package.",
    "study": "Run an experiment: train its models, print its tables.",
    "transcribe": "Write the notes of a recording as a trained model hears them.",
    "stats": "Count what is in a dataset.",
    "validate": "Find what is wrong with a dataset.",
    "score": "Show what a score holds: length, instruments, tempo, metre, repeats.",
    "evaluate": "Compare predictions with the truth.",
    "soundfonts": "List the soundfonts found on this machine.",
    "doctor": "Check the installation, and name the command that mends what is missing.",
    "demo": "Make a small labelled recording, its overlay and its picture.",
}

_FAILED, _INTERRUPTED = 1, 130
_RESUMING = (["build"], ["pack"], ["generate"], ["train"], ["study"], ["check"])


@click.group(cls=LazyGroup, subcommands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="musicnet-build")
def group() -> None:
    """From recordings and MIDI scores to note-labelled audio that can be trusted."""


def main() -> None:
    """Run the command line; the console script ``musicnet-build``."""
    console.warn_in_one_line()
    # Before numpy comes: products are small here, and threads that wait for the next one take the cores from ours.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        # What a command returns is its exit code, None being 0.
        sys.exit(group(prog_name="musicnet-build", standalone_mode=False))
    except click.Abort:
        goes_on = ": run the same command again to go on" if sys.argv[1:2] in _RESUMING else ""
        console.fail(f"interrupted{goes_on}.")
        console.leave(_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        console.fail_as_json(error.format_message())
        console.leave(error.exit_code)
    except MusicnetBuildError as error:
        console.fail(str(error))
    except OSError as error:
        console.fail(f"{error.filename or 'the system'}: {_reason(error)}")
    except MemoryError:
        console.fail("out of memory: close other programs, or use a machine with more of it.")
    console.leave(_FAILED)


def _reason(error: OSError) -> str:
    return NO_SPACE_LEFT if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"{error.strerror or error}."
