"""Who may talk to the desk: this machine's own pages, or those who have the token. Nobody else's pages."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "reelmend_token"

LARGEST_REQUEST = 4 << 20
"""Bytes of a request's body: a long stroke takes a few hundred thousand."""

UPLOADS = "/api/uploads/"
"""What is sent there is counted where it is kept, as it comes."""

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    name = host.strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Guard:
    """Around the whole application, web sockets included."""

    def __init__(self, app: App, token: str | None = None) -> None:
        """Without a token only names of this machine are served: no page elsewhere can reach it by another name."""
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal:
            await _refuse(scope, send, *refusal)
            return
        fresh = self._token if self._token and self._given(scope) == self._token else None

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                extra = list(HEADERS)
                if fresh:
                    extra.append((b"set-cookie", f"{COOKIE}={fresh}; HttpOnly; SameSite=Strict; Path=/".encode()))
                message = message | {"headers": [*message.get("headers", []), *extra]}
            await send(message)

        await self._app(scope, receive if _uploads(scope) else _limited(receive), answer)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = _name(headers.get("host", ""))
        if self._token is None and not is_loopback(host):
            return 403, "This desk serves its own machine only; start it with a token to reach it from others."
        origin = headers.get("origin")
        if origin and origin != "null" and urlsplit(origin).netloc != headers.get("host", ""):
            return 403, "Another page may not use this desk."
        unsafe = scope["type"] == "websocket" or scope.get("method") not in ("GET", "HEAD")
        if unsafe and (origin == "null" or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")):
            return 403, "Another page may not use this desk."
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > LARGEST_REQUEST and not _uploads(scope):
            return 413, "That is too much at once."
        if self._token is not None and not self._known(scope, headers):
            return 401, "This desk wants its token: open the address that it printed."
        return None

    def _known(self, scope: Scope, headers: dict[str, str]) -> bool:
        assert self._token is not None
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        offered = [self._given(scope), cookie.value if cookie else None]
        return any(one is not None and hmac.compare_digest(one.encode(), self._token.encode()) for one in offered)

    @staticmethod
    def _given(scope: Scope) -> str | None:
        found = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
        return found[0] if found else None


def _name(host: str) -> str:
    """The host without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _uploads(scope: Scope) -> bool:
    return scope["type"] == "http" and scope.get("method") == "PUT" and scope.get("path", "").startswith(UPLOADS)


def _limited(receive: Receive) -> Receive:
    """Bodies without an announced length end the connection where they grow too large."""
    taken = 0

    async def counted() -> dict[str, Any]:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > LARGEST_REQUEST:
                return {"type": "http.disconnect"}
        return message

    return counted


async def _refuse(scope: Scope, send: Send, status: int, said: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": said[:100]})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})
