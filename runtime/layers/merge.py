"""Merges: layers that join several branches into one array."""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import MergeBackward, MergeForward, Mode, implements_merge
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate, Multiply
from nnspec.spec_lang.vocabulary.shape import Shape


@implements_merge(Add)
def add(word: Add, shapes: Sequence[Shape], arrays: Mapping[str, Array]) -> MergeForward:
    """y = Σ x_i; each branch gets the gradient of y."""

    def forward(xs: Sequence[Array], mode: Mode) -> tuple[Array, MergeBackward]:
        return sum(xs[1:], start=xs[0]), lambda d_y: ([d_y] * len(xs), {})

    return forward


@implements_merge(Concatenate)
def concatenate(word: Concatenate, shapes: Sequence[Shape], arrays: Mapping[str, Array]) -> MergeForward:
    """y = the channels of all branches in their order; each branch gets its part of the gradient."""
    edges = np.cumsum([shape[-1] for shape in shapes])[:-1]

    def forward(xs: Sequence[Array], mode: Mode) -> tuple[Array, MergeBackward]:
        return np.concatenate(xs, axis=-1), lambda d_y: (np.split(d_y, edges, axis=-1), {})

    return forward


@implements_merge(Multiply)
def multiply(word: Multiply, shapes: Sequence[Shape], arrays: Mapping[str, Array]) -> MergeForward:
    """y = Π x_i, number by number; d_x_i = d_y · Π x_j over the other branches.

    A row of C numbers scales the C channels at every position; its gradient is the sum over the positions.
    """
    output = word.merged_shape(shapes)

    def forward(xs: Sequence[Array], mode: Mode) -> tuple[Array, MergeBackward]:
        """(batch, …) of each branch → (batch, *output)."""
        spread = [
            x.reshape(len(x), *[1] * (len(output) - len(shape)), *shape) for x, shape in zip(xs, shapes, strict=True)
        ]

        def backward(d_y: Array) -> tuple[Sequence[Array], dict[str, Array]]:
            gradients = []
            for i, (x, shape) in enumerate(zip(xs, shapes, strict=True)):
                d_x: Array = d_y * prod(spread[:i] + spread[i + 1 :])
                places = tuple(range(1, 1 + len(output) - len(shape)))
                if places:
                    d_x = d_x.sum(axis=places, dtype=np.float64).astype(x.dtype, copy=False)
                gradients.append(d_x)
            return gradients, {}

        y: Array = prod(spread[1:], start=spread[0])
        return y, backward

    return forward
