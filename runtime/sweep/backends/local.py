"""The backend of this machine: trials in this process, one after another, or in worker processes of joblib's loky."""

import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

from nnspec.runtime.sweep.backends import Pool, PoolOptions, backend
from nnspec.runtime.sweep.trial import Outcome
from nnspec.runtime.sweep.work import Task, run_trial
from nnspec.runtime.train.events import Event
from nnspec.runtime.train.events import Listener as Listen
from nnspec.runtime.train.signals import StopRequest

MOST_LOST = 3
"""How often a trial may lose its worker process before it has failed."""

IDLE = 600.0
"""Seconds after which a worker process without a trial ends."""

Address = tuple[Any, bytes]
"""Where the sweep listens, and the key that says that a worker is its own."""


@backend("local")
@contextmanager
def open_local(options: PoolOptions) -> Iterator[Pool]:
    """Provide a pool on this machine: of this process alone for one job, else of worker processes."""
    if options.jobs == 1:
        yield InTurn(options)
        return
    pool = Processes(options.jobs or 1, options.listen)
    try:
        yield pool
    finally:
        pool.close()


class InTurn:
    """Trains one trial after another in this process, which handles the signals itself."""

    slots = 1

    def __init__(self, options: PoolOptions):
        self._listen = options.listen
        self._stop = options.stop
        self._waiting: list[Task] = []

    def submit(self, task: Task) -> None:
        """Keep a task for `wait`."""
        self._waiting.append(task)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome]]:
        """Train one task to its end, however long it takes."""
        if not self._waiting:
            return []
        task = self._waiting.pop(0)
        if self._stop.signal is not None:
            return [(task, Outcome())]
        return [(task, run_trial(task, self._listen, self._stop))]

    def stop(self, number: int) -> None:
        """End the trial after its step."""
        self._stop.signal = number


class Processes:
    """Trains trials in worker processes, one core each.

    Workers report through a connection, and save and end where it closes: a sweep that is killed leaves no process
    behind. A worker that dies, for lack of memory say, takes the others' pool with it; a new pool goes on with their
    trials.
    """

    def __init__(self, jobs: int, listen: Listen):
        self.slots = jobs
        self._listen = listen
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._channel = _Channel(self._events)
        self._executor = _executor(jobs)
        self._running: dict[Future[Outcome], Task] = {}
        self._lost: dict[str, int] = {}
        self._begun: set[str] = set()

    def submit(self, task: Task) -> None:
        """Give a task to the workers."""
        with _no_interrupts():
            future = self._executor.submit(work, task, self._channel.address)
        self._running[future] = task

    def wait(self, seconds: float) -> list[tuple[Task, Outcome]]:
        """Return the tasks that have ended; raises nothing where a worker died."""
        until = time.monotonic() + seconds
        while True:
            done, _ = wait(self._running, min(0.05, seconds), FIRST_COMPLETED)
            self._report()
            if done or time.monotonic() >= until or not self._running:
                break
        ended: list[tuple[Task, Outcome]] = []
        for future in done:
            if future.exception() is not None:
                return ended + self._after_a_loss()
            ended.append((self._running.pop(future), future.result()))
        return ended

    def stop(self, number: int) -> None:
        """Tell every worker."""
        self._channel.send_stop(number)

    def close(self) -> None:
        """End the workers."""
        self._executor.shutdown(wait=True, kill_workers=True)
        self._channel.close()

    def _report(self) -> None:
        with suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                self._begun.add(event["trial"])
                if event["event"] != "begun":
                    self._listen(event)

    def _after_a_loss(self) -> list[tuple[Task, Outcome]]:
        """Return the outcomes of finished trials after the pool broke, and go on with the others in a new one."""
        time.sleep(0.2)  # for what the other workers still report
        self._report()
        ended, again = [], []
        for future, task in self._running.items():
            if future.done() and future.exception() is None:
                ended.append((task, future.result()))
                continue
            self._lost[task.name] = self._lost.get(task.name, 0) + (task.name in self._begun)
            if self._lost[task.name] >= MOST_LOST or self._channel.stopped is not None:
                stopped = self._channel.stopped is not None
                reason = f"its worker process was killed {MOST_LOST} times; if memory ran out, use fewer --jobs"
                ended.append((task, Outcome("interrupted") if stopped else Outcome("failed", error=reason)))
            else:
                again.append(task)
        self._listen({"event": "warning", "text": _lost_text(again)})
        self._executor.shutdown(wait=True, kill_workers=True)
        self._executor = _executor(self.slots)
        self._running, self._begun = {}, set()
        for task in again:
            self.submit(task)
        return ended


