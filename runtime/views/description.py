"""The picture of a source of data: a panel for each column, its distribution by class, and the classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import SMALL_TEXT, colour, current, page, percent, shortened

MOST_PANELS = 24
"""The most columns in one picture: those with the strongest association to the target."""

_ACROSS = 4
_BINS = 24
_BARS = 8  # texts of a category that have a bar
_OTHERS = "others"


@dataclass(frozen=True)
class Panel:
    """A column: `values` (rows,) of float64, NaN where one is missing, or texts and None; `note` is under its name.

    With `dates` the numbers are days since 1970.
    """

    name: str
    values: NDArray[Any]
    note: str = ""
    dates: bool = False


@picture("description")
def description(
    panels: Sequence[Panel],
    classes: Mapping[str, int] | None = None,
    of_class: NDArray[np.intp] | None = None,
    title: str = "Data",
) -> Figure:
    """Draw the distribution of each column, and how many samples each class has.

    Arguments:
        panels: the columns.
        classes: the number of samples of each class, in the order of their numbers.
        of_class: the class of each row, −1 where it is missing: columns are then coloured by class.
        title: the title.

    Columns beyond 24 are left out, and the title says so. Raises PictureError where there is nothing to draw.
    """
    shown = list(panels[:MOST_PANELS])
    if not shown and not classes:
        raise PictureError("there is neither a column nor a class to draw")
    count = len(shown) + bool(classes)
    rows = -(-count // _ACROSS)
    left_out = f", {len(shown)} of {len(panels)} columns" if len(panels) > len(shown) else ""
    figure = page(0.7 + 1.55 * rows, f"{title}{left_out}")
    grid = figure.subplots(rows, min(_ACROSS, count), squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    places = iter(grid.flat)
    coloured = of_class if classes and len(classes) <= len(current().colours) else None
    if classes:
        _classes(next(places), classes, coloured is not None)
    for panel, axes in zip(shown, places, strict=False):
        _panel(axes, panel, coloured, len(classes or ()))
    return figure


def _classes(axes: Axes, classes: Mapping[str, int], coloured: bool) -> None:
    names = sorted(classes, key=lambda name: -classes[name])[:_BARS] if not coloured else list(classes)
    numbers = [classes[name] for name in names]
    colours = [colour(index) if coloured else current().quiet for index in range(len(names))]
    _bars(axes, names, [(numbers, colours)])
    more = f" ({len(names)} of {len(classes)})" if len(names) < len(classes) else ""
    axes.set_title(f"classes{more}", fontsize=SMALL_TEXT + 1)


def _panel(axes: Axes, panel: Panel, of_class: NDArray[np.intp] | None, classes: int) -> None:
    groups = (
        [of_class == number for number in range(classes)]
        if of_class is not None
        else [np.ones(len(panel.values), bool)]
    )
    colours = [colour(number) for number in range(classes)] if of_class is not None else [current().quiet]
    if panel.values.dtype.kind == "f":
        missing = np.isnan(panel.values)
        _histogram(axes, panel.values, groups, colours)
        if panel.dates:
            axes.xaxis.set_major_locator(MaxNLocator(2))
            axes.xaxis.set_major_formatter(FuncFormatter(_day))
    else:
        missing = np.array([value is None for value in panel.values.tolist()])
        _categories(axes, panel.values, groups, colours)
    notes = [panel.note] if panel.note else []
    if missing.any():
        notes.append(f"{percent(float(missing.mean()))} missing")
    name = shortened(panel.name, 22)
    axes.set_title("\n".join([name, ", ".join(notes)]) if notes else name, fontsize=SMALL_TEXT + 1)


def _histogram(axes: Axes, values: NDArray[np.float64], groups: list[NDArray[np.bool_]], colours: list[Any]) -> None:
    known, few = values[np.isfinite(values)], False
    if known.size:
        distinct = np.unique(known)
        few = (
            len(distinct) <= _BINS and bool((distinct == np.floor(distinct)).all()) and float(np.ptp(distinct)) < _BINS
        )
        edges = np.arange(distinct[0], distinct[-1] + 2) - 0.5 if few else np.histogram_bin_edges(known, _BINS)
        parts = [values[group & np.isfinite(values)] for group in groups]
        axes.hist(parts, edges.tolist(), stacked=True, color=colours)
    axes.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    axes.tick_params(labelsize=SMALL_TEXT - 1)
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=few))


def _categories(axes: Axes, values: NDArray[Any], groups: list[NDArray[np.bool_]], colours: list[Any]) -> None:
    texts = np.array([_OTHERS if value is None else value for value in values.tolist()], object)
    present = np.array([value is not None for value in values.tolist()])
    names, counts = np.unique(texts[present].astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = names[order[:_BARS]].tolist()
    stacked = []
    for group, shade in zip(groups, colours, strict=True):
        chosen = texts[group & present]
        numbers = [int((chosen == name).sum()) for name in kept]
        if len(names) > _BARS:
            numbers.append(len(chosen) - sum(numbers))
        stacked.append((numbers, [shade] * len(numbers)))
    more = [f"{len(names) - _BARS} others"] if len(names) > _BARS else []
    _bars(axes, [*kept, *more], stacked)


def _day(days: float, position: int | None) -> str:
    """Return the date that is so many days after 1 January 1970, without its day if that is the first."""
    return str(np.datetime64(round(days), "D"))


def _bars(axes: Axes, names: Sequence[str], stacked: Sequence[tuple[Sequence[int], Sequence[Any]]]) -> None:
    """Draw horizontal bars from the top down, those of several classes one after the other."""
    left = np.zeros(len(names))
    for numbers, colours in stacked:
        axes.barh(range(len(names)), numbers, left=left, color=colours, height=0.75)
        left += numbers
    for row, total in enumerate(left):
        words = f" {total:,.0f}"
        axes.text(total, row, words, fontsize=SMALL_TEXT - 1, color=current().quiet, va="center", clip_on=False)
    axes.set_xlim(0, 1.25 * max(left.max(), 1))
    axes.set_yticks(range(len(names)), [shortened(name, 12) for name in names], fontsize=SMALL_TEXT - 1)
    axes.set_ylim(max(len(names), 3) - 0.4, -0.6)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_color(current().faint)
