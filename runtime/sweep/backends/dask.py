"""The backend of a Dask cluster: trials travel as texts and settings, and come back as sealed bytes.

A trial whose worker dies is begun anew on another one, or resumed there where the workers share a folder.
"""

import queue
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep.backends import Pool, PoolOptions, backend, missing_package
from nnspec.runtime.sweep.backends._parcel import (
    Answer,
    Parcel,
    other_versions,
    pack,
    train_parcel,
    unpack,
    versions,
)
from nnspec.runtime.sweep.trial import Outcome
from nnspec.runtime.sweep.work import Task
from nnspec.runtime.train.events import Event
from nnspec.runtime.train.signals import StopRequest
from nnspec.spec_lang.report.errors import NNSpecError

CONNECT = 20.0
"""Seconds within which the scheduler must answer."""

EVERY = 1.0
"""The least seconds between two progress events of a trial, and between two looks for a stop."""


@backend("dask")
@contextmanager
def open_dask(options: PoolOptions) -> Iterator[Pool]:
    """Provide a pool of the workers of a Dask scheduler. Raises TrainingError where none answers."""
    try:
        from distributed import Client
    except ImportError:
        raise missing_package("Dask", "dask") from None
    if options.scheduler is None:
        advice = "give --scheduler tcp://HOST:8786, the address that dask scheduler prints"
        raise TrainingError(f"a Dask cluster has a scheduler: {advice}", exit_code=2)
    try:
        client = Client(options.scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainingError(f"no Dask scheduler answers at {options.scheduler}: {reason}", exit_code=2) from None
    with client:
        yield Cluster(client, options)


class Cluster:
    """Trains trials on the workers of a scheduler."""

    def __init__(self, client: Any, options: PoolOptions):
        from distributed import Event as Flag

        self._client = client
        self._options = options
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._running: dict[str, Task] = {}
        self._known: set[str] = set()
        self._name = f"nnspec-{uuid.uuid4().hex[:12]}"
        self._stop = Flag(self._name, client=client)
        client.subscribe_topic(self._name, lambda event: self._events.put(event[1]))
        for worker, theirs in client.run(versions).items():
            self._compare(worker, theirs)

    @property
    def slots(self) -> int:
        """How many trials at once: a thread of a worker each, and no fewer than one until workers come."""
        threads: int = sum(self._client.nthreads().values())
        return max(1, min(threads, self._options.jobs or threads))

    def submit(self, task: Task) -> None:
        """Send a task to the scheduler."""
        key = f"{task.name}-{uuid.uuid4().hex[:8]}"
        parcel = pack(task, self._options.shared)
        self._running[key] = task
        future = self._client.submit(train_here, parcel, self._name, key=key, pure=False)
        future.add_done_callback(self._ended.put)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome]]:
        """Return the tasks that have ended."""
        until = time.monotonic() + seconds
        ended: list[tuple[Task, Outcome]] = []
        while not ended and self._running and (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                future = self._ended.get(timeout=min(left, 0.1))
                task = self._running.pop(future.key)
                ended.append((task, self._outcome(task, future)))
            self._report()
        return ended

    def stop(self, number: int) -> None:
        """Raise the flag that the trials look at: those that have not begun come back at once."""
        self._stop.set()

    def _outcome(self, task: Task, future: Any) -> Outcome:
        """Return what came of a trial, and write its files into its folder."""
        error = future.exception() if future.status == "error" else None
        if error is not None or future.status != "finished":
            lost = type(error).__name__ == "KilledWorker"
            reason = "every worker that trained it was lost" if lost else str(error or f"the trial was {future.status}")
            return Outcome("failed", error=reason)
        worker, answer = future.result()
        self._compare(worker, answer.versions)
        try:
            return unpack(answer, task)
        except (NNSpecError, OSError) as damaged:
            return Outcome("failed", error=str(damaged))

    def _compare(self, worker: str, theirs: Any) -> None:
        """Warn once of a worker with other versions."""
        if worker not in self._known:
            self._known.add(worker)
            if (text := other_versions(worker, theirs)) is not None:
                self._options.listen({"event": "warning", "text": text})

    def _report(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._options.listen(self._events.get_nowait())


def train_here(parcel: Parcel, name: str) -> tuple[str, Answer]:
    """Train a parcel in the thread of a worker; return the worker's address and the answer."""
    from distributed import Event as Flag
    from distributed import get_worker

    worker, flag, stop = get_worker(), Flag(name), StopRequest()
    looked = reported = 0.0

    def listen(event: Event) -> None:
        nonlocal looked, reported
        now = time.monotonic()
        if now - looked > EVERY:
            looked = now
            if flag.is_set():
                stop.signal = signal.SIGTERM
        if event["event"] != "progress" or now - reported > EVERY:
            reported = now
            worker.log_event(name, event)

    if flag.is_set():
        return worker.address, Answer(Outcome(), {}, versions())
    return worker.address, train_parcel(parcel, listen, stop)
