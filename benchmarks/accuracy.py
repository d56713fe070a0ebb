"""Time to an accuracy: a small CNN until 99 % of the test digits are classified correctly, and in PyTorch.

    python -m benchmarks.accuracy nnspec 1

trains one of the two with a seed and prints what it took, as one JSON object. Both have the same samples, network,
initialization, optimizer, schedule and batch; each draws its own weights, order and dropout. The clock runs while they
train and stops while they are evaluated, once an epoch.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from benchmarks.drive import ROOT, environment

SPEC = ROOT / "benchmarks" / "small_cnn.nnspec"
WANTED = 0.99
SEEDS = (1, 2, 3)


def nnspec_epochs(seed: int) -> Iterator[tuple[float, float]]:
    """Seconds of training so far and the share of the test digits classified correctly, after each epoch."""
    from nnspec.runtime.infer.network import Network
    from nnspec.runtime.train.loop import Trainer
    from nnspec.runtime.train.spec_and_data import check_with_data
    from nnspec.runtime.train.state import initial_state
    from nnspec.spec_lang.check.spec_request import Request

    spec, data = check_with_data(Request(SPEC, seed=seed))
    network = Network(spec, data.preprocessing)
    network.initialize(seed)
    reached: list[tuple[float, float]] = []

    class Reached(Exception):
        """Enough is known."""

    def listen(event: dict[str, Any]) -> None:
        if event["event"] == "evaluation":
            reached.append((trainer.seconds, event["validation_accuracy"]))
            if reached[-1][1] >= WANTED:
                raise Reached

    trainer = Trainer(initial_state(network, len(data.train), seed), replace(data, validation=data.test), None, listen)
    with suppress(Reached):
        trainer.run()
    yield from reached


def torch_epochs(seed: int) -> Iterator[tuple[float, float]]:
    """The same of PyTorch: its fused Adam, two threads, channels last; all samples are normalized beforehand."""
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional as F

    from nnspec.runtime.train.spec_and_data import check_with_data
    from nnspec.spec_lang.check.spec_request import Request

    spec, data = check_with_data(Request(SPEC, seed=seed))
    torch.manual_seed(seed)
    torch.set_num_threads(2)

    def tensors(split: Any) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.from_numpy(data.preprocessing.apply(split.inputs, np.dtype("float32")).transpose(0, 3, 1, 2))
        return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(split.targets)

    (x, y), (x_test, y_test) = tensors(data.train), tensors(data.test)
    network = torch_network().to(memory_format=torch.channels_last)
    for module in network:
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)
    epochs, batch = spec.train.length, spec.train.batch
    optimizer = torch.optim.Adam(network.parameters(), lr=spec.optimizer.lr, fused=True)
    steps = epochs * math.ceil(len(x) / batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / steps)) / 2)
    seconds = 0.0
    for _ in range(epochs):
        network.train()
        began = time.perf_counter()
        for chosen in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            F.cross_entropy(network(x[chosen]), y[chosen]).backward()
            optimizer.step()
            schedule.step()
        seconds += time.perf_counter() - began
        network.eval()
        with torch.inference_mode():
            right = sum(
                int((network(a).argmax(1) == b).sum())
                for a, b in zip(x_test.split(500), y_test.split(500), strict=True)
            )
        yield seconds, right / len(x_test)


def torch_network() -> Any:
    """The network of the spec, layer by layer; a test counts its parameters against the spec's."""
    from torch import nn

    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Dropout(0.3), nn.Flatten(), nn.Linear(32 * 6 * 6, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
    )


PEERS: dict[str, Callable[[int], Iterator[tuple[float, float]]]] = {"nnspec": nnspec_epochs, "torch": torch_epochs}
"""Who is timed, and its epochs."""


def reached(peer: str, seed: int) -> dict[str, Any]:
    """When a peer has reached what is wanted: its epochs and seconds, None where it never did, and its accuracy."""
    for epoch, (seconds, accuracy) in enumerate(PEERS[peer](seed), start=1):
        if accuracy >= WANTED:
            return {"peer": peer, "seed": seed, "epochs": epoch, "seconds": seconds, "accuracy": accuracy}
    return {"peer": peer, "seed": seed, "epochs": None, "seconds": None, "accuracy": accuracy}


def measure_accuracy(report_line: Callable[[str], None]) -> list[dict[str, Any]]:
    """Each peer with each seed, in turns, in a process of its own."""
    found = []
    for seed in SEEDS:
        for peer in PEERS:
            report_line(f"time to {WANTED:.0%}: {peer}, seed {seed}")
            program = [sys.executable, "-m", "benchmarks.accuracy", peer, str(seed)]
            done = subprocess.run(program, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True)
            found.append(json.loads(done.stdout))
    return found


if __name__ == "__main__":
    print(json.dumps(reached(sys.argv[1], int(sys.argv[2]))))
