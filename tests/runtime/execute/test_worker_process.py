"""The worker process of a training: the same bytes as without it, never left behind, never waited for without end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.data import data_from_arrays
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.execute import processors, threads, watch, worker_process, worker_processes
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.execute.shared_memory import shared_zeros
from nnspec.runtime.execute.worker_process import Task
from nnspec.runtime.execute.worker_processes import WorkerProcesses
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper

pytestmark = pytest.mark.worker

TEXTS = {
    "convolutions": "input 8x8x2 -> conv 3x3 x4 relu -> maxpool 2 -> dropout 0.3 -> dense 3 softmax\noptimizer adam",
    "dense": "input 300 -> dense 200 relu l2=0.01 -> dense 3 softmax\noptimizer momentum",
    "large": "input 300 -> dense 200 relu -> dense 3 softmax\noptimizer adam\nschedule cosine",
    "normalized": "input 8x8x2 -> conv 3x3 x4 bias=no -> batchnorm -> relu -> batchnorm -> dense 3 softmax",
    "sequences": "input 9 -> onehot vocab=5 -> gru 6 return=sequence -> dense 5 softmax\noptimizer adam",
}

MORE = [("large", "clip_norm=0.5"), ("large", "clip_value=0.001"), ("sequences", "stateful=yes")]


def stepper_of(text: str, train: str = "") -> Stepper:
    """A trainer of 17 samples in batches of 6."""
    spec = nnspec.check(f"{text}\ntrain 7 iterations batch=6 {train}")
    random = np.random.default_rng(0)
    x: np.ndarray
    if "onehot" in text:
        x = random.integers(0, 5, (17, 9))
        if "stateful" not in train:
            x[3, 5:] = x[8, 2:] = -1
        y = np.where(x < 0, -1, (x + 1) % 5)
    else:
        x, y = random.random((17, *(spec.input or ())), np.float32), random.integers(0, 3, 17)
    data = data_from_arrays(x, y, classification=True, steps="onehot" in text)
    network = Network(spec, data.preprocessing)
    network.initialize(3)
    return Stepper(initial_state(network, 17, 0), data, 7)


def trained(text: str, monkeypatch: pytest.MonkeyPatch, possible: bool, train: str = "") -> bytes:
    """All that 7 steps make of a network."""
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(processors, "worker_pays", lambda: possible)
    stepper = stepper_of(text, train)
    with stepper.ready():
        assert (stepper.workers is not None) == possible
        losses = [stepper.advance(1) for _ in range(7)]
    state = stepper.state
    arenas = state.network.parameter_arena, state.network.buffer_arena, state.carried, *state.slots.values()
    return repr(losses).encode() + b"".join(arena.flat.tobytes() for arena in arenas)


@pytest.mark.parametrize(("name", "train"), [*((name, "") for name in TEXTS), *MORE])
def test_two_processes_compute_the_bytes_of_one(name: str, train: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = (trained(TEXTS[name], monkeypatch, possible, train) for possible in (False, True))
    assert alone == together


class Doubled:
    """Stands in for an update of 8 numbers and for a program of one lane here and one in the worker."""

    program: Any = None
    step = 0
    rate = 0.0
    barriers = 0
    size = 8

    def __init__(self, there: Callable[[], float] = lambda: 2.0):
        self.numbers = shared_zeros(8, np.float64)
        self.steps = [lambda: 1.0, there]

    def lane(self, number: int) -> Any:
        return self.steps[number]()

    def __call__(self, part: slice) -> None:
        self.numbers[part] += self.rate * self.step


@contextmanager
def worker_of(doubled: Any, count: int = 2) -> Iterator[Any]:
    worker = WorkerProcesses(count, [doubled], doubled)
    try:
        yield worker
    finally:
        worker.close()


def test_results_come_in_the_order_of_the_lanes_and_slices_are_disjoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_processes, "WORTH_A_SLICE", 4)
    doubled = Doubled()
    with worker_of(doubled) as worker:
        for turn in range(1, 100):
            assert worker.run(doubled) == [1.0, 2.0]
            doubled.numbers.fill(0)
            doubled.step, doubled.rate = turn, 0.1
            worker.apply(doubled)
            assert doubled.numbers.tolist() == [turn * 0.1] * 8


def test_lanes_meet_at_a_barrier() -> None:
    doubled = Doubled()

    def lane(own: int, other: int) -> Any:
        for turn in range(1, 4):
            doubled.numbers[own] = turn
            yield 0.0
            assert doubled.numbers[other] == turn
            yield 0.0
        yield doubled.numbers[other]

    doubled.steps = [lambda: lane(0, 1), lambda: lane(1, 0)]
    doubled.barriers = 6
    with worker_of(doubled) as worker:
        assert worker.run(doubled) == [3.0, 3.0]


def state_of(pid: int) -> str:
    """The letter of a process's state; X where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def wait_for(states: str, pid: int) -> None:
    until = time.monotonic() + 30
    while state_of(pid) not in states and time.monotonic() < until:
        time.sleep(0.01)
    assert state_of(pid) in states


