"""The metric by which a run compares its evaluations: early stopping and best.h5 follow it."""

from dataclasses import dataclass

from nnspec.runtime.data import Data
from nnspec.runtime.errors import TrainingError
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.statements import Metric


@dataclass(frozen=True)
class Monitor:
    """The metric of early_stop, else the validation loss, else the training loss."""

    name: str
    larger_is_better: bool

    @classmethod
    def of(cls, spec: Spec, data: Data) -> "Monitor":
        """Return the monitor of a run. Raises TrainingError where the run does not measure the metric of early_stop."""
        prefix = "validation_" if data.validation is not None else ""
        measured = ["loss"]
        if data.validation is not None:
            measured += ["validation_loss", *(f"validation_{metric.word}" for metric in spec.metrics)]
        name = spec.early_stop.monitor if spec.early_stop is not None else f"{prefix}loss"
        if name not in measured:
            known = ", ".join(measured)
            raise TrainingError(
                f"early_stop watches {name}, which this run does not measure: write monitor= with one of {known}"
            )
        metric = words("metric").get(name.removeprefix("validation_"))
        return cls(name, metric is not None and issubclass(metric, Metric) and metric.larger_is_better)

    def better(self, value: float, best: float, min_delta: float) -> bool:
        """Return whether a value improves on the best one by more than `min_delta`."""
        return value > best + min_delta if self.larger_is_better else value < best - min_delta
