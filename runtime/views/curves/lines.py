"""The lines of a picture of curves: each metric of each run, by quantity and split. Draws nothing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views import PictureError
from nnspec.runtime.views._style import percent, three_digits

SPLITS = ("validation", "test", "", "training")
"""A run is judged by the first of these splits that it has."""

_SPLIT_WORDS = {"train": "training", "training": "training", "val": "validation", "valid": "validation"} | {
    name: name for name in ("validation", "test")
}
_LOWER = {"loss", "error", "entropy", "perplexity", "mse", "rmse", "mae"}
_HIGHER = {"accuracy", "precision", "recall", "f1", "auc", "r2", "top3"}
_TITLES = {"lr": "Learning rate", "rmse": "RMSE", "mae": "MAE", "mse": "MSE", "r2": "R²"}


@dataclass(frozen=True)
class Line:
    """One metric of one run; `at` and `values` are (points,), `at` in steps or in epochs."""

    run: str
    split: str
    quantity: str
    at: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Which values are neither NaN nor infinite."""
        return np.isfinite(self.values)

    @property
    def diverged(self) -> bool:
        """Whether the last value is not finite."""
        return not self.finite[-1]

    @property
    def less_is_better(self) -> bool | None:
        """Whether the best value is the lowest; None where the quantity's name does not say it."""
        words = set(self.quantity.lower().split())
        return True if words & _LOWER else False if words & _HIGHER else None

    @property
    def best(self) -> int | None:
        """The index of the best value; None where the quantity's name does not say what is better."""
        if self.less_is_better is None:
            return None
        return int((np.nanargmin if self.less_is_better else np.nanargmax)(np.where(self.finite, self.values, np.nan)))


def lines_of(runs: Iterable[RunHistory], in_epochs: bool) -> list[Line]:
    """Return the lines of runs that have a finite value. Raises PictureError."""
    lines: list[Line] = []
    for run in runs:
        own = []
        if in_epochs and not run.steps_per_epoch:
            raise PictureError(f"it is not known how many steps an epoch of {run.name} has: draw it over its steps")
        scale = 1 / (run.steps_per_epoch or 1) if in_epochs else 1.0
        for metric, (steps, values) in run.metrics.items():
            x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
            if x.ndim != 1 or x.shape != y.shape:
                raise PictureError(
                    f"{metric} of {run.name} must be two rows of the same length, steps and values, "
                    f"not {x.shape} and {y.shape}"
                )
            split, quantity = _split_and_quantity(metric)
            if np.isfinite(y).any():
                own.append(Line(run.name, split, quantity, x * scale, y))
        measured = {line.quantity for line in own if line.split}
        lines += [replace(line, split=line.split or "training") if line.quantity in measured else line for line in own]
    if not lines:
        raise PictureError("there is nothing to draw: no run has a value of any metric yet")
    return lines


def _split_and_quantity(metric: str) -> tuple[str, str]:
    words = [word for word in re.split(r"[_/ .-]+", metric) if word]
    ends = (words[0], words[-1]) if len(words) > 1 else ()
    split = next((_SPLIT_WORDS[word] for word in ends if word in _SPLIT_WORDS), "")
    quantity = " ".join(word for word in words if not split or word not in _SPLIT_WORDS) or metric
    return split, quantity


def judged(lines: Sequence[Line]) -> list[Line]:
    """Return the line by which each run is judged: validation before test, the plain one and training."""
    main: dict[str, Line] = {}
    for line in sorted(lines, key=lambda line: SPLITS.index(line.split)):
        main.setdefault(line.run, line)
    return [line for line in lines if main[line.run] is line]


def quantities_of(lines: Sequence[Line]) -> list[str]:
    """Return the quantities in the order of their panels, loss first."""
    return sorted(dict.fromkeys(line.quantity for line in lines), key=lambda name: name != "loss")


def title_of(quantity: str) -> str:
    """Return a quantity as the title of its panel."""
    return _TITLES.get(quantity) or quantity[:1].upper() + quantity[1:]


def is_share(lines: Sequence[Line]) -> bool:
    """Return whether the values are shares, to be written as percentages: accuracies within 0 to 1."""
    values = np.concatenate([line.values[line.finite] for line in lines])
    words = lines[0].quantity.split()
    return ("accuracy" in words or "top3" in words) and values.min() >= 0 and values.max() <= 1


def in_words(value: float, share: bool) -> str:
    """Return a value as text: a percentage, or three digits."""
    return percent(value) if share else three_digits(value)


def ranked(lines: Sequence[Line]) -> list[Line]:
    """Return the judged lines of the quantity that ranks runs, best first; those that diverged are last.

    It is the first quantity after the loss that says what is better, else the loss. Empty where none does.
    """
    choices = quantities_of(lines)
    for quantity in (*(name for name in choices if name != "loss"), "loss"):
        own = judged([line for line in lines if line.quantity == quantity])
        if own and own[0].best is not None:
            sign = 1 if own[0].less_is_better else -1
            return sorted(own, key=lambda line: (line.diverged, sign * line.values[line.best or 0]))
    return []


def finding(lines: Sequence[Line], runs: Sequence[RunHistory], in_epochs: bool) -> str:
    """Return what the curves show, in a sentence for the title: the best value, of which run and when."""
    order = ranked(lines)
    names = list(dict.fromkeys(line.run for line in lines))
    short = short_names(names)
    head = short[names[0]] if len(names) == 1 else f"{len(names)} runs"
    if not order:
        return f"{head}: {', '.join(title_of(quantity).lower() for quantity in quantities_of(lines))}"
    first = order[0]
    assert first.best is not None
    per_epoch = next((run.steps_per_epoch for run in runs if run.name == first.run), None)
    at = float(first.at[first.best])
    when = f"epoch {at:.3g}" if in_epochs else f"step {at:,.0f}"
    if per_epoch and not in_epochs:
        when += f" (epoch {at / per_epoch:.3g})"
    what = f"{first.split} {first.quantity}".strip()
    value = in_words(first.values[first.best], is_share(order))
    by = f" by {short[first.run]}" if len(names) > 1 else ""
    return f"{head}: best {what} {value}{by} at {when}"


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return names without the folders that all of them share at their beginning and at their end."""
    parts = [name.split("/") for name in names]
    least = min(map(len, parts))
    ahead = next((i for i in range(least - 1) if len({part[i] for part in parts}) > 1), least - 1)
    behind = next((i for i in range(least - 1 - ahead) if len({part[-1 - i] for part in parts}) > 1), 0)
    if len(names) < 2:
        return dict(zip(names, names, strict=True))
    return {name: "/".join(part[ahead : len(part) - behind]) for name, part in zip(names, parts, strict=True)}
