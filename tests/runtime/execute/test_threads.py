"""Lanes in threads: results in order, errors after all have ended, and no thread where the system gives none."""

import threading
import time
from typing import Any

import pytest

from nnspec.runtime.execute import threads
from nnspec.runtime.execute.threads import run_together


def test_tasks_run_together_answer_in_their_order() -> None:
    assert run_together([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]


def test_an_error_in_any_task_is_raised() -> None:
    for tasks in ([lambda: 1, lambda: 1 // 0], [lambda: 1 // 0, lambda: 1]):
        with pytest.raises(ZeroDivisionError):
            run_together(tasks)


def test_an_error_is_raised_when_no_task_is_running_any_more() -> None:
    begun, ended = threading.Event(), []

    def late() -> None:
        begun.set()
        time.sleep(0.2)
        ended.append(True)

    with pytest.raises(ZeroDivisionError):
        run_together([lambda: begun.wait() and 1 // 0, late])
    assert ended == [True]


def test_this_thread_takes_the_tasks_that_no_other_has_begun() -> None:
    end, here = threading.Event(), threading.get_ident()
    threads._pool(1).submit(end.wait)  # the other thread's core is taken
    try:
        assert run_together([threading.get_ident] * 4, 2) == [here] * 4
    finally:
        end.set()
    assert run_together([threading.get_ident] * 4, 1) == [here] * 4


def test_no_more_tasks_run_at_once_than_there_are_workers() -> None:
    running, most, lock = [0], [0], threading.Lock()

    def task() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1

    run_together([task] * 12, 3)
    assert most[0] <= 3


def test_where_the_system_gives_no_thread_one_runs_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    threads.forget_threads()
    monkeypatch.setattr(threading.Thread, "start", none)
    assert run_together([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
