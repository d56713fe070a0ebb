"""What the panels of curves have in common: pens, scales, axes and baselines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views._style import current
from nnspec.runtime.views.curves.lines import Line, is_share, title_of

_LOG_FROM = 10  # a loss that falls by this factor is drawn on a logarithmic scale
_RUNAWAY = 100  # times the lowest first loss: higher values are cut off, so that they do not flatten the rest


@dataclass(frozen=True)
class Level:
    """What a baseline reaches in one quantity, however long a run trains."""

    name: str
    quantity: str
    value: float


def levels_of(runs: Sequence[RunHistory], quantity: str) -> list[Level]:
    """Return the different baselines of a quantity."""
    levels = []
    for run in runs:
        value = run.baseline.get(quantity.replace(" ", "_"))
        if isinstance(value, int | float) and np.isfinite(value):
            levels.append(Level(str(run.baseline.get("name", "baseline")), quantity, float(value)))
    return list(dict.fromkeys(levels))


def pen(split: str) -> dict[str, Any]:
    """Return the line of a split."""
    pens: dict[str, dict[str, Any]] = {
        "test": {"linewidth": 2.0, "linestyle": (0, (4, 2))},
        "training": {"linewidth": 1.0, "alpha": 0.7},
    }
    return pens.get(split, {"linewidth": 2.0})


def ring() -> dict[str, Any]:
    """Return the marker of a best value."""
    return {
        "marker": "o", "markersize": 7, "markerfacecolor": current().paper, "markeredgewidth": 1.8, "linestyle": "",
    }  # fmt: skip


def level_pen() -> dict[str, Any]:
    """Return the line of a baseline."""
    return {"color": current().quiet, "linewidth": 0.8, "linestyle": (0, (6, 3)), "zorder": 1.5}


def set_scale(axes: Axes, lines: Sequence[Line], levels: Sequence[Level], small: bool = False) -> str:
    """Set the scale and the ticks of the values, and return the panel's title, which names a logarithmic scale.

    A `small` panel has room for few ticks.
    """
    values = np.concatenate([*(line.values[line.finite] for line in lines), [level.value for level in levels]])
    title = title_of(lines[0].quantity)
    if lines[0].less_is_better and values.min() > 0 and values.max() >= _LOG_FROM * values.min():
        _logarithmic(axes, lines, values, small)
        title += " (logarithmic scale)"
    elif lines[0].less_is_better and values.min() >= 0:
        axes.set_ylim(0)
    if is_share(lines):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
    return title


def _logarithmic(axes: Axes, lines: Sequence[Line], values: np.ndarray, small: bool) -> None:
    axes.set_yscale("log")
    top = min(values.max(), _RUNAWAY * min(line.values[line.finite][0] for line in lines))
    axes.set_ylim(values.min() / 1.3, top * 1.3)
    decades = np.log10(top / values.min())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < (1.2 if small else 3) else (1,), numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def set_steps(axes: Axes, axis: str, most: int, short: bool = False) -> None:
    """Set the ticks of the horizontal axis: whole steps or epochs, thousands separated, or as 10k where `short`."""

    def words(at: float, _: object) -> str:
        if short and at >= 1000:
            return f"{at / 1000:g}k"
        return f"{at:,.0f}" if axis == "step" else f"{at:g}"

    axes.xaxis.set_major_locator(MaxNLocator(most, integer=axis == "step", steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(words))


def common_epoch(runs: Sequence[RunHistory]) -> int | None:
    """Return the steps of an epoch where all runs have the same number, else None."""
    lengths = {run.steps_per_epoch for run in runs}
    return lengths.pop() if len(lengths) == 1 else None
