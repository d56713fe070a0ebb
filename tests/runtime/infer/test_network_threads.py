"""One network asked by several threads and by forks: the answers are those of one thread."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.data import data_from_arrays
from nnspec.runtime.errors import NetworkError, TrainingError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import SingleStepNetwork
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper

THREADS = 4
ROUNDS = 25

TEXTS = {
    "short": "input 20 -> dense 30 relu -> dense 4 softmax",
    "convolutions": "input 12x12 -> conv 3x3 x8 relu -> maxpool 2 -> batchnorm -> dense 4 softmax",
    "two BLAS threads": "input 300 -> dense 400 relu -> dense 4 softmax",
    "two lanes": "input 28x28 -> conv 5x5 x16 relu -> conv 5x5 x16 relu -> dense 4 softmax",
    "carried states": "input 6x3 -> gru 5 -> dense 4 softmax\ntrain 1 epochs batch=2 stateful=yes",
}


def network_of(text: str) -> tuple[Network, np.ndarray]:
    network = nnspec.compile(text, seed=1)
    assert network.spec.input is not None
    return network, np.random.default_rng(0).random((16, *network.spec.input), np.float32)


def in_threads(task: Callable[[int], Any]) -> list[Any]:
    """The results of a task for several numbers, each in a thread of its own, all begun at the same time."""
    together = threading.Barrier(THREADS)

    def begin(number: int) -> Any:
        together.wait(30)
        return task(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def asked(network: Network, x: np.ndarray) -> dict[str, Callable[[], Any]]:
    """What is asked of a network, by name; each answer can be compared as bytes."""
    y = np.arange(len(x)) % 4
    asked: dict[str, Callable[[], Any]] = {
        "predict": lambda: network.predict(x).tobytes(),
        "predict one": lambda: network.predict(x[:1]).tobytes(),
        "evaluate": lambda: repr(nnspec.evaluate(network, x, y)),
        "gradients": lambda: b"".join(g.tobytes() for g in network.loss_and_gradients(x[:4], y[:4])[1].values()),
    }
    if x.ndim == 3 and x.shape[1] == x.shape[2] == 12:
        asked["occlude"] = lambda: nnspec.occlude(network, x[:2], y[:2], window=5).tobytes()
    return asked


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_answers_in_threads_are_the_bytes_of_one_thread(text: str) -> None:
    network, x = network_of(text)
    questions = [asked(network, np.roll(x, shift, axis=0)) for shift in range(THREADS)]
    expected = [{name: ask() for name, ask in own.items()} for own in questions]

    def differing(number: int) -> list[str]:
        return [n for _ in range(ROUNDS) for n, ask in questions[number].items() if ask() != expected[number][n]]

    assert in_threads(differing) == [[]] * THREADS


def test_gradients_leave_running_averages_alone_while_others_predict() -> None:
    network, x = network_of(TEXTS["convolutions"])
    moved = []
    plain = network.program.with_own_buffers

    def watched() -> Any:
        program = plain()
        moved.append(not np.shares_memory(program.buffers.flat, network.buffer_arena.flat))
        return program

    network.program.with_own_buffers = watched  # type: ignore[method-assign]
    before = network.buffer_arena.flat.copy()
    network.loss_and_gradients(x, np.arange(16) % 4)
    assert moved == [True]
    np.testing.assert_array_equal(network.buffer_arena.flat, before)


def test_threads_leave_few_programs_behind() -> None:
    network, x = network_of(TEXTS["convolutions"])
    for _ in range(5):
        in_threads(lambda _: network.predict(x))
    assert len(network.programs._idle) <= THREADS


def test_answers_that_are_read_at_the_same_time_do_not_overwrite_each_other() -> None:
    network, x = network_of(TEXTS["short"])
    first, second = network.programs.run("outputs", x), network.programs.run("outputs", x[::-1].copy())
    one, other = next(first), next(second)
    np.testing.assert_array_equal(one, other[::-1])
    assert not np.shares_memory(one, other)


def stepper_of(network: Network, x: np.ndarray) -> Stepper:
    data = data_from_arrays(x, np.arange(len(x)) % 4, classification=True)
    return Stepper(initial_state(network, len(x), 0), data, 1)


def test_a_network_that_is_being_trained_is_not_trained_twice() -> None:
    network, x = network_of(TEXTS["short"] + "\ntrain 1 epochs batch=4")
    with stepper_of(network, x).ready():
        with pytest.raises(TrainingError, match=r"is being trained already; train a copy of it: copy\.deepcopy"):
            stepper_of(network, x).ready().__enter__()
        assert network.predict(x).shape == (16, 4)
    with stepper_of(network, x).ready():
        pass


def test_a_fork_of_a_training_process_may_train_its_own_copy() -> None:
    network, x = network_of(TEXTS["short"] + "\ntrain 1 epochs batch=4")
    with stepper_of(network, x).ready():
        child = os.fork()
        if not child:
            try:
                with stepper_of(network, x).ready():
                    os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0


def test_steps_of_a_sequence_are_taken_by_one_thread_at_a_time() -> None:
    network, x = network_of("input 6x3 -> gru 5 -> dense 4 softmax")
    step = SingleStepNetwork(network)
    expected = [step(row) for row in x[0]]
    step.restart()
    with step._busy, pytest.raises(NetworkError, match="another thread"):
        step(x[0][0])
    assert [a.tobytes() for a in (step(row) for row in x[0])] == [a.tobytes() for a in expected]


TRAININGS = """
import sys, threading
import numpy as np
import nnspec

TEXT = "dense 300 relu -> dense 4 softmax\\noptimizer adam\\ntrain 30 iterations batch=20 seed=3"
x, y = np.random.default_rng(0).random((100, 300), np.float32), np.arange(100) % 4
bits = []

def train():
    network = nnspec.train(TEXT, data=(x, y)).network
    bits.append(b"".join(array.tobytes() for array in network.parameters.values()))

def multiply():
    a = np.ones((400, 400), np.float32)
    while not done.is_set():
        a @ a

done = threading.Event()
others = [threading.Thread(target=task) for task in {tasks}]
for other in others:
    other.start()
train()
done.set()
for other in others:
    other.join()
print(len(bits), len(set(bits)))
"""


@pytest.mark.long
@pytest.mark.parametrize(("tasks", "told"), [("[train, train]", "3 1"), ("[multiply]", "1 1")])
def test_trainings_end_beside_other_threads_and_make_the_same_bytes(tasks: str, told: str) -> None:
    script = TRAININGS.replace("{tasks}", tasks)
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
        assert (done.stdout.strip(), done.stderr) == (told, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_fork_after_a_prediction_predicts_and_changes_nothing_here(text: str) -> None:
    network, x = network_of(text)
    x = np.concatenate([x] * 16)  # two lanes in two threads
    before, weights = network.predict(x), network.parameters
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            same = network.predict(x).tobytes() == before.tobytes()
            network.set_parameters({name: -array for name, array in weights.items()})
            other = network.predict(x).tobytes() != before.tobytes()
            os.write(writer, b"yes" if same and other else b"no")
        finally:
            os._exit(0)
    os.close(writer)
    waiting = threading.Timer(60, os.kill, (child, 9))
    waiting.start()
    with os.fdopen(reader, "rb") as answer:
        assert answer.read() == b"yes"
    waiting.cancel()
    os.waitpid(child, 0)
    assert network.predict(x).tobytes() == before.tobytes()
