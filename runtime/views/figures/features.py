"""The feature maps of one sample."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.explain.layer_values import layer_values
from nnspec.runtime.views import PICTURES, PictureError
from nnspec.runtime.views.figures import Subject, figures


@figures("features")
def features(subject: Subject) -> list[Figure]:
    """Draw what each layer makes of the first sample of the split, or of the one in `Subject.sample`."""
    network = subject.network
    place = subject.sample
    _, chosen = subject.samples
    if not 0 <= place < len(chosen):
        raise PictureError(f"sample {place} is not among the {len(chosen)} of {subject.place}, counted from 0")
    sample = chosen.inputs[place : place + 1]
    layers = layer_values(network, np.asarray(sample))
    truth = ""
    names: tuple[str, ...] = ()
    classes = network.classes
    if classes is not None and len(network.spec.output_shape or ()) == 1:
        belief = network.predict(sample)[0]
        belief = np.array([1 - belief[0], belief[0]]) if belief.size == 1 else belief
        label = int(np.asarray(chosen.targets[place]).reshape(-1)[0])
        best = int(belief.argmax())
        verdict = "rightly" if best == label else f"wrongly, it is {classes[label]}"
        names = classes if belief.size == layers[-1].values.size else ()
        truth = f": {classes[best]}, {verdict}"
    title = f"What the layers of {subject.title} make of sample {place} of {subject.place}{truth}"
    return [PICTURES["features"](layers, title, names)]
