"""`nnspec serve` beside the same network in FastAPI with PyTorch: requests a second and times, in one run.

    python -m benchmarks.serving             measure and write docs/serving.md
    python -m benchmarks.serving --table     measure nothing, write the page

Both servers run at the same time, and are loaded in turn, each case several times; a figure is the median of the
rounds. The client is benchmarks.load, one thread. Results are kept in benchmarks/results/serving.json.
"""

import argparse
import io
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nnspec
from benchmarks.load import Load, request
from benchmarks.machine import Watch, machine

ROOT = Path(__file__).resolve().parents[1]
PAGE, KEPT = ROOT / "docs/serving.md", ROOT / "benchmarks/results/serving.json"
BEGIN, END = "<!-- python -m benchmarks.serving -->\n", "<!-- the end of what benchmarks.serving writes -->\n"
NPY, JSON = "application/x-npy", "application/json"
CASES = ((".npy", 1), (".npy", 16), (".npy", 64), ("JSON", 1), ("JSON", 16))
BEYOND = 512  # connections, where the queue holds 128
SERVERS = ("nnspec", "PyTorch")


@dataclass(frozen=True)
class Measured:
    """One round: requests a second, seconds in which half and 99 % of the answers were there, answers by status.

    `processor` is the server's processor time for each answer in seconds, `lost` the requests without a whole answer.
    """

    rate: float
    half: float
    most: float
    processor: float
    answers: dict[str, int]
    slowest_refusal: float
    lost: int


def bodies(kind: str, count: int = 50) -> list[bytes]:
    """Different requests with one image each."""
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1), np.uint8)
    if kind == "JSON":
        texts = [json.dumps({"samples": image[None, :, :, 0].tolist()}) for image in images]
        return [request("/predict", text.encode(), JSON) for text in texts]
    return [request("/predict", _npy(image[None]), NPY, NPY) for image in images]


