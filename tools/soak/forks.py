"""Forks of a process that has used nnspec: neither side sees the other's changes, and the child does not hang."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import nnspec
from nnspec.runtime.infer.network import Network
from tools.soak.experiments import Tally, experiment, tries
from tools.soak.threads import NETWORKS, gradients, network_and_samples

PATIENCE = 120
"""Seconds on the clock after which a child is taken for one that hangs."""

LENGTH = "train 3 iterations batch=64 seed=3"


def compiled(network: Network, x: np.ndarray, y: np.ndarray, folder: Path) -> Network:
    """Use the network as `compile` returns it."""
    return network


def loaded(network: Network, x: np.ndarray, y: np.ndarray, folder: Path) -> Network:
    """Use a network that was read from a file."""
    network.save(folder / "network.h5")
    return nnspec.load(folder / "network.h5")


def asked(network: Network, x: np.ndarray, y: np.ndarray, folder: Path) -> Network:
    """Use a network after predictions of every size, in two lanes where it has them."""
    network.predict(x)
    network.predict(x[:1])
    gradients(network, x[:32], y[:32])
    return network


def trained(network: Network, x: np.ndarray, y: np.ndarray, folder: Path) -> Network:
    """Use the network of a run that has ended."""
    return train(network, x, y)


BEFORE: dict[str, Callable[[Network, np.ndarray, np.ndarray, Path], Network]] = {
    "compile": compiled,
    "load": loaded,
    "predict": asked,
    "train": trained,
}
"""What happens before the fork."""


def train(network: Network, x: np.ndarray, y: np.ndarray) -> Network:
    """Train a new network of the same spec for three steps."""
    text = network.spec.source.text.splitlines()[0]
    return nnspec.train(f"{text}\noptimizer adam\n{LENGTH}", data=(x, y)).network


@experiment(
    "after compile, load, predict (in two lanes too) or train, a forked child predicts, sets parameters and trains: it "
    "has the right answers, ends, and changes no weight and no answer of its parent; so it is while two threads of the "
    "parent ask the network, and they go on",
    soak=2_000,
)
def forks(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of forks; every fourth happens while two other threads ask the network."""
    tally = Tally()
    kinds = [(name, way) for way in BEFORE for name in NETWORKS]
    for number in tries(count, seconds):
        name, way = kinds[(number * 5) % len(kinds)]
        network, x, y = network_and_samples(name, seed + number)
        network = BEFORE[way](network, x, y, folder)
        threads = 2 if number % 4 == 3 else 0
        found = _forked(network, x, y, threads)
        tally.count(not found, f"{name} after {way}, {threads} threads: {found}")
    return tally


def _forked(network: Network, x: np.ndarray, y: np.ndarray, threads: int) -> list[str]:
    """Fork while threads ask the network; return what is wrong."""
    answers, weights = network.predict(x).tobytes(), network.parameter_arena.flat.tobytes()
    end, wrong = threading.Event(), list[str]()

    def ask() -> None:
        while not end.is_set():
            if network.predict(x).tobytes() != answers:
                wrong.append("another thread has other answers")

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    try:
        child = os.fork()
        if child == 0:
            os._exit(_child(network, x, y, answers))
        code = _end_of(child)
    finally:
        end.set()
        for thread in asking:
            thread.join()
    if code != 0:
        wrong.append(f"the child ended with {code}")
    if network.parameter_arena.flat.tobytes() != weights:
        wrong.append("the parent's weights have changed")
    if network.predict(x).tobytes() != answers:
        wrong.append("the parent's answers have changed")
    return wrong


def _child(network: Network, x: np.ndarray, y: np.ndarray, answers: bytes) -> int:
    """Predict, set parameters and train; return 0 if all of it is right, else the number of what is not."""
    try:
        if network.predict(x).tobytes() != answers:
            return 1
        network.set_parameters({name: array + 1 for name, array in network.parameters.items()})
        if network.predict(x).tobytes() == answers:
            return 2
        first, second = (train(network, x, y).parameter_arena.flat.tobytes() for _ in range(2))
        return 0 if first == second else 3
    except BaseException:
        return 4


def _end_of(child: int) -> int:
    """Wait for a child; end it where it hangs. Return its exit code, below 0 for a signal."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
