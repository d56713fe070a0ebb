"""Layers that change the shape and no number."""

from collections.abc import Mapping

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Reshape
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(Flatten, Reshape)
def reshape(word: Flatten | Reshape, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """The same numbers in the output's shape, in C order."""
    asked = word.output_shape(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        return x.reshape(len(x), *asked), lambda d_y: (d_y.reshape(x.shape), {})

    return forward
