"""The picture of a training: loss and metrics over the steps, of one run or of several."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views.curves.lines import finding, lines_of
from nnspec.runtime.views.curves.multiples import draw_multiples
from nnspec.runtime.views.curves.overlay import draw_overlay

TOGETHER = 5
"""The most runs that share a panel."""

AXES = ("step", "epoch")


@picture("curves")
def curves(runs: Sequence[RunHistory], title: str | None = None, axis: str = "step") -> Figure:
    """Draw loss and metrics of runs over the training steps: a panel for each quantity, loss first.

    Arguments:
        runs: the histories, whose names differ. Where `validation_loss` exists, `loss` is that of training.
        title: the title; None says which run reaches what.
        axis: "step", with the epochs below where all runs have equally long ones, or "epoch".

    Validation lines are thick, training lines thin. Of one run a colour is a split, of several a run. More than five
    runs have a small panel each, with the other runs in grey behind it, all on one scale; of more than 36 runs the best
    36 have one. A ring marks the best validation value, if the quantity's name says whether more or less is better.

    A loss has a logarithmic scale, named in the title, where all values are positive and the largest is at least 10
    times the smallest. Accuracies within 0 to 1 are percentages. Baselines are thin dashed lines, one for equal ones. A
    run whose last value is not finite is labelled as diverged.

    Raises PictureError if there is nothing to draw, a metric's steps and values differ in number, two runs have one
    name, or the length of an epoch is not known.
    """
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise PictureError(f"two runs are called {max(names, key=names.count)}: give each a name of its own")
    if axis not in AXES:
        raise PictureError(f"the axis is {axis!r}: use step or epoch")
    lines = lines_of(runs, axis == "epoch")
    title = title or finding(lines, runs, axis == "epoch")
    drawn = [run for run in runs if any(line.run == run.name for line in lines)]
    draw = draw_overlay if len(drawn) <= TOGETHER else draw_multiples
    return draw(lines, drawn, title, axis)
