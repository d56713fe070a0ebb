"""The sweeps of a spec: grids of values, and ranges in which a search chooses."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.spec_lang.check.collect import Statements, Variables, substitute
from nnspec.spec_lang.check.overrides import word_of
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, Fix
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.tree import Range, Sweep, Value
from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import statements

MOST_VALUES = 1000
"""The most values of a grid that a range makes: a longer one is a range for a search alone."""

DIGITS = 6
"""The significant digits of the values between the ends of a grid."""


@dataclass(frozen=True)
class SweepRange:
    """A range of numbers in which a search chooses a value for a key.

    Both ends are in it. `whole` says that its values are whole numbers; `log` that their logarithms are chosen evenly,
    `step` the distance between two of them, None for any. `log` and `step` exclude each other.
    """

    key: str
    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    def written(self, value: float) -> str:
        """Return a value of the range as `--set` and a spec take it."""
        return str(round(value)) if self.whole else f"{float(value):.12g}"

    def __str__(self) -> str:
        step = f" step {self.written(self.step)}" if self.step is not None else ""
        return f"{'log ' * self.log}{self.written(self.low)}..{self.written(self.high)}{step}"


@dataclass(frozen=True)
class Swept:
    """One sweep of a spec: the values to check, and what it says.

    `values` are all of a grid, and the ends of a range that has too many. `range` is what a search chooses from, None
    for a list and for a grid of points; `finite` says whether the values are a grid.
    """

    sweep: Sweep
    values: tuple[Value, ...]
    range: SweepRange | None = None
    finite: bool = True

    @property
    def grid(self) -> tuple[str, ...]:
        """The values of the grid as written."""
        return tuple(value.written() for value in self.values)


def read_sweeps(known: Statements, variables: Variables, found: Findings) -> tuple[Swept, ...]:
    """Return the sweeps, without those whose range has an error, which is reported."""
    read = (
        _listed(sweep, known, variables, found)
        if sweep.range is None
        else _ranged(sweep, sweep.range, known, variables, found)
        for sweep in known.sweeps.values()
    )
    return tuple(swept for swept in read if swept is not None)


def _listed(sweep: Sweep, known: Statements, variables: Variables, found: Findings) -> Swept | None:
    """Return a list of values, each formula computed, or None after reporting what is wrong in one."""
    if not any(value.kind == "formula" for value in sweep.values):
        return Swept(sweep, sweep.values)
    done = substitute(sweep.values, variables, known.broken, found.add)
    return Swept(sweep, tuple(value for value in done if isinstance(value, Value))) if done is not None else None


def _ranged(sweep: Sweep, said: Range, known: Statements, variables: Variables, found: Findings) -> Swept | None:
    """Return what a range means, or None after reporting its error."""
    given = [value for value in (said.low, said.high, said.step, said.points) if value is not None]
    done = substitute(given, variables, known.broken, found.add)
    if done is None:
        return None
    numbers = dict(zip([id(value) for value in given], [v for v in done if isinstance(v, Value)], strict=True))
    low, high, step, points = (
        numbers.get(id(value)) if value is not None else None for value in (said.low, said.high, said.step, said.points)
    )
    assert low is not None and high is not None
    error = _not_a_number(done) or _disorder(sweep, said, _number(low), _number(high), step, points)
    if error is not None:
        found.add(error)
        return None
    whole = _is_whole(sweep.key, known) and all(value.kind == "int" for value in (low, high, step) if value)
    span = said.span
    meant = SweepRange(
        sweep.key, _number(low), _number(high), said.log, _number(step) if step is not None else None, whole
    )
    if points is not None:
        values = tuple(_points(meant, round(_number(points))))
        if len(set(values)) < len(values):
            there = f"{meant} has fewer than {round(_number(points))} whole numbers"
            found.say("E202", there, said.span, "write fewer points, or a longer range")
            return None
        return Swept(sweep, tuple(_value(meant, value, span) for value in values))
    if meant.step is not None and (count := _count(meant)) <= MOST_VALUES:
        values = tuple(meant.low + number * meant.step for number in range(count))
        return Swept(sweep, tuple(_value(meant, value, span) for value in values), meant)
    return Swept(sweep, (low, high), meant, finite=False)


def _is_whole(key: str, known: Statements) -> bool:
    """Return whether whole numbers are meant where both ends are written so: not of an option that takes any number."""
    statement, _, option = key.partition(".")
    cls = word_of(statement, known) if option and statement in statements() else None
    field = fields_of(cls).get(option) if cls is not None else None
    return field is None or "number" not in field.kinds


def _not_a_number(values: tuple[object, ...]) -> Diagnostic | None:
    for value in values:
        assert isinstance(value, Value)
        if value.kind not in ("int", "number") or not math.isfinite(_number(value)):
            message = f"a range is between two numbers, and {value.span.text} is none"
            return Diagnostic("E201", message, value.span, help="write sweep KEY = 0.1..0.9")
    return None


def _disorder(
    sweep: Sweep, said: Range, low: float, high: float, step: Value | None, points: Value | None
) -> Diagnostic | None:
    """Return the first error of a range whose numbers do not make one."""
    span = said.span
    if low >= high:
        between = f"{said.low.span.text}..{said.high.span.text}"
        if low == high:
            message = f"the range {between} has one value alone"
            return Diagnostic("E202", message, span, help=f"write sweep {sweep.key} = {said.low.span.text}")
        turned = f"{said.high.span.text}..{said.low.span.text}"
        fix = Fix(said.low.span.to(said.high.span), turned)
        return Diagnostic("E202", "a range begins with its smaller end", span, help=f"write {turned}", fix=fix)
    if said.log and low <= 0:
        message = f"{said.low.span.text} has no logarithm"
        help = "write a range above 0, as in log 1e-4..1e-1, or leave log out"
        return Diagnostic("E202", message, said.low.span, help=help)
    if step is not None and (said.log or points is not None):
        other = "log" if said.log else "points"
        message = f"a range has a step or {other}, not both"
        help = "leave one of them out"
        if said.log:
            help = f"write {span.text.partition(' step')[0]} points 5, or leave log out"
        return Diagnostic("E104", message, span, help=help)
    if step is not None and not 0 < _number(step) <= high - low:
        message = f"the step {step.span.text} does not lead from {said.low.span.text} to {said.high.span.text}"
        help = f"write a step between 0 and {high - low:g}"
        return Diagnostic("E202", message, step.span, help=help)
    if points is not None and (points.kind != "int" or not 2 <= _number(points) <= MOST_VALUES):
        message = f"the points of a grid are a whole number from 2 to {MOST_VALUES:,}"
        return Diagnostic("E202", message, points.span, help="write points 5, for example")
    return None


def _points(meant: SweepRange, count: int) -> Iterator[float]:
    """Yield evenly spaced numbers, of a logarithmic range in their logarithms; the ends as they are written."""
    for number in range(count):
        part = number / (count - 1)
        if number in (0, count - 1):
            value = meant.high if number else meant.low
        elif meant.log:
            value = meant.low * (meant.high / meant.low) ** part
        else:
            value = meant.low + (meant.high - meant.low) * part
        yield float(round(value)) if meant.whole else float(f"{value:.{DIGITS}g}")


def _count(meant: SweepRange) -> int:
    """Return how many values a range with a step has; the last may be below the upper end."""
    assert meant.step is not None
    return math.floor((meant.high - meant.low) / meant.step * (1 + 1e-12) + 1e-9) + 1


def _value(meant: SweepRange, number: float, span: Span) -> Value:
    return Value("int", round(number), span) if meant.whole else Value("number", float(meant.written(number)), span)


def _number(value: Value) -> float:
    return float(value.value)  # type: ignore[arg-type]
