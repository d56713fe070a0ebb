"""Curves of many runs: a small panel for each, the other runs in grey behind it, all on one scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, colour, current, in_lines, page
from nnspec.runtime.views.curves.lines import (
    SPLITS,
    Line,
    in_words,
    is_share,
    judged,
    quantities_of,
    ranked,
    short_names,
)
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

MOST_PANELS = 36
"""The most runs with a panel of their own."""

# Everything below is in inches.
_LEFT, _RIGHT, _GAP, _LINE = 0.62, 0.12, 0.14, 0.135  # margins, between panels, a line of a name
_TALL, _HEAD, _FOOT = 0.72, 0.3, 0.6  # a panel, over and under the panels of a quantity
_TITLE, _KEY = 0.42, 0.24  # of the figure


def draw_multiples(lines: Sequence[Line], runs: Sequence[RunHistory], title: str, axis: str) -> Figure:
    """Draw the lines of many runs, as `curves` describes it."""
    names = _shown(lines, [run.name for run in runs])
    columns = next(number for number in (4, 5, 6) if len(names) <= 4 * number or number == 6)
    if len(names) <= 12:
        columns = 3 if len(names) in (6, 9) else 4
    rows = -(-len(names) // columns)
    quantities = quantities_of(lines)
    width = (PAGE_WIDTH - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns
    short = short_names([run.name for run in runs])
    shorter = {name: in_lines(short[name], int(width / 0.068), 2) for name in names}
    over = 0.17 + _LINE * (1 + max(name.count("\n") for name in shorter.values()))  # the names over a panel
    block = _HEAD + rows * (over + _TALL) + _FOOT
    if len(names) < len(runs):
        title += f". The {len(names)} best of {len(runs)} runs have a panel; every run is a grey line"
    figure = page(_TITLE + block * len(quantities) + _KEY, title)
    figure.set_layout_engine("none")
    height = figure.get_figheight()
    figure.suptitle(figure.get_suptitle(), x=0.1 / PAGE_WIDTH, y=1 - 0.1 / height, ha="left", va="top")
    head = height - _KEY - block * len(quantities)  # the title, in one line or several
    best = next(iter(ranked(lines)), None)
    for number, quantity in enumerate(quantities):
        mine = [line for line in lines if line.quantity == quantity]
        levels = levels_of(runs, quantity)
        top = head + block * number
        panels = [
            figure.add_axes((
                (_LEFT + at % columns * (width + _GAP)) / PAGE_WIDTH,
                1 - (top + _HEAD + (at // columns + 1) * (over + _TALL)) / height,
                width / PAGE_WIDTH,
                _TALL / height,
            ))
            for at in range(len(names))
        ]  # fmt: skip
        heading = _draw_block(panels, names, mine, levels, axis, best)
        _write_words(panels, names, shorter, mine, best)
        _share_axes(panels, columns, axis)
        left, under = 0.1 / PAGE_WIDTH, 1 - (top + block - 0.24) / height
        figure.text(left, 1 - (top + 0.1) / height, heading, fontsize=11, va="top")
        figure.text(0.5, under, _words_for_axis(runs, axis), fontsize=SMALL_TEXT + 1, ha="center", va="center")
    by_quantity = {quantity: [line for line in lines if line.quantity == quantity] for quantity in quantities}
    levels = [level for name, own in by_quantity.items() for level in levels_of(runs, name) if _is_near(level, own)]
    _add_key(figure, lines, levels, height)
    return figure


def _shown(lines: Sequence[Line], names: list[str]) -> list[str]:
    """Return the runs that have a panel: all in their order, or the best of too many, best first."""
    if len(names) <= MOST_PANELS:
        return names
    best = [line.run for line in ranked(lines)]
    return [*best, *(name for name in names if name not in best)][:MOST_PANELS]


def _draw_block(
    panels: Sequence[Axes], names: Sequence[str], lines: Sequence[Line], levels: Sequence[Level], axis: str,
    best: Line | None,
) -> str:  # fmt: skip
    """Draw the panels of one quantity and return its heading."""
    main = judged(lines)
    everyone = [np.column_stack([line.at, line.values])[line.finite] for line in main]
    end = max(float(line.at.max()) for line in lines)
    begin = min(float(line.at.min()) for line in lines)
    heading = ""
    for axes, name in zip(panels, names, strict=True):
        axes.add_collection(LineCollection(everyone, colors=current().faint, linewidths=0.8, zorder=1))
        for level in levels:
            if not _is_near(level, lines):
                continue
            axes.axhline(level.value, **level_pen())
        own = [line for line in lines if line.run == name]
        tone = colour(1 if best is not None and name == best.run else 0)
        for line in sorted(own, key=lambda line: SPLITS.index(line.split), reverse=True):
            single = "." if line.finite.sum() == 1 else ""
            axes.plot(line.at, line.values, color=tone, marker=single, **pen(line.split) | {"alpha": 1.0})
        for line in judged(own):
            if line.best is not None:
                small = ring() | {"markersize": 4.5, "markeredgewidth": 1.4}
                axes.plot(line.at[line.best], line.values[line.best], color=tone, zorder=4, **small)
        room = 0.04 * (end - begin) or 0.5
        axes.set_xlim(begin - room, end + room)
    near = [level for level in levels if _is_near(level, lines)]
    for axes in panels:
        heading = set_scale(axes, lines, near, small=True)
    heading += "".join(
        f"; {level.name} {in_words(level.value, is_share(lines))}, out of sight"
        for level in levels
        if level not in near
    )
    low, high = (pick(axes.get_ylim()[side] for axes in panels) for pick, side in ((min, 0), (max, 1)))
    for axes in panels:
        axes.set_ylim(low, high)
    return heading


def _is_near(level: Level, lines: Sequence[Line]) -> bool:
    """Return whether a baseline leaves the lines at least half of the panel's height."""
    values = np.concatenate([line.values[line.finite] for line in lines])
    low, high = values.min(), values.max()
    return bool(low - (high - low) <= level.value <= high + (high - low))


