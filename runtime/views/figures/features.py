"""The feature maps of one sample."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.infer.network import Network
from nnspec.runtime.views import PICTURES, PictureError
from nnspec.runtime.views.features import MOST_LAYERS, LayerValues
from nnspec.runtime.views.figures import Subject, figures
from nnspec.spec_lang.check.spec import INPUT


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


def layer_values(network: Network, sample: np.ndarray) -> list[LayerValues]:
    """Return the output of each layer for a raw sample (1, …): the activation belongs to its layer.

    Of a network with more layers than a picture has, the first and the last ones.
    """
    program = network.program
    seen = network.preprocessing.apply(sample, network.dtype)
    values = program.values(seen)
    found = [LayerValues("input", "input", values[INPUT][0])]
    nodes = program.graph.nodes
    for at, node in enumerate(nodes):
        following = nodes[at + 1] if at + 1 < len(nodes) else None
        own = node.name.split("/")[-1] if "/" not in node.name else node.name
        if following is not None and following.name == f"{node.name}/{following.layer.word}":
            continue  # the activation of this layer is drawn
        found.append(LayerValues(node.name, own, values[node.name][0]))
    if program.graph.head is not None:
        last = nodes[-1].name if nodes else INPUT
        outputs = program.with_head(values[last])[0]
        found.append(LayerValues("output", program.graph.head.word, outputs))
    if len(found) > MOST_LAYERS:
        half = MOST_LAYERS // 2
        found = [*found[:half], *found[-half:]]
    return found
