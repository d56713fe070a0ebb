"""The executor with worker processes: this process computes some lanes of a step, and each worker computes others.

How many workers take part follows from how long steps take (`pace`): with one, this process computes every lane, and
the others sleep.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.execute.executor import Lent, Update
from nnspec.runtime.execute.in_turn import walk
from nnspec.runtime.execute.pace import Pace
from nnspec.runtime.execute.shared_memory import shared
from nnspec.runtime.execute.worker_process import (
    MOST,
    Message,
    Task,
    WorkerProcess,
    new_message,
    share_of,
    slice_of,
)

START = 10.0
"""Seconds within which new workers must have multiplied two matrices."""

WORTH_A_SLICE = 25_000
"""Parameters whose update is worth a message to a worker."""


class WorkerProcesses:
    """Computes lanes here and in `count` − 1 forked processes, for the given `programs` and `update` only.

    The last program is that of whole batches, whose steps set the pace. Raises OSError if the system has no process or
    memory left, or a new process hangs because another thread held a lock during the fork.
    """

    at_once = 1

    def __init__(self, count: int, programs: Sequence[BoundProgram], update: Update):
        self._message: Message = new_message()
        self._programs = programs
        self._numbers = {id(program): number for number, program in enumerate(programs)}
        count = min(count, MOST)
        self.pace = Pace([*(n for n in (1, 2, 4, 8, 16, 32) if n < count), count])
        self.workers: list[WorkerProcess] = []
        self._seconds = self._waited = 0.0  # of this step so far
        self._paced = False  # whether its program sets the pace
        try:
            for number in range(1, count):
                self.workers.append(WorkerProcess(number, self._message, programs, update))
            self._begin(Task.CHECK_BLAS, count)
            self._end(count, time.perf_counter() + START)
        except TrainingError as error:
            self.close()
            raise OSError(str(error)) from error
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """The processes."""
        return [worker.pid for worker in self.workers]

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the first lanes here and the others in the workers."""
        self._step_begins(not self._programs or program is self._programs[-1])
        lanes = len(program.steps)
        workers = min(self.pace.workers, lanes)
        if workers == 1:
            begun = time.perf_counter()
            results = walk(program, range(lanes))
            self._seconds += time.perf_counter() - begun
            return results
        message = self._message
        message.program = self._numbers[id(program)]
        begun = self._begin(Task.RUN, workers)
        results = walk(program, share_of(lanes, 0, workers), lambda: self._meet(workers))
        self._end(workers)
        self._seconds += time.perf_counter() - begun
        return [*results, *message.results[len(results) : lanes]]

    def apply(self, update: Update) -> None:
        """Apply the update to the first slice here and to the others in the workers."""
        if not self._programs:
            self._step_begins(True)
        workers = max(min(self.pace.workers, update.size // WORTH_A_SLICE), 1)
        begun = time.perf_counter()
        if workers > 1:
            message = self._message
            message.program = -1 if update.program is None else self._numbers[id(update.program)]
            message.step, message.rate = update.step, update.rate
            self._begin(Task.APPLY, workers)
        update(slice_of(update.size, 0, workers))
        if workers > 1:
            self._end(workers)
        self._seconds += time.perf_counter() - begun

    def dismiss(self) -> None:
        """Begin to end the workers. Does nothing in a fork of this process."""
        for worker in self.workers:
            worker.kill()

    def close(self) -> None:
        """End the workers, and return when they have ended. Does nothing in a fork of this process."""
        self.dismiss()
        for worker in self.workers:
            worker.close()

    def _step_begins(self, paced: bool) -> None:
        if self._paced:
            self.pace.made(self._seconds, self._waited, time.perf_counter())
        self._paced, self._seconds, self._waited = paced, 0.0, 0.0

    def _begin(self, task: Task, workers: int) -> float:
        """Give the task to some workers; return the time."""
        begun = time.perf_counter()
        self._message.task, self._message.workers = task, workers
        for worker in self.workers[: workers - 1]:
            worker.go.release()
        return begun

    def _end(self, workers: int, until: float = float("inf")) -> None:
        """Wait for those workers. Raises TrainingError if one has failed or ended."""
        begun = time.perf_counter()
        for worker in self.workers[: workers - 1]:
            worker.wait(until)
        self._waited += time.perf_counter() - begun

    def _meet(self, workers: int) -> None:
        """Wait at a barrier for those workers, and let them go on."""
        self._end(workers)
        for worker in self.workers[: workers - 1]:
            worker.go.release()


@contextmanager
def worker_processes(
    count: int, programs: Sequence[BoundProgram], update: Update, arrays: Sequence[Lent]
) -> Iterator[WorkerProcesses | None]:
    """Provide worker processes that share the memory of `arrays`; None if there cannot be any.

    The arrays become private while the system ends the processes, which takes it milliseconds.
    """
    with ExitStack() as ended, ExitStack() as stack:
        workers = None
        with suppress(OSError, ImportError):  # ImportError: no semaphores
            stack.enter_context(shared(arrays))
            workers = WorkerProcesses(count, programs, update)
            ended.callback(workers.close)
            stack.callback(workers.dismiss)
        yield workers
