"""What may talk to the audit server: the page that it served itself, on this machine, and nothing else.

Other web sites, and other servers on this machine, can make a browser send requests here; so a request must name this
server as its host, carry a cookie that only the printed address hands out, and, where it writes, a token that only the
page knows.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

TOKEN_HEADER = "x-audit-token"

_WELCOME = b"<!doctype html><meta charset=utf-8><title>One moment</title><link rel=icon href=/static/icon.svg>"


class Guard:
    """Wraps the application; refuses whatever does not come from its own page.

    Parameters
    ----------
    app : callable
        An ASGI application.
    port : int
        On which the server listens.
    """

    def __init__(self, app: App, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        """Opens the page once; part of the printed address."""
        self.page_token = secrets.token_urlsafe(32)
        """Held by the page; without it nothing is written."""
        self._app = app
        self._cookie = secrets.token_urlsafe(32)
        # Cookies know no ports: another server on this machine must not get ours by its name.
        self._cookie_name = f"musicnet_build_audit_{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _Headers(scope)
        fault = self._fault(scope, headers)
        if fault:
            await _answer(send, 403, fault.encode(), {"content-type": "text/plain; charset=utf-8"})
        elif self._is_welcome(scope):
            await self._welcome(send)
        elif not self._has_cookie(headers):
            text = b"Open the address that musicnet-build audit printed: it lets this browser in."
            await _answer(send, 403, text, {"content-type": "text/plain; charset=utf-8"})
        else:
            await self._app(scope, receive, _with_headers(send))

    def _fault(self, scope: Scope, headers: "_Headers") -> str | None:
        """Say why a request is refused whatever cookie it has."""
        if headers.only("host") not in self._hosts:
            return "This server answers to its own address alone."
        site, origin = headers.only("sec-fetch-site"), headers.only("origin")
        if origin not in ("", *(f"http://{host}" for host in self._hosts)):
            return "Requests from other origins are refused."
        if scope["method"] in ("GET", "HEAD"):
            entering = scope["path"] == "/"
            fine = site in ("", "same-origin", "none") or (entering and headers.only("sec-fetch-mode") == "navigate")
            return None if fine else "Requests from other sites are refused."
        if scope["method"] != "POST":
            return "Only GET and POST are answered."
        if site not in ("", "same-origin"):
            return "Requests from other sites are refused."
        if not secrets.compare_digest(headers.only(TOKEN_HEADER).encode(), self.page_token.encode()):
            return "Reload the page: it belongs to an earlier run of the program."
        return None

    def _is_welcome(self, scope: Scope) -> bool:
        if scope["method"] != "GET" or scope["path"] != "/":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return secrets.compare_digest(given.encode(), self.token.encode())

    async def _welcome(self, send: Send) -> None:
        """Set the cookie and go on to an address without the token.

        Not by a redirect: one that begins at another site would leave a strict cookie at home.
        """
        cookie = f"{self._cookie_name}={self._cookie}; HttpOnly; SameSite=Strict; Path=/"
        headers = {"content-type": "text/html; charset=utf-8", "set-cookie": cookie, "refresh": "0; url=/"}
        await _answer(send, 200, _WELCOME, headers)

    def _has_cookie(self, headers: "_Headers") -> bool:
        pairs = (pair.strip().partition("=") for pair in headers.joined("cookie").split(";"))
        given = next((value for name, _, value in pairs if name == self._cookie_name), "")
        return secrets.compare_digest(given.encode(), self._cookie.encode())


class _Headers:
    """The headers of a request, bytes that may be anything."""

    def __init__(self, scope: Scope) -> None:
        self._pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]

    def only(self, name: str) -> str:
        """The value of a header that is there once; empty where it is missing; nothing valid where it is doubled."""
        values = [value for key, value in self._pairs if key == name]
        return values[0] if len(values) == 1 else "\0" * len(values)

    def joined(self, name: str) -> str:
        return "; ".join(value for key, value in self._pairs if key == name)


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    pairs = {**{name.lower(): value for name, value in SECURITY_HEADERS.items()}, **headers}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    """Add the headers that every answer has."""
    added = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in SECURITY_HEADERS.items()]

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return sending
