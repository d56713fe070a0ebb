"""The requests that are being received and answered: how much of them there is at a time, and their bodies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import Request

from nnspec.serving.limits import MOST_RECEIVING, Limits, Refusal, busy

T = TypeVar("T")


@dataclass
class Traffic:
    """The requests that are being received and answered."""

    limits: Limits
    accepted: int = 0  # now
    receiving: int = 0  # bytes, now
    answers: dict[int, int] = field(default_factory=dict)  # since the start, by status

    async def body(self, request: Request) -> bytes:
        """Return the body of a request. Raises Refusal where it is too large, or too much is being received."""
        most = self.limits.body
        announced = request.headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdigit():
            raise Refusal(400, "Content-Length is not a number")
        if int(announced) > most:
            raise self._too_large()
        content = bytearray()
        try:
            async for part in request.stream():
                if self.receiving + len(part) > MOST_RECEIVING:
                    raise busy("too much is being received: send the request again in a second")
                content += part
                self.receiving += len(part)
                if len(content) > most:
                    raise self._too_large()
        finally:
            self.receiving -= len(content)
        return bytes(content)

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body is larger than {self.limits.body:,} bytes: send fewer samples in each request")

    async def accept(self, answer: Callable[[], Awaitable[T]]) -> T:
        """Return what `answer` returns, in a place of the queue. Raises Refusal where there is none."""
        if self.accepted >= self.limits.queue:
            raise busy(f"{self.accepted} requests are waiting, the most there may be: send it again in a second")
        self.accepted += 1
        try:
            return await answer()
        finally:
            self.accepted -= 1
