"""uvicorn's protocol with what it lacks: a time in which a request has to arrive, limits of headers and connections.

Its own timeout is for a connection between two requests. Any byte ends it, so that a client which sends a byte now and
then would keep a connection for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEADERS = 2**16
"""The most bytes of a request's first line and headers."""


class PatientProtocol(HttpToolsProtocol):
    """A connection whose requests arrive whole within `seconds`. `most` are the most connections at a time."""

    seconds = 30.0
    most = 4096
    _deadline: asyncio.TimerHandle | None = None
    _head = 0  # bytes of the headers so far, 0 while none are awaited

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request, as between two, or refuse where there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(b"503 Service Unavailable", b"there are too many connections: try again in a second")
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Read a part of a request. The first byte of one starts its time."""
        if self.transport.is_closing():
            return
        if self._deadline is None:
            self._arm()
        if self._head:
            self._head += len(data)
            if self._head > MOST_HEADERS:
                self._refuse(b"431 Request Header Fields Too Large", b"the headers are larger than 65,536 bytes")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to count the bytes of the headers."""
        super().on_message_begin()
        self._head = 1
        if self._deadline is None:
            self._arm()

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._head = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Let the request take its time: it has arrived."""
        self._disarm()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._disarm()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse(b"400 Bad Request", b"the request is not HTTP")

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(self.seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(b"408 Request Timeout", b"the request did not arrive in time")

    def _refuse(self, status: bytes, message: bytes) -> None:
        """Answer without the application, unless it is answering, and close the connection."""
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not answering:
            body = b'{"error":"' + message + b'"}'
            retry = b"retry-after: 1\r\n" if status.startswith(b"503") else b""
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\nconnection: close\r\n" + retry
                + b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body
            )  # fmt: skip
        self._disarm()
        self.transport.close()
