"""Cost as work grows: one workload, one measure of it made larger and larger, nnspec and PyTorch in turns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.drive import Effort, Worker, measure
from benchmarks.workloads import DEEP_CNN, RNN, Workload

WAYS = ("planned", "epoch", "fused, 1 thread", "fused, 2 threads")
"""What takes part: nnspec's planned step, PyTorch with its fused optimizer on one and two threads, epochs of both."""


@dataclass(frozen=True)
class Growth:
    """A measure of work: its name, what is timed, and the workload of every size."""

    name: str
    about: str
    sizes: tuple[int, ...]
    workload: Callable[[int], Workload]


GROWTHS = (
    Growth(
        "batch",
        "samples in a batch of W2's network",
        (1, 4, 16, 64, 256, 1024),
        lambda n: _trained(f"batch {n}", "dense 512 relu -> dense 10 softmax", n),
    ),
    Growth(
        "width",
        "units of a dense network's two hidden layers, batch 64",
        (32, 64, 128, 256, 512, 1024),
        lambda n: _trained(f"width {n}", f"dense {n} relu -> dense {n} relu -> dense 10 softmax", 64),
    ),
    Growth(
        "image",
        "rows of a square image under W3's network, batch 16",
        (14, 28, 56, 112, 224),
        lambda n: _trained(f"image {n}", "conv 3x3 x8 bias=no -> maxpool 2 -> dense 10 softmax", 16, side=n),
    ),
    Growth(
        "channels",
        "channels of W4's convolutions, the second has twice as many, batch 16",
        (4, 8, 16, 32, 64),
        lambda n: _trained(f"channels {n}", DEEP_CNN.replace("x32", f"x{n}").replace("x64", f"x{2 * n}"), 16),
    ),
    Growth(
        "sequence",
        "characters in a sample under W5's network, batch 16",
        (5, 10, 25, 50, 100, 200),
        lambda n: Workload(f"sequence {n}", "train", RNN, 16, "adam lr=0.001", steps=n),
    ),
    Growth(
        "data",
        "samples in an epoch of W2, the whole call",
        (2_000, 8_000, 32_000, 60_000),
        lambda n: Workload(f"data {n}", "epoch", "dense 512 relu -> dense 10 softmax", 128, "adam lr=0.001", samples=n),
    ),
)
"""Every measure of work, in the order of the picture."""


def measure_growth(
    running: Mapping[str, Worker],
    effort: Effort,
    report_line: Callable[[str], None],
    growths: Sequence[Growth] = GROWTHS,
) -> list[dict[str, Any]]:
    """For each measure of work its sizes and a result for each size; see figures.py."""
    peers = {name: worker for name, worker in running.items() if name in ("nnspec", "torch")}
    return [
        {
            "name": growth.name,
            "about": growth.about,
            "sizes": list(growth.sizes),
            "results": [measure(growth.workload(size), peers, effort, report_line, WAYS) for size in growth.sizes],
        }
        for growth in growths
    ]


def _trained(name: str, network: str, batch: int, side: int = 28) -> Workload:
    return Workload(name, "train", network, batch, "adam lr=0.001", side=side)
