"""The confusion matrix of a classifier, of samples, of steps or of pixels."""

from matplotlib.figure import Figure

from nnspec.runtime.infer.evaluation import confusion_matrix
from nnspec.runtime.views import PICTURES, PictureError
from nnspec.runtime.views.figures import Subject, figures


@figures("confusion")
def confusion(subject: Subject) -> list[Figure]:
    """Draw how often each class is predicted for each class, counting pixels or steps where each has one.

    Raises PictureError where there are no classes.
    """
    names = subject.network.classes
    if names is None:
        shape = subject.network.spec.output_shape
        raise PictureError(
            f"{subject.title} gives {shape} for each sample: it is not a classifier, and this picture is of one"
        )
    _, chosen = subject.samples
    counts = confusion_matrix(subject.network, chosen)
    counted = "" if subject.counted == "samples" else f", {subject.counted}"
    return [PICTURES["confusion"](counts, names, f"{subject.title} on {subject.place}{counted}")]
