"""How many workers compute a step: fewer where a core is taken, all of them again when it is free."""

from collections.abc import Callable

import pytest

from nnspec.runtime.execute.pace import LATE, Pace


class Machine:
    """A clock, and steps whose time depends on it and on the number of workers."""

    def __init__(self, pace: Pace, step: Callable[[int, float], float], waited: float = 0.0):
        self.pace, self.step, self.waited, self.now = pace, step, waited, 0.0
        self.spent: dict[int, float] = {}

    def run(self, seconds: float) -> dict[int, float]:
        """Make steps for some seconds; return the seconds with each number of workers."""
        self.spent, until = {}, self.now + seconds
        while self.now < until:
            workers = self.pace.workers
            taken = self.step(workers, self.now)
            self.now += taken
            self.spent[workers] = self.spent.get(workers, 0.0) + taken
            self.pace.made(taken, taken * self.waited * (workers > 1), self.now)
        return self.spent


@pytest.mark.parametrize("length", [50e-6, 2e-3, 60e-3])
def test_an_idle_machine_has_all_workers_and_tries_no_others(length: float) -> None:
    machine = Machine(Pace([1, 2, 4]), lambda workers, now: length / workers)
    assert set(machine.run(10)) == {4}


@pytest.mark.parametrize("length", [50e-6, 2e-3])
def test_a_taken_core_costs_little_and_is_used_again_when_it_is_free(length: float) -> None:
    taken = True
    machine = Machine(Pace([1, 2]), lambda workers, now: length * (2.5 if taken and workers == 2 else 1 / workers), 0.5)
    machine.run(2)
    assert machine.run(20)[2] < 1  # seconds of trials
    taken = False
    machine.waited = 0.0
    machine.run(LATE[1] + 0.5)
    assert set(machine.run(10)) == {2}


def test_workers_that_are_waited_for_are_kept_where_they_are_faster_all_the_same() -> None:
    machine = Machine(Pace([1, 2]), lambda workers, now: 2e-3 if workers == 1 else 1.4e-3, 0.4)
    spent = machine.run(20)
    assert spent[1] < 0.1 * spent[2]


def test_steps_that_become_slow_without_waiting_are_noticed_too() -> None:
    """As where this process computes what no lane has while the others wait."""
    machine = Machine(Pace([1, 2]), lambda workers, now: 1e-3 if workers == 1 else (0.7e-3 if now < 3 else 1.9e-3))
    assert set(machine.run(3)) == {2}
    machine.run(1)
    assert machine.run(10)[1] > 9


def test_of_eight_workers_on_too_few_cores_some_are_left() -> None:
    machine = Machine(Pace([1, 2, 4, 8]), lambda workers, now: {1: 4e-3, 2: 2e-3, 4: 3e-3, 8: 6e-3}[workers], 0.3)
    machine.run(3)
    assert machine.run(10)[2] > 8


def test_long_steps_are_tried_rarely() -> None:
    machine = Machine(Pace([1, 2]), lambda workers, now: 0.05 if workers == 1 else 0.1, 0.5)
    machine.run(5)
    spent = machine.run(30)
    assert spent[2] < 0.2 * spent[1]


def test_one_slow_stretch_among_others_tries_nothing() -> None:
    slow = {3, 7, 8}
    machine = Machine(Pace([1, 2]), lambda workers, now: 0.015, 0.0)
    windows = []
    for number in range(12):
        machine.waited = 0.5 if number in slow else 0.0
        machine.run(0.029)  # two steps, a window
        windows.append(machine.pace.workers)
    assert windows.index(1) > 6
