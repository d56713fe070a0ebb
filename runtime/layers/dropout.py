"""Dropout."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(Dropout)
def dropout(word: Dropout, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = x · kept / (1 − p), each number kept with probability 1 − p while training; y = x at inference.

    Inverted dropout (Srivastava et al. 2014): the mean of y is x, so inference needs no rescaling. The random
    numbers are float32 for either type of x, so that both drop the same numbers.
    """
    limit = np.float32(word.probability)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        if mode.drawn is None:
            return x, lambda d_y: (d_y, {})
        kept = mode.drawn >= limit
        scale = kept.astype(x.dtype) / (1 - word.probability)
        return x * scale, lambda d_y: (d_y * scale, {})

    return forward
