"""The confusion matrix of a classifier."""

from matplotlib.figure import Figure

from nnspec.runtime.infer.evaluation import confusion_matrix
from nnspec.runtime.views import PICTURES
from nnspec.runtime.views.figures import Subject, figures


@figures("confusion")
def confusion(subject: Subject) -> list[Figure]:
    """Draw how often each class is predicted for each class. Raises PictureError where there are no classes."""
    names = subject.classes
    _, chosen = subject.samples
    counts = confusion_matrix(subject.network, chosen)
    return [PICTURES["confusion"](counts, names, f"{subject.title} on {subject.place}")]
