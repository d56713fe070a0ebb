"""The curves of one run."""

from matplotlib.figure import Figure

from nnspec.runtime.views import PICTURES, PictureError
from nnspec.runtime.views.figures import Subject, figures


@figures("curves")
def curves(subject: Subject) -> list[Figure]:
    """Draw loss and metrics of the run. Raises PictureError for a network without one."""
    if subject.history is None:
        raise PictureError(f"{subject.title} is a network without a run, so it has no curves")
    return [PICTURES["curves"]([subject.history])]
