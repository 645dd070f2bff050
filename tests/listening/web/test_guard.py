"""Tests of what may talk to the audit server: the matrix of hosts, origins, cookies, tokens and methods."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_pages import Client, judgement, running, write_music

from musicnet_build.listening.catalogue import files_catalogue


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guarded")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    recording, labels = write_music(folder, 4.0)
    with running(files_catalogue(recording, [labels])) as server:
        yield Client(server).enter()


def one(number: int) -> bytes:
    return json.dumps([judgement(number)]).encode()


def test_the_page_may_read_and_write(client: Client) -> None:
    assert client.request("GET", "/").status == 200
    assert client.request("GET", "/api/recordings").status == 200
    assert client.post(one(1)).status == 204


HOSTS = ["evil.example", "127.0.0.1", "localhost", "[::1]:{port}", "127.0.0.1:{port}@evil",
         "127.0.0.1:{port}.evil.example",
         "0.0.0.0:{port}", "127.0.0.1:1", " ", "127.0.0.1:{port}, evil"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/api/recordings", "/static/app.js"])
def test_other_hosts_are_refused_whatever_the_cookie(client: Client, host: str, path: str) -> None:
    assert client.request("GET", path, headers={"Host": host.format(port=client.port)}).status in (400, 403)


def test_localhost_is_a_name_of_this_machine(client: Client) -> None:
    assert client.request("GET", "/", headers={"Host": f"localhost:{client.port}"}).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/?token=wrong", "/api/recordings", "/api/recordings/music/sound", "/static/app.js"]
)
@pytest.mark.parametrize("cookie", ["", "musicnet_build_audit_{port}=wrong", "other=1"])
def test_without_the_cookie_nothing_is_told(client: Client, path: str, cookie: str) -> None:
    stranger = {"Cookie": cookie.format(port=client.port)}
    assert client.request("GET", path, headers=stranger).status == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "file://"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_origins_are_refused(client: Client, origin: str, method: str) -> None:
    headers = {"Origin": origin.format(port=client.port)}
    if method == "POST":
        assert client.post(one(2), **headers).status == 403
    else:
        assert client.request("GET", "/api/recordings", headers=headers).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_other_pages_cause_are_refused(client: Client, site: str) -> None:
    assert client.post(one(3), **{"Sec-Fetch-Site": site}).status == 403
    assert client.request("GET", "/api/recordings", headers={"Sec-Fetch-Site": site}).status == 403
    assert client.request("GET", "/static/app.js", headers={"Sec-Fetch-Site": site}).status == 403


@pytest.mark.parametrize("token", ["", "wrong"])
def test_nothing_is_written_without_the_pages_token(client: Client, token: str) -> None:
    assert client.post(one(4), **{"X-Audit-Token": token}).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    headers = {"X-Audit-Token": client.page_token}
    assert client.request(method, "/api/events", headers=headers).status in (400, 403, 405)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_is_refused(client: Client, content_type: str) -> None:
    assert client.post(one(5), **{"Content-Type": content_type}).status == 415


def test_the_refused_wrote_nothing(client: Client, folder: Path) -> None:
    client.post(one(1))
    (path,) = folder.rglob("*.jsonl")
    assert {json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()} == {judgement(1)["id"]}


def test_the_cookie_is_strict_and_named_by_port(client: Client) -> None:
    cookie = client.request("GET", client.address.partition(str(client.port))[2]).headers["set-cookie"]
    assert cookie.startswith(f"musicnet_build_audit_{client.port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize("path", ["/", "/api/recordings", "/static/app.js", "/no/such/place"])
def test_every_answer_says_what_it_may_be_used_for(client: Client, path: str) -> None:
    headers = client.request("GET", path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_the_secret_is_long_enough(client: Client) -> None:
    assert len(client.address.partition("token=")[2]) >= 22  # 128 bits in base 64
