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

    Inverted dropout (Srivastava et al. 2014): the mean of y is x, so inference needs no rescaling. The draws are
    float32 for either type of x, so that both leave out the same numbers.
    """

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        if not mode.training or mode.random is None or word.probability == 0:
            return x, lambda d_y: (d_y, {})
        kept = mode.random.random(x.shape, dtype=np.float32) >= word.probability
        scale = kept.astype(x.dtype) / (1 - word.probability)
        return x * scale, lambda d_y: (d_y * scale, {})

    return forward
