"""What a run has to reach: the conditions of `expect accuracy >= 95 %`, checked before a run and compared after it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from nnspec.spec_lang.check.collect import Statements, Variables, substitute
from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, Fix, did_you_mean, near, one_of
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.tree import Condition
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.registry import words

if TYPE_CHECKING:
    from nnspec.spec_lang.check.spec import Spec

SPLITS = ("test", "validation", "training")
"""The splits that an expectation may name, as in validation_loss."""

_OTHER_SPLITS = {"val": "validation", "valid": "validation", "dev": "validation", "train": "training", "eval": "test"}

LOSS = "loss"


@dataclass(frozen=True)
class Expectation:
    """One condition: a metric or `loss`, of a split if its name begins with one, a sign and a number.

    `percent` says that the number is in per cent of the metric's unit.
    """

    metric: str
    sign: str
    number: float
    percent: bool = False
    span: Span = field(default=Span(Source("", ""), 0, 0), compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {_number(self.number)}{' %' if self.percent else ''}"

    @property
    def bound(self) -> float:
        """The number in the unit of the metric: 0.95 for 95 %."""
        return float(Decimal(repr(self.number)) / 100) if self.percent else self.number

    @property
    def split(self) -> str | None:
        """The split that the name begins with; None for test, else validation."""
        first, _, rest = self.metric.partition("_")
        return first if first in SPLITS and rest else None

    @property
    def quantity(self) -> str:
        """The metric without its split."""
        return quantity_of(self.metric)

    @property
    def at_least(self) -> bool:
        """Whether the number is a lower limit."""
        return self.sign.startswith(">")

    def met(self, value: float) -> bool:
        """Return whether a measured value meets it; NaN does not."""
        if self.sign.endswith("="):
            return value >= self.bound if self.at_least else value <= self.bound
        return value > self.bound if self.at_least else value < self.bound

    def metric_class(self) -> type[Metric] | None:
        """Return the word of the metric, None for the loss."""
        cls = words("metric").get(self.quantity)
        return cls if cls is not None and issubclass(cls, Metric) else None


def quantity_of(name: str) -> str:
    """Return the metric of a measurement's name, without its split: accuracy of test_accuracy."""
    split, _, rest = name.partition("_")
    return rest if split in SPLITS and rest else name


def bind_expectations(known: Statements, variables: Variables, found: Findings) -> tuple[Expectation, ...]:
    """Return every expectation without those that have errors, which are reported."""
    bound = [_bound(condition, known, variables, found) for condition in known.expects.values()]
    sound = [expectation for expectation in bound if expectation is not None]
    for expectation in sound:
        for misfit in _impossible(expectation, sound):
            found.add(misfit)
    return tuple(sound)


def _bound(condition: Condition, known: Statements, variables: Variables, found: Findings) -> Expectation | None:
    done = substitute((condition.value,), variables, known.broken, found.add)
    if (name := _unknown(condition)) is not None:
        found.add(name)
        return None
    if done is None:
        return None
    (value,) = done
    if value.kind not in ("int", "number"):  # type: ignore[union-attr]
        message = f"an expectation compares with a number, not {condition.value.span.text}"
        found.say("E201", message, condition.value.span, f"write {condition.metric} {condition.sign} 0.5, for example")
        return None
    number = float(value.value)  # type: ignore[union-attr, arg-type]
    if not math.isfinite(number):
        found.say("E202", f"{condition.value.span.text} is too large", condition.value.span, "write a smaller number")
        return None
    return Expectation(condition.metric, condition.sign, number, condition.percent, condition.span)


def _unknown(condition: Condition) -> Diagnostic | None:
    """Return the error of a name that is neither a metric nor the loss."""
    name = condition.metric.lower()
    first, _, rest = name.partition("_")
    split = _OTHER_SPLITS.get(first, first) if rest else ""
    prefix, bare = (f"{split}_", rest) if split in SPLITS else ("", name)
    known = (LOSS, *words("metric"))
    close = bare if bare in known else foreign.meant(bare, known) or near(bare, known)
    if close == bare and condition.metric == f"{prefix}{bare}":
        return None
    listed = f"write {one_of(known)}, of a split as in validation_{LOSS}"
    help, fix = did_you_mean(close and f"{prefix}{close}", condition.metric_span, listed)
    message = f'no metric is called "{condition.metric}"'
    return Diagnostic("E103", message, condition.metric_span, help=help, fix=fix)


