"""Which URLs are read, and what is printed of them."""

from importlib.util import find_spec

import pytest

from musicnet_build.errors import DatasetError
from musicnet_build.remote.urls import fault_of, is_remote, open_store, shown, told


def test_paths_are_no_urls() -> None:
    assert not any(map(is_remote, ("a.flac", "/a/b.flac", "a:b.flac", "C:/a.flac", "C://a.flac", "a b://c", "")))
    assert all(map(is_remote, ("s3://b/a.flac", "HTTPS://host/a", "file:///etc/passwd", "zip://a::s3://b/c")))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("s3://bucket/a.flac", None),
        ("abfs://container@account.dfs.core.windows.net/a.flac", None),
        ("sftp://user@host/a.flac", None),
        ("hf://datasets/owner/name@main/a.flac", None),
        ("https://host/a.flac?signature=1", None),
        ("file:///etc/passwd", "file:// is not read"),
        ("local:///etc/passwd", "local:// is not read"),
        ("zip://a.flac::s3://bucket/a.zip", "zip:// is not read"),
        ("reference://a", "reference:// is not read"),
        ("s3://bucket/a.zip::file:///etc/passwd", "(::)"),
        ("https://token@host/a.flac", "holds a user or password"),
        ("s3://key:secret@bucket/a.flac", "holds a user or password"),
        ("sftp://user:secret@host/a.flac", "holds a user or password"),
        ("s3://bucket/", "names no file"),
        ("s3://bucket/a/..", "names no file"),
    ],
)
def test_what_leads_elsewhere_or_holds_a_secret_is_refused(url: str, fault: str | None) -> None:
    assert (fault_of(url) is None) if fault is None else (fault in (fault_of(url) or ""))


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@host/a.flac",
        "https://secret@host/a.flac?x#y",
        "https://host/a.flac?sig=secret",
        "s3://a:secret@b/c",
    ],
)
def test_secrets_are_not_shown_whatever_a_store_says(url: str) -> None:
    assert "secret" not in shown(url)
    with pytest.raises(DatasetError) as caught, told("https://host/b", "read"):
        raise RuntimeError(f"cannot open '{url}'\n (403)")
    assert "secret" not in str(caught.value)
    assert "(403)" in str(caught.value)
    with pytest.raises(DatasetError) as refused:
        open_store(url.replace("https", "ftps").replace("s3:", "ftps:"))
    assert "secret" not in str(refused.value)


@pytest.mark.skipif(find_spec("adlfs") is not None, reason="it is installed")
def test_a_package_that_is_missing_is_named() -> None:
    missing = r"^az://b/a: cannot be read: a package is missing \(Install adlfs"
    with pytest.raises(DatasetError, match=missing), told("az://b/a", "read"):
        open_store("az://b/a")
