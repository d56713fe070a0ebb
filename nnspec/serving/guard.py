"""What a request passes before the routes: its host, its origin, its token, and the time it may take."""

import asyncio
import hmac
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nnspec.serving.address import host_name
from nnspec.serving.answers import refused
from nnspec.serving.app import Endpoints
from nnspec.serving.limits import Refusal, busy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass
class Guard:
    """An ASGI application before another one.

    Arguments:
        app: the routes.
        endpoints: what they share; answers are counted there.
        token: what "Authorization: Bearer" has to say, None for nothing.
        hosts: the names that the Host header may have, None for any. A page of another site that has its name resolved
            to this machine is refused by them.
    """

    app: Callable[[Scope, Receive, Send], Awaitable[None]]
    endpoints: Endpoints
    token: str | None
    hosts: frozenset[str] | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        started = False

        async def counted(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                answers = self.endpoints.traffic.answers
                answers[message["status"]] = answers.get(message["status"], 0) + 1
            await send(message)

        try:
            async with asyncio.timeout(self.endpoints.traffic.limits.timeout):
                self._checkhost_name(headers)
                self._check_token(scope, headers)
                await self.app(scope, receive, counted)
                return
        except Refusal as found:
            refusal = found
        except TimeoutError:
            seconds = self.endpoints.traffic.limits.timeout
            refusal = busy(f"the answer was not ready within {seconds:g} seconds: send fewer samples, or wait")
        except Exception:  # a fault of nnspec: its traceback is for the one who runs the server
            traceback.print_exc(file=sys.stderr)
            refusal = Refusal(500, "the server failed: its log says why")
        if not started:
            await refused(refusal)(scope, receive, counted)

    def _checkhost_name(self, headers: dict[bytes, str]) -> None:
        if self.hosts is None:
            return
        if host_name(headers.get(b"host", "")) not in self.hosts:
            raise Refusal(421, "this server is not asked by that name: --allow-host NAME lets a proxy use it")
        origin = headers.get(b"origin")
        if origin is not None and host_name(urlsplit(origin).netloc) not in self.hosts:
            raise Refusal(403, "a page of another site may not ask this server")

    def _check_token(self, scope: Scope, headers: dict[bytes, str]) -> None:
        if self.token is None:
            return
        kind, _, given = headers.get(b"authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("latin-1"), self.token.encode())
        scope["trusted"] = same and kind.lower() == "bearer"
        if not scope["trusted"] and scope["path"] != "/health":
            message = "the request has no valid token: send the header Authorization: Bearer TOKEN"
            raise Refusal(401, message, {"WWW-Authenticate": "Bearer"})