def test_an_idle_worker_sleeps_and_wakes_up() -> None:
    doubled = Doubled()
    with worker_of(doubled) as worker:
        wait_for("S", worker.pids[0])
        assert worker.run(doubled) == [1.0, 2.0]


def ticks_of(pid: int) -> int:
    """The processor time of a process, in ticks of ten milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_pause_of_the_run_costs_no_processor_time() -> None:
    doubled = Doubled()
    doubled.steps = [lambda: 1.0] * 4
    with worker_of(doubled, 4) as worker:
        assert worker.run(doubled) == [1.0] * 4
        for pid in worker.pids:
            wait_for("S", pid)
        before = [ticks_of(pid) for pid in worker.pids]
        time.sleep(1)
        assert [ticks_of(pid) for pid in worker.pids] == before
        assert worker.run(doubled) == [1.0] * 4


@pytest.mark.parametrize("barriers", [0, 1])
def test_an_error_in_it_ends_the_training_and_is_printed(barriers: int, capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> float:
        raise ZeroDivisionError("by nothing")

    doubled = Doubled(fail)
    doubled.barriers = barriers
    if barriers:
        doubled.steps[0] = lambda: iter([0.0, 1.0])  # type: ignore[assignment,return-value]
    with worker_of(doubled) as worker, pytest.raises(TrainingError, match="a worker process of the training failed"):
        worker.run(doubled)
    assert "by nothing" in capfd.readouterr().err


@pytest.fixture(params=["default", "ignored", "reaping handler"])
def sigchld(request: pytest.FixtureRequest) -> Iterator[None]:
    """What this process does about children that end."""

    def reap(*_: object) -> None:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    ways: dict[str, Any] = {"default": signal.SIG_DFL, "ignored": signal.SIG_IGN, "reaping handler": reap}
    before = signal.signal(signal.SIGCHLD, ways[request.param])
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("sigchld")
@pytest.mark.parametrize("descriptors", [True, False])
def test_a_killed_worker_ends_the_training(descriptors: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not descriptors:
        monkeypatch.setattr(os, "pidfd_open", lambda _: os.open("/nowhere", 0))
    doubled = Doubled(lambda: time.sleep(60) or 0.0)
    with worker_of(doubled) as worker:
        doubled.steps[0] = lambda: os.kill(worker.pids[0], signal.SIGKILL) or 1.0
        with pytest.raises(TrainingError, match="was killed"):
            worker.run(doubled)
    assert state_of(worker.pids[0]) in "XZ"


@pytest.mark.usefixtures("sigchld")
def test_a_run_trains_whatever_is_done_about_children(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trained(TEXTS["large"], monkeypatch, possible=True)


def test_a_stopped_worker_goes_on() -> None:
    doubled = Doubled()
    with worker_of(doubled) as worker:
        for _ in range(3):
            os.kill(worker.pids[0], signal.SIGSTOP)
            wait_for("T", worker.pids[0])
            assert worker.run(doubled) == [1.0, 2.0]


def test_a_worker_that_hangs_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0.3)
    doubled = Doubled(lambda: threading.Event().wait() or 0.0)
    with worker_of(doubled) as worker, pytest.raises(TrainingError, match="hangs"):
        worker.run(doubled)
    assert state_of(worker.pids[0]) == "X"


def test_a_worker_that_hangs_at_its_start_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one does whose BLAS was forked while another thread held its lock; the run goes on in this process."""
    monkeypatch.setattr(worker_processes, "START", 0.3)
    monkeypatch.setattr(worker_process, "check_blas", lambda: threading.Event().wait())
    stepper = stepper_of(TEXTS["large"])
    with stepper.ready():
        assert stepper.workers is None
        assert len(stepper.advance(1)) == 1


def no_fork() -> int:
    raise BlockingIOError("Resource temporarily unavailable")


def no_memory(*_: object) -> int:
    raise OSError(12, "Cannot allocate memory")


