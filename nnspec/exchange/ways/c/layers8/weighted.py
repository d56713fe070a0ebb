"""Dense layers and convolutions in int8: weights with a scale for each output, sums in int32."""

import numpy as np

from nnspec.exchange.ways.c.calibration import multipliers, quantized
from nnspec.exchange.ways.c.layers.weighted import outputs_first, real_rows, windows
from nnspec.exchange.ways.c.layers8 import Site8, in_int8
from nnspec.exchange.ways.c.program import Room
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise
from nnspec.spec_lang.vocabulary.layers.dense import Dense

LONGEST = 30_000
"""Products of an output whose sum, of 2 · 128 · 127 each, is sure to fit into an int32 with a bias of 30 bits."""


@in_int8(Dense)
def dense(word: Dense, site: Site8) -> Room | None:
    """A row, or each step of a sequence."""
    inputs = word.reads(site.shape)
    if inputs > LONGEST:
        return None
    y, constants = _begun(site, outputs_first(site.arrays["weight"]))
    x, _, *others = constants
    site.call("dense_int8", x, *others, y, site.shape.size // inputs, inputs, word.units)
    return y


@in_int8(Conv)
def conv(word: Conv, site: Site8) -> Room | None:
    """Over an image, or over steps."""
    weight = outputs_first(site.arrays["weight"])
    if weight[0].size > LONGEST:
        return None
    struct = site.struct("windows", "Windows", windows(word, site.shape, word.filters, word.groups))
    y, constants = _begun(site, weight)
    site.call("conv_int8", *constants, y, struct, real_rows(word, site))
    return y


@in_int8(Depthwise)
def depthwise(word: Depthwise, site: Site8) -> Room | None:
    """As conv."""
    weight = outputs_first(site.arrays["weight"])
    struct = site.struct("windows", "Windows", windows(word, site.shape, len(weight)))
    y, constants = _begun(site, weight, last=True)
    site.call("depthwise_int8", *constants, y, struct, real_rows(word, site))
    return y


def _begun(site: Site8, weight: Array, last: bool = False) -> tuple[Room, tuple[Room | str | int, ...]]:
    """Return the output, and the input, its zero, the weight (outputs first, or last), the bias and the scaling."""
    found = quantized(weight, site.arrays.get("bias"), site.x.quantum)
    y = site.new("float" if site.floats else "int8_t")
    stored = np.moveaxis(found.weight, 0, -1) if last else found.weight
    fields: dict[str, int | str] = {"factors": 0, "multipliers": 0, "shifts": 0, "zero": 0}
    if site.floats:
        fields["factors"] = site.constant("factors", found.scales)
    else:
        y.quantum = site.quantum
        whole, shifts = multipliers(found.scales / site.quantum.scale)
        fields |= {"multipliers": site.constant("multipliers", whole), "shifts": site.constant("shifts", shifts)}
        fields["zero"] = site.quantum.zero
    names = site.constant("weight", stored), site.constant("bias", found.bias)
    return y, (site.x, site.x.quantum.zero, *names, site.struct("scaling", "Scaling", fields))
