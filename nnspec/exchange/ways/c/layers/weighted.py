"""Dense layers and convolutions."""

import numpy as np

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import Room, Site
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Convolution, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import Windowed


def windows(word: Windowed, shape: Shape, outputs: int, groups: int = 1) -> dict[str, int]:
    """Return the fields of the struct Windows of a word over inputs of this shape."""
    (height, width, channels), (window_height, window_width) = word.plane(shape)
    rows, columns = word.extents(shape)
    (stride_y, stride_x), (dilation_y, dilation_x) = word.strides(), word.dilations()
    return {
        "height": height,
        "width": width,
        "inputs": channels,
        "rows": rows.places,
        "columns": columns.places,
        "outputs": outputs,
        "window_height": window_height,
        "window_width": window_width,
        "stride_y": stride_y,
        "stride_x": stride_x,
        "dilation_y": dilation_y,
        "dilation_x": dilation_x,
        "top": rows.before,
        "left": columns.before,
        "groups": groups,
    }


def outputs_first(weight: Array) -> Array:
    """Return a weight (…, outputs) as (outputs, …)."""
    return np.moveaxis(weight, -1, 0)


@in_c(Dense)
def dense(word: Dense, site: Site) -> Room:
    """A row, or each step of a sequence."""
    y, inputs = site.new(), word.reads(site.shape)
    weight, bias = site.constant("weight", outputs_first(site.arrays["weight"])), site.arrays.get("bias")
    rows = site.shape.size // inputs
    site.call("dense", site.x, weight, site.constant("bias", bias), y, rows, inputs, word.units)
    return y


@in_c(Conv)
def conv(word: Conv, site: Site) -> Room:
    """Over an image, or over steps, of which padded ones are zeros."""
    y = site.new()
    struct = site.struct("windows", "Windows", windows(word, site.shape, word.filters, word.groups))
    weight = site.constant("weight", outputs_first(site.arrays["weight"]))
    bias = site.constant("bias", site.arrays.get("bias"))
    site.call("conv", site.x, weight, bias, y, struct, real_rows(word, site))
    return y


@in_c(Depthwise)
def depthwise(word: Depthwise, site: Site) -> Room:
    """As conv."""
    y = site.new()
    _depthwise(word, site, "weight", site.arrays.get("bias"), y)
    return y


@in_c(Separable)
def separable(word: Separable, site: Site) -> Room:
    """A depthwise convolution, and a dense layer at each place."""
    first, y, channels = word.depthwise(), site.new(), word.plane(site.shape)[0][2]
    between, places = first.made_of(channels), site.output.size // word.filters
    middle = site.scratch("middle", places * between)
    _depthwise(first, site, "depthwise_weight", None, middle)
    weight = site.constant("pointwise_weight", outputs_first(site.arrays["pointwise_weight"]))
    bias = site.constant("bias", site.arrays.get("bias"))
    site.call("dense", middle, weight, bias, y, places, between, word.filters)
    return y


@in_c(Transposed)
def transposed(word: Transposed, site: Site) -> Room:
    """The windows are over the output."""
    y, filters = site.new(), word.filters
    fields = windows(word, site.shape, filters)
    (height, width, channels), _ = word.plane(site.shape)
    wide = 1 if word.along_time(site.shape) is not None else site.output[1]
    fields |= {"height": site.output[0], "width": wide, "inputs": filters, "groups": word.groups}
    fields |= {"rows": height, "columns": width, "outputs": channels}
    weight = site.arrays["weight"]  # (…, in, out / groups)
    depth = channels // word.groups
    apart = weight.reshape(-1, word.groups, depth, filters // word.groups)
    turned = apart.transpose(0, 1, 3, 2)  # (cells, group, out / groups, in / groups)
    struct = site.struct("windows", "Windows", fields)
    bias = site.constant("bias", site.arrays.get("bias"))
    site.call("transposed", site.x, site.constant("weight", turned), bias, y, struct, real_rows(word, site))
    return y


def real_rows(word: Convolution, site: Site) -> str | int:
    """Return how many rows of the image there are: those of a sequence without its padded steps."""
    return site.steps(site.shape[0]) if word.along_time(site.shape) is not None else word.plane(site.shape)[0][0]


def _depthwise(word: Depthwise, site: Site, weight: str, bias: Array | None, y: Room) -> None:
    outputs = word.made_of(word.plane(site.shape)[0][2])
    struct = site.struct("windows", "Windows", windows(word, site.shape, outputs))
    constants = site.constant(weight, site.arrays[weight]), site.constant("bias", bias)
    site.call("depthwise", site.x, *constants, y, struct, real_rows(word, site))
