"""uvicorn's server, which says how far it is."""

import socket
from collections.abc import Callable

import uvicorn


class Server(uvicorn.Server):
    """uvicorn's server, which says when it listens, when it stops, and when it has stopped."""

    def __init__(
        self,
        config: uvicorn.Config,
        listening: Callable[[], None],
        stopping: Callable[[], None],
        stopped: Callable[[], None],
    ):
        super().__init__(config)
        self._listening, self._stopping, self._stopped = listening, stopping, stopped

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections and finish what was accepted."""
        self._stopping()
        await super().shutdown(sockets)
        self._stopped()