def _write_words(
    panels: Sequence[Axes], names: Sequence[str], shorter: dict[str, str], lines: Sequence[Line], best: Line | None
) -> None:
    """Write the name of a run over its panel, and its best value in a corner that the lines leave free."""
    share = is_share(lines)
    main = {line.run: line for line in judged(lines)}
    for axes, name in zip(panels, names, strict=True):
        bold = "bold" if best is not None and name == best.run else "normal"
        axes.set_title(shorter[name], fontsize=SMALL_TEXT, pad=3, weight=bold, linespacing=1.05)
        line = main.get(name)
        words = [] if line is None else ["diverged"] if line.diverged else []
        if line is not None and line.best is not None:
            words.insert(0, in_words(line.values[line.best], share))
        if line is not None and line.values[line.finite].min() > axes.get_ylim()[1]:
            words.append("above the scale")
        rises = line is not None and line.best is not None and line.values[line.best] >= line.values[line.finite].max()
        look: dict[str, Any] = {"va": "bottom", "y": 0.06} if rises else {"va": "top", "y": 0.94}
        axes.text(
            0.97, s=", ".join(words), transform=axes.transAxes, ha="right", fontsize=SMALL_TEXT, weight=bold, zorder=6,
            bbox={"facecolor": current().paper, "alpha": 0.75, "edgecolor": "none", "pad": 0.8}, **look,
        )  # fmt: skip


def _share_axes(panels: Sequence[Axes], columns: int, axis: str) -> None:
    for at, axes in enumerate(panels):
        set_steps(axes, axis, 3, short=True)
        axes.grid(axis="y", linewidth=0.5)
        axes.tick_params(labelsize=SMALL_TEXT - 0.5, length=2)
        axes.tick_params(axis="y", labelleft=at % columns == 0)
        axes.tick_params(axis="x", labelbottom=at + columns >= len(panels))


def _words_for_axis(runs: Sequence[RunHistory], axis: str) -> str:
    if axis == "epoch":
        return "epochs"
    epoch = common_epoch(runs)
    return "training steps" + (f" (an epoch has {epoch:,})" if epoch else "")


def _add_key(figure: Figure, lines: Sequence[Line], levels: Sequence[Level], height: float) -> None:
    tone, quiet = colour(0), current().quiet
    splits = [split for split in SPLITS if split and any(line.split == split for line in lines)]
    handles = [Line2D([], [], color=tone, label=split, **pen(split)) for split in splits]
    handles.append(Line2D([], [], color=current().faint, linewidth=1.5, label="the other runs"))
    if levels:
        named = {level.name for level in levels}
        handles.append(Line2D([], [], label=named.pop() if len(named) == 1 else "baselines", **level_pen()))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.1 / PAGE_WIDTH, 0.06 / height), ncols=len(handles),
        frameon=False, fontsize=SMALL_TEXT, borderpad=0, handlelength=1.6, columnspacing=1.2, labelcolor=quiet,
    )  # fmt: skip
