"""Recurrent layers: the same function at every step, with a state passed from step to step."""

from math import ceil
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Tied
from nnspec.spec_lang.vocabulary.markers import Bare, NameOf, Whole
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape

BACKWARDS = "reverse_"
"""The prefix of the arrays of a bidirectional layer that read from the end."""

MOST_STACKED = 64
"""The largest value of `layers=`."""


class Pass(NamedTuple):
    """One direction of one of the stacked layers of a recurrent layer."""

    layer: int  # from 0
    direction: str  # BACKWARDS for the second of two, else ""
    prefix: str  # of its arrays
    features: int  # of a step that it reads
    input_mask: slice  # its part of the masks, empty where none is drawn
    state_mask: slice


class Masks(NamedTuple):
    """How the random numbers of a training step, (rows + time, width) for a sample, are used.

    The first `rows` rows hold a number for each number of a mask, which is one for all steps of a sequence. Row
    rows + t, where `between` is not 0, has those of step t for the numbers between stacked layers.
    """

    rows: int
    width: int
    between: int  # numbers of a step between two stacked layers


class Recurrent(Tied):
    """A layer that reads a sequence step by step and keeps a state.

    `return=last` returns the state after the last step, `return=sequence` the state after every step. `reverse=yes`
    reads from the end. `bidirectional=yes` reads in both directions with separate weights and concatenates the states.
    Padding after a shorter sequence does not change the state.

    `layers=2` stacks two of them: the second reads the states of the first after every step. While training,
    `dropout=` drops numbers between stacked layers, at each step others, as PyTorch's. `input_dropout=` and
    `recurrent_dropout=` drop inputs of each layer, and numbers of the state where it meets hidden_weight, the same ones
    at every step of a sequence (Gal & Ghahramani 2016), as Keras's `dropout` and `recurrent_dropout`.
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
    layers: int = Field(1, gt=0, le=MOST_STACKED, description="how many are stacked, each with weights of its own")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="the probability of dropping a number between two stacked layers in training"
    )
    input_dropout: float = Field(
        0.0, ge=0, lt=1, description="that of dropping an input for a whole sequence in training"
    )
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="that of dropping a number of the state for a whole sequence in training"
    )
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

    def passes(self, shape: Shape) -> tuple[Pass, ...]:
        """Return every direction of every stacked layer, in the order of their arrays."""
        _, features = self.steps(shape)
        found: list[Pass] = []
        start = 0
        for layer in range(self.layers):
            for direction in self.directions:
                prefix = f"{f'layer{layer + 1}_' if layer else ''}{direction}"
                inputs, states = features * (self.input_dropout > 0), self.units * (self.recurrent_dropout > 0)
                masks = slice(start, start + inputs), slice(start + inputs, start + inputs + states)
                found.append(Pass(layer, direction, prefix, features, *masks))
                start += inputs + states
            features = self.units * len(self.directions)
        return tuple(found)

    def masks(self, shape: Shape) -> Masks:
        """Return how the random numbers of a training step are used."""
        between = self.units * len(self.directions) if self.dropout > 0 and self.layers > 1 else 0
        numbers = self.passes(shape)[-1].state_mask.stop
        width = between * (self.layers - 1) or numbers
        return Masks(ceil(numbers / width) if width else 0, width, between)

    def draws(self, shape: Shape) -> Shape | None:
        """The masks of a sequence, and a number for each number between stacked layers at each step."""
        masks = self.masks(shape)
        rows = masks.rows + (shape[0] if masks.between else 0)
        return Shape((rows, masks.width)) if masks.width else None

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
        if self.dropout > 0 and self.layers == 1:
            help = f"write layers=2, recurrent_dropout={self.dropout:g}, or -> dropout {self.dropout:g} after the layer"
            raise Misfit(f"dropout= acts between stacked layers, and this {self.word} is a single one", help)
        features = self.units * len(self.directions)
        return Shape((time, features), sequence=True) if self.return_ == "sequence" else Shape((features,))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return input_weight (in, gates · units), hidden_weight (units, gates · units), bias (gates · units,).

        Those of the second direction begin with reverse_, those of the second of stacked layers with layer2_. The
        hidden weights are initialized orthogonal, so that the state neither vanishes nor explodes over time
        (Saxe et al. 2014).
        """
        return {f"{one.prefix}{name}": a for one in self.passes(shape) for name, a in self._arrays(one).items()}

    def _arrays(self, one: Pass) -> dict[str, Parameter]:
        columns = self.gates * self.units
        return {
            "input_weight": Parameter((one.features, columns), one.features, self.units, self.init),
            "hidden_weight": Parameter((self.units, columns), self.units, self.units, self.init or "orthogonal"),
            **({"bias": Parameter((columns,), init="zeros")} if self.bias else {}),
            **self.more_parameters(),
        }

    def more_parameters(self) -> dict[str, Parameter]:
        """Return the arrays of one direction that this kind of layer adds."""
        return {}

    def carries(self, shape: Shape) -> int:
        """Return the size of all states, or 0 if the layer reads from the end: the next batch is not known there."""
        return 0 if self.reverse or self.bidirectional else self.layers * self.states * self.units

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight, and one for each value of a gate, at every step."""
        time, _ = self.steps(shape)
        columns = self.gates * self.units
        return sum(time * columns * (2 * (one.features + self.units) + self.bias + 1) for one in self.passes(shape))


class Rnn(Recurrent):
    """h' = tanh(x·W + h·U + b), or relu (Elman 1990). TxC → N, or TxN with return=sequence."""

    word = "rnn"
    examples = ("rnn 32", "rnn 16 relu return=sequence", "rnn 8 layers=3 dropout=0.2 recurrent_dropout=0.1")
    units: Whole = Field(gt=0, description="the size of the state")
    activation: Annotated[Literal["tanh", "relu"], Bare(("name",), "relu")] = Field(
        "tanh", description="the activation function of the state"
    )


class Lstm(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), with a forget gate (Gers et al. 2000). TxC → N or TxN.

    The columns of the weights are the gates in the order i f g o.
    """

    word = "lstm"
    examples = (
        "lstm 32",
        "lstm 16 return=sequence bidirectional=yes",
        "lstm 16 layers=2 dropout=0.3 return=sequence bidirectional=yes",
    )
    gate_names = ("i", "f", "g", "o")
    states = 2


class Gru(Recurrent):
    """Gated recurrent unit (Cho et al. 2014). TxC → N or TxN.

    As in PyTorch, the reset gate multiplies h·U + hidden_bias. The columns of the weights are
    the gates in the order r z n.
    """

    word = "gru"
    examples = (
        "gru 32",
        "gru 16 return=sequence reverse=yes",
        "gru 16 input_dropout=0.2 recurrent_dropout=0.3 return=sequence",
    )
    gate_names = ("r", "z", "n")

    def more_parameters(self) -> dict[str, Parameter]:
        """Return hidden_bias (units,), which is added to h·U before the reset gate."""
        return {"hidden_bias": Parameter((self.units,), init="zeros")} if self.bias else {}
