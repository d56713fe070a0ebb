"""The arithmetic of the layers, one family a file: what a layer computes forward, and what it hands back.

A layer is a function of its word, the shape of one input and its arrays, and gives a forward; a forward gives its
output and its backward, which holds all that it needs to remember. There is no other state, and no layer knows its
neighbours.

    @implements(Scale)
    def scale(word: Scale, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
        def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
            weight = arrays["weight"]
            return x * weight, lambda d_y: (d_y * weight, {"weight": sum_of_places(d_y * x)})

        return forward

This is the definition of each layer. A faster form, where the compiler has one, is tested against it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.registry import Word
from nnspec.spec_lang.vocabulary.shape import Shape


@dataclass(frozen=True)
class Mode:
    """Training or inference, and the stream that dropout draws from; without a stream dropout is left out.

    `padding` (batch,) tells how many steps at the end of each sequence are no steps of it, where lengths differ.
    `strided` holds by name, for layers behind a convolution that skips steps, their padding by that number; `left` is
    that of the layer at hand. `states` holds by name what each layer carries from one batch to the next, (batch,
    numbers); it moves on in place. `state` is that of the layer at hand, None where it begins with zeros.
    """

    training: bool = False
    random: np.random.Generator | None = None
    padding: Array | None = None
    states: Mapping[str, Array] = field(default_factory=dict)
    state: Array | None = None
    strided: Mapping[str, Array] = field(default_factory=dict)
    left: Array | None = None

    def real(self, time: int) -> Array | None:
        """Which of so many steps are no padding, (batch, time); None where all are real."""
        behind = self.behind
        if behind is None or not behind.any():
            return None
        steps: Array = np.arange(time) < time - behind[:, None]
        return steps

    @property
    def behind(self) -> Array | None:
        """How many steps of padding stand behind each sequence where the layer at hand reads it, (batch,)."""
        return self.padding if self.padding is None or self.left is None else self.left[self.padding]

    def of(self, name: str) -> "Mode":
        """The mode for a layer of this name: with the state that it carries and the padding that reaches it."""
        if name not in self.states and name not in self.strided:
            return self
        return replace(self, state=self.states.get(name), left=self.strided.get(name))


Backward = Callable[[Array], tuple[Array, dict[str, Array]]]
"""The gradient of the output → the gradient of the input, and those of the parameters by name."""

Forward = Callable[[Array, Mode], tuple[Array, Backward]]
"""The input (batch, …) and the mode → the output (batch, …) and the backward of this very call."""

LAYERS: Registry[Callable[[Any, Shape, Mapping[str, Array]], Forward]] = Registry(__name__)
"""Every layer's arithmetic, by its class of word."""

implements = LAYERS.implements


def build(word: Word, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """The forward of a layer for samples of this shape (without the batch).

    `arrays` holds the layer's parameters and buffers by name. They are read at each call, so that a trainer may change
    them in place; batchnorm changes its own buffers. A weighted layer's activation is no part of it: it is a layer that
    follows, `word.activate()`. A forward keeps the type of its input, float32 or float64, where the arrays have it too.
    What it gives may be a view of what it was given; neither may be changed before the backward has run.

    Raises KeyError for a word that no module here computes.
    """
    return LAYERS[type(word)](word, shape, arrays)
