"""A machine of its own for each test: no data in the environment, no network but the local server."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Server:
    """A local server of files; `answers` maps a path to its bytes, or to the number of a refusal."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | int] = {}
        self.cut: dict[str, int] = {}
        self.asked: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.http.server_port}/mirror/"


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/mirror/")
            server.asked.append(name)
            answer = server.answers.get(name, 404)
            if isinstance(answer, int):
                self.send_error(answer)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: server.cut.get(name, len(answer))])

        def log_message(self, *args: object) -> None:
            """Print nothing to standard error."""

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address on which no server listens and none can start while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


@pytest.fixture
def bare_machine(tmp_path: Path, refusing: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data anywhere, an empty cache in the folder given, no proxy, and no mirror but one that refuses."""
    for name in ("NNSPEC_DATA", "NNSPEC_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("NNSPEC_MNIST_URL", refusing)
    monkeypatch.setenv("NNSPEC_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "mnist"
