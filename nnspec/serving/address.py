"""Where a server listens, and by which names it may be asked."""

import ipaddress
import secrets
import socket
import sys
from dataclasses import dataclass

from nnspec.serving.limits import ServingError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST_TOKEN = 16
BACKLOG = 1024  # connections that the system keeps until they are accepted


def new_token() -> str:
    """Return a token that cannot be guessed."""
    return secrets.token_urlsafe(24)


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
            return new_token()
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


def host_name(value: str) -> str:
    """Return the name in a Host header, without the port, in lower case."""
    name = value.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")
