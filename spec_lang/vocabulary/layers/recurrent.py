"""Recurrent layers: the same function at every step, with a state passed from step to step."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Bare, NameOf, Whole
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape

BACKWARDS = "reverse_"
"""The prefix of the arrays of a bidirectional layer that read from the end."""


class Recurrent(Layer):
    """A layer that reads a sequence step by step and keeps a state.

    `return=last` returns the state after the last step, `return=sequence` the state after every step. `reverse=yes`
    reads from the end. `bidirectional=yes` reads in both directions with separate weights and concatenates the states.
    Padding after a shorter sequence does not change the state.
    """

    mixes_samples = False
    mixes_steps = True
    skips_padding = True
    recurrent = True
    gate_names: ClassVar[tuple[str, ...]] = ("h",)  # blocks of N columns in the weights, in their order
    states: ClassVar[int] = 1  # vectors of N values passed from step to step
    units: Whole = Field(gt=0, description="the size of the state")
    return_: Literal["last", "sequence"] = Field(
        "last", alias="return", description="the state after the last step, or after every step"
    )
    reverse: bool = Field(False, description="whether to read from the end")
    bidirectional: bool = Field(False, description="whether to read in both directions and concatenate both states")
    bias: bool = Field(True, description="whether a learned bias is added to each output")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="the initializer of the weights; default: the spec's init"
    )

    @property
    def gates(self) -> int:
        """The number of blocks of N columns in the weights."""
        return len(self.gate_names)

    @property
    def directions(self) -> tuple[str, ...]:
        """The prefix of each direction's arrays, "" for the one that is not the second of two."""
        return ("", BACKWARDS) if self.bidirectional else ("",)

    def steps(self, shape: Shape) -> tuple[int, int]:
        """Return (time, features) of the input. Raises Misfit if it is not a sequence."""
        steps = shape.as_steps()
        if steps is not None:
            return steps
        what = "an image" if len(shape) == 3 else "a single number" if not shape else "a row of numbers"
        help = "write onehot or embed 16 before it where they are symbols, or reshape TIMExFEATURES"
        raise Misfit(f"{self.word} reads a sequence, time x features, and {shape} is {what}", help)

    def output_shape(self, shape: Shape) -> Shape:
        """Return (units,), or (time, units) with return=sequence; twice the units if bidirectional."""
        time, _ = self.steps(shape)
        if self.bidirectional and self.reverse:
            raise Misfit(f"a bidirectional {self.word} reads from both ends already", "leave reverse=yes out")
        features = self.units * len(self.directions)
        return Shape((time, features), sequence=True) if self.return_ == "sequence" else Shape((features,))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return input_weight (in, gates · units), hidden_weight (units, gates · units), bias (gates · units,).

        The hidden weights are initialized orthogonal, so that the state neither vanishes nor explodes over time
        (Saxe et al. 2014).
        """
        _, features = self.steps(shape)
        columns = self.gates * self.units
        arrays = {
            "input_weight": Parameter((features, columns), features, self.units, self.init),
            "hidden_weight": Parameter((self.units, columns), self.units, self.units, self.init or "orthogonal"),
            **({"bias": Parameter((columns,), init="zeros")} if self.bias else {}),
            **self.more_parameters(),
        }
        return {f"{direction}{name}": array for direction in self.directions for name, array in arrays.items()}

    def more_parameters(self) -> dict[str, Parameter]:
        """Return the arrays of one direction that this kind of layer adds."""
        return {}

    def carries(self, shape: Shape) -> int:
        """Return the size of the state, or 0 if the layer reads from the end: the next batch is not known there."""
        return 0 if self.reverse or self.bidirectional else self.states * self.units

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight, and one for each value of a gate, at every step."""
        time, features = self.steps(shape)
        columns = self.gates * self.units
        return time * len(self.directions) * columns * (2 * (features + self.units) + self.bias + 1)


class Rnn(Recurrent):
    """h' = tanh(x·W + h·U + b), or relu (Elman 1990). TxC → N, or TxN with return=sequence."""

    word = "rnn"
    examples = ("rnn 32", "rnn 16 relu return=sequence")
    units: Whole = Field(gt=0, description="the size of the state")
    activation: Annotated[Literal["tanh", "relu"], Bare(("name",), "relu")] = Field(
        "tanh", description="the activation function of the state"
    )


class Lstm(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), with a forget gate (Gers et al. 2000). TxC → N or TxN.

    The columns of the weights are the gates in the order i f g o.
    """

    word = "lstm"
    examples = ("lstm 32", "lstm 16 return=sequence bidirectional=yes")
    gate_names = ("i", "f", "g", "o")
    states = 2


class Gru(Recurrent):
    """Gated recurrent unit (Cho et al. 2014). TxC → N or TxN.

    As in PyTorch, the reset gate multiplies h·U + hidden_bias. The columns of the weights are
    the gates in the order r z n.
    """

    word = "gru"
    examples = ("gru 32", "gru 16 return=sequence reverse=yes")
    gate_names = ("r", "z", "n")

    def more_parameters(self) -> dict[str, Parameter]:
        """Return hidden_bias (units,), which is added to h·U before the reset gate."""
        return {"hidden_bias": Parameter((self.units,), init="zeros")} if self.bias else {}