def _impossible(expectation: Expectation, every: list[Expectation]) -> Iterator[Diagnostic]:
    """Yield the first error of an expectation that no run can miss, or none can meet."""
    cls, number = expectation.metric_class(), expectation.span
    shown, bound = str(expectation), expectation.bound
    larger = cls.larger_is_better if cls is not None else False
    least, most = (cls.least, cls.most) if cls is not None else (0.0, math.inf)
    twin = any(other.metric == expectation.metric and other.at_least == larger for other in every)
    if expectation.percent and not (cls is not None and (cls.share or most == 1)):
        message = f"{expectation.quantity} is not a share, so it is not in per cent"
        help = f"write it in its own unit: {expectation.metric} {expectation.sign} {_number(expectation.number)}"
        yield Diagnostic("E201", message, number, help=help)
    elif most == 1 and 1 < bound <= 100 and not expectation.percent:
        text = f"{expectation.metric} {expectation.sign} {_number(bound)} %"
        message = f"{expectation.quantity} is a share, at most 1"
        yield Diagnostic("E306", message, number, help=f"write {text}", fix=Fix(number, text))
    elif bound > most or (bound == most and expectation.sign in (">", "<=")):
        limit = f"{_number(100 * most)} %" if expectation.percent else _number(most)
        what = "no run can meet" if expectation.at_least else "every run meets"
        message = f"{what} {shown}: {expectation.quantity} is at most {limit}"
        yield Diagnostic("E306", message, number, help="write a smaller number")
    elif bound < least or (bound == least and expectation.sign in ("<", ">=")):
        what = "every run meets" if expectation.at_least else "no run can meet"
        message = f"{what} {shown}: {expectation.quantity} is at least {_number(least)}"
        yield Diagnostic("E306", message, number, help="write a larger number")
    elif expectation.at_least != larger and not twin:
        better, sign = ("a larger", ">") if larger else ("a smaller", "<")
        text = shown.replace(expectation.sign, expectation.sign.replace(expectation.sign[0], sign))
        message = f"{better} {expectation.quantity} is better, and {shown} expects the contrary"
        limits = f"a limit on this side goes with one on the other, in a line of its own: expect {text}"
        yield Diagnostic("E306", message, number, help=f"write {text}; {limits}", fix=Fix(number, text, sure=False))


def unmeasured(spec: "Spec", validation: bool, test: bool, data: str) -> Iterator[Diagnostic]:
    """Yield an error for each expectation of what a run does not measure.

    `validation` and `test` say which splits the data have besides the training split; `data` is what they are called.
    """
    splits = {"validation": validation, "test": test, "training": spec.training_metrics}
    for expectation in spec.expectations:
        split = expectation.split
        if splits[split] if split is not None else validation or test:
            continue
        named = f"{split} split" if split is not None else "validation split and no test split"
        message = f"{expectation.metric} is expected, and {data} has no {named}"
        help = "write a split such as 90/10 in the data line"
        if split == "training":
            message = f"{expectation.metric} is expected, and the run does not measure its training split"
            help = f"write metrics {', '.join(metric.word for metric in spec.metrics)} training=yes"
        elif split is not None and (validation or test):
            help = f"write {expectation.quantity} {expectation.sign} …, which is of the split that there is"
        yield Diagnostic("E303", message, expectation.span, help=help)


def measured_as(expectation: Expectation, measured: Mapping[str, float]) -> str | None:
    """Return the name of what a run measured for an expectation: of test, else of validation; None without either."""
    splits = (expectation.split,) if expectation.split is not None else ("test", "validation")
    names = (f"{split}_{expectation.quantity}" for split in splits)
    return next((name for name in names if name in measured), None)


def _number(value: float) -> str:
    """Return the shortest text that parses to the number: 0.1, 1e-8, 10."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value).replace("e-0", "e-")
