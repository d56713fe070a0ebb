"""Starting and stopping: the address, uvicorn, signals."""

import ipaddress
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import uvicorn

from nnspec.runtime.errors import RuntimeFault
from nnspec.serving.app import make_app
from nnspec.serving.guard import LOOPBACK, Guard
from nnspec.serving.limits import Limits, ServingError
from nnspec.serving.protocol import PatientProtocol
from nnspec.serving.served import Served

MOST_IDLE = 32  # programs of the network that are kept: one for each size of batch and type of samples
SHORTEST_TOKEN = 16
BACKLOG = 1024  # connections that the system keeps until they are accepted
_SPARE = 64  # open files that are not connections


@dataclass(frozen=True)
class Address:
    """Where the server listens, what a request has to bring, and by which names it may be asked.

    `token` None asks for none, which only this machine's own addresses allow; "auto" has one drawn. `names` are names
    beside the host's own, such as that of a proxy. `port` 0 takes a free one.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    names: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether only programs on this machine reach it."""
        return is_loopback(self.host)

    def hosts(self) -> frozenset[str] | None:
        """Return the names in the Host header that are answered, None for any."""
        if not self.local and not self.names:
            return None
        own = {self.host.lower()} | (LOOPBACK if self.local else set())
        return frozenset(own | {name.lower() for name in self.names})

    def checked_token(self) -> str | None:
        """Return the token. Raises ServingError where one is needed and missing, or it is easily guessed."""
        if self.token == "auto":
            return secrets.token_urlsafe(24)
        if self.token is None:
            if not self.local:
                raise ServingError(
                    f"{self.host} is reached from other machines, so that requests need a token: write --token auto, "
                    "or set NNSPEC_TOKEN"
                )
            return None
        if len(self.token) < SHORTEST_TOKEN or not self.token.isascii() or not self.token.isprintable():
            raise ServingError(
                f"a token is {SHORTEST_TOKEN} or more printable ASCII characters: --token auto draws one"
            )
        if " " in self.token:
            raise ServingError("a token has no spaces: --token auto draws one")
        return self.token

    def listening(self) -> socket.socket:
        """Return a socket that listens. Raises ServingError where the address is not to be had."""
        made = None
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            family, kind, protocol, _, place = found[0]
            made = socket.socket(family, kind, protocol)
            if sys.platform != "win32":  # there it would let two servers have one port
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(place)
            made.listen(BACKLOG)  # now: a port that another server has is an error before anything is compiled
        except (OSError, UnicodeError) as error:
            if made is not None:
                made.close()
            reason = getattr(error, "strerror", None) or str(error)
            raise ServingError(f"{self.host}, port {self.port} cannot be served: {reason}") from None
        return made


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself."""
    if host.lower() in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def serve(served: Served, address: Address, limits: Limits, say: Callable[[str], None]) -> None:
    """Serve a network until SIGINT or SIGTERM, then finish the requests that were accepted.

    `say` is called with sentences for the user. The signal is raised again at the end, so that the process ends by it.
    Raises ServingError where it cannot start.
    """
    token = address.checked_token()
    listener = address.listening()
    warm(served, limits)
    app, endpoints = make_app(served, limits)
    guard = Guard(app, endpoints, token, address.hosts())
    where = f"[{address.host}]" if ":" in address.host else address.host
    url = f"http://{where}:{listener.getsockname()[1]}"

    def listening() -> None:
        if address.token == "auto":
            say(f"token: {token}")
        say(f"serving {served.name} at {url}; Ctrl-C stops it")

    def stopping() -> None:
        endpoints.ready = False
        say("stopping: no new requests; those that were accepted are finished")

    def stopped() -> None:
        say(f"stopped: {sum(endpoints.traffic.answers.values()):,} requests were answered")

    protocol = type("Protocol", (PatientProtocol,), {"seconds": limits.timeout, "most": most_connections()})
    config = uvicorn.Config(
        guard, http=protocol, ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
        loop=_loop(), backlog=BACKLOG, timeout_keep_alive=5, timeout_graceful_shutdown=int(limits.timeout) + 1,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    Server(config, listening, stopping, stopped).run(sockets=[listener])


def warm(served: Served, limits: Limits) -> None:
    """Compile the programs for each size of batch, so that the first requests do not wait for it.

    Raises ServingError where the network cannot compute.
    """
    served.network.programs.most_idle = MOST_IDLE
    kinds = (np.dtype(np.float64), np.dtype(np.uint8)) if served.pictures else (np.dtype(np.float64),)
    size = 1
    while size <= limits.batch:
        for kind in kinds:
            try:
                served.network.predict(np.zeros((size, *served.shape), kind))
            except RuntimeFault as error:
                raise ServingError(f"{served.name} cannot be served: {error}") from None
        size *= 2


def most_connections() -> int:
    """Return how many connections the system's limit of open files allows, 4096 at most."""
    try:
        import resource
    except ImportError:  # Windows
        return 512
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 4096 if soft == resource.RLIM_INFINITY else max(16, min(4096, soft - _SPARE))


def _loop() -> str:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return "asyncio"
    return "uvloop"
