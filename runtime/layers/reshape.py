"""Layers that change the shape, or the order of the axes, and no number."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(Flatten, Reshape)
def reshape(word: Flatten | Reshape, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """The same numbers in the output's shape, in C order."""
    asked = word.output_shape(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        return x.reshape(len(x), *asked), lambda d_y: (d_y.reshape(x.shape), {})

    return forward


@implements(Permute)
def permute(word: Permute, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = x with its axes in the given order, counted from 1."""
    axes = (0, *word.order)
    back = tuple(int(axis) for axis in np.argsort(axes))

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        return x.transpose(axes), lambda d_y: (d_y.transpose(back), {})

    return forward
