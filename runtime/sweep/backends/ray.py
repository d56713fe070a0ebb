"""The backend of a Ray cluster, through joblib's own: trials are sent in rounds, and a round comes back whole.

Joblib gives no word of a trial before its round has ended: there are no events, and a signal waits for the round.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep.backends import Pool, PoolOptions, backend, missing_package
from nnspec.runtime.sweep.backends._parcel import Answer, Parcel, other_versions, pack, train_parcel, unpack
from nnspec.runtime.sweep.trial import Outcome
from nnspec.runtime.sweep.work import Task
from nnspec.runtime.train.events import silent
from nnspec.runtime.train.signals import StopRequest


@backend("ray")
@contextmanager
def open_ray(options: PoolOptions) -> Iterator[Pool]:
    """Provide a pool of a Ray cluster, or of one on this machine without --scheduler. Raises TrainingError."""
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError:
        raise missing_package("Ray", "ray") from None
    ours = not ray.is_initialized()
    try:
        if ours:
            ray.init(address=options.scheduler, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"no Ray cluster answers at {options.scheduler}: {reason}", exit_code=2) from None
    register_ray()
    try:
        yield Rounds(options, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if ours:
            ray.shutdown()


class Rounds:
    """Trains as many trials as there are processors, waits for all of them, then begins the next ones."""

    def __init__(self, options: PoolOptions, processors: int):
        self.slots = max(1, min(processors, options.jobs or processors))
        self._options = options
        self._waiting: list[Task] = []
        self._stopped = False
        self._known: set[str] = set()

    def submit(self, task: Task) -> None:
        """Keep a task for the next round."""
        self._waiting.append(task)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome]]:
        """Train a round to its end, however long it takes."""
        tasks, self._waiting = self._waiting, []
        if self._stopped or not tasks:
            return [(task, Outcome()) for task in tasks]
        import joblib

        parcels = [pack(task, self._options.shared) for task in tasks]
        with joblib.parallel_config(backend="ray"):
            answers: list[Any] = joblib.Parallel(n_jobs=max(2, self.slots))(map(joblib.delayed(train_there), parcels))
        return [(task, self._outcome(task, answer)) for task, answer in zip(tasks, answers, strict=True)]

    def stop(self, number: int) -> None:
        """Begin no further round."""
        self._stopped = True

    def _outcome(self, task: Task, answer: Answer) -> Outcome:
        """Return what came of a trial, whose files are then in its folder; warn once of other versions."""
        text = other_versions("on Ray", answer.versions)
        if text is not None and text not in self._known:
            self._known.add(text)
            self._options.listen({"event": "warning", "text": text})
        return unpack(answer, task)


def train_there(parcel: Parcel) -> Answer:
    """Train a parcel in a process of Ray's."""
    return train_parcel(parcel, silent, StopRequest())
