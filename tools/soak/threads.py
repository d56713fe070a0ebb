"""One network asked by several threads of Python at the same time."""

import copy
import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

import nnspec
from nnspec.runtime.infer.network import Network
from tools.soak.experiments import Tally, experiment, tries

NETWORKS = {
    "small CNN": "input 8x8 -> conv 3x3 x4 relu -> maxpool 2 -> batchnorm -> dense 3 softmax",
    "CNN in two lanes": "input 28x28 -> conv 5x5 x16 relu -> maxpool 2 -> conv 3x3 x32 relu -> dense 10 softmax",
    "recurrent": "input 12x6 -> lstm 16 -> dense 3 softmax",
    "dense": "input 784 -> dense 1000 relu -> dense 300 relu -> dense 10 softmax",
}

THREADS = 4
SIZES = (1, 7, 256)

Question = tuple[str, Callable[[Network], bytes]]


def network_and_samples(name: str, seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """Return one of the networks, samples for it, and targets."""
    network = nnspec.compile(NETWORKS[name], seed=seed)
    drawn = np.random.default_rng(seed)
    x = drawn.random((max(SIZES), *(network.spec.input or ())), np.float32)
    classes = network.spec.output_shape
    assert classes is not None
    return network, x, drawn.integers(0, classes[-1], len(x))


def questions(name: str, x: np.ndarray, y: np.ndarray) -> Iterator[Question]:
    """Yield what a network can be asked, each question with its answer as bytes."""
    for size in SIZES:
        yield f"predict {size}", partial(_predicted, x[-size:])
    yield "evaluate", lambda network: repr(nnspec.evaluate(network, x, y)).encode()
    yield "loss_and_gradients", lambda network: gradients(network, x[:32], y[:32])
    if "CNN" in name:
        window = x.shape[1] // 2
        yield "occlude", lambda network: nnspec.occlude(network, x[:2], y[:2], window, window // 2).tobytes()


def _predicted(x: np.ndarray, network: Network) -> bytes:
    return network.predict(x).tobytes()


def gradients(network: Network, x: np.ndarray, y: np.ndarray) -> bytes:
    """Return the loss and the gradients as bytes."""
    loss, found = network.loss_and_gradients(x, y)
    return repr(loss).encode() + b"".join(array.tobytes() for array in found.values())


@experiment(
    "one network asked by four threads at once (predict, evaluate, loss_and_gradients, occlude; a small and a larger "
    "CNN, a recurrent and a dense network) gives the answers of one thread, bit for bit",
    soak=40_000,
)
def threads(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of answers. Each round begins with a new copy of a network, so that its programs are made at once."""
    tally = Tally()
    names, repeats = list(NETWORKS), 3
    with switching_often():
        for number in tries(count, seconds):
            if tally.tried >= count:
                break
            name = names[number % len(names)]
            network, x, y = network_and_samples(name, seed + number)
            expected = [(told, ask, ask(network)) for told, ask in questions(name, x, y)] * repeats
            asked, together = copy.copy(network), threading.Barrier(THREADS)

            def answers(thread: int, asked: Network = asked, together: threading.Barrier = together) -> list[str]:
                order = random.Random(f"{seed} {number} {thread}").sample(expected, len(expected))  # noqa: B023
                together.wait()
                return [told for told, ask, right in order if ask(asked) != right]

            with ThreadPoolExecutor(THREADS) as pool:
                wrong = [told for found in pool.map(answers, range(THREADS)) for told in found]
            for told in wrong:
                tally.count(False, f"{name}, {told}")
            tally.held += THREADS * len(expected) - len(wrong)
    return tally


@contextmanager
def switching_often() -> Iterator[None]:
    """Let threads of Python take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
