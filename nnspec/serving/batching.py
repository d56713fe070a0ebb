"""Joining the samples of several requests into one call of the network.

While one call computes, requests collect; what has collected is the next call. An idle network begins at once, unless
other requests are still arriving: for these it waits, `Limits.wait` at most.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.serving.limits import Limits
from nnspec.serving.worker import Worker


@dataclass(eq=False)
class Job:
    """The samples of a request, (batch, …), and the future of their outputs."""

    samples: Array
    answer: "asyncio.Future[Array]"


@dataclass
class Counts:
    """What was computed since the start: requests, samples, and the calls of the network that they were joined into."""

    requests: int = 0
    samples: int = 0
    calls: int = 0


class Arrival:
    """A request on its way to the network: the others may wait for it until it asks or ends."""

    def __init__(self, batcher: "Batcher"):
        self._batcher = batcher
        self._counted = True
        batcher.arriving += 1

    async def predict(self, samples: Array) -> Array:
        """Return the outputs for raw samples (batch, …)."""
        self.over()
        return await self._batcher.join(samples)

    def over(self) -> None:
        """Say that it will not ask, or has asked."""
        if self._counted:
            self._counted = False
            self._batcher.arriving -= 1
            self._batcher.look()


@dataclass(eq=False)
class Batcher:
    """Calls `predict` for several jobs at once. It belongs to one event loop; `predict` runs in a thread of its own."""

    predict: Callable[[Array], Array]
    limits: Limits
    counts: Counts = field(default_factory=Counts)
    arriving: int = 0

    def __post_init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._worker = Worker("predict")
        self._computing = self._looking = False
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0  # when waiting ends, in the loop's time

    @contextmanager
    def arrival(self) -> Iterator[Arrival]:
        """Announce a request that is being read."""
        arrival = Arrival(self)
        try:
            yield arrival
        finally:
            arrival.over()

    async def join(self, samples: Array) -> Array:
        """Return the outputs for samples, computed together with those of other requests."""
        loop = asyncio.get_running_loop()
        job = Job(samples, loop.create_future())
        if not self._jobs:
            self._until = loop.time() + self.limits.wait
        self._jobs.append(job)
        self.look()
        return await job.answer

    def look(self) -> None:
        """Look for a call to begin, once what the loop has ready has run: requests that came together are joined."""
        if self._looking or self._computing or not self._jobs:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._looking = True
        asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking, self._timer = False, None
        if self._computing or not self._jobs:
            return
        loop = asyncio.get_running_loop()
        waiting = sum(len(job.samples) for job in self._jobs)
        if self.arriving and waiting < self.limits.batch and loop.time() < self._until:
            self._timer = loop.call_at(self._until, self._look)
            return
        if jobs := self._next():
            self._computing = True
            self._worker.start(lambda: self._compute(jobs), partial(self._finish, jobs))

    def _next(self) -> list[Job]:
        """Return the jobs of the next call: the first one, and others of its type while they fit."""
        chosen: list[Job] = []
        others: deque[Job] = deque()
        count = 0
        for job in self._jobs:
            size = len(job.samples)
            if job.answer.done():  # its request has been given up
                continue
            if chosen and (job.samples.dtype != chosen[0].samples.dtype or count + size > self.limits.batch):
                others.append(job)
                continue
            chosen.append(job)
            count += size
        self._jobs = others
        return chosen

    def _compute(self, jobs: list[Job]) -> list[Array | BaseException]:
        """Return the outputs of each job. Where a joint call fails, each is computed alone, so that one fails alone."""
        if len(jobs) == 1:
            return [self._alone(jobs[0])]
        try:
            outputs = self.predict(np.concatenate([job.samples for job in jobs]))
        except Exception:  # of whichever job: the calls below tell
            return [self._alone(job) for job in jobs]
        ends = np.cumsum([len(job.samples) for job in jobs])
        return list(np.split(outputs, ends[:-1]))

    def _alone(self, job: Job) -> Array | BaseException:
        try:
            return self.predict(job.samples)
        except Exception as error:  # it is raised where the request is answered
            return error

    def _finish(self, jobs: list[Job], found: list[Array | BaseException] | None, error: BaseException | None) -> None:
        self._computing = False
        self.counts.calls += 1
        failure = error or RuntimeError("nothing was computed")
        for job, outputs in zip(jobs, found or [failure] * len(jobs), strict=True):
            self.counts.requests += 1
            self.counts.samples += len(job.samples)
            if job.answer.done():
                continue
            if isinstance(outputs, BaseException):
                job.answer.set_exception(outputs)
            else:
                job.answer.set_result(outputs)
        if self._jobs:
            self._until = 0.0  # they have waited for the call
            self.look()
