"""Recurrent layers: one loop over time for all of them, and a cell for each: one step and its backward."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from nnspec.runtime.arrays import Array, sigmoid, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.recurrent import BACKWARDS, Gru, Lstm, Pass, Recurrent, Rnn
from nnspec.spec_lang.vocabulary.shape import Shape

Memory = tuple[Array, ...]


class CellGradients(NamedTuple):
    """The gradients of one step: of x·W + b, of the product h·U, and of the state other than through h·U."""

    d_drive: Array  # (batch, gates * units)
    d_product: Array  # (batch, gates * units)
    d_state: Array  # (batch, states * units)


class RecurrentCell(Protocol):
    """One step of a recurrent layer. The first `units` numbers of a state are h, the output of the layer."""

    def forward(self, drive: Array, product: Array, state: Array) -> tuple[Array, Memory]:
        """Map x·W + b and h·U, (batch, gates * units) each, and a state to the next state and the backward's memory."""

    def backward(self, memory: Memory, d_next: Array) -> CellGradients:
        """Map the gradient of the next state to the gradients of what the step was given."""

    def own_gradients(self, d_drive: Array, d_product: Array) -> dict[str, Array]:
        """Return the gradients of the cell's own arrays from those of all steps (time, batch, gates * units)."""


class _RnnCell:
    """h' = f(a), a = x·W + b + h·U; f is tanh, with f' = 1 − h'², or relu, with f' = 1 where h' > 0."""

    def __init__(self, word: Rnn, arrays: Mapping[str, Array]):
        self.tanh = word.activation == "tanh"

    def forward(self, drive: Array, product: Array, state: Array) -> tuple[Array, Memory]:
        sums = drive + product
        h = np.tanh(sums) if self.tanh else np.maximum(sums, 0)
        return h, (h,)

    def backward(self, memory: Memory, d_next: Array) -> CellGradients:
        (h,) = memory
        d_sums = d_next * (1 - h * h) if self.tanh else d_next * (h > 0)
        return CellGradients(d_sums, d_sums, np.zeros_like(d_next))

    def own_gradients(self, d_drive: Array, d_product: Array) -> dict[str, Array]:
        return {}


