"""The fully connected layer."""

from collections.abc import Mapping

from nnspec.runtime.arrays import Array, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(Dense)
def dense(word: Dense, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = x·W + b, where x is a flat sample, or each step of a sequence."""
    inputs, outputs = word.reads(shape), word.output_shape(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, …, in) → (batch, out), or (batch, time, out) of a sequence."""
        weight = arrays["weight"]  # (in, out)
        rows = x.reshape(-1, inputs)  # (batch, in), or (batch * time, in)
        y = rows @ weight
        if word.bias:
            y += arrays["bias"]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_rows = d_y.reshape(-1, word.units)
            d_weight = rows.T @ d_rows
            gradients = {"weight": d_weight, "bias": sum_of_places(d_rows)} if word.bias else {"weight": d_weight}
            return (d_rows @ weight.T).reshape(x.shape), gradients

        return y.reshape(-1, *outputs), backward

    return forward
