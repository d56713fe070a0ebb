"""How many steps of padding reach a layer: a convolution that skips steps leaves fewer than there were."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import window_extent


class Node(Protocol):
    """What is read of a node of a graph or a schedule."""

    @property
    def name(self) -> str:
        """Its own."""

    @property
    def layer(self) -> Layer:
        """What it computes."""

    @property
    def inputs(self) -> Sequence[str]:
        """The nodes that it reads."""

    @property
    def input_shapes(self) -> Sequence[Shape]:
        """The shape of what each of them gives."""


def behind_strides(nodes: Iterable[Node]) -> Mapping[str, Array]:
    """For each node behind a convolution over time with a stride, its steps of padding by those of the sample.

    A sequence has as many windows there as it has by itself. Where nothing is skipped a step of padding stays one: a
    long sequence loses as many steps at its end as a short one. Such nodes are left out.
    """
    given: dict[str, Array] = {}
    left: dict[str, Array] = {}
    for node in nodes:
        table = next((left[name] for name in node.inputs if name in left), None)
        if table is not None:
            given[node.name] = left[node.name] = table
        layer, shape = node.layer, node.input_shapes[0]
        if isinstance(layer, Conv) and layer.stride > 1 and layer.along_time(shape) is not None:
            windows = np.array([_windows(layer, length) for length in range(shape[0] + 1)])
            padding = np.arange(shape[0] + 1) if table is None else table
            left[node.name] = windows[-1] - windows[shape[0] - padding]
    return given


def _windows(layer: Conv, length: int) -> int:
    """How many windows lie on a sequence of this length."""
    return (
        max(window_extent(length, layer.window[0], layer.stride, layer.pad, layer.dilation).places, 0) if length else 0
    )
