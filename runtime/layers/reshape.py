"""Other shapes of the same numbers."""

from collections.abc import Mapping

from runtime.arrays import Array
from runtime.layers import Backward, Forward, Mode, implements
from spec_lang.layers.reshape import Flatten, Reshape
from spec_lang.shape import Shape


@implements(Flatten, Reshape)
def reshape(word: Flatten | Reshape, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """The same numbers in the output's shape, the last axis running fastest."""
    asked = word.output_shape(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        return x.reshape(len(x), *asked), lambda d_y: (d_y.reshape(x.shape), {})

    return forward
