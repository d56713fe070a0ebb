"""What a run reached of what its spec expects, `expect accuracy >= 95 %`: one comparison for every caller.

The training loop, evaluations of a checkpoint, cross-validation and the command use it. It knows no run and no file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.spec_lang.check.expectations import Expectation, measured_as


@dataclass(frozen=True)
class Outcome:
    """An expectation and what was measured: the name of the measurement, such as test_accuracy, and its value."""

    expectation: Expectation
    measured: str
    value: float

    @property
    def met(self) -> bool:
        """Whether the value meets the expectation."""
        return self.expectation.met(self.value)

    @property
    def missed_by(self) -> float:
        """The distance of the value from the bound in the unit of the metric, 0 where the expectation is met."""
        return 0.0 if self.met else abs(self.expectation.bound - self.value)

    def sentence(self) -> str:
        """Return what was expected, what was measured and, where it is missed, by how much."""
        measured, what = self.measured.replace("_", " "), self.expectation
        if self.met:
            return f"{what}, as expected: {measured} is {self._shown(self.value)}"
        side = "too low" if what.at_least else "too high"
        by = self._shown(self.missed_by, difference=True)
        short = f", {by} {side}" if self.missed_by > 0 else ""
        return f"expected {what}: {measured} is {self._shown(self.value)}{short}"

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as events and JSON have it; `bound`, `value` and `missed_by` are in the metric's unit."""
        return {
            "expected": str(self.expectation),
            "metric": self.measured,
            "sign": self.expectation.sign,
            "bound": self.expectation.bound,
            "value": self.value,
            "met": self.met,
            "missed_by": self.missed_by,
        }

    def _shown(self, value: float, difference: bool = False) -> str:
        """Return a value in the unit of the expectation, with digits enough to tell it from the bound."""
        factor, unit = (100, " points" if difference else " %") if self._in_percent() else (1, "")
        distance = abs(self.expectation.bound - self.value)
        digits = next((n for n in range(2, 12) if round(factor * distance, n) > 0), 2)
        return f"{factor * value:.{digits}f}{unit}" if unit or digits > 4 else f"{value:.4g}"

    def _in_percent(self) -> bool:
        cls = self.expectation.metric_class()
        return self.expectation.percent or (cls is not None and cls.share)


def outcomes(expectations: Iterable[Expectation], measured: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """Compare expectations with measurements by name, such as those of a run's end event.

    An expectation without a split is compared with the test split, else with validation: with test_accuracy, else
    validation_accuracy. One that nothing was measured for has no outcome.
    """
    named = ((expectation, measured_as(expectation, measured)) for expectation in expectations)
    return tuple(Outcome(expectation, name, float(measured[name])) for expectation, name in named if name is not None)


def missed(found: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return the outcomes that miss their expectation."""
    return tuple(outcome for outcome in found if not outcome.met)
