"""The number of BLAS threads under several threads of Python: those that ask for other numbers take turns."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nnspec.runtime.execute.blas import GATE, fixed_threads


def blas_threads() -> int:
    found: int = next(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
    return found


def test_contexts_nest_and_the_number_is_put_back() -> None:
    before = blas_threads()
    with fixed_threads(1):
        assert blas_threads() == 1
        with fixed_threads(2):
            assert blas_threads() == 2
        assert blas_threads() == 1
    assert blas_threads() == before


def in_a_thread(task: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(task).result()


@pytest.mark.parametrize("elsewhere", [1, 2])
def test_the_number_holds_in_every_thread_whoever_set_it_before(elsewhere: int) -> None:
    """threadpoolctl 3.8 sets OpenBLAS's number only in the first thread that sets it, while that thread lives."""
    random = np.random.default_rng(0)
    left, right = random.random((300, 1000), np.float32), random.random((1000, 300), np.float32)

    def product_with(number: int) -> tuple[int, bytes]:
        with fixed_threads(number):
            return blas_threads(), (left @ right).tobytes()

    with threadpool_limits(elsewhere):
        for number in (1, 2, 1):
            assert product_with(number)[0] == number
            assert in_a_thread(partial(product_with, number)) == product_with(number)
        assert blas_threads() == elsewhere


def test_threads_that_want_other_numbers_take_turns() -> None:
    """Different numbers are never open together: each thread computes with its own."""
    inside: list[int] = []
    mixed: list[Any] = []
    seen = set()

    def compute(number: int) -> None:
        for _ in range(200):
            with fixed_threads(number):
                inside.append(number)
                seen.add((number, blas_threads()))
                mixed.extend(other for other in inside.copy() if other != number)
                seen.add((number, blas_threads()))
                inside.remove(number)

    before = blas_threads()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(compute, (1, 2, 1, 2)))
    assert mixed == [] and GATE.waiting == 0
    assert seen == {(1, 1), (2, 2)}
    assert blas_threads() == before


def test_threads_that_want_the_same_number_compute_at_the_same_time() -> None:
    together = threading.Barrier(2)

    def compute() -> None:
        with fixed_threads(1):
            together.wait(30)  # broken, and an error, unless both are inside

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(compute) for _ in range(2)]:
            future.result()


def test_a_long_computation_gives_way_to_one_that_waits() -> None:
    computed = threading.Event()
    seen = []

    def short() -> None:
        with fixed_threads(2):
            seen.append(blas_threads())
            computed.set()

    with fixed_threads(1) as long:
        thread = threading.Thread(target=short)
        thread.start()
        for _ in range(100_000):
            if GATE.waiting:
                long.give_way()
                break
            computed.wait(0.01)
        assert computed.wait(30)
        assert seen == [2] and blas_threads() == 1
        thread.join()


def test_an_interrupt_while_waiting_leaves_the_gate_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with fixed_threads(1):
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(30)
    with monkeypatch.context() as patch:
        patch.setattr(GATE._changed, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt), fixed_threads(2):
            pass
    leave.set()
    thread.join()
    assert GATE.waiting == 0
    with fixed_threads(2):
        assert blas_threads() == 2


def test_a_fork_waits_for_threads_that_compute_and_they_go_on_after_it() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    ready, leave, left = threading.Event(), threading.Event(), list[bool]()

    def compute() -> None:
        with fixed_threads(1):
            ready.set()
            leave.wait()
            left.append(True)
        with fixed_threads(1):
            left.append(True)

    thread = threading.Thread(target=compute)
    thread.start()
    ready.wait()
    threading.Timer(0.05, leave.set).start()
    child = os.fork()
    if not child:
        with fixed_threads(2):
            os._exit(0 if left == [True] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()
    assert left == [True, True]


def test_a_fork_by_a_thread_that_computes_does_not_wait_for_itself() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    with fixed_threads(1):
        child = os.fork()
        if not child:
            with fixed_threads(2):
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
