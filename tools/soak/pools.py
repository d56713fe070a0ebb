"""Pools of processes and threads of every kind: a search in each equals the search in one process."""

import copy
import hashlib
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import nnspec
from nnspec.runtime.infer.network import Network
from tools.soak.children import run_apart_within
from tools.soak.experiments import Tally, experiment, tries

TEXT = "input 300 -> dense 200 relu -> dropout 0.2 -> dense 3 softmax\noptimizer adam"
TRAIN = "train 4 iterations batch=64 seed=3"
CANDIDATES = 12
WORKERS = (2, 4)

Pool = Callable[[int, Network], Iterable[str]]

_searched: list[Network] = []
"""The network of this process: a fork inherits it, other workers are given it."""


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return samples and targets."""
    drawn = np.random.default_rng(7)
    return drawn.random((256, 300), np.float32), drawn.integers(0, 3, 256)


def score(candidate: int) -> str:
    """Give this process's network the weights of a candidate, ask it and train one like it; return a digest."""
    return _score(_searched[0], candidate)


def score_of_a_copy(candidate: int) -> str:
    """Do the same with a copy, as threads must: what one of them sets, all of them see."""
    return _score(copy.deepcopy(_searched[0]), candidate)


def _score(network: Network, candidate: int) -> str:
    x, y = arrays()
    drawn = np.random.default_rng(candidate)
    network.set_parameters(
        {name: drawn.normal(0, 0.1, array.shape).astype(array.dtype) for name, array in network.parameters.items()}
    )
    digest = hashlib.sha256(network.predict(x).tobytes())
    digest.update(repr(nnspec.evaluate(network, x, y)).encode())
    if candidate % 3 == 0:
        run = nnspec.train(f"{TEXT}\n{TRAIN}", seed=candidate, data=(x, y))
        digest.update(run.network.parameter_arena.flat.tobytes())
    return digest.hexdigest()


def give(network: Network) -> None:
    """Make a network that of this process."""
    _searched[:] = [network]


def _multiprocessing(method: str) -> Pool:
    def search(workers: int, network: Network) -> Iterator[str]:
        given = {} if method == "fork" else {"initializer": give, "initargs": (network,)}
        with multiprocessing.get_context(method).Pool(workers, **given) as pool:  # type: ignore[arg-type]
            yield from pool.map(score, range(CANDIDATES), 1)

    return search


def _futures(method: str) -> Pool:
    def search(workers: int, network: Network) -> Iterator[str]:
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(workers, context, initializer=give, initargs=(network,)) as pool:
            yield from pool.map(score, range(CANDIDATES))

    return search


def _threads(workers: int, network: Network) -> Iterator[str]:
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(score_of_a_copy, range(CANDIDATES))


def score_given(network: Network, candidate: int) -> str:
    """Do the same with a network that comes with the task, pickled."""
    return _score(network, candidate)


def _joblib(workers: int, network: Network) -> Sequence[str]:
    from joblib import Parallel, delayed

    found: Sequence[str] = Parallel(workers)(delayed(score_given)(network, number) for number in range(CANDIDATES))
    return found


POOLS: dict[str, Pool] = {
    "Pool, fork": _multiprocessing("fork"),
    "Pool, spawn": _multiprocessing("spawn"),
    "Pool, forkserver": _multiprocessing("forkserver"),
    "ProcessPoolExecutor, fork": _futures("fork"),
    "ProcessPoolExecutor, spawn": _futures("spawn"),
    "ThreadPoolExecutor": _threads,
}
if find_spec("joblib"):
    POOLS["joblib"] = _joblib


@experiment(
    "a search in a pool (multiprocessing's by fork, spawn and forkserver, ProcessPoolExecutor, ThreadPoolExecutor, "
    "joblib where it is installed; two workers and four), in which each candidate sets parameters, predicts and "
    "trains, equals the search in one process; the first process's network does not change, no process is left",
    soak=280,
)
def pools(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of pools: every kind with two workers, then every kind with four, and so on."""
    tally = Tally()
    for number in tries(count, seconds):
        kind = list(POOLS)[number % len(POOLS)]
        workers = WORKERS[number // len(POOLS) % len(WORKERS)]
        done = run_apart_within("tools.soak.pools", kind, str(workers), str(seed + number))
        tally.count(done == (0, "equal\n", 0), f"{kind}, {workers} workers: {done}")
    if "joblib" not in POOLS:
        tally.notes.append("joblib is not installed here")
    return tally


def serve() -> None:
    """Search in one process, then in a pool of the kind on the command line; print whether they are equal."""
    kind, workers, seed = sys.argv[1:]
    network = nnspec.compile(TEXT, seed=int(seed))
    give(copy.copy(network))
    alone = [score(candidate) for candidate in range(CANDIDATES)]
    give(network)
    x, _ = arrays()
    before = network.parameter_arena.flat.tobytes(), network.predict(x).tobytes()
    together = list(POOLS[kind](int(workers), network))
    after = network.parameter_arena.flat.tobytes(), network.predict(x).tobytes()
    print("equal" if (alone, before) == (together, after) else "unequal", flush=True)
