"""A server in a process of its own, and requests to it with the standard library alone."""

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
NPY = "application/x-npy"


@dataclass
class Answer:
    """An answer: its status, its headers in lower case, its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def array(self) -> Any:
        return np.load(io.BytesIO(self.body))

    @property
    def error(self) -> str:
        return str(self.json["error"])


@dataclass
class Running:
    """A server that runs."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    token: str | None = field(default=None)

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind is not None:
            sent["Content-Type"] = kind
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        try:
            connection.request(method, path, body, sent)
            found = connection.getresponse()
            return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            connection.close()

    def samples(self, samples: Any, path: str = "/predict", **headers: str) -> Answer:
        return self.ask("POST", path, json.dumps({"samples": samples}).encode(), "application/json", **headers)

    def said(self) -> str:
        return self.log.read_text()

    def raw(self, content: bytes) -> socket.socket:
        """Open a connection and send bytes on it."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.sendall(content)
        return made

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextmanager
def running(run: Path, *options: object, **environment: str) -> Iterator[Running]:
    """Serve a run on a free port."""
    command = [sys.executable, "-m", "nnspec", "serve", str(run), "--port", "0", *map(str, options)]
    space = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"} | environment
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with open(log, "wb") as errors:
            process = subprocess.Popen(command, cwd=folder, env=space, stdout=errors, stderr=errors)
        server = Running(process, _port(process, log), log)
        drawn = re.search(r"token: (\S+)", server.said())
        server.token = drawn[1] if drawn else None
        try:
            yield server
        finally:
            process.kill()
            process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := re.search(r"serving .* at http://.*:(\d+);", log.read_text()):
            return int(found[1])
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def npy(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def picture(size: int = 40, form: str = "PNG") -> bytes:
    from PIL import Image

    pixels = np.zeros((size, size), np.uint8)
    pixels[size // 5 : size * 4 // 5, size * 9 // 20 : size * 23 // 40] = 255
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, form)
    return content.getvalue()
