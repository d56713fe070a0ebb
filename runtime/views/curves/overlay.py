"""Curves of one to five runs in one panel for each quantity, with their names at the ends of the lines."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views._style import SMALL_TEXT, colour, current, in_lines, page, shortened
from nnspec.runtime.views.curves.lines import SPLITS, Line, in_words, is_share, judged, quantities_of, short_names
from nnspec.runtime.views.curves.panel import (
    Level,
    common_epoch,
    level_pen,
    levels_of,
    pen,
    ring,
    set_scale,
    set_steps,
)

_SOLO = ("validation", "training", "test", "")  # the order in which the splits of a single run take colours
_LABELS_AT = 1.04  # of the panel's width
_NAME = 26  # letters of a line of a run's name
_Colours = dict[tuple[str, str], tuple[float, float, float]]  # (run, split) → red, green, blue
_Label = tuple[Text, float, float]  # with the end of its line, in the units of the axes; inf: the right edge


def draw_overlay(lines: Sequence[Line], runs: Sequence[RunHistory], title: str, axis: str) -> Figure:
    """Draw the lines of a few runs, as `curves` describes it."""
    quantities, names = quantities_of(lines), [run.name for run in runs]
    several = len(names) > 1
    labelled = {name: in_lines(short, _NAME, 2) for name, short in short_names(names).items()}
    tall = max(2.5, 0.8 + 0.185 * sum(2 + name.count("\n") for name in labelled.values()))  # inches, of a panel
    epoch = common_epoch(runs) if axis == "step" else None
    figure = page(0.7 + tall * len(quantities) + (0.55 if epoch else 0) + (0.2 if several else 0), title)
    panels = np.atleast_1d(figure.subplots(len(quantities), sharex=True))
    labels = []
    for axes, quantity in zip(panels, quantities, strict=True):
        mine = [line for line in lines if line.quantity == quantity]
        colours = _colours(mine, names)
        reached = levels_of(runs, quantity)
        _draw_panel(axes, mine, colours, reached, names)
        ends = _labels(axes, mine, colours, labelled if several else None, axis)
        labels.append([*ends, *_level_labels(axes, mine, reached)])
    panels[-1].set_xlabel("training steps (updates of the weights)" if axis == "step" else "epochs")
    set_steps(panels[-1], axis, 7)
    if epoch:
        _add_epochs(panels[-1], epoch, 0.6 / (tall - 0.45))
    if several:
        _add_key(figure, lines)
    figure.draw_without_rendering()  # fixes the positions of the panels, which the spacing of labels needs
    for axes, mine_labels in zip(panels, labels, strict=True):
        _spread(axes, mine_labels)
    return figure


def _colours(lines: Sequence[Line], runs: Sequence[str]) -> _Colours:
    """Return a colour for each (run, split): by run if there are several, otherwise by split."""
    if len(runs) > 1:
        return {(line.run, line.split): colour(runs.index(line.run)) for line in lines}
    return {(line.run, line.split): colour(_SOLO.index(line.split)) for line in lines}


def _draw_panel(
    axes: Axes, lines: Sequence[Line], colours: _Colours, levels: Sequence[Level], runs: Sequence[str]
) -> None:
    for line in sorted(lines, key=lambda line: SPLITS.index(line.split), reverse=True):
        own, number = colours[line.run, line.split], runs.index(line.run) if len(runs) > 1 else _SOLO.index(line.split)
        look = {"linestyle": current().dash(number)} | pen(line.split)
        axes.plot(line.at, line.values, color=own, marker="." if line.finite.sum() == 1 else "", **look)
        if line.diverged:
            last = np.flatnonzero(line.finite)[-1]
            axes.plot(line.at[last], line.values[last], "x", color=own, markersize=7, markeredgewidth=2, zorder=5)
    for line in judged(lines):
        if line.best is not None:
            at = line.best
            axes.plot(line.at[at], line.values[at], color=colours[line.run, line.split], zorder=4, **ring())
    for level in levels:
        axes.axhline(level.value, **level_pen())
    steps = np.concatenate([line.at for line in lines])
    if 0 < steps.min() == steps.max():  # one evaluation: the axis begins with the training
        axes.set_xlim(0, 1.1 * float(steps.max()))
    axes.set_title(set_scale(axes, lines, levels))
    axes.grid(axis="y")


def _labels(
    axes: Axes, lines: Sequence[Line], colours: _Colours, names: dict[str, str] | None, axis: str
) -> list[_Label]:
    """Write names and best values at the right end of the lines: for each run, or each split of a single run.

    `names` are the labels of several runs, None for one.
    """
    main, share = judged(lines), is_share(lines)
    labels = []
    for line in main if names else lines:
        words = [names[line.run] if names else line.split or line.quantity]
        if line.best is not None and line in main:
            value, at = in_words(line.values[line.best], share), line.at[line.best]
            words.append(value if names else f"best {value} at {axis} {_number(at)}")
        if line.diverged:
            words.append(f"diverged at {axis} {_number(line.at[~line.finite][0])}")
        text = axes.text(
            _LABELS_AT, 0.5, "\n".join(words), transform=axes.transAxes, color=colours[line.run, line.split],
            fontsize=SMALL_TEXT + 1, va="center", linespacing=1.1,
        )  # fmt: skip
        last = np.flatnonzero(line.finite)[-1]
        labels.append((text, line.at[last], line.values[last]))
    return labels


def _number(at: float) -> str:
    return f"{at:,.0f}" if at == round(at) else f"{at:.3g}"


def _level_labels(axes: Axes, lines: Sequence[Line], levels: Sequence[Level]) -> list[_Label]:
    """Write the names and values of baselines at the right end of their lines."""
    labels = []
    for level in levels:
        text = axes.text(
            _LABELS_AT, 0.5, f"{shortened(level.name, 26)} {in_words(level.value, is_share(lines))}",
            transform=axes.transAxes, color=current().quiet, fontsize=SMALL_TEXT + 1, va="center",
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
    below = np.concatenate([[0.0], np.cumsum((heights[1:] + heights[:-1]) / 2)])  # of the labels under each
    places = below + np.clip(_rising(ends[order] - below), 0, max(1 - below[-1], 0))
    for index, place in zip(order, places, strict=True):
        text, x, _ = labels[index]
        text.set_y(place)
        end = (axes.transData.transform((x, 1))[0] - box.x0) / box.width
        axes.plot(
            (end, _LABELS_AT - 0.01), (ends[index], place), transform=axes.transAxes, color=text.get_color(),
            linewidth=1.0, linestyle=(0, (1, 2)), clip_on=False, zorder=1,
        )[0].set_in_layout(False)  # fmt: skip


def _rising(values: np.ndarray) -> np.ndarray:
    """Return the numbers nearest to `values` in squares that never fall: neighbours that do have their mean."""
    pools: list[list[float]] = []
    for value in values:
        pools.append([float(value)])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    return np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])


def _add_epochs(axes: Axes, epoch: int, down: float) -> None:
    """Add an axis of epochs below that of steps; `down` is a share of the panel's height."""
    below = axes.secondary_xaxis(
        -down, functions=(lambda step: np.asarray(step) / epoch, lambda passes: np.asarray(passes) * epoch)
    )
    below.spines["bottom"].set_color(current().faint)
    below.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    below.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
    below.set_xlabel(f"epochs of {epoch:,} {'step' if epoch == 1 else 'steps'}")


def _add_key(figure: Figure, lines: Sequence[Line]) -> None:
    splits = [split for split in SPLITS if split and any(line.split == split for line in lines)]
    quiet = current().quiet
    handles = [Line2D([], [], color=quiet, label=split, **pen(split)) for split in splits]
    if any(line.best is not None for line in lines):
        handles.append(Line2D([], [], color=quiet, label="best", **ring()))
    figure.legend(
        handles=handles, loc="outside lower right", ncols=max(len(handles), 1), frameon=False,
        fontsize=SMALL_TEXT + 1, borderpad=0, handlelength=1.6, columnspacing=1.2, labelcolor=quiet,
    )  # fmt: skip
