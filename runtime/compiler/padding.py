"""How many padded steps reach a layer: a layer that skips steps leaves fewer of them than there were."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import Placed
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


def padding_after_strides(nodes: Iterable[Placed]) -> Mapping[str, Array]:
    """Return, for each node after a layer that skips steps, its padded steps by those of the sample.

    Each table is (steps of a sample + 1,). A sequence has as many steps there as it has by itself. Where nothing is
    skipped a padded step stays one: a long sequence loses as many steps at its end as a short one. Such nodes are left
    out.
    """
    given: dict[str, Array] = {}
    left: dict[str, Array] = {}
    steps = 0  # of a sample
    for node in nodes:
        shape = node.input_shapes[0]
        if INPUT in node.inputs and shape:
            steps = shape[0]
        table = next((left[name] for name in node.inputs if name in left), None)
        if table is not None:
            given[node.name] = left[node.name] = table
        if shape.as_steps() is None or not node.output_shape.sequence or len(node.inputs) > 1:
            continue
        after = np.array(steps_of(node.layer, shape))
        if _skips(after):
            padding = np.arange(steps + 1) if table is None else table
            left[node.name] = after[-1] - after[np.maximum(shape[0] - padding, 0)]  # layers before may drop steps
    return given


def _skips(after: Array) -> bool:
    """Whether a shorter sequence loses other than its padded steps; `after` counts its steps by those of the input."""
    lengths = np.arange(1, len(after))
    return bool((after[1:] != np.maximum(after[-1] - (len(after) - 1 - lengths), 0)).any())


@lru_cache(maxsize=256)
def steps_of(layer: Layer, shape: Shape) -> tuple[int, ...]:
    """Return how many steps come out of sequences of 0, 1, … steps."""

    def after(steps: int) -> int:
        try:
            return layer.output_shape(Shape((steps, *shape[1:]), sequence=True))[0]
        except Misfit:  # the sequence is shorter than what the layer looks at
            return 0

    return (0, *(after(steps) for steps in range(1, shape[0] + 1)))
