"""The number of BLAS threads under several threads of Python: those that ask for other numbers take turns."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info

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


def test_threads_that_want_other_numbers_take_turns() -> None:
    inside: list[int] = []
    mixed = []

    def compute(number: int) -> None:
        for _ in range(200):
            with fixed_threads(number):
                inside.append(number)
                mixed.extend(other for other in inside.copy() if other != number)
                inside.remove(number)

    before = blas_threads()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(compute, (1, 2, 1, 2)))
    assert mixed == [] and GATE.waiting == 0
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

    def short() -> None:
        with fixed_threads(2):
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
        assert blas_threads() == 1
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
