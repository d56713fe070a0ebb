"""One thread that computes for the event loop, one call after the other."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """A thread with a queue of calls. It is a daemon: a call that takes too long does not keep the process alive."""

    def __init__(self, name: str):
        self._calls: SimpleQueue[tuple[Callable[[], Any], Callable[[Any, BaseException | None], object]]] = (
            SimpleQueue()
        )
        self.waiting = 0
        Thread(target=self._run, name=name, daemon=True).start()

    def start(self, call: Callable[[], Any], done: Callable[[Any, BaseException | None], None]) -> None:
        """Queue a call; `done` is called in the event loop's thread with its result or its error."""
        self.waiting += 1
        loop = asyncio.get_running_loop()

        def finished(result: Any, error: BaseException | None) -> None:
            self.waiting -= 1
            done(result, error)

        self._calls.put((call, lambda *ended: loop.call_soon_threadsafe(finished, *ended)))

    async def run(self, call: Callable[[], T]) -> T:
        """Return the result of a call, or raise its error. One whose caller was cancelled meanwhile is not begun."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(result: T, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self.start(lambda: None if future.cancelled() else call(), done)
        return await future

    def _run(self) -> None:
        while True:
            call, done = self._calls.get()
            try:
                result, error = call(), None
            except BaseException as raised:  # whatever it is, the one who asked must hear of it
                result, error = None, raised
            try:
                done(result, error)
            except RuntimeError:  # the loop has ended, and nobody waits
                return
