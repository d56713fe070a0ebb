"""What every tab is told: one stream of messages, each with a revision that only grows."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

MOST_WAITING = 256
"""The most messages that wait for one tab; a slower tab misses them all and is told to ask for the state again."""

QUIET = 15.0
"""Seconds after which a stream says that it is alive."""

Message = dict[str, Any]


@dataclass(eq=False)
class _Tab:
    """One listener, in the event loop in which it listens."""

    loop: asyncio.AbstractEventLoop
    waiting: "asyncio.Queue[Message | None]" = field(default_factory=lambda: asyncio.Queue(MOST_WAITING + 8))

    def hand(self, message: Message | None) -> None:
        """Queue a message, None for the end of the stream."""
        if message is not None and self.waiting.qsize() >= MOST_WAITING:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            message = {"kind": "missed", "revision": message["revision"]}
        self.waiting.put_nowait(message)


class Hub:
    """Hands messages from any thread to every tab that listens."""

    def __init__(self) -> None:
        self.revision = 0
        self._tabs: list[_Tab] = []
        self._lock = Lock()
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many tabs listen."""
        return len(self._tabs)

    def tell(self, kind: str, **content: Any) -> int:
        """Send a message to every tab, and return its revision."""
        with self._lock:
            self.revision += 1
            revision = self.revision
            message = {"kind": kind, "revision": revision, **content}
            for tab in self._tabs:
                try:
                    tab.loop.call_soon_threadsafe(tab.hand, message)
                except RuntimeError:  # its loop has ended
                    continue
        return revision

    def close(self) -> None:
        """End every stream, and those that are asked for from now on."""
        with self._lock:
            self._closed = True
            for tab in self._tabs:
                tab.loop.call_soon_threadsafe(tab.hand, None)

    async def stream(self, first: Message) -> AsyncIterator[str]:
        """Yield server-sent events: `first` with the revision that it belongs to, then every message."""
        tab = _Tab(asyncio.get_running_loop())
        with self._lock:
            if self._closed:
                return
            self._tabs.append(tab)
            begins = self.revision
        try:
            yield _event({**first, "revision": begins})
            while True:
                try:
                    message = await asyncio.wait_for(tab.waiting.get(), QUIET)
                except TimeoutError:
                    yield ": alive\n\n"
                    continue
                if message is None:
                    return
                yield _event(message)
        finally:
            with self._lock:
                self._tabs.remove(tab)


def _event(message: Message) -> str:
    return f"data: {json.dumps(message, allow_nan=False, separators=(',', ':'))}\n\n"
