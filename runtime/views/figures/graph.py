"""The graph of a network."""

from matplotlib.figure import Figure

from nnspec.runtime.views import PICTURES
from nnspec.runtime.views.figures import Subject, figures


@figures("graph")
def graph(subject: Subject) -> list[Figure]:
    """Draw layers, branches and shapes."""
    return [PICTURES["graph"](subject.network.spec)]
