"""Recurrent layers: the same step again and again, each one told what the step before it made."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Bare, NameOf, Whole
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape

BACKWARDS = "reverse_"
"""What the names of a bidirectional layer's second set of arrays begin with."""


class Recurrent(Layer):
    """A layer that reads a sequence step by step and keeps a state.

    `return=last` gives the state behind the last step, `return=sequence` one for every step. `reverse=yes` reads from
    the end; `bidirectional=yes` reads both ways, each with weights of its own, and gives both states beside each other.
    Steps of padding behind a shorter sequence change no state.
    """

    gates: ClassVar[int] = 1  # blocks of N columns in the weights
    states: ClassVar[int] = 1  # vectors of N numbers handed from step to step
    units: Whole = Field(gt=0, description="how many numbers the state has")
    return_: Literal["last", "sequence"] = Field(
        "last", alias="return", description="the state behind the last step, or one for every step"
    )
    reverse: bool = Field(False, description="whether it reads from the end")
    bidirectional: bool = Field(False, description="whether it reads both ways and gives both states side by side")
    bias: bool = Field(True, description="whether a learnt number is added to each output")
    init: Annotated[str | None, NameOf("init")] = Field(
        None, description="how the weights begin, instead of the spec's init"
    )

    @property
    def directions(self) -> tuple[str, ...]:
        """The beginnings of the names of each direction's arrays: one, or two that read both ways."""
        return ("", BACKWARDS) if self.bidirectional else ("",)

    def steps(self, shape: Shape) -> tuple[int, int]:
        """Time and features of what comes in; raises Misfit where it is no sequence."""
        steps = shape.as_steps()
        if steps is not None:
            return steps
        what = "an image" if len(shape) == 3 else "a single number" if not shape else "a row of numbers"
        help = "write onehot or embed 16 before it where they are symbols, or reshape TIMExFEATURES"
        raise Misfit(f"{self.word} reads a sequence, time x features, and {shape} is {what}", help)

    def output_shape(self, shape: Shape) -> Shape:
        """(units,), or (time, units) where every step is wanted; twice the units of both directions."""
        time, _ = self.steps(shape)
        if self.bidirectional and self.reverse:
            raise Misfit(f"a bidirectional {self.word} reads from both ends already", "leave reverse=yes out")
        features = self.units * len(self.directions)
        return Shape((time, features), sequence=True) if self.return_ == "sequence" else Shape((features,))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """input_weight (in, gates · units), hidden_weight (units, gates · units), bias (gates · units,).

        The hidden weights begin orthogonal (Saxe et al. 2014), so that a state neither dies nor explodes over time.
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
        """Arrays of one direction beside the usual ones."""
        return {}

    def carries(self, shape: Shape) -> int:
        """Its state; none where it reads from the end, for what follows is not known there."""
        return 0 if self.reverse or self.bidirectional else self.states * self.units

    def flops(self, shape: Shape) -> int:
        """Two for each weight, and one for each gate's function, at every step."""
        time, features = self.steps(shape)
        columns = self.gates * self.units
        return time * len(self.directions) * columns * (2 * (features + self.units) + self.bias + 1)


class Rnn(Recurrent):
    """h' = tanh(x·W + h·U + b), or relu (Elman 1990). TxC → N, or TxN with return=sequence."""

    word = "rnn"
    examples = ("rnn 32", "rnn 16 relu return=sequence")
    units: Whole = Field(gt=0, description="how many numbers the state has")
    activation: Annotated[Literal["tanh", "relu"], Bare(("name",), "relu")] = Field(
        "tanh", description="the function of the state"
    )


class Lstm(Recurrent):
    """A cell that gates write, keep and show (Hochreiter & Schmidhuber 1997; the forget gate by Gers et al. 2000).

    Gates stand side by side in the order i f g o.
    """

    word = "lstm"
    examples = ("lstm 32", "lstm 16 return=sequence bidirectional=yes")
    gates = 4
    states = 2


class Gru(Recurrent):
    """A state that a gate renews in part (Cho et al. 2014), as PyTorch computes it: the reset gate stands before h·U.

    Gates stand side by side in the order r z n. Inside the reset gate n has a bias of its own, `hidden_bias`.
    """

    word = "gru"
    examples = ("gru 32", "gru 16 return=sequence reverse=yes")
    gates = 3

    def more_parameters(self) -> dict[str, Parameter]:
        """hidden_bias (units,): what n adds to h·U before the reset gate."""
        return {"hidden_bias": Parameter((self.units,), init="zeros")} if self.bias else {}
