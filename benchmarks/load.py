"""A client that loads a server over many connections from one thread, and counts what became of every request.

Each connection sends a request, waits for its answer, and sends the next: so many are under way at a time as there are
connections. It is made of sockets alone, so that it takes less of the machine than the server that it measures.
"""

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


def request(path: str, body: bytes, kind: str, accept: str = "*/*", host: str = "127.0.0.1") -> bytes:
    """Return the bytes of a POST."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nAccept: {accept}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Outcome:
    """What became of the requests.

    `statuses` counts the answers, `seconds` has the time of each answer by its status. `unanswered` counts requests on
    connections that ended without a byte of an answer, `broken` those that ended within one, `wrong` answers that
    `check` did not accept, `refused` connections that nobody took, `come_again` answers with Retry-After. `elapsed` is
    the time of all.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    unanswered: int = 0
    broken: int = 0
    wrong: int = 0
    refused: int = 0
    come_again: int = 0
    elapsed: float = 0.0

    def quantile(self, share: float, status: int = 200) -> float:
        """Return the time in which this share of the answers of a status was there."""
        found = sorted(self.seconds.get(status, [])) or [float("nan")]
        return found[min(len(found) - 1, int(share * len(found)))]

    @property
    def rate(self) -> float:
        """Answers of status 200 in a second."""
        return self.statuses[200] / self.elapsed if self.elapsed else 0.0


class _Connection:
    def __init__(self, address: tuple[str, int]):
        self.socket = socket.create_connection(address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.number = -1
        self.began = 0.0
        self.received = b""
        self.unsent = b""


class Load:
    """Requests in turn over `connections`, until `seconds` are over or `count` are sent.

    `check` is called with the number of a request, counted from 0, and the body of its answer of status 200.
    """

    def __init__(
        self,
        address: tuple[str, int],
        requests: Sequence[bytes],
        connections: int,
        seconds: float = float("inf"),
        count: float = float("inf"),
        check: Callable[[int, bytes], bool] | None = None,
    ):
        self.address, self.requests, self.check = address, requests, check
        self.most, self.seconds, self.count = connections, seconds, count
        self.outcome = Outcome()
        self.sent = 0
        self._selector = selectors.DefaultSelector()

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> Outcome:
        """Return what became of the requests; every one sent is waited for. `meanwhile` is called again and again."""
        began = time.perf_counter()
        end = began + self.seconds
        open_now = sum(self._open() for _ in range(self.most))
        while open_now:
            meanwhile()
            ready = self._selector.select(timeout=1)
            if not ready and time.perf_counter() > end + 60:
                self.outcome.unanswered += open_now  # a hang
                break
            for key, mask in ready:
                connection: _Connection = key.data
                more = time.perf_counter() < end
                if mask & selectors.EVENT_WRITE:
                    self._write(connection)
                if mask & selectors.EVENT_READ and not self._read(connection, more):
                    self._selector.unregister(connection.socket)
                    connection.socket.close()
                    open_now -= 1
                    if more and self.sent < self.count:
                        open_now += self._open()
        self.outcome.elapsed = time.perf_counter() - began
        return self.outcome

    def _open(self) -> bool:
        """Open a connection and send on it, and return whether there is one."""
        if self.sent >= self.count:
            return False
        try:
            connection = _Connection(self.address)
        except OSError:  # the server has ended
            self.outcome.refused += 1
            self.count = 0
            return False
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._send(connection)
        return True

    def _send(self, connection: _Connection) -> None:
        connection.number = self.sent
        self.sent += 1
        connection.began = time.perf_counter()
        connection.unsent = self.requests[connection.number % len(self.requests)]
        self._write(connection)

    def _write(self, connection: _Connection) -> None:
        try:
            done = connection.socket.send(connection.unsent)
        except BlockingIOError:
            done = 0
        except OSError:  # reading says so too
            done = len(connection.unsent)
        waited = connection.unsent
        connection.unsent = connection.unsent[done:]
        if connection.unsent or len(waited) != done:
            self._selector.modify(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
        elif self._selector.get_key(connection.socket).events & selectors.EVENT_WRITE:
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)

    def _read(self, connection: _Connection, more: bool) -> bool:
        """Take what has arrived, and return whether the connection goes on."""
        try:
            part = connection.socket.recv(2**18)
        except BlockingIOError:
            return True
        except OSError:
            part = b""
        if not part:
            if connection.received:
                self.outcome.broken += 1
            elif connection.number >= 0:
                self.outcome.unanswered += 1
            return False
        connection.received += part
        for status, head, body in self._answers(connection):
            self.outcome.statuses[status] += 1
            self.outcome.seconds.setdefault(status, []).append(time.perf_counter() - connection.began)
            if status == 200 and self.check is not None and not self.check(connection.number, body):
                self.outcome.wrong += 1
            self.outcome.come_again += b"\r\nretry-after: " in head.lower()
            connection.number = -1
            if _CLOSES.search(head) or not more or self.sent >= self.count:
                return False
            self._send(connection)
        return True

    def _answers(self, connection: _Connection) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield each whole answer: its status, its headers, its body."""
        while True:
            head, separator, rest = connection.received.partition(b"\r\n\r\n")
            length = _LENGTH.search(head + b"\r\n")
            if not separator or length is None or len(rest) < int(length[1]):
                return
            size = int(length[1])
            connection.received = rest[size:]
            yield int(head[9:12]), head + b"\r\n", rest[:size]