@pytest.mark.parametrize(
    ("name", "what"),
    [("os.fork", no_fork), ("nnspec.runtime.execute.shared_memory._replace_pages", no_memory)],
    ids=["processes", "memory"],
)
def test_a_run_that_gets_no_worker_makes_the_same_bytes(
    name: str, what: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained(TEXTS["large"], monkeypatch, possible=True)
    monkeypatch.setattr(name, what)
    monkeypatch.setattr(processors, "worker_pays", lambda: True)
    stepper = stepper_of(TEXTS["large"])
    with stepper.ready():
        assert stepper.workers is None
        losses = [stepper.advance(1) for _ in range(7)]
    assert expected.startswith(repr(losses).encode())
    assert stepper.state.network.parameter_arena.flat.tobytes() in expected


@pytest.mark.parametrize(("quota", "there"), [("max 100000", True), ("200000 100000", True), ("150000 100000", False)])
def test_a_container_of_less_than_two_processors_has_none(
    quota: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "cpu.max")
    assert processors.worker_pays() == there


def test_a_process_with_another_thread_of_python_forks_no_worker() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert not processors.worker_pays()
        stepper = stepper_of(TEXTS["large"])
        with stepper.ready():
            assert stepper.workers is None
            stepper.advance(1)
    finally:
        end.set()
        thread.join()
    assert processors.worker_pays()


def test_a_fork_of_a_training_process_leaves_its_worker_alone() -> None:
    doubled = Doubled()
    with worker_of(doubled) as worker:
        child = os.fork()
        if not child:
            worker.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert worker.run(doubled) == [1.0, 2.0]


def test_memory_is_shared_only_while_a_run_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    stepper = stepper_of(TEXTS["large"])
    flat = stepper.state.network.parameter_arena.flat
    view = stepper.state.network.parameter_arena["dense1/weight"]

    def written_by_a_child() -> bool:
        before = float(view[0, 0])
        child = os.fork()
        if not child:
            view[0, 0] = before + 1
            os._exit(0)
        os.waitpid(child, 0)
        seen, view[0, 0] = float(view[0, 0]) != before, before
        return seen

    assert not written_by_a_child()
    with stepper.ready():
        assert stepper.workers is not None
        assert written_by_a_child()
        stepper.advance(1)
    assert not written_by_a_child()
    assert np.shares_memory(flat, view) and stepper.state.network.parameter_arena.flat is flat
    with pytest.raises(KeyboardInterrupt), stepper.ready():
        raise KeyboardInterrupt
    assert not written_by_a_child()


def test_the_tasks_have_the_numbers_of_the_message() -> None:
    assert [Task(number).name for number in range(3)] == ["CHECK_BLAS", "RUN", "APPLY"]


KILLED = """
import fcntl, os, signal, sys
from nnspec.runtime.execute.worker_processes import WorkerProcesses
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
workers = WorkerProcesses(4, [], None)
print(*workers.pids, flush=True)
if sys.argv[2] == "stopped":
    for pid in workers.pids:
        os.kill(pid, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["running", "stopped"])
def test_it_goes_when_the_first_process_is_killed_and_holds_nothing_of_it(how: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "lock", how], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    taken = subprocess.run(["flock", "--nonblock", tmp_path / "lock", "true"], check=False)
    assert taken.returncode == 0
    pids = done.stdout.split()
    assert len(pids) == 3
    for pid in pids:
        wait_for("XZ", int(pid))


def test_one_processor_or_a_system_without_forks_has_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: {0})
        assert not processors.worker_pays()
    with monkeypatch.context() as patch:
        patch.delattr(os, "fork")
        assert not processors.worker_pays()
    assert processors.worker_pays()


def test_one_worker_trains_in_this_process_alone_to_the_same_bits() -> None:
    def trained(count: processors.Workers) -> tuple[bool, bytes]:
        stepper = stepper_of(TEXTS["large"])
        with processors.with_workers(count), stepper.ready():
            alone = stepper.workers is None
            for _ in range(7):
                stepper.advance(1)
        return alone, stepper.state.network.parameter_arena.flat.tobytes()

    (one, alone), (two, together) = trained(1), trained(2)
    assert (one, two) == (True, False)
    assert alone == together


def test_two_workers_are_had_on_one_processor_and_refused_where_there_cannot_be_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch, processors.with_workers(2):
        patch.setattr(os, "sched_getaffinity", lambda _: {0})
        assert processors.worker_pays()
    monkeypatch.delattr(os, "fork")
    with pytest.raises(TrainingError, match=r"there cannot be 2 workers: this system has no fork .*; use 1 or auto"):
        processors.with_workers(2).__enter__()


def test_a_long_step_of_one_worker_computes_its_lanes_in_turn() -> None:
    schedule = stepper_of(TEXTS["large"]).program(64).plan.schedule
    schedule = replace(schedule, lanes=(32, 32), batch=10**9)
    assert isinstance(processors.executor_for(schedule), threads.Threads)
    with processors.with_workers(1):
        assert processors.executor_for(schedule) is IN_TURN
