"""The calibration of a classifier."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.infer.calibration import calibration as calibrated
from nnspec.runtime.infer.evaluation import class_probabilities, loss_and_outputs
from nnspec.runtime.views import PICTURES, PictureError
from nnspec.runtime.views.figures import Subject, figures


@figures("calibration")
def calibration(subject: Subject) -> list[Figure]:
    """Draw the reliability diagram. Raises PictureError where the network has no probabilities of classes."""
    network = subject.network
    subject.classes  # noqa: B018 - raises where there are none
    if network.spec.loss.scores:
        raise PictureError(f"the outputs of loss {network.spec.loss.word} are scores, not probabilities")
    _, chosen = subject.samples
    probabilities = class_probabilities(loss_and_outputs(network, chosen)[1])
    labels = chosen.targets.reshape(-1).astype(np.int64)
    found = calibrated(probabilities, labels)
    return [PICTURES["calibration"](found, f"{subject.title} on {subject.place}")]
