"""The metric by which a run compares its evaluations: early stopping and best.h5 follow it."""

from dataclasses import dataclass

from nnspec.runtime.data import Data
from nnspec.runtime.errors import TrainingError
from nnspec.spec_lang.check.fit import TRAINING, VALIDATION, measured
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.registry import words


@dataclass(frozen=True)
class Monitor:
    """The metric of early_stop, else the validation loss, else the training loss."""

    name: str
    larger_is_better: bool

    @classmethod
    def of(cls, spec: Spec, data: Data) -> "Monitor":
        """Return the monitor of a run. Raises TrainingError where the run does not measure the metric of early_stop."""
        prefix = VALIDATION if data.validation is not None else ""
        name = spec.early_stop.monitor if spec.early_stop is not None else f"{prefix}loss"
        known = measured(spec, data.validation is not None)
        if name not in known:
            listed = ", ".join(known)
            raise TrainingError(
                f"early_stop watches {name}, which this run does not measure: write monitor= with one of {listed}"
            )
        if name in {metric.word for metric in spec.metrics}:
            name = f"{VALIDATION}{name}"
        metric = words("metric").get(name.removeprefix(VALIDATION).removeprefix(TRAINING))
        return cls(name, metric is not None and issubclass(metric, Metric) and metric.larger_is_better)

    def better(self, value: float, best: float, min_delta: float) -> bool:
        """Return whether a value improves on the best one by more than `min_delta`."""
        return value > best + min_delta if self.larger_is_better else value < best - min_delta
