"""How soon an editor is answered: the start of the server, and what follows a keystroke in a long spec.

    python -m benchmarks.editor                2,000 layers, 20 keystrokes
    python -m benchmarks.editor --layers 200

It drives `nnspec lsp` over its standard input and output, as an editor does, and prints a table of milliseconds: of
waiting, and of the server's own computing, which other programs on the machine do not prolong (Linux only).
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

URI = "file:///long.nnspec"


class Client:
    """A server and the messages to and from it."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "nnspec", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.numbers = itertools.count(1)
        self.kept: list[dict[str, Any]] = []

    def tell(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and return its result."""
        number = next(self.numbers)
        self._send({"id": number, "method": method, "params": params})
        return self.wait(lambda message: message.get("id") == number)["result"]

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that is wanted; others are kept for the next wait."""
        for number, message in enumerate(self.kept):
            if wanted(message):
                return self.kept.pop(number)
        while not wanted(message := self._receive()):
            self.kept.append(message)
        return message

    def computed(self) -> float:
        """Return the seconds that all threads of the server have computed so far."""
        tasks = Path(f"/proc/{self.server.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def end(self) -> None:
        """End the server."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        self.server.wait()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.server.stdout is not None
        length = 0
        while line := self.server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        found: dict[str, Any] = json.loads(self.server.stdout.read(length))
        return found


def text_of(layers: int, typed: str) -> str:
    """A network of so many layers with a word typed in the middle."""
    lines = ["conv 3x3 x8 pad=same relu ->"] * layers
    lines[layers // 2] = f"{typed} ->"
    return "\n".join(["input 28x28x8", *lines, "dense 10 softmax", ""])


class Taken(NamedTuple):
    """Seconds of one wait, and those that the server computed meanwhile."""

    waited: float
    computed: float


class Stopwatch:
    """The time since it was made, of the clock and of a server."""

    def __init__(self, client: Client | None = None) -> None:
        self.began, self.before = time.perf_counter(), client.computed() if client is not None else 0.0

    def taken(self, client: Client) -> Taken:
        """Return the time since it was made."""
        return Taken(time.perf_counter() - self.began, client.computed() - self.before)


def measure_start() -> Taken:
    """Return the time from the start of the process to the answer to `initialize`."""
    watch = Stopwatch()
    client = Client()
    client.ask("initialize", {"capabilities": {}, "processId": None, "rootUri": None})
    taken = watch.taken(client)
    client.end()
    return taken


def measure_keystrokes(layers: int, keystrokes: int) -> dict[str, list[Taken]]:
    """Return the times from a keystroke to each answer; the last one is to the errors of the new text."""
    client = Client()
    client.ask("initialize", {"capabilities": {}, "processId": None, "rootUri": None})
    client.tell("initialized", {})
    document: dict[str, Any] = {"uri": URI}
    opened = {**document, "languageId": "nnspec", "version": 1, "text": text_of(layers, "conv 3x3 x8")}
    client.tell("textDocument/didOpen", {"textDocument": opened})
    client.wait(_errors_of(1))
    place = {"textDocument": document, "position": {"line": layers // 2 + 1, "character": 6}}
    lines = {"start": {"line": layers // 2 - 25, "character": 0}, "end": {"line": layers // 2 + 25, "character": 0}}
    requests: dict[str, tuple[str, Any]] = {
        "completion": ("textDocument/completion", place),
        "signature help": ("textDocument/signatureHelp", place),
        "hover": ("textDocument/hover", place),
        "inlay hints of 50 lines": ("textDocument/inlayHint", {"textDocument": document, "range": lines}),
        "errors": ("", None),
    }
    took: dict[str, list[Taken]] = {name: [] for name in requests}
    version = 1
    for (name, (method, params)), _ in itertools.product(requests.items(), range(keystrokes)):
        version += 1
        text = text_of(layers, f"conv 3x3 x{version + 8} pad=same")
        watch = Stopwatch(client)
        changed = {"textDocument": {**document, "version": version}, "contentChanges": [{"text": text}]}
        client.tell("textDocument/didChange", changed)
        if method:
            client.ask(method, params)
        else:
            client.wait(_errors_of(version))
        took[name].append(watch.taken(client))
        if method:
            client.wait(_errors_of(version))
    client.end()
    return took


def _errors_of(version: int) -> Callable[[dict[str, Any]], bool]:
    def is_it(message: dict[str, Any]) -> bool:
        published = message.get("method") == "textDocument/publishDiagnostics"
        return published and message["params"].get("version") == version

    return is_it


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", type=int, default=2000)
    parser.add_argument("--keystrokes", type=int, default=20)
    given = parser.parse_args()
    starts = {"start of the server": [measure_start() for _ in range(5)]}
    print("| from a keystroke to | median ms | longest ms | computed, median ms |\n|---|---|---|---|")
    for name, taken in (starts | measure_keystrokes(given.layers, given.keystrokes)).items():
        waited, computed = ([1000 * seconds for seconds in column] for column in zip(*taken, strict=True))
        print(f"| {name} | {statistics.median(waited):.0f} | {max(waited):.0f} | {statistics.median(computed):.0f} |")


if __name__ == "__main__":
    main()