def _npy(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


@contextmanager
def servers(folder: Path) -> "Iterator[dict[str, tuple[subprocess.Popen[bytes], int]]]":
    """Both servers, each a process with its port, for a network trained for one epoch."""
    run = nnspec.train("specs/quickstart.nnspec", folder / "run", {"train.epochs": 1})
    fitted = run.network.preprocessing
    weights = folder / "weights.npz"
    arrays: dict[str, Any] = {"shift": fitted.shift[0], "scale": fitted.scale[0], **run.network.parameters}
    np.savez(weights, **arrays)
    ports = _free_port(), _free_port()
    commands = (
        [sys.executable, "-m", "nnspec", "serve", str(folder / "run"), "--port", str(ports[0])],
        [sys.executable, "-m", "benchmarks.peers.serving_torch", str(weights), str(ports[1])],
    )
    space = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    quiet = subprocess.DEVNULL
    processes = [subprocess.Popen(one, cwd=ROOT, env=space, stdout=quiet, stderr=quiet) for one in commands]
    try:
        for port in ports:
            _wait_for(port)
        yield dict(zip(SERVERS, zip(processes, ports, strict=True), strict=True))
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _wait_for(port: int) -> None:
    one = [bodies(".npy", 1)[0]]
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if Load(("127.0.0.1", port), one, 1, count=1).run().statuses[200]:
            return
        time.sleep(0.2)
    raise TimeoutError("a server does not answer")


def agreement(ports: Sequence[int]) -> float:
    """The largest difference between the probabilities of the two servers for the same images."""
    found = []
    for port in ports:
        answers: dict[int, np.ndarray] = {}

        def keep(number: int, body: bytes, answers: dict[int, np.ndarray] = answers) -> bool:
            answers[number] = np.load(io.BytesIO(body))
            return True

        Load(("127.0.0.1", port), bodies(".npy"), 1, count=50, check=keep).run()
        found.append(np.concatenate([answers[number] for number in range(50)]))
    return float(np.abs(found[0] - found[1]).max())


def measure(process: "subprocess.Popen[bytes]", port: int, kind: str, connections: int, seconds: float) -> Measured:
    """Load a server."""
    before = _processor_seconds(process.pid)
    load = Load(("127.0.0.1", port), bodies(kind), connections, seconds)
    found = load.run()
    used, count = _processor_seconds(process.pid) - before, sum(found.statuses.values())
    return Measured(
        found.rate, found.quantile(0.5), found.quantile(0.99), used / max(1, count),
        {str(status): number for status, number in sorted(found.statuses.items())},
        max(found.seconds.get(503, [0.0])), load.sent - count,
    )  # fmt: skip


def _processor_seconds(process: int) -> float:
    """The processor time of a process, 0 where the system does not report it."""
    file = Path(f"/proc/{process}/stat")
    if not file.exists():
        return 0.0
    user, system = file.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(rounds: int, seconds: float) -> dict[str, Any]:
    """Measure every case and return what is kept."""
    kept: dict[str, Any] = {"cases": []}
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as running:
        kept["difference"] = agreement([port for _, port in running.values()])
        watch = Watch.start()
        loads = []
        for kind, connections in (*CASES, (".npy", BEYOND)):
            found: dict[str, list[Measured]] = {name: [] for name in SERVERS}
            for _ in range(rounds):
                for name, (process, port) in running.items():
                    loads.append(os.getloadavg()[0])
                    found[name].append(measure(process, port, kind, connections, seconds))
            kept["cases"].append(
                {"body": kind, "connections": connections}
                | {name: [asdict(one) for one in each] for name, each in found.items()}
            )
            print(
                kind, connections, {n: round(_median(e, "rate")) for n, e in kept["cases"][-1].items() if n in SERVERS}
            )
    return kept | {
        "rounds": rounds,
        "seconds": seconds,
        "machine": machine(),
        "load": max(loads),
        "watch": watch.others(),
    }


def _median(rounds: Any, name: str) -> float:
    return float(statistics.median(one[name] for one in rounds))


def table(kept: dict[str, Any]) -> str:
    """The section of the page."""
    lines = [
        "| body | connections | requests/s | PyTorch | ratio | median ms | PyTorch | 99 % ms | PyTorch "
        "| processor µs | PyTorch |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in kept["cases"]:
        ours, theirs = case["nnspec"], case["PyTorch"]
        ratio = statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, theirs, strict=True))
        cells = [f"{_median(one, 'rate'):,.0f}" for one in (ours, theirs)] + [f"{ratio:.2f}"]
        for name, scale in (("half", 1e3), ("most", 1e3), ("processor", 1e6)):
            cells += [f"{scale * _median(one, name):,.3g}" for one in (ours, theirs)]
        lines.append(f"| {case['body']} | {case['connections']} | {' | '.join(cells)} |")
    beyond = kept["cases"][-1]["nnspec"]
    accepted, refused = (sum(one["answers"].get(status, 0) for one in beyond) for status in ("200", "503"))
    slowest = max(one["slowest_refusal"] for one in beyond)
    lost = sum(one["lost"] for case in kept["cases"] for name in SERVERS for one in case[name])
    about = kept["machine"]
    head = (
        f"One image a request, {about['processor']}, {about['cores']} cores. A figure is the median of "
        f"{kept['rounds']} rounds of {kept['seconds']:g} seconds, the two servers in turn; the ratio is that of rounds "
        f"side by side. Other programs were running (load average up to {kept['load']:.1f}): compare the two, not the "
        "figures with those of another machine. The processor time of a request is the server's."
    )
    foot = (
        f"In the last row {BEYOND} connections ask a queue of 128: nnspec answered {accepted:,} requests and refused "
        f"{refused:,} with 503, the slowest refusal after {1e3 * slowest:,.0f} ms; the other server takes all and lets "
        f"them wait. Requests without a whole answer, in all rounds: {lost}. The largest difference between the "
        f"probabilities of the two is {kept['difference']:.1g}."
    )
    return "\n".join([textwrap.fill(head, 132), "", *lines, "", textwrap.fill(foot, 132), ""])


def written(page: str, kept: dict[str, Any]) -> str:
    """The page with the section."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + table(kept) + "\n" + END + rest.partition(END)[2]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, keep the results and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args(arguments)
    if not asked.table:
        KEPT.write_text(json.dumps(run(asked.rounds, asked.seconds), indent=1) + "\n")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), json.loads(KEPT.read_text())), encoding="utf-8")


if __name__ == "__main__":
    main()
