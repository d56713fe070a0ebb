"""When a run evaluates, saves and ends, counted in steps."""

import math
from dataclasses import dataclass

from nnspec.spec_lang.check.spec import Spec


@dataclass(frozen=True)
class Timetable:
    """The length of a run and the intervals at which it evaluates and saves, all in steps of the optimizer."""

    total: int
    unit: float  # steps in one unit of the train statement: those of an epoch, or 1
    evaluate_every: int
    checkpoint_every: int

    @classmethod
    def of(cls, spec: Spec, samples: int) -> "Timetable":
        """Return the timetable of a spec that trains on this number of samples."""
        train = spec.train
        unit = math.ceil(spec.samples_an_epoch(samples) / train.samples_a_step) if train.unit == "epochs" else 1
        default = 1 if train.unit == "epochs" else max(1, train.length // 10)
        every = train.evaluate_every or default
        return cls(train.length * unit, unit, every * unit, (train.checkpoint_every or every) * unit)

    def evaluation_due(self, step: int) -> bool:
        """Return whether a run evaluates after this step; it also does at its end."""
        return step % self.evaluate_every == 0

    def checkpoint_due(self, step: int) -> bool:
        """Return whether a run saves after this step; it also does at its end."""
        return step % self.checkpoint_every == 0

    def steps_until_due(self, step: int) -> int:
        """Return the number of steps from this one to the next evaluation, the next checkpoint or the end."""
        every = (self.evaluate_every, self.checkpoint_every)
        return min(self.total - step, *(steps - step % steps for steps in every))
