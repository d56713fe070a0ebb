"""A series over time: the truth, the prediction of each point, and the network rolled forward on its predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import current, page, shortened


@picture("predictions")
def predictions(
    truth: ArrayLike,
    predicted: ArrayLike,
    rolled: ArrayLike | None = None,
    begins: int = 0,
    title: str = "Predictions",
    names: Sequence[str | None] = (None,),
    ahead: tuple[int, int] = (1, 1),
    times: ArrayLike | None = None,
    bands: Sequence[tuple[ArrayLike, ArrayLike] | None] = (),
    band_name: str = "between quantiles",
    value_name: str = "value, in the units of the data",
) -> Figure:
    """Draw truth and prediction over time and, below, the network rolled forward on its own output if given.

    Arguments:
        truth: the true values, (points,), or (points, columns) for a panel each.
        predicted: the predictions, of the same shape.
        rolled: of one column, the predictions from point `begins` on, made from earlier predictions; a vertical line
            marks that point.
        begins: that point.
        title: the title.
        names: the name of each column, None where it has none.
        ahead: how many points ahead predictions are, from the first to the last.
        times: the dates of the points, (points,) datetime64; None numbers them.
        bands: for each column the lowest and the highest prediction of each point, (points,) each, or None.
        band_name: what is between them, in the legend.
        value_name: the axis of the values where a column has no name.

    The caption of each panel has its root mean squared error; the panels of one column share one scale. Raises
    PictureError if there are no points or their numbers differ.
    """
    points, estimates, own = _checked(truth, predicted, rolled, begins)
    columns = [(points, estimates)] if points.ndim == 1 else list(zip(points.T, estimates.T, strict=True))
    rows = len(columns) if own is None else 2
    figure = page(2.7 * rows + 0.5, title)
    panels = figure.subplots(rows, 1, sharex=True, sharey=own is not None, squeeze=False)[:, 0]
    time = np.arange(len(points)) if times is None else np.asarray(times)
    for panel, axes in enumerate(panels):
        shown = columns[panel if own is None else 0][0]
        axes.plot(time, shown, ".", color=current().quiet, alpha=0.7, markersize=3, label="truth")
        axes.grid(axis="y", color=current().faint)
    for axes, band in zip(panels, bands, strict=False):
        if band is not None:
            ends = (np.asarray(end, float) for end in band)
            look = {"color": current().colours[0], "alpha": 0.2, "linewidth": 0}
            axes.fill_between(time, *ends, label=band_name, **look)
    for axes, (one, estimate), name in zip(panels, columns, names, strict=False):
        axes.plot(time, estimate, color=current().colours[0], linewidth=1.2, label="prediction")
        axes.set_title(f"{_what(name, ahead)}\nrmse {_rmse(one, estimate):.4g}", fontsize=9.5)
    if own is not None:
        _draw_rolled(panels[1], time, begins, own, points, estimates)
    panels[-1].set_xlabel("time, in points" if times is None else "time")
    for panel, axes in enumerate(panels):
        name = names[panel if own is None else 0] if names else None
        axes.set_ylabel(shortened(name, 30) if name is not None else value_name)
        _add_legend(axes)
    return figure


def _checked(
    truth: ArrayLike, predicted: ArrayLike, rolled: ArrayLike | None, begins: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Return the series as arrays. Raises PictureError if there are no points or their numbers differ."""
    points, estimates = np.asarray(truth, float), np.asarray(predicted, float)
    own = None if rolled is None else np.asarray(rolled, float)
    if not points.size or points.shape != estimates.shape or points.ndim not in (1, 2):
        raise PictureError(
            f"truth and prediction are a number for each point; these are {points.shape}, {estimates.shape}"
        )
    if own is not None and (points.ndim > 1 or own.shape != points[begins:].shape):
        raise PictureError(
            f"{own.size} answers from point {begins} on do not end where the truth does, at {points.size}"
        )
    return points, estimates, own


def _draw_rolled(
    axes: Axes, time: NDArray[Any], begins: int, own: NDArray[Any], points: NDArray[Any], estimates: NDArray[Any]
) -> None:
    """Draw the network's own answers from point `begins` on, and the scale that they leave to the truth."""
    axes.plot(time[begins:], own, color=current().colours[1], linewidth=1.5, label="rolled forward")
    axes.axvline(time[begins], color=current().quiet, linewidth=0.8, linestyle=(0, (4, 3)))
    error = f"from point {begins}, rmse {_rmse(points[begins:], own):.3g}"
    axes.set_title(f"rolled forward on its own answers\n{error}", fontsize=9.5)
    low, high = points.min(), points.max()
    room = 0.5 * (high - low)  # points that diverge further are cut off
    shown = np.concatenate([points, estimates, np.clip(own, low - room, high + room)])
    axes.set_ylim(shown.min() - 0.1 * room, shown.max() + 0.1 * room)


def _add_legend(axes: Axes) -> None:
    """Write the legend over the panel, off the data."""
    legend = axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), frameon=False, ncols=3, fontsize=8, markerscale=2, borderpad=0.1,
        handlelength=1.4, columnspacing=1.0,
    )  # fmt: skip
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)


def _what(name: str | None, ahead: tuple[int, int]) -> str:
    """Return what is predicted, in words."""
    first, last = ahead
    points = (
        "the next point"
        if first == last == 1
        else f"{last} points ahead"
        if first == last
        else f"the next {last} points"
    )
    return f"{points} from the true ones" if name is None else f"{name}, {points} from the true ones"


def _rmse(truth: np.ndarray, estimates: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(truth - estimates))))