def work(task: Task, address: Address) -> Outcome:
    """Train a task in a worker process."""
    link = _link(address)
    if link.stop.signal is not None:
        return Outcome()
    with link.busy:
        link.send({"event": "begun", "trial": task.name})
        return run_trial(task, link.send, link.stop)


class _Channel:
    """The sweep's end of the connections: it collects events and tells workers to stop."""

    def __init__(self, events: "queue.SimpleQueue[Event]"):
        self._events = events
        key = os.urandom(32)
        self._listener = Listener(authkey=key)
        self.address: Address = self._listener.address, key
        self.stopped: int | None = None
        self._workers: list[Connection] = []
        threading.Thread(target=self._accept, name="nnspec-sweep", daemon=True).start()

    def send_stop(self, number: int) -> None:
        """Tell every worker to save and end."""
        self.stopped = number
        for worker in self._workers:
            with suppress(OSError):
                worker.send(number)

    def close(self) -> None:
        """Close all connections."""
        with suppress(OSError):
            self._listener.close()
        for worker in self._workers:
            with suppress(OSError):
                worker.close()

    def _accept(self) -> None:
        while True:
            try:
                worker = self._listener.accept()
            except OSError:  # closed
                return
            except Exception:  # not a worker of ours
                continue
            self._workers.append(worker)
            if self.stopped is not None:
                worker.send(self.stopped)
            threading.Thread(target=self._read, args=(worker,), name="nnspec-sweep", daemon=True).start()

    def _read(self, worker: Connection) -> None:
        with suppress(EOFError, OSError, TypeError):  # TypeError: closed while it reads
            while True:
                self._events.put(worker.recv())


class _Link:
    """The worker's end of a connection. `busy` is held while a trial trains."""

    def __init__(self, address: Address):
        self.stop = StopRequest()
        self.busy = threading.Lock()
        self._connection = Client(address[0], authkey=address[1])
        threading.Thread(target=self._read, name="nnspec-sweep", daemon=True).start()

    def send(self, event: Event) -> None:
        """Report an event; one that cannot be sent is lost, and the trial is about to stop."""
        with suppress(OSError, ValueError):
            self._connection.send(event)

    def _read(self) -> None:
        try:
            while True:
                self.stop.signal = int(self._connection.recv())
        except (EOFError, OSError):  # the sweep was killed: nobody waits for this process
            self.stop.signal = int(signal.SIGTERM)
        with self.busy:
            os._exit(1)


_links: dict[Any, _Link] = {}


def _link(address: Address) -> _Link:
    """Return the connection of this process, made on first use. From then on Ctrl-C is the sweep's to answer."""
    if address[0] not in _links:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        _links[address[0]] = _Link(address)
    return _links[address[0]]


def _executor(jobs: int) -> Any:
    """Return an executor of worker processes, apart from one that the caller's own joblib may have."""
    from joblib.externals.loky.process_executor import ProcessPoolExecutor

    return ProcessPoolExecutor(max_workers=jobs, timeout=IDLE)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends to all of them, from their first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _lost_text(again: Sequence[Task]) -> str:
    names = ", ".join(task.name for task in again[:3]) + (" …" if len(again) > 3 else "")
    memory = "; if memory ran out, use fewer --jobs"
    return f"a worker process was killed{memory}" + (f": going on with {names}" if again else "")
