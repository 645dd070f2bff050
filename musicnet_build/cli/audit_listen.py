"""``musicnet-build audit DATASET``: hear, see and judge labels in the browser."""

import contextlib
import getpass
import os
import platform
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicnet_build.cli import parameters

if TYPE_CHECKING:
    from musicnet_build.cli.audit_aligner import ScoreAligner
    from musicnet_build.listening.catalogue import Catalogue
    from musicnet_build.listening.streams import Player

_MAX_LABEL_FILES = 2


@click.command(name="listen")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("labels", type=parameters.existing_file, nargs=-1)
@click.option("--quality", type=parameters.existing_file, help="Report of `align --quality`: suspicious spans (JSON).")
@click.option("--score", type=parameters.existing_file, help="The recording's score: anchors can then be tried.")
@click.option(
    "--manifest", type=parameters.existing_file,
    help="What the dataset was built of: anchors can then be tried, with its scores and settings.",
)  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine; by default a free one.")
@click.option("--reviewer", help="Name under which judgements are kept; by default the user's.")
@parameters.soundfont_option
def command(
    source: Path,
    labels: tuple[Path, ...],
    quality: Path | None,
    score: Path | None,
    manifest: Path | None,
    no_browser: bool,
    port: int,
    reviewer: str | None,
    soundfont: str | None,
) -> None:
    """Open the page for SOURCE: the folder of a dataset, or a recording followed by one or two label files.

    The page is for this machine alone; its address, with a secret in it, is printed on one line. Interrupt the
    command to end it: everything judged is saved by then.
    """
    _check(source, labels, quality)
    _check_scores(source, labels, score, manifest)
    try:
        from musicnet_build.listening.web.server import AuditServer
    except ImportError as error:
        raise click.UsageError(
            f"the page needs the extra `audit` ({error.name} is missing): pip install 'musicnet_build[audit]'."
        ) from error
    from musicnet_build.listening.judgements import Journal
    from musicnet_build.listening.web.session import Session

    catalogue = _catalogue(source, labels, quality)
    journal = Journal(catalogue.judgements)
    name = reviewer or _user()
    journal.path_of(name)
    session = Session(catalogue, _score_voice(soundfont))
    # A recording or label file that cannot be read is said here, not in the page.
    session.recording(catalogue.items[0].id)
    server = AuditServer(session, journal, name, port, _aligner(source, score, manifest, soundfont))
    click.echo(server.address)
    browser = contextlib.nullcontext() if no_browser else _opened(server.address)
    # Interrupting is how one ends it.
    with browser, contextlib.suppress(KeyboardInterrupt):
        server.run()


def _check(source: Path, labels: tuple[Path, ...], quality: Path | None) -> None:
    if source.is_dir() and (labels or quality):
        raise click.UsageError(f"{source} is a folder: a dataset brings its labels and reports.")
    if source.is_file() and not 1 <= len(labels) <= _MAX_LABEL_FILES:
        raise click.UsageError(f"give {source} one label file to judge, or two to compare.")


def _check_scores(source: Path, labels: tuple[Path, ...], score: Path | None, manifest: Path | None) -> None:
    if manifest and not source.is_dir():
        raise click.UsageError("--manifest is for the folder of a dataset: give --score.")
    if score and (source.is_dir() or len(labels) > 1):
        raise click.UsageError("--score is for a recording and one label file: a dataset needs its --manifest.")


def _aligner(
    recording: Path, score: Path | None, manifest: Path | None, soundfont: str | None
) -> "ScoreAligner | None":
    from musicnet_build.cli.audit_aligner import file_aligner, manifest_aligner

    if score:
        return file_aligner(recording, score, soundfont)
    return manifest_aligner(manifest, soundfont) if manifest else None


def _catalogue(source: Path, labels: tuple[Path, ...], quality: Path | None) -> "Catalogue":
    from musicnet_build.listening.catalogue import dataset_catalogue, files_catalogue

    return dataset_catalogue(source) if source.is_dir() else files_catalogue(source, labels, quality)


def _user() -> str:
    """The user's name, where it is one; containers may have none."""
    with contextlib.suppress(KeyError, OSError):
        return getpass.getuser()
    return "reviewer"


def _score_voice(soundfont: str | None) -> "Player | None":
    """What plays labels on instruments; without a soundfont there are tones."""
    from musicnet_build.errors import SoundfontError
    from musicnet_build.listening.voices import ScoreVoice
    from musicnet_build.synthesis.soundfonts import choose_soundfont

    try:
        return ScoreVoice(choose_soundfont(soundfont)).play
    except SoundfontError as error:
        if soundfont:
            raise
        click.echo(f"labels are heard as tones only: {error}", err=True)
        return None


@contextlib.contextmanager
def _opened(address: str) -> Iterator[None]:
    """Open the browser without showing the secret to other users, who see the arguments of processes."""
    if "microsoft" in platform.release().lower():
        # Browsers of the Windows side do not find our files.
        webbrowser.open(address)
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "open.html"
        with os.fdopen(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={address}">')
        webbrowser.open(page.as_uri())
        yield
