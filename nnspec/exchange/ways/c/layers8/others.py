"""Layers without weights in int8: pools, what moves numbers, activations as tables, branches."""

import numpy as np

from nnspec.exchange.ways.c.layers import C_LAYERS
from nnspec.exchange.ways.c.layers.weighted import windows
from nnspec.exchange.ways.c.layers8 import Site8, in_int8
from nnspec.exchange.ways.c.program import Quantum, Room
from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.activation import (
    Elu,
    Gelu,
    LeakyRelu,
    Linear,
    Mish,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softplus,
    Tanh,
)
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.layers.upsampling import Upsample
from nnspec.spec_lang.vocabulary.shape import Shape

EVERY: Array = np.arange(-128, 128)
"""The numbers of int8, in the order of a table."""

ADDED = 20
"""Bits of the factors of a sum after the point."""


@in_int8(Linear, Dropout, Flatten, Reshape)
def same(word: Linear, site: Site8) -> Room:
    """The same numbers."""
    return site.x


@in_int8(Relu, LeakyRelu, Elu, Gelu, Silu, Selu, Mish, Sigmoid, Tanh, Softplus)
def activation(word: Relu, site: Site8) -> Room:
    """A table with the answer for each of the 256 numbers; of numbers that are not negative relu is each itself."""
    if isinstance(word, Relu) and site.x.quantum.zero == EVERY[0]:
        return site.x
    found, _ = build(word, Shape((EVERY.size,)), {})(_meant(site.x)[None], Mode())
    return _looked_up(site, "out", site.x, as_int8(found[0], site.quantum))


@in_int8(MaxPool)
def maxpool(word: MaxPool, site: Site8) -> Room:
    """The order of the numbers is that of what they stand for."""
    y = site.same()
    site.call("maxpool_int8", site.x, y, site.struct("windows", "Windows", windows(word, site.shape, site.output[-1])))
    return y


@in_int8(AvgPool)
def avgpool(word: AvgPool, site: Site8) -> Room:
    """A mean has the scale of its numbers."""
    y, (rows, columns) = site.same(), word.counted(site.shape)
    counts = site.indices("rows", rows), site.indices("columns", columns)
    struct = site.struct("windows", "Windows", windows(word, site.shape, site.output[-1]))
    site.call("avgpool_int8", site.x, site.x.quantum.zero, *counts, y, struct)
    return y


@in_int8(GlobalAvgPool)
def globalavgpool(word: GlobalAvgPool, site: Site8) -> Room:
    """A mean has the scale of its numbers."""
    y, (channels,) = site.same(), site.output
    places = site.steps(site.shape[0]) if site.shape.sequence else site.shape.size // channels
    site.call("globalavgpool_int8", site.x, site.x.quantum.zero, y, places, channels)
    return y


@in_int8(GlobalMaxPool)
def globalmaxpool(word: GlobalMaxPool, site: Site8) -> Room:
    """The order of the numbers is that of what they stand for."""
    y, (channels,) = site.same(), site.output
    every = site.shape.size // channels
    site.call("globalmaxpool_int8", site.x, y, site.steps(every) if site.shape.sequence else every, every, channels)
    return y


@in_int8(Permute, PadLayer, Crop, Upsample)
def moved(word: Permute | PadLayer | Crop | Upsample, site: Site8) -> Room | None:
    """The kernels of float move bytes; new cells are what stands for 0."""
    if isinstance(word, Upsample) and word.mode != "nearest":
        return None
    site.zero = site.x.quantum.zero
    y = C_LAYERS[type(word)](word, site)
    y.quantum = site.x.quantum
    return y


@in_int8(Add)
def add(word: Add, site: Site8) -> Room | None:
    """Two branches in the scale of their sum."""
    if len(site.xs) != 2:
        return None
    y, given = site.new("int8_t"), []
    for x in site.xs:
        given += [x, x.quantum.zero, round(x.quantum.scale / site.quantum.scale * 2**ADDED)]
    if max(abs(number) for number in (given[2], given[5])) >= 2**31:
        return None
    y.quantum = site.quantum
    site.call("add_int8", *given, y, site.quantum.zero, site.output.size)
    return y


@in_int8(Concatenate)
def concatenate(word: Concatenate, site: Site8) -> Room:
    """Each branch in the scale of all."""
    changed = [
        x if x.quantum == site.quantum else _looked_up(site, "in", x, as_int8(_meant(x), site.quantum)) for x in site.xs
    ]
    site.xs = changed
    y = C_LAYERS[type(word)](word, site)
    y.quantum = site.quantum
    return y


def as_int8(values: Array, wanted: Quantum) -> Array:
    """Return numbers as int8 of this quantum."""
    found: Array = np.clip(np.rint(values / wanted.scale) + wanted.zero, -128, 127).astype(np.int8)
    return found


def _meant(x: Room) -> Array:
    """Return what each number of int8 stands for."""
    found: Array = (EVERY - x.quantum.zero) * x.quantum.scale
    return found


def _looked_up(site: Site8, wish: str, x: Room, table: Array) -> Room:
    """Return the numbers of an array, each replaced by that of a table, in the quantum of the output."""
    y = site.program.room(f"{site.name}_{wish}", x.size, "int8_t")
    y.quantum = site.quantum
    site.call("lookup", x, site.constant("table", table), y, x.size)
    return y
