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
    ended = []

    def late() -> None:
        time.sleep(0.2)
        ended.append(True)

    with pytest.raises(ZeroDivisionError):
        run_together([lambda: 1 // 0, late])
    assert ended == [True]


def test_where_the_system_gives_no_thread_one_runs_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    threads.forget_threads()
    monkeypatch.setattr(threading.Thread, "start", none)
    assert run_together([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
