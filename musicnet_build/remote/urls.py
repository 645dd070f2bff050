"""URLs of files: which are read, how they are shown, the file systems behind them, and what those refuse.

fsspec speaks to the stores (the extra ``remote``), and takes credentials from the environment, as it always does:
``AWS_PROFILE``, ``GOOGLE_APPLICATION_CREDENTIALS``, ``FSSPEC_S3_ENDPOINT_URL`` and the like. None is read from a
URL, and what a URL holds besides its place is never printed.
"""

import contextlib
import importlib
import re
from collections.abc import Iterator
from typing import Any

from musicnet_build.errors import DatasetError

PROTOCOLS = ("http", "https", "s3", "gs", "az", "abfs", "hf", "sftp", "webdav", "memory")
"""Those that are read; what leads to files of this machine, or reads one file system through another, is not."""

WEB = ("http", "https")
"""Those of them that are not written to."""

_LONGEST_SILENCE_S = 60
_LONGEST_REASON = 300
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://([^\s'\"<>]*)")
# A name before the place is mostly a token; in these it is a user, or a container of Azure.
_NAMED = ("sftp", "abfs", "az")


def is_remote(name: str) -> bool:
    """Return whether a name is a URL rather than a path.

    Parameters
    ----------
    name : str
        As it stands in a manifest.

    Examples
    --------
    >>> is_remote("s3://bucket/a.flac"), is_remote("a.flac"), is_remote("C:/a.flac")
    (True, False, False)
    """
    return bool(_URL.match(name))


def shown(url: str) -> str:
    """Return a URL as it may be printed: without a password, and where that is signed without what follows the path.

    Parameters
    ----------
    url : str
        Or a path, which is returned as it is.

    Examples
    --------
    >>> shown("https://me:secret@host/a.flac?signature=1f")
    'https://host/a.flac'
    >>> shown("s3://bucket/C# minor.flac"), shown("a.flac")
    ('s3://bucket/C# minor.flac', 'a.flac')
    """
    protocol, separator, place = url.partition("://")
    if not separator:
        return url
    place = place[len(_credentials(protocol, place)) :]
    is_bucket = protocol.lower() in PROTOCOLS and protocol.lower() not in WEB
    return f"{protocol}://{place if is_bucket else re.split('[?#]', place)[0]}"


def _credentials(protocol: str, place: str) -> str:
    """What stands before the place of a URL and should be kept secret."""
    pattern = r"[^/@]*:[^/]*@" if protocol.lower() in _NAMED else r"[^/]*@"
    found = re.match(pattern, place)
    return found.group() if found else ""


def fault_of(url: str) -> str | None:
    """Return what keeps a URL from being read, None where nothing does: its form alone, without a network.

    Parameters
    ----------
    url : str

    Returns
    -------
    str or None
        The end of a sentence that begins with the URL.
    """
    protocol, _, place = url.partition("://")
    if protocol.lower() not in PROTOCOLS:
        return f"{protocol}:// is not read; known are {', '.join(PROTOCOLS)}, and paths"
    if "::" in url:
        return "file systems that are read through others (::) are not read"
    if _credentials(protocol, place):
        return "holds a user or password: credentials are taken from the environment"
    _, inside, name = place.rstrip("/").rpartition("/")
    return None if inside and name not in (".", "..") else "names no file"


def open_store(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Parameters
    ----------
    url : str

    Returns
    -------
    store : fsspec.AbstractFileSystem
    path : str

    Raises
    ------
    DatasetError
        When the URL is not read, or fsspec is missing.
    """
    if fault := fault_of(url):
        raise DatasetError(f"{shown(url)}: {fault}.")
    options = {}
    if url.partition("://")[0].lower() in WEB:
        # No limit on the whole, which a large file at a slow place would meet; one on silence instead.
        silence = {"sock_connect": _LONGEST_SILENCE_S, "sock_read": _LONGEST_SILENCE_S}
        options = {"client_kwargs": {"timeout": _library("aiohttp", url).ClientTimeout(total=None, **silence)}}
    store, path = _library("fsspec.core", url).url_to_fs(url, **options)
    return store, path


def _library(name: str, url: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        needed = f"needs {name.partition('.')[0]}: pip install 'musicnet_build[remote]'"
        raise DatasetError(f"{shown(url)}: {needed}.") from error


@contextlib.contextmanager
def told(url: str, doing: str) -> Iterator[None]:
    """Say in one line, without secrets, what a store refuses; each has exceptions of its own.

    Parameters
    ----------
    url : str
    doing : {"read", "written"}
        What the body does with it.

    Raises
    ------
    DatasetError
        In place of whatever the body raises.
    """
    try:
        yield
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{shown(url)}: cannot be {doing}: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
    status = getattr(cause, "status", None)
    if status:
        return f"the server answers {status} {getattr(cause, 'message', '')}".rstrip()
    if isinstance(cause, FileNotFoundError):
        return "it does not exist"
    if isinstance(cause, ImportError):
        return f"a package is missing ({cause})"
    if isinstance(cause, PermissionError):
        return "access is denied; credentials are taken from the environment"
    told = _URL.sub(lambda found: shown(found.group()), " ".join(str(cause).split()))[:_LONGEST_REASON]
    return f"{type(cause).__name__}: {told}".removesuffix(".")
