"""The confusion matrix of a classifier: a row for each true class, a column for each predicted class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, page, percent, shortened

_SHARES_TO = 12  # classes whose cells have room for the count and its share
_COUNTS_TO = 24  # classes whose cells have room for the count
_ERRORS = 5  # the commonest, written below where cells have no numbers
_LETTER = 0.62 / 72  # inches: the width of a letter, for each point of its size
_NAME = 20  # letters of a class's name


@picture("confusion")
def confusion(matrix: ArrayLike, classes: Sequence[str] | None = None, title: str = "Confusion matrix") -> Figure:
    """Draw counts of true class against predicted class, with recall and precision of each class and the accuracy.

    `matrix` is (true, predicted) counts; `classes` names both axes; without it they have numbers. The colour of a cell
    is its share of the true class, its row, on one scale for the whole sheet: a square root, named at the scale, so
    that a few errors are visible among many correct predictions. Correct predictions have an outline. A cell holds
    its count, and up to 12 classes its share; beyond 24 classes the numbers are left out and the most frequent errors
    are written below. Raises PictureError where the matrix is not one of counts, is empty, or has another number of
    names.
    """
    counts, names = _checked(np.asarray(matrix), classes)
    number, total = len(counts), counts.sum()
    of_class = counts.sum(axis=1, keepdims=True)  # (true, 1)
    shares = counts / np.maximum(of_class, 1)  # (true, predicted)
    diagonal = np.eye(number, dtype=bool)
    fit = _fit(names)
    right = np.trace(counts)
    words = f"{title}\n{percent(right / total)} accuracy: {right:,} of {total:,} right"
    figure = page(fit.height - 0.2, words, max(fit.width, 5.2))
    panels = figure.subplot_mosaic([["matrix"], ["scale"]], height_ratios=(fit.side, 0.12))
    axes = panels["matrix"]
    image = axes.imshow(shares, cmap=current().shares, norm=PowerNorm(0.5, 0, 1))
    bar = Colorbar(
        panels["scale"], image, orientation="horizontal", format=FuncFormatter(lambda share, _: f"{100 * share:.3g} %")
    )
    bar.set_label("share of the true class (square-root scale)", color=current().quiet)
    bar.set_ticks([0, 0.01, 0.05, 0.2, 0.5, 1])
    for i in range(number):
        axes.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=current().quiet, linewidth=0.9))
    _name_axes(axes, names, fit)
    predicted = counts.sum(axis=0)
    right_of = counts[diagonal]
    _margin(axes, "recall", [percent(a / b) if b else "–" for a, b in zip(right_of, of_class[:, 0], strict=True)], fit)
    _margin(axes, "precision", [percent(a / b) if b else "–" for a, b in zip(right_of, predicted, strict=True)], fit)
    if number <= _COUNTS_TO:
        _number(axes, counts, shares)
    else:
        axes.set_xlabel(f"predicted class\n\n{_commonest(counts, names)}")
    return figure


@dataclass(frozen=True)
class _Fit:
    """Sizes at which names and cells are legible, in inches, and the font size of the names in points."""

    side: float  # of the matrix
    letters: float
    upright: bool  # names under the columns, where they are wider than a cell
    width: float  # of the figure
    height: float


def _fit(names: list[str]) -> _Fit:
    number, longest = len(names), max(map(len, names))
    side = min(5.4, max(2.2, 0.53 * number)) if number <= _COUNTS_TO else min(12.0, 4.5 + 0.075 * number)
    if number <= _COUNTS_TO:
        side = min(side, PAGE_WIDTH - 1.5 - longest * _LETTER * (SMALL_TEXT + 1.5))
    letters = min(SMALL_TEXT + 1.5, 0.8 * 72 * side / number)  # so that rows of names do not touch
    length = longest * _LETTER * letters  # inches, of the longest name
    upright = length > 0.95 * side / number
    below = (length if upright else 0.2) + (0 if number <= _COUNTS_TO else 0.3 + 0.17 * _ERRORS)
    return _Fit(side, letters, upright, side + length + 1.5, side + below + 2.2)


def _checked(counts: NDArray[Any], classes: Sequence[str] | None) -> tuple[NDArray[np.int64], list[str]]:
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise PictureError(f"a confusion matrix is square, (true, predicted), and this one is {counts.shape}")
    if counts.dtype.kind not in "ui" or counts.min() < 0:
        raise PictureError("a confusion matrix holds counts: whole numbers, 0 or more")
    if not counts.any():
        raise PictureError("the confusion matrix is empty: no sample was counted")
    names = [str(name) for name in (range(len(counts)) if classes is None else classes)]
    if len(names) != len(counts):
        raise PictureError(f"the matrix has {len(counts)} classes, and there are {len(names)} names")
    return counts.astype(np.int64), [shortened(name, _NAME) for name in names]


def _name_axes(axes: Axes, names: list[str], fit: _Fit) -> None:
    number = len(names)
    axes.set_xticks(range(number), names, rotation=90 if fit.upright else 0, fontsize=fit.letters)
    axes.set_yticks(range(number), names, fontsize=fit.letters)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_xticks(np.arange(number + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(number + 1) - 0.5, minor=True)
    axes.grid(which="minor", linewidth=0.8 if number <= _COUNTS_TO else 0.3)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set(visible=True, color=current().faint)


def _margin(axes: Axes, words: str, values: list[str], fit: _Fit) -> None:
    """Write the recalls to the right of the rows, or the precisions over the columns."""
    of_rows = words == "recall"
    margin = axes.secondary_yaxis("right") if of_rows else axes.secondary_xaxis("top")
    letters = min(fit.letters, SMALL_TEXT)
    if of_rows:
        margin.set_yticks(range(len(values)), values, fontsize=fit.letters)
    else:
        upright = max(map(len, values)) * _LETTER * letters > 0.95 * fit.side / len(values)
        margin.set_xticks(range(len(values)), values, fontsize=letters, rotation=90 if upright else 0)
    margin.tick_params(length=0)
    margin.spines[:].set_visible(False)
    if of_rows:
        margin.set_ylabel("recall", color=current().quiet, fontsize=SMALL_TEXT + 1)
    else:
        margin.set_xlabel("precision", color=current().quiet, fontsize=SMALL_TEXT + 1)


def _number(axes: Axes, counts: NDArray[Any], shares: NDArray[Any]) -> None:
    with_shares = len(counts) <= _SHARES_TO
    for row, column in np.argwhere(counts):
        strong = shares[row, column] > 0.35  # where the background is nearer to the ink than to the paper
        look: dict[str, Any] = {"ha": "center", "color": current().paper if strong else current().ink}
        axes.text(
            column, row - 0.02 if with_shares else row, f"{counts[row, column]:,}",
            va="bottom" if with_shares else "center_baseline",
            fontsize=SMALL_TEXT + 1 if with_shares else SMALL_TEXT - 1, **look,
        )  # fmt: skip
        if with_shares:
            axes.text(column, row + 0.08, percent(shares[row, column]), va="top", fontsize=SMALL_TEXT - 1, **look)


def _commonest(counts: NDArray[np.int64], names: list[str]) -> str:
    wrong = counts * ~np.eye(len(counts), dtype=bool)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_ERRORS]
    places = [divmod(int(place), len(names)) for place in order if wrong.flat[place]]
    errors = [f"{names[row]} taken for {names[column]}: {wrong[row, column]:,}" for row, column in places]
    return "\n".join(["most frequent errors", *errors]) if errors else "no errors"
