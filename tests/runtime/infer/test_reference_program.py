"""Networks as they are defined: the gradient of the loss is its slope, through blocks, repeats and branches."""

import numpy as np
import pytest

from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.layers import Mode
from tests.runtime.compiler.both import Array, Both

NETWORKS = {
    "residual": (
        "block res(w) = (conv 3x3 x$w pad=same bias=no -> batchnorm -> tanh -> conv 1x1 x$w + skip) -> softplus\n"
        "input 4x4x1 -> conv 2x2 x2 -> repeat 2 (res 2) -> globalavgpool -> dense 3 softmax"
    ),
    "inception": (
        "block mix(a) = (conv 1x1 x$a | conv 1x1 x2 -> conv 3x3 x$a pad=same tanh | avgpool 3 stride=1 pad=same)\n"
        "input 4x4x2 -> mix 2 -> maxpool 2 -> mix 1 -> dense 3 softmax"
    ),
    "nested": "input 3 -> repeat 2 ((dense 3 tanh | repeat 2 (dense 2 -> (tanh + skip))) -> dense 3) -> sigmoid",
}


@pytest.mark.parametrize("text", NETWORKS.values(), ids=NETWORKS)
def test_the_gradient_of_every_parameter_is_the_slope_of_the_loss(text: str) -> None:
    both = Both.of(text)
    batch, flat = both.batch(3), both.network.parameter_arena.flat
    program = both.network.program

    def loss(parameters: Array) -> float:
        flat[...] = parameters
        z, _ = program.forward(batch.x, Mode(training=True))
        return program.loss(z, batch.y)[0]

    analytic = both.plain(batch).gradients
    assert np.count_nonzero(analytic) > 0.8 * analytic.size
    gradient_check(loss, flat.copy(), analytic, "the parameters")
