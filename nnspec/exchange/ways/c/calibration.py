"""The ranges of a network's values on training samples, and what an int8 stands for in each."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnspec.exchange.ways.c.program import Quantum
from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.network import Network

MOST = 1000
"""Training samples that are measured: the first ones."""

AT_ONCE = 64

Ranges = Mapping[str, tuple[float, float]]
"""The smallest and the largest number of each node's output, INPUT among them, by name."""


def measured(network: Network, training: Array) -> Ranges:
    """Return the ranges over the first raw samples of the training split."""
    ranges: dict[str, tuple[float, float]] = {}
    samples = network.preprocessing.apply(training[:MOST], network.dtype)
    for start in range(0, len(samples), AT_ONCE):
        for name, values in network.program.values(samples[start : start + AT_ONCE]).items():
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = min(low, float(values.min())), max(high, float(values.max()))
    return ranges


def quantum(low: float, high: float) -> Quantum:
    """Return scale and zero such that −128 … 127 are the range, widened to hold 0, which is exact."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32((high - low) / 255)) or 1.0
    return Quantum(scale, int(np.clip(round(-128 - low / scale), -128, 127)))


class Quantized(NamedTuple):
    """A weight as int8 with a scale for each output, (outputs, …), and its bias as int32 in the scale of the sums.

    Sums are of products with the int8 themselves; the bias takes off what their zero adds, over a whole window.
    """

    weight: Array
    bias: Array
    scales: Array  # of the sums, (outputs,) float64


def quantized(weight: Array, bias: Array | None, given: Quantum) -> Quantized:
    """Return a weight (outputs, …) and its bias for inputs of this quantum.

    The weights are symmetric: their scale is the largest magnitude of an output's by 127, or larger where the bias
    would not fit into 30 bits.
    """
    outputs = len(weight)
    rows = weight.reshape(outputs, -1).astype(np.float64)
    shift = np.zeros(outputs) if bias is None else bias.astype(np.float64)
    largest = np.abs(rows).max(axis=1, initial=0) / 127
    scales = np.maximum(np.maximum(largest, np.abs(shift) / (given.scale * 2**30)), 1e-30)
    whole = np.clip(np.rint(rows / scales[:, None]), -127, 127).astype(np.int8)
    of_sums = given.scale * scales
    zeros = given.zero * whole.astype(np.int64).sum(axis=1)
    return Quantized(whole.reshape(weight.shape), (np.rint(shift / of_sums) - zeros).astype(np.int32), of_sums)


def multipliers(factors: Array) -> tuple[Array, Array]:
    """Return int32 multipliers and shifts from 1 to 62 such that each factor is multiplier / 2^shift."""
    _, exponent = np.frexp(factors)  # the other one is in [0.5, 1)
    shift = np.clip(31 - exponent, 1, 62)
    return np.minimum(np.rint(np.ldexp(factors, shift)), 2**31 - 1).astype(np.int32), shift.astype(np.int8)