class _LstmCell:
    """c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'); i f g o are the blocks of x·W + b + h·U; the state is (h, c)."""

    def __init__(self, word: Lstm, arrays: Mapping[str, Array]):
        self.units = word.units

    def forward(self, drive: Array, product: Array, state: Array) -> tuple[Array, Memory]:
        i, f, g, o = np.split(drive + product, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = state[:, self.units :]
        c_next = f * c + i * g
        shown = np.tanh(c_next)
        return np.concatenate([o * shown, c_next], axis=1), (i, f, g, o, c, shown)

    def backward(self, memory: Memory, d_next: Array) -> CellGradients:
        i, f, g, o, c, shown = memory
        d_h, d_c = d_next[:, : self.units], d_next[:, self.units :]
        d_c = d_c + d_h * o * (1 - shown * shown)
        blocks = (
            d_c * g * i * (1 - i),
            d_c * c * f * (1 - f),
            d_c * i * (1 - g * g),
            d_h * shown * o * (1 - o),
        )
        d_sums = np.concatenate(blocks, axis=1)
        return CellGradients(d_sums, d_sums, np.concatenate([np.zeros_like(d_h), d_c * f], axis=1))

    def own_gradients(self, d_drive: Array, d_product: Array) -> dict[str, Array]:
        return {}


class _GruCell:
    """h' = (1 − z)·n + z·h; r = σ(x·W + h·U), z = σ(x·W + h·U), n = tanh(x·W + r·(h·U + hidden_bias)), by blocks.

    The biases of r and z, and the first of n, are part of x·W + b. PyTorch has two biases for each gate; only for n do
    they differ.
    """

    def __init__(self, word: Gru, arrays: Mapping[str, Array]):
        self.units = word.units
        self.hidden_bias = arrays.get("hidden_bias")

    def forward(self, drive: Array, product: Array, state: Array) -> tuple[Array, Memory]:
        gates = sigmoid(drive[:, : 2 * self.units] + product[:, : 2 * self.units])
        r, z = gates[:, : self.units], gates[:, self.units :]
        recalled = product[:, 2 * self.units :]
        if self.hidden_bias is not None:
            recalled = recalled + self.hidden_bias
        n = np.tanh(drive[:, 2 * self.units :] + r * recalled)
        return n + z * (state - n), (r, z, n, recalled, state)

    def backward(self, memory: Memory, d_next: Array) -> CellGradients:
        r, z, n, recalled, state = memory
        d_n = d_next * (1 - z) * (1 - n * n)
        d_z = d_next * (state - n) * z * (1 - z)
        d_r = d_n * recalled * r * (1 - r)
        d_drive = np.concatenate([d_r, d_z, d_n], axis=1)
        d_product = np.concatenate([d_r, d_z, d_n * r], axis=1)
        return CellGradients(d_drive, d_product, d_next * z)

    def own_gradients(self, d_drive: Array, d_product: Array) -> dict[str, Array]:
        if self.hidden_bias is None:
            return {}
        return {"hidden_bias": sum_of_places(d_product[..., 2 * self.units :])}


_CELLS: dict[type[Recurrent], type[_RnnCell] | type[_LstmCell] | type[_GruCell]] = {
    Rnn: _RnnCell,
    Lstm: _LstmCell,
    Gru: _GruCell,
}


@implements(*_CELLS)
def recurrent(word: Recurrent, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """The states of a sequence, beginning with zeros or with the state that `mode` carries, which is updated in place.

    x·W + b is one matrix product for all steps, and so is the gradient of each weight; only h·U depends on the step
    before. A padded step does not change the state and gets no gradient. Of stacked layers each reads the states of the
    one before. Where a mask drops numbers of h, U meets h · mask, and the rest of the cell h itself.
    """
    levels = [[one for one in word.passes(shape) if one.layer == layer] for layer in range(word.layers)]

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, time, in) → (batch, out), or (batch, time, out)."""
        steps = x.swapaxes(0, 1)  # (time, batch, in)
        real = mode.real(len(steps))
        real = real.T[..., None] if real is not None else None  # (time, batch, 1)
        drop = _Drop(word, shape, mode.drawn, x.dtype)
        passes: list[list[_Pass]] = []
        for level in levels:
            if passes:
                steps = np.concatenate([p.shown for p in passes[-1]], axis=-1) * drop.between(len(passes))
            passes.append([_Pass(word, one, arrays, steps, real, drop, mode.state) for one in level])
        if word.return_ == "sequence":
            y = np.concatenate([p.shown for p in passes[-1]], axis=-1).swapaxes(0, 1)
        else:
            y = np.concatenate([p.last for p in passes[-1]], axis=-1)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            gradients: dict[str, Array] = {}
            every = word.return_ == "sequence"
            for number, level in reversed(list(enumerate(passes))):
                d_steps = np.zeros(level[0].steps.shape, x.dtype)
                for place, one in enumerate(level):
                    columns = slice(place * word.units, (place + 1) * word.units)
                    d_x, own = one.backward(d_y[..., columns], every)
                    d_steps += d_x
                    gradients |= own
                d_y, every = (d_steps * drop.between(number)).swapaxes(0, 1), True
            return d_y, gradients

        return y, backward

    return forward


class _Drop:
    """The factors of what is dropped: 0, or 1 / (1 − p) where a number is kept, and 1 where nothing is drawn."""

    def __init__(self, word: Recurrent, shape: Shape, drawn: Array | None, dtype: np.dtype):
        self.word, self.drawn, self.dtype, self.masks = word, drawn, dtype, word.masks(shape)

    def mask(self, part: slice, probability: float) -> Array | None:
        """Return the factors of one mask, (batch, numbers); None where it drops nothing."""
        if self.drawn is None or part.start == part.stop:
            return None
        numbers = self.drawn[:, : self.masks.rows].reshape(len(self.drawn), -1)
        return self._factors(numbers[:, part], probability)

    def between(self, layer: int) -> Array | float:
        """Return the factors of what a stacked layer reads, (time, batch, numbers)."""
        if self.drawn is None or not self.masks.between or layer == 0:
            return 1.0
        columns = slice((layer - 1) * self.masks.between, layer * self.masks.between)
        return self._factors(self.drawn[:, self.masks.rows :, columns].swapaxes(0, 1), self.word.dropout)

    def _factors(self, numbers: Array, probability: float) -> Array:
        factors: Array = (numbers >= np.float32(probability)).astype(self.dtype) / (1 - probability)
        return factors


class _Pass:
    """One direction of one layer over a sequence."""

    def __init__(
        self,
        word: Recurrent,
        one: Pass,
        all_arrays: Mapping[str, Array],
        steps: Array,
        real: Array | None,
        drop: _Drop,
        states: Array | None,
    ):
        arrays = {name: all_arrays[f"{one.prefix}{name}"] for name in _array_names(word)}
        self.word, self.prefix, self.arrays, self.real = word, one.prefix, arrays, real
        self.input_mask = drop.mask(one.input_mask, word.input_dropout)
        self.state_mask = drop.mask(one.state_mask, word.recurrent_dropout)
        self.steps = steps = steps if self.input_mask is None else steps * self.input_mask
        carried = None
        if states is not None:
            carried = states[:, one.layer * word.states * word.units :][:, : word.states * word.units]
        time, batch, features = steps.shape
        backwards = word.reverse or one.direction == BACKWARDS
        self.order = range(time - 1, -1, -1) if backwards else range(time)
        self.cell: RecurrentCell = _CELLS[type(word)](word, arrays)  # type: ignore[arg-type]
        drive = (steps.reshape(-1, features) @ arrays["input_weight"]).reshape(time, batch, -1)
        if word.bias:
            drive += arrays["bias"]
        weight = arrays["hidden_weight"]  # (units, gates * units)
        units = word.units
        state = np.zeros((batch, word.states * units), steps.dtype) if carried is None else carried.copy()
        self.before = np.empty((time, batch, units), steps.dtype)  # h before each step, as U meets it
        self.shown = np.empty((time, batch, units), steps.dtype)
        self.memories: list[Memory] = [()] * time
        for t in self.order:
            h = state[:, :units] if self.state_mask is None else state[:, :units] * self.state_mask
            self.before[t] = h
            following, self.memories[t] = self.cell.forward(drive[t], h @ weight, state)
            state = following if real is None else np.where(real[t], following, state)
            self.shown[t] = state[:, :units]
        self.last = state[:, :units]
        if carried is not None:
            carried[...] = state

    def backward(self, d_y: Array, every: bool) -> tuple[Array, dict[str, Array]]:
        """Map the gradient of `shown` (batch, time, units), or `last` (batch, units), to those of steps and arrays."""
        word, real, units = self.word, self.real, self.word.units
        weight, input_weight = self.arrays["hidden_weight"], self.arrays["input_weight"]
        time, batch, features = self.steps.shape
        d_drive = np.empty((time, batch, word.gates * units), self.steps.dtype)
        d_product = np.empty_like(d_drive)
        d_state = np.zeros((batch, word.states * units), self.steps.dtype)
        if not every:
            d_state[:, :units] = d_y
        for t in reversed(self.order):
            if every:
                d_state[:, :units] += d_y[:, t]
            step = self.cell.backward(self.memories[t], d_state)
            d_before = step.d_state
            d_h = step.d_product @ weight.T
            d_before[:, :units] += d_h if self.state_mask is None else d_h * self.state_mask
            if real is None:
                d_drive[t], d_product[t], d_state = step.d_drive, step.d_product, d_before
            else:
                d_drive[t], d_product[t] = step.d_drive * real[t], step.d_product * real[t]
                d_state = np.where(real[t], d_before, d_state)
        rows = d_drive.reshape(time * batch, -1)
        gradients = {
            "input_weight": self.steps.reshape(-1, features).T @ rows,
            "hidden_weight": self.before.reshape(-1, units).T @ d_product.reshape(time * batch, -1),
            **({"bias": sum_of_places(d_drive)} if word.bias else {}),
            **self.cell.own_gradients(d_drive, d_product),
        }
        d_steps = (rows @ input_weight.T).reshape(self.steps.shape)
        if self.input_mask is not None:
            d_steps *= self.input_mask
        return d_steps, {f"{self.prefix}{name}": gradient for name, gradient in gradients.items()}


def _array_names(word: Recurrent) -> tuple[str, ...]:
    """Return the names of the arrays of one direction, without their prefix."""
    return ("input_weight", "hidden_weight", *(["bias"] if word.bias else []), *word.more_parameters())
