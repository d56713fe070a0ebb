"""The picture of which map to trust: the probability as pixels are deleted and inserted in the order of each map."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nnspec.runtime.explain.deletion import RANDOM, Curves
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import SMALL_TEXT, colour, current, page


@picture("deletion")
def deletion(curves: Mapping[str, Curves], title: str = "Which map to trust") -> Figure:
    """Draw the mean probability of the class over the share of pixels that are deleted, and that are inserted.

    `curves` is method → its curves; "random" is the order to compare with. The area under each curve is in the legend,
    the best first. Raises PictureError where there are none.
    """
    methods = [name for name in curves if name != RANDOM]
    if not methods:
        raise PictureError("there is no method to draw the curves of")
    first = curves[methods[0]]
    count = len(first.deletion)
    least = min(methods, key=lambda name: curves[name].deletion_area)
    most = max(methods, key=lambda name: curves[name].insertion_area)
    best = _words(least) if least == most else f"{_words(least)} by deletion, {_words(most)} by insertion"
    figure = page(4.3, f"{title}: best is {best} ({count} {'image' if count == 1 else 'images'})")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, part, better in ((left, "deletion", "lower"), (right, "insertion", "higher")):
        sign = 1 if part == "deletion" else -1
        order = sorted(curves, key=lambda name: sign * getattr(curves[name], f"{part}_area"))
        for name in order:
            area = getattr(curves[name], f"{part}_area")
            look: dict[str, Any] = {"color": current().quiet, "linestyle": (0, (4, 3)), "linewidth": 1.2}
            if name != RANDOM:
                number = methods.index(name)
                look = {"color": colour(number), "linestyle": current().dash(number)}
            axes.plot(
                curves[name].shares,
                getattr(curves[name], part).mean(axis=0),
                label=f"{_words(name)} {area:.3f}",
                **look,
            )
        _finish(axes, part, better)
    left.set_ylabel("probability of the class")
    return figure


def _words(name: str) -> str:
    return "random order" if name == RANDOM else name.replace("_", " ")


def _finish(axes: Axes, part: str, better: str) -> None:
    verb = "set to the baseline" if part == "deletion" else "put back"
    axes.set_title(f"{part}: {better} is better")
    axes.set_xlabel(f"pixels {verb}, most important first")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    percent = FuncFormatter(lambda share, _: f"{100 * share:.0f} %")
    axes.xaxis.set_major_formatter(percent)
    axes.grid(axis="y")
    axes.legend(
        title="area under the curve, best first", fontsize=SMALL_TEXT, title_fontsize=SMALL_TEXT, frameon=False,
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, labelcolor=current().ink,
    )  # fmt: skip
