"""Layers that move numbers, and merges."""

from collections.abc import Iterable
from math import prod

import numpy as np

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import BYTES, Part, Room, Site
from nnspec.runtime.layers.framing import copied_cells
from nnspec.runtime.layers.upsampling import interpolation
from nnspec.spec_lang.vocabulary.layers.framing import Crop, Framing, PadLayer
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate, Multiply
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.layers.upsampling import Upsample
from nnspec.spec_lang.vocabulary.spatial import image_or_steps


@in_c(Flatten, Reshape)
def reshape(word: Flatten | Reshape, site: Site) -> Room:
    """The same numbers in the same order."""
    return site.x


@in_c(Permute)
def permute(word: Permute, site: Site) -> Room:
    """Each number of the output from its place in the input."""
    axes = [axis - 1 for axis in word.order]
    steps = [prod(site.shape[axis + 1 :]) for axis in axes]
    y = site.new(site.x.kind)
    sizes = site.indices("sizes", site.output)
    places = site.constant("steps", np.array(steps, np.int32))
    site.call("permute", site.x, y, site.output.size, len(axes), sizes, places, BYTES[site.x.kind])
    return y


@in_c(PadLayer)
def pad(word: PadLayer, site: Site) -> Room:
    """Rows and columns of the input, or zeros."""
    return _framed(word, site, [_around(word, size, sides) for size, sides in _axes(word, site)])


@in_c(Crop)
def crop(word: Crop, site: Site) -> Room:
    """Rows and columns of the input."""
    return _framed(word, site, [range(sides[0], size - sides[1]) for size, sides in _axes(word, site)])


@in_c(Upsample)
def upsample(word: Upsample, site: Site) -> Room:
    """Rows and columns several times, or shares of two of them."""
    (height, width, channels), _ = image_or_steps(word.word, site.shape)
    factors = word.factors(site.shape)
    if word.mode == "nearest":
        sizes = zip((height, width), factors, strict=True)
        return _picked(site, [[place // factor for place in range(size * factor)] for size, factor in sizes], width)
    arguments = []
    for axis, (size, factor) in enumerate(zip((height, width), factors, strict=True)):
        matrix = interpolation(size, factor, word.align_corners)  # (outputs, inputs), at most two numbers a row
        low = (matrix > 0).argmax(axis=1)
        share = 1 - matrix[np.arange(len(matrix)), low]
        arguments += [site.indices(f"low{axis}", low.tolist()), site.constant(f"share{axis}", share)]
    y = site.new()
    fields = dict.fromkeys(("rows", "columns", "outputs"), 0) | {"height": height, "width": width, "inputs": channels}
    struct = site.struct("image", "Windows", fields)
    site.call("upsample", site.x, *arguments, y, height * factors[0], width * factors[1], struct)
    return y


def _axes(word: Framing, site: Site) -> Iterable[tuple[int, tuple[int, int]]]:
    """Return the size of each axis and the cells before and after it."""
    image, _ = image_or_steps(word.word, site.shape)
    return zip(image[:2], word.sides(site.shape), strict=True)


def _around(word: PadLayer, size: int, sides: tuple[int, int]) -> list[int]:
    """Return for each cell of the frame along an axis the cell of the input, −1 for zeros."""
    before, after = sides
    found = [-1] * before + list(range(size)) + [-1] * after
    if word.mode != "zeros":
        for cell, source in copied_cells(size, sides, word.mode):
            found[cell] = source - before
    return found


def _framed(word: Framing, site: Site, places: list[Iterable[int]] | list[list[int]] | list[range]) -> Room:
    (_, width, _), _ = image_or_steps(word.word, site.shape)
    return _picked(site, [list(axis) for axis in places], width)


def _picked(site: Site, places: list[list[int]], width: int) -> Room:
    """Return the pixels at these rows and columns of an image of this width."""
    y, (rows, columns) = site.new(site.x.kind), places
    pixel = site.output.size // (len(rows) * len(columns))
    names = site.indices("rows", rows), site.indices("columns", columns)
    size = pixel * BYTES[site.x.kind]
    site.call("pick", site.x, *names, y, len(rows), len(columns), width, size, site.zero)
    return y


@in_c(Add)
def add(word: Add, site: Site) -> Room:
    """One after the other."""
    y, (first, *others) = site.over(), site.xs
    if y in others:  # the sum does not depend on their order
        others = [first, *(x for x in others if x is not y)]
        first = y
    for x in others:
        site.call("add", first, x, y, site.output.size)
        first = y
    return y


@in_c(Multiply)
def multiply(word: Multiply, site: Site) -> Room:
    """One after the other; a row of channels is for all places."""
    channels, y = site.output[-1] if site.output else 1, site.over()
    places = site.output.size // channels
    order = sorted(zip(site.xs, site.shapes, strict=True), key=lambda pair: (pair[0] is not y, -len(pair[1])))
    first, shape = order[0]
    step = channels if shape.size == site.output.size else 0
    for x, other in order[1:]:
        other_step = channels if other.size == site.output.size else 0
        site.call("multiply", first, x, y, places, channels, step, other_step)
        first, step = y, channels
    return y


@in_c(Concatenate)
def concatenate(word: Concatenate, site: Site) -> Room:
    """The channels of each branch into their place."""
    y, total, start = site.new(site.x.kind), site.output[-1], 0
    rows, size = site.output.size // total, BYTES[site.x.kind]
    for x, shape in zip(site.xs, site.shapes, strict=True):
        site.call("concatenate", x, Part(y, start), rows, shape[-1] * size, total * size)
        start += shape[-1]
    return y
