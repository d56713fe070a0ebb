"""What a request to the studio passes before the routes: its host, where it comes from, its token.

A page of another site must neither read an answer nor cause one. Its name may be resolved to this machine, so the Host
header has to be this address and port. It may post a form here, so Origin has to be this page's, if it is sent, and a
request that changes something has to send it. Programs of other users of this machine do not know the token.
"""

import hmac
import sys
import traceback
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from nnspec.serving.address import new_token
from nnspec.serving.answers import refused
from nnspec.serving.limits import Refusal

READS = ("GET", "HEAD")
LOGIN = "/"
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing of another host, no script in the page's text, and styles only with the page's own nonce."""

_CLOSED = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>nnspec studio</title><main><h1>nnspec studio</h1>
<p>This page opens with the link that <code>nnspec studio</code> printed in the terminal. The studio was started again
if that link worked before: each start has a link of its own.</p></main></html>"""


@dataclass
class Guard:
    """An ASGI application before another one.

    `port` is where it listens on 127.0.0.1, `token` what the link carries, and afterwards a cookie.
    """

    app: ASGIApp
    port: int
    token: str
    _once: set[str] = field(default_factory=set)

    def token_for_once(self) -> str:
        """Return a token that opens the page a single time: for a browser's command line, which other users see."""
        made = new_token()
        self._once.add(made)
        return made

    @property
    def cookie(self) -> str:
        """The name of the cookie: browsers do not keep the ports of a host apart."""
        return f"nnspec-studio-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return
        started = False

        async def guarded(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = {name.lower() for name, _ in message["headers"]}
                more = {**_HEADERS, b"content-security-policy": POLICY.format(nonce="none").encode()}
                message["headers"] = [*message["headers"], *((n, v) for n, v in more.items() if n not in given)]
            await send(message)

        try:
            response = self._answer(scope)
            if response is None:
                await self.app(scope, receive, guarded)
                return
        except Refusal as refusal:
            response = refused(refusal)
        except Exception:  # a fault of nnspec: its traceback is for the one who runs the studio
            traceback.print_exc(file=sys.stderr)
            response = refused(Refusal(500, "the studio failed: its terminal says why"))
        if not started:
            await response(scope, receive, guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """Return the answer to a request that does not reach the routes, None for one that does. Raises Refusal."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        self._check_host(headers)
        login = scope["path"] == LOGIN and scope["method"] in READS
        self._check_origin(scope["method"], headers, login)
        if login and (given := parse_qs(scope["query_string"].decode("latin-1")).get("token")):
            return self._log_in(given[0])
        if not self._known(headers.get(b"cookie", "")):
            if login:
                return HTMLResponse(_CLOSED, 401)
            raise Refusal(401, "the request has no valid token: open the link that nnspec studio printed")
        return None

    def _log_in(self, token: str) -> Response:
        """Return the answer to the link: a cookie, and the page without the token in its address."""
        if token in self._once:
            self._once.remove(token)
        elif not self._same(token):
            return HTMLResponse(_CLOSED, 401)
        answer = RedirectResponse(LOGIN, 303)
        answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return answer

    def _check_host(self, headers: dict[bytes, str]) -> None:
        host = headers.get(b"host", "").lower()
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise Refusal(421, f"the studio is asked as http://127.0.0.1:{self.port} only")

    def _check_origin(self, method: str, headers: dict[bytes, str], login: bool) -> None:
        own = f"http://{headers[b'host'].lower()}"
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", "none")
        followed = login and headers.get(b"sec-fetch-mode", "navigate") == "navigate"  # a link may lead to the page
        if (origin is not None and origin.lower() != own) or (site not in ("same-origin", "none") and not followed):
            raise Refusal(403, "a page of another site may not ask the studio")
        if method not in READS and origin is None:
            raise Refusal(403, "a request that changes something has to name its Origin")

    def _known(self, cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        return found is not None and self._same(found.value)

    def _same(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
