"""The arithmetic of the layers, one family a file: what a layer computes forward, and its gradients.

A layer is a function of its word, the shape of one input and its arrays. It returns a forward; a forward returns its
output and its backward, which holds all that it needs to remember. There is no other state, and no layer knows its
neighbours.

    @implements(Scale)
    def scale(word: Scale, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
        def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
            weight = arrays["weight"]
            return x * weight, lambda d_y: (d_y * weight, {"weight": sum_of_places(d_y * x)})

        return forward

This is the definition of each layer. A faster form, where the compiler has one, is tested against it. What others need
to know of a layer, such as whether it mixes samples, its word declares: see `Layer` in the vocabulary. Merges are
layers of several inputs: see merge.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


@dataclass(frozen=True)
class Mode:
    """Training or inference, and what a call has of each layer: its random numbers, its state, its padding.

    `padding` (batch,) counts the padded steps at the end of each sequence as the samples have them. `strided` maps that
    number, by layer, to the padded steps that reach the layer, where a convolution before it skips steps; `left` is the
    entry of the layer at hand. `states` are what layers carry from one batch to the next, (batch, numbers) by layer,
    changed in place; `state` is that of the layer at hand, None where it begins with zeros. `draws` are the uniform
    random numbers, (batch, *shape) by layer; `drawn` are those of the layer at hand, None where nothing is drawn.
    """

    training: bool = False
    padding: Array | None = None
    states: Mapping[str, Array] = field(default_factory=dict)
    state: Array | None = None
    strided: Mapping[str, Array] = field(default_factory=dict)
    left: Array | None = None
    draws: Mapping[str, Array] = field(default_factory=dict)
    drawn: Array | None = None

    def real(self, time: int) -> Array | None:
        """Return which steps of a sequence of this length are not padding, (batch, time); None where all are real."""
        behind = self.behind
        if behind is None or not behind.any():
            return None
        steps: Array = np.arange(time) < time - behind[:, None]
        return steps

    @property
    def behind(self) -> Array | None:
        """The padded steps at the end of each sequence where the layer at hand reads it, (batch,)."""
        return self.padding if self.padding is None or self.left is None else self.left[self.padding]

    def at_inference(self) -> "Mode":
        """Return the mode in which a layer computes as at inference."""
        return replace(self, training=False)

    def of(self, name: str) -> "Mode":
        """Return the mode for the layer of this name: with its state, its random numbers and its padding."""
        if not (name in self.states or name in self.strided or name in self.draws):
            return self
        state, left, drawn = self.states.get(name), self.strided.get(name), self.draws.get(name)
        return replace(self, state=state, left=left, drawn=drawn)


Backward = Callable[[Array], tuple[Array, dict[str, Array]]]
"""The gradient of the output → the gradient of the input, and those of the parameters by name."""

Forward = Callable[[Array, Mode], tuple[Array, Backward]]
"""The input (batch, …) and the mode → the output (batch, …) and the backward of this very call."""

MergeBackward = Callable[[Array], tuple[Sequence[Array], dict[str, Array]]]
"""The gradient of the output → the gradients of the inputs, and those of the parameters by name."""

MergeForward = Callable[[Sequence[Array], Mode], tuple[Array, MergeBackward]]
"""The inputs (batch, …) and the mode → the output (batch, …) and the backward of this very call."""

LAYERS: Registry[Callable[[Any, Shape, Mapping[str, Array]], Forward]] = Registry(__name__)
"""The arithmetic of every layer of one input, by its class of word."""

MERGES: Registry[Callable[[Any, Sequence[Shape], Mapping[str, Array]], MergeForward]] = Registry(__name__)
"""The arithmetic of every merge, by its class of word."""

implements = LAYERS.implements
implements_merge = MERGES.implements


def build(word: Layer, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """Return the forward of a layer for samples of this shape (without the batch).

    `arrays` holds the layer's parameters and buffers by name. They are read at each call, so that a trainer may change
    them in place; batchnorm changes its own buffers. A weighted layer's activation is not part of it: it is a layer of
    its own that follows, `word.activations()`. The output has the type of the input, float32 or float64, which the
    arrays have too. Its output may be a view of its input; neither may be changed before the backward has run.

    Raises KeyError for a word that no module here computes.
    """
    function = LAYERS[type(word)]
    if word.mixes_steps is False or word.skips_padding or not same_for_any_length(word, shape):
        return function(word, shape, arrays)
    return _each_by_itself(function, word, shape, arrays)


def build_merge(word: Layer, shapes: Sequence[Shape], arrays: Mapping[str, Array]) -> MergeForward:
    """Return the forward of a merge of inputs of these shapes. Raises KeyError for one that no module here computes."""
    return MERGES[type(word)](word, shapes, arrays)


def same_for_any_length(word: Layer, shape: Shape) -> bool:
    """Return whether a layer computes a shorter sequence with the same arrays, into as many features."""
    if not shape.sequence or shape[0] < 2:
        return False
    shorter = Shape((shape[0] - 1, *shape[1:]), sequence=True)
    try:
        whole, part = word.output_shape(shape), word.output_shape(shorter)
        same = word.parameters(shape) == word.parameters(shorter) and word.buffers(shape) == word.buffers(shorter)
    except Misfit:
        return False
    return same and whole[whole.sequence :] == part[part.sequence :]


def _each_by_itself(
    function: Callable[[Any, Shape, Mapping[str, Array]], Forward],
    word: Layer,
    shape: Shape,
    arrays: Mapping[str, Array],
) -> Forward:
    """Return the forward of a layer that knows no padding: each sequence is computed without its padded steps.

    Sequences of one length are computed together. Outputs at padded steps are zeros, and padded steps get no gradient.
    """
    whole = function(word, shape, arrays)
    output = word.output_shape(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        real = mode.real(shape[0])
        if real is None:
            return whole(x, mode)
        lengths = real.sum(axis=1)
        y = np.zeros((len(x), *output), x.dtype)
        parts = []
        for length in np.unique(lengths[lengths > 0]).tolist():
            rows, short = np.flatnonzero(lengths == length), Shape((length, *shape[1:]), sequence=True)
            try:
                steps = word.output_shape(short)[0] if output.sequence else None
            except Misfit:  # the sequence is shorter than what the layer looks at
                continue
            own = _mode_of_rows(mode, rows, word.draws(short))
            y[rows, :steps], backward = function(word, short, arrays)(x[rows, :length], own)
            if own.state is not None and mode.state is not None:
                mode.state[rows] = own.state
            parts.append((rows, length, steps, backward))

        def back(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_x = np.zeros_like(x)
            gradients = {name: np.zeros_like(arrays[name]) for name in word.parameters(shape)}
            for rows, length, steps, backward in parts:
                d_x[rows, :length], own = backward(d_y[rows, :steps])
                for name, gradient in own.items():
                    gradients[name] += gradient
            return d_x, gradients

        return y, back

    return forward


def _mode_of_rows(mode: Mode, rows: Array, draws: Shape | None) -> Mode:
    """Return the mode for some samples that have no padding, with the random numbers that these need."""
    drawn = None
    if mode.drawn is not None and draws is not None:
        drawn = mode.drawn[rows][(slice(None), *map(slice, draws))]
    return replace(mode, padding=None, left=None, drawn=drawn, state=None if mode.state is None else mode.state[rows])
