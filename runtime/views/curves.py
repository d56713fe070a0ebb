"""The picture of a training: loss and metrics over the steps, of one run or of several."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import QUIET, SMALL_TEXT, colour, page, percent, shortened, three_digits

History = Mapping[str, tuple[ArrayLike, ArrayLike]]

_SPLITS = {"train": "training", "training": "training", "val": "validation", "valid": "validation"} | {
    name: name for name in ("validation", "test")
}
_MAIN = ("validation", "test", "", "training")  # a run is judged by the first of these splits that it has
_SOLO = ("validation", "training", "test", "")  # the order in which the splits of a single run take colours
_PENS: dict[str, dict[str, Any]] = {
    "validation": {"linewidth": 2.0},
    "test": {"linewidth": 2.0, "linestyle": (0, (4, 2))},
    "": {"linewidth": 2.0},
    "training": {"linewidth": 1.0, "alpha": 0.7},
}
_RING: dict[str, Any] = {
    "marker": "o", "markersize": 7, "markerfacecolor": "white", "markeredgewidth": 1.8, "linestyle": "",
}  # fmt: skip
_LOWER = {"loss", "error", "entropy", "perplexity", "mse", "rmse", "mae"}
_HIGHER = {"accuracy", "precision", "recall", "f1", "auc", "r2"}
_TITLES = {"lr": "Learning rate"}
_LOG_FROM = 10  # a loss that falls by this factor is drawn on a logarithmic scale
_RUNAWAY = 100  # times the lowest first loss: higher values are cut off, so that they do not flatten the rest
_LEVEL: dict[str, Any] = {"color": QUIET, "linewidth": 0.8, "linestyle": (0, (6, 3)), "zorder": 1.5}
_LABELS_AT = 1.04  # of the panel's width
_Colours = dict[tuple[str, str], tuple[float, float, float]]  # (run, split) → red, green, blue
_Label = tuple[Text, float, float]  # with the end of its line, in the units of the axes; inf: the right edge


@dataclass(frozen=True)
class _Line:
    """One metric of one run over its steps; `steps` and `values` are (points,)."""

    run: str
    split: str
    quantity: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def finite(self) -> NDArray[np.bool_]:
        return np.isfinite(self.values)


@dataclass(frozen=True)
class _Level:
    """What a baseline reaches in one quantity, however long a run trains."""

    name: str
    quantity: str
    value: float


@picture("curves")
def curves(
    histories: Mapping[str, History], baselines: Mapping[str, Mapping[str, object]] = MappingProxyType({})
) -> Figure:
    """Draw loss and metrics over the training steps: a panel for each quantity, with all runs, loss first.

    `histories` is run → metric → (steps, values). A metric's name is a quantity, with its split before or after it if
    it has one: `train_loss`, `validation_accuracy`, `loss/val`. Where `validation_loss` exists, `loss` is that of
    training.

    With one run a colour is a split. With several a colour is a run; validation lines are thick, training lines thin. A
    ring marks the best validation value, if the quantity's name says whether more or less is better. A loss has a
    logarithmic scale, named in the title, where all values are positive and the largest is at least 10 times the
    smallest. `baselines` is run → the `name` of its baseline and what it reaches by quantity: thin dashed lines, one
    for equal ones of several runs. Accuracies within 0 to 1 are percentages. A run whose last value is not finite is
    labelled as diverged.

    Raises PictureError if there is nothing to draw or a metric's steps and values differ in number.
    """
    lines = [line for run, history in histories.items() for line in _lines_of(run, history)]
    if not lines:
        raise PictureError("there is nothing to draw: no run has a value of any metric yet")
    quantities = sorted(dict.fromkeys(line.quantity for line in lines), key=lambda name: name != "loss")
    runs = list(dict.fromkeys(line.run for line in lines))
    several = len(runs) > 1
    levels = [level for baseline in baselines.values() for level in _levels_of(baseline)]

    panel_height = max(2.5, 0.6 + 0.17 * len(runs))
    name = f"{len(runs)} runs" if several else shortened(runs[0], 60)
    figure = page(0.7 + panel_height * len(quantities), f"Training of {name}")
    panels = np.atleast_1d(figure.subplots(len(quantities), sharex=True))
    labels = []
    for axes, quantity in zip(panels, quantities, strict=True):
        mine = [line for line in lines if line.quantity == quantity]
        colours = _colours(mine, runs)
        reached = list(dict.fromkeys(level for level in levels if level.quantity == quantity))
        _draw_panel(axes, mine, colours, reached)
        labels.append([*_labels(axes, mine, colours, several), *_level_labels(axes, mine, reached)])
    panels[-1].set_xlabel("training steps (updates of the weights)")
    panels[-1].xaxis.set_major_locator(MaxNLocator(7, integer=True, steps=[1, 2, 5, 10]))
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    if several:
        _key(figure, lines)
    figure.draw_without_rendering()  # fixes the positions of the panels, which the spacing of labels needs
    for axes, mine_labels in zip(panels, labels, strict=True):
        _spread(axes, mine_labels)
    return figure


def _lines_of(run: str, history: History) -> list[_Line]:
    lines = []
    for metric, (steps, values) in history.items():
        x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise PictureError(
                f"{metric} of {run} must be two rows of the same length, steps and values, not {x.shape} and {y.shape}"
            )
        words = [word for word in re.split(r"[_/ .-]+", metric) if word]
        split = next((_SPLITS[word] for word in (words[0], words[-1]) if word in _SPLITS), "") if len(words) > 1 else ""
        quantity = " ".join(word for word in words if not split or word not in _SPLITS) or metric
        if np.isfinite(y).any():
            lines.append(_Line(run, split, quantity, x, y))
    measured = {line.quantity for line in lines if line.split}
    return [replace(line, split=line.split or "training") if line.quantity in measured else line for line in lines]


def _levels_of(baseline: Mapping[str, object]) -> list[_Level]:
    named = str(baseline.get("name", "baseline"))
    return [
        _Level(named, " ".join(quantity.split("_")), float(value))
        for quantity, value in baseline.items()
        if isinstance(value, int | float) and np.isfinite(value)
    ]


def _colours(lines: list[_Line], runs: list[str]) -> _Colours:
    """Return a colour for each (run, split): by run if there are several, otherwise by split."""
    if len(runs) > 1:
        return {(line.run, line.split): colour(runs.index(line.run)) for line in lines}
    return {(line.run, line.split): colour(_SOLO.index(line.split)) for line in lines}


def _draw_panel(axes: Axes, lines: list[_Line], colours: _Colours, levels: list[_Level]) -> None:
    quantity = lines[0].quantity
    better = _better(quantity)
    for line in sorted(lines, key=lambda line: _MAIN.index(line.split), reverse=True):
        tint = colours[line.run, line.split]
        axes.plot(
            line.steps, line.values, color=tint, marker="." if line.finite.sum() == 1 else "", **_PENS[line.split]
        )
        if _diverged(line):
            last = np.flatnonzero(line.finite)[-1]
            axes.plot(line.steps[last], line.values[last], "x", color=tint, markersize=7, markeredgewidth=2, zorder=5)
    for line in _judged(lines):
        if better:
            at = better(line)
            axes.plot(line.steps[at], line.values[at], color=colours[line.run, line.split], zorder=4, **_RING)
    title = _TITLES.get(quantity) or (quantity.upper() if len(quantity) <= 3 else quantity[:1].upper() + quantity[1:])
    for level in levels:
        axes.axhline(level.value, **_LEVEL)
    reached = [level.value for level in levels]
    values = np.concatenate([*(line.values[line.finite] for line in lines), reached])
    if better is _lowest and values.min() > 0 and values.max() >= _LOG_FROM * values.min():
        _logarithmic(axes, lines, values)
        title += " (logarithmic scale)"
    elif better is _lowest and values.min() >= 0:
        axes.set_ylim(0)
    if _is_share(lines):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
    axes.set_title(title)
    axes.grid(axis="y")


def _logarithmic(axes: Axes, lines: list[_Line], values: NDArray[np.float64]) -> None:
    axes.set_yscale("log")
    top = min(values.max(), _RUNAWAY * min(line.values[line.finite][0] for line in lines))
    axes.set_ylim(values.min() / 1.3, top * 1.3)
    decades = np.log10(top / values.min())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,), numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _labels(axes: Axes, lines: list[_Line], colours: _Colours, several: bool) -> list[_Label]:
    """Write names and best values at the right end of the lines: for each run, or each split of a single run."""
    better = _better(lines[0].quantity)
    judged = _judged(lines)
    labels = []
    for line in judged if several else lines:
        words = [shortened(line.run, 26) if several else line.split or line.quantity]
        if better and line in judged:
            at = better(line)
            value = percent(line.values[at]) if _is_share(lines) else three_digits(line.values[at])
            words.append(value if several else f"best {value} at step {line.steps[at]:,.0f}")
        if _diverged(line):
            words.append(f"diverged at {line.steps[~line.finite][0]:,.0f}")
        text = axes.text(
            _LABELS_AT, 0.5, ("  " if several else "\n").join(words), transform=axes.transAxes,
            color=colours[line.run, line.split], fontsize=SMALL_TEXT + 1, va="center",
        )  # fmt: skip
        last = np.flatnonzero(line.finite)[-1]
        labels.append((text, line.steps[last], line.values[last]))
    return labels


def _level_labels(axes: Axes, lines: list[_Line], levels: list[_Level]) -> list[_Label]:
    """Write the names and values of baselines at the right end of their lines."""
    labels = []
    for level in levels:
        value = percent(level.value) if _is_share(lines) else three_digits(level.value)
        text = axes.text(
            _LABELS_AT, 0.5, f"{shortened(level.name, 26)} {value}", transform=axes.transAxes, color=QUIET,
            fontsize=SMALL_TEXT + 1, va="center",
        )  # fmt: skip
        labels.append((text, np.inf, level.value))
    return labels


def _spread(axes: Axes, labels: list[_Label]) -> None:
    """Move each label as near to the end of its line as the other labels allow, and connect them by a thin line."""
    box, edge = axes.get_window_extent(), axes.get_xlim()[1]
    labels = [(text, min(x, edge), y) for text, x, y in labels]
    ends = np.array([axes.transData.transform((x, y))[1] for _, x, y in labels])
    ends = np.clip((ends - box.y0) / box.height, 0, 1)  # (label,), fractions of the panel's height
    order = np.argsort(ends, kind="stable")
    heights = np.array([text.get_window_extent().height for text, _, _ in labels])[order] * 1.2 / box.height
    gaps = (heights[1:] + heights[:-1]) / 2
    upwards, downwards = ends[order], ends[order]
    for i, gap in enumerate(gaps):
        upwards[i + 1] = max(upwards[i + 1], upwards[i] + gap)
    for i, gap in reversed(list(enumerate(gaps))):
        downwards[i] = min(downwards[i], downwards[i + 1] - gap)
    places = (upwards + downwards) / 2  # both keep the gaps, so their mean does too
    places += max(0.0, -places[0]) if places[0] < 0 else min(0.0, 1 - places[-1])
    for index, place in zip(order, places, strict=True):
        text, x, _ = labels[index]
        text.set_y(place)
        end = (axes.transData.transform((x, 1))[0] - box.x0) / box.width
        axes.plot(
            (end, _LABELS_AT - 0.01), (ends[index], place), transform=axes.transAxes, color=text.get_color(),
            linewidth=1.0, linestyle=(0, (1, 2)), clip_on=False, zorder=1,
        )[0].set_in_layout(False)  # fmt: skip


def _key(figure: Figure, lines: list[_Line]) -> None:
    splits = [split for split in _MAIN if split and any(line.split == split for line in lines)]
    handles = [Line2D([], [], color=QUIET, label=split, **_PENS[split]) for split in splits]
    handles.append(Line2D([], [], color=QUIET, label="best", **_RING))
    figure.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(0.99, 0.99), ncols=len(handles), frameon=False,
        fontsize=SMALL_TEXT + 1, borderpad=0, handlelength=1.6, columnspacing=1.2, labelcolor=QUIET,
    ).set_in_layout(False)  # fmt: skip


def _judged(lines: list[_Line]) -> list[_Line]:
    """Return the line by which each run is judged: validation before test, the plain one and training."""
    main: dict[str, _Line] = {}
    for line in sorted(lines, key=lambda line: _MAIN.index(line.split)):
        main.setdefault(line.run, line)
    return [line for line in lines if main[line.run] is line]


def _lowest(line: _Line) -> int:
    return int(np.nanargmin(np.where(line.finite, line.values, np.nan)))


def _highest(line: _Line) -> int:
    return int(np.nanargmax(np.where(line.finite, line.values, np.nan)))


def _better(quantity: str) -> Callable[[_Line], int] | None:
    """Return what finds the best point of a line, by the words of the quantity's name; None if they do not say."""
    words = set(quantity.lower().split())
    return _lowest if words & _LOWER else _highest if words & _HIGHER else None


def _is_share(lines: list[_Line]) -> bool:
    values = np.concatenate([line.values[line.finite] for line in lines])
    return "accuracy" in lines[0].quantity.split() and values.min() >= 0 and values.max() <= 1


def _diverged(line: _Line) -> bool:
    return not line.finite[-1]
