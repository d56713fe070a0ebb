"""Trainings next to other threads of Python: they end, in the same bytes as alone."""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

import nnspec
from nnspec.runtime.train.events import Event, Listener, silent
from tools.soak.children import run_apart_within
from tools.soak.experiments import Tally, experiment, tries

NETWORKS = {
    "worth a worker process": "input 300 -> dense 400 relu -> dropout 0.3 -> dense 3 softmax\noptimizer adam",
    "small": "input 8x8 -> conv 3x3 x4 relu -> maxpool 2 -> batchnorm -> dense 3 softmax\noptimizer momentum",
}
LENGTH = "train 60 iterations batch=32 evaluate_every=20 seed=3"


def trained(name: str, listen: Listener = silent) -> bytes:
    """Train one of these networks on arrays; return the bytes of its weights and of what was measured."""
    text = f"{NETWORKS[name]}\n{LENGTH}"
    drawn = np.random.default_rng(1)
    x = drawn.random((256, *(nnspec.check(text).input or ())), np.float32)
    run = nnspec.train(text, data=(x, drawn.integers(0, 3, 256)), listen=listen)
    return run.network.parameter_arena.flat.tobytes() + repr(run.history).encode()


def beside_products(name: str) -> Iterator[bytes]:
    """Train while another thread multiplies matrices without a pause."""
    end, square = threading.Event(), np.ones((300, 300), np.float32)

    def multiply() -> None:
        while not end.is_set():
            square @ square

    thread = threading.Thread(target=multiply)
    thread.start()
    try:
        yield trained(name)
    finally:
        end.set()
        thread.join()


def in_two_threads(name: str) -> Iterator[bytes]:
    """Train twice at the same time, each in a thread."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(trained, (name, name))


def joined_later(name: str) -> Iterator[bytes]:
    """Train in this thread, in two processes if it can; another training begins in a thread while it lasts."""
    later: list[Future[bytes]] = []
    with ThreadPoolExecutor(1) as pool:

        def listen(event: Event) -> None:
            if event["event"] == "evaluation" and not later:
                later.append(pool.submit(trained, name))

        yield trained(name, listen)
        yield later[0].result()


WAYS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "next to products": beside_products,
    "in two threads": in_two_threads,
    "joined by a second one": joined_later,
}


@experiment(
    "a training next to a thread that multiplies matrices, two trainings in two threads, and a training in two "
    "processes that a second one joins end, in the bytes of one alone; no process is left",
    soak=300,
)
def training_threads(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of processes with such threads; each has all ways in a random order, for one network."""
    tally = Tally()
    for number in tries(count, seconds):
        name = list(NETWORKS)[number % len(NETWORKS)]
        order = random.Random(seed + number).sample(list(WAYS), len(WAYS))
        done = run_apart_within("tools.soak.training_threads", name, *order)
        tally.count(done == (0, "same\n" * len(WAYS), 0), f"{name}, {order}: {done}")
    return tally


def serve() -> None:
    """Train alone, and then in every way that the command line names; print whether the bytes are the same."""
    name, *ways = sys.argv[1:]
    alone = trained(name)
    for way in ways:
        found = {ended == alone for ended in WAYS[way](name)}
        print("same" if found == {True} else f"{way}: other bytes", flush=True)
