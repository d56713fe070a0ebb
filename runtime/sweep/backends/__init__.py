"""Where trials are trained: a backend is a module of this package with a function under `@backend`, found by its name.

A backend opens a pool. The conductor submits tasks to it, waits for outcomes, and may ask all trials to stop. A pool
knows nothing of grids, searches and folders.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep.trial import Outcome
from nnspec.runtime.sweep.work import Task
from nnspec.runtime.train.events import Listener
from nnspec.runtime.train.signals import StopRequest
from nnspec.spec_lang.report.diagnostics import one_of


@dataclass(frozen=True)
class PoolOptions:
    """What a caller asks of a backend.

    `jobs` is how many trials run at once, None for as many as there is room for. `scheduler` is the address of a
    cluster, `shared` a folder that all its workers see. `listen` is called, in the thread that waits, with the events
    of the trials. `stop` is set by a signal, also by one that a trial in this process answers.
    """

    listen: Listener
    stop: StopRequest
    jobs: int | None = None
    scheduler: str | None = None
    shared: Path | None = None


class Pool(Protocol):
    """Trains tasks somewhere."""

    @property
    def slots(self) -> int:
        """How many at once."""

    def submit(self, task: Task) -> None:
        """Begin a task, now or when there is room."""

    def wait(self, seconds: float) -> list[tuple[Task, Outcome]]:
        """Return the tasks that have ended since the last call; wait until there is one, at most for these seconds."""

    def stop(self, number: int) -> None:
        """Ask every trial to save and end. Tasks that have not begun come back as pending."""


Open = Callable[[PoolOptions], AbstractContextManager[Pool]]

_openers: dict[str, Open] = {}


def backend(name: str) -> Callable[[Open], Open]:
    """Register the decorated function as the backend of this name, which is that of its module."""

    def register(function: Open) -> Open:
        _openers[name] = function
        return function

    return register


def backends() -> Iterator[str]:
    """Yield the names of all backends."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            yield module.name


def open_pool(name: str, options: PoolOptions) -> AbstractContextManager[Pool]:
    """Return the pool of a backend. Raises TrainingError for an unknown one, and where its package is not installed."""
    if name not in backends():
        raise TrainingError(f"there is no backend {name}: use {one_of(backends())}", exit_code=2)
    importlib.import_module(f"{__name__}.{name}")
    return _openers[name](options)


def missing_package(package: str, extra: str) -> TrainingError:
    """Return the error of a backend or a search whose package is not installed."""
    return TrainingError(f"{package} is not installed: pip install 'nnspec[{extra}]'", exit_code=2)
