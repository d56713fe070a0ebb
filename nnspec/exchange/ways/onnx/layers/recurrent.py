"""Recurrent layers: the operators of ONNX, whose blocks of gates are in another order."""

from typing import NamedTuple

import numpy as np

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.layers.recurrent import Gru, Lstm, Pass, Recurrent, Rnn


class Operator(NamedTuple):
    """A recurrent operator: its name, and its gates by their names in the language, in its own order."""

    name: str
    gates: tuple[str, ...]


OPERATORS: dict[type[Recurrent], Operator] = {
    Rnn: Operator("RNN", ("h",)),
    Lstm: Operator("LSTM", ("i", "o", "f", "g")),
    Gru: Operator("GRU", ("z", "r", "n")),
}


@writes(*OPERATORS)
def recurrent(layer: Writing) -> Value:
    """One operator for each of the stacked layers, both directions in one."""
    word: Recurrent = layer.word
    steps = layer.tensor(Layout.STEPS)
    passes = word.passes(layer.shape)
    for level in range(word.layers):
        above = "" if level == word.layers - 1 else f"layer{level + 1}"
        steps, last = _level(layer, [one for one in passes if one.layer == level], steps, above)
    if word.return_ == "sequence":
        return layer.value(steps, Layout.STEPS)
    return layer.value(last, Layout.LAST)


def _level(layer: Writing, passes: list[Pass], steps: str, above: str) -> tuple[str, str]:
    """Return the states after every step, (time, batch, units), and the last ones, (batch, units), of a stacked layer.

    `above` is in the names of its nodes where another layer is stacked on it, which needs the states of every step.
    """
    word: Recurrent = layer.word
    operator = OPERATORS[type(word)]
    every = bool(above) or word.return_ == "sequence"
    prefix = f"layer{passes[0].layer + 1}_" if passes[0].layer else ""
    inputs = [steps, *_arrays(layer, operator, passes, prefix)]
    lengths = layer.add("Cast", [layer.lengths()], "lengths", to="int32") if layer.sequences is not None else ""
    carried = ("h", "c")[: word.states] if layer.stateful else ()
    states = [layer.state_in(f"{prefix}{name}", word.units) for name in carried]
    inputs += [lengths, *states]
    while not inputs[-1]:
        inputs.pop()
    names = [layer.called(f"{prefix}{name}") for name in ("every", "last", "memory")]
    outputs = [names[0] if every else ""]
    if not every or carried or layer.sequences is not None:
        outputs.append(names[1])
    if len(carried) > 1:
        outputs.append(names[2])
    directions = "bidirectional" if len(passes) > 1 else "reverse" if word.reverse else "forward"
    functions = {"activations": [word.activation.capitalize()] * len(passes)} if isinstance(word, Rnn) else {}
    layer.graph.add(
        operator.name,
        inputs,
        layer.called(above),
        outputs,
        hidden_size=word.units,
        direction=directions,
        linear_before_reset=1 if isinstance(word, Gru) else None,
        **functions,
    )
    made = [*layer.graph.operations[-1].outputs, "", ""]
    if layer.sequences is not None and (carried or isinstance(word, Rnn)):
        given = states or [layer.graph.constant("padding.zero", 0.0)]
        made[1 : 1 + len(given)] = _held(layer, prefix, made[1:], given)
    for name, state in zip(carried, made[1:], strict=False):
        layer.state_out(f"{prefix}{name}", word.units, state)
    shown = _every(layer, made[0], made[1], len(passes), above) if every else ""
    return shown, _last(layer, made[1], len(passes)) if not every else ""


def _held(layer: Writing, prefix: str, made: list[str], given: list[str]) -> list[str]:
    """Return the last states (1, batch, units), those given where all steps are padding.

    There operators have zeros, and RNN of ONNX Runtime 1.20 other numbers.
    """
    none = layer.graph.integers("lengths.none", 0)
    some = layer.add("Greater", [layer.lengths(), none], f"{prefix}some")
    some = layer.add("Unsqueeze", [some, layer.integers("around", [0, 2])], f"{prefix}read")
    return [layer.add("Where", [some, *pair], f"{prefix}kept") for pair in zip(made, given, strict=False)]


def _arrays(layer: Writing, operator: Operator, passes: list[Pass], prefix: str) -> list[str]:
    """Return W (directions, gates · units, in), R (directions, gates · units, units) and B, both biases in a row."""
    word: Recurrent = layer.word
    order = [word.gate_names.index(gate) for gate in operator.gates]

    def turned(array: Array) -> Array:
        """(in, gates · units) → (gates · units, in), the gates in the operator's order."""
        blocks = array.reshape(-1, word.gates, word.units)[:, order]
        return blocks.reshape(len(array), -1).T

    def named(name: str, arrays: list[Array]) -> str:
        return layer.graph.constant(layer.called(f"{prefix}{name}"), np.stack(arrays))

    made = [
        named(name, [turned(layer.numbers(f"{one.prefix}{name}")) for one in passes])
        for name in ("input_weight", "hidden_weight")
    ]
    if not word.bias:
        return made
    biases = []
    for one in passes:
        hidden = np.zeros((word.gates, word.units))
        if isinstance(word, Gru):  # the one that is added to h·U before the reset gate
            hidden[-1] = layer.numbers(f"{one.prefix}hidden_bias")
        own = turned(layer.numbers(f"{one.prefix}bias")[None]).reshape(-1)
        biases.append(np.concatenate([own, hidden.reshape(-1)]))
    return [*made, named("bias", biases)]


def _every(layer: Writing, every: str, last: str, directions: int, above: str) -> str:
    """Return (time, batch, directions · units) of (time, directions, batch, units).

    At padded steps, where the operator has zeros, the layer has its last state, or zeros where it reads from the end.
    """
    word: Recurrent = layer.word
    before = f"{above}_" if above else ""
    if layer.sequences is not None and not word.reverse:
        axis = layer.integers("direction_axis", [1])
        real = layer.add("Unsqueeze", [layer.real(Layout.STEPS), axis], f"{before}real")  # (time, 1, batch, 1)
        if directions == 2:
            ahead = layer.constant("forwards", np.array([1.0, 0.0]).reshape(2, 1, 1))
            last = layer.add("Mul", [last, ahead], f"{before}forward_state")
        every = layer.add("Where", [real, every, last], f"{before}held")
    if directions == 1:
        return layer.add("Squeeze", [every, layer.integers("direction", [1])], f"{before}states")
    together = layer.add("Transpose", [every], f"{before}by_step", perm=[0, 2, 1, 3])
    shape = layer.integers("both", [0, 0, 2 * word.units])
    return layer.add("Reshape", [together, shape], f"{before}states")


def _last(layer: Writing, last: str, directions: int) -> str:
    """Return (batch, directions · units) of (directions, batch, units)."""
    if directions == 1:
        return layer.add("Squeeze", [last, layer.integers("direction", [0])], "state")
    together = layer.add("Transpose", [last], "by_sample", perm=[1, 0, 2])
    return layer.reshaped(together, [2 * layer.word.units], "state")
