"""Layers that add cells around an image or a sequence, or cut some off."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer, Sides
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import image_or_steps


def copied_cells(length: int, around: tuple[int, int], mode: str) -> Iterator[tuple[int, int]]:
    """Yield, for each cell of the frame along an axis, its index and that of the cell it copies, both in the frame.

    `reflect` mirrors about the first and the last cell, which are not repeated; `edge` repeats them.
    """
    before, after = around
    first, last = before, before + length - 1
    for i in range(1, before + 1):
        yield first - i, first + i if mode == "reflect" else first
    for i in range(1, after + 1):
        yield last + i, last - i if mode == "reflect" else last


@implements(PadLayer)
def pad(word: PadLayer, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = x in a frame of zeros, or of copies of its cells, along the rows and then along the columns."""
    output, sides = word.output_shape(shape), word.sides(shape)
    image, _ = image_or_steps(word.word, shape)
    inside = _inside(image, sides)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        y = np.pad(x.reshape(-1, *image), ((0, 0), *sides, (0, 0)), mode=_MODES[word.mode])

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_frame = d_y.reshape(y.shape)
            if word.mode != "zeros":
                d_frame = d_frame.copy()
                for axis in (0, 1):
                    along = np.moveaxis(d_frame, axis + 1, 0)
                    for cell, source in copied_cells(image[axis], sides[axis], word.mode):
                        along[source] += along[cell]
            return d_frame[inside].reshape(x.shape), {}

        return y.reshape(-1, *output), backward

    return forward


_MODES: dict[str, Literal["constant", "reflect", "edge"]] = {"zeros": "constant", "reflect": "reflect", "edge": "edge"}
"""The modes by their names in np.pad."""


@implements(Crop)
def crop(word: Crop, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = the part of x inside the frame; the frame gets no gradient."""
    output, sides = word.output_shape(shape), word.sides(shape)
    image, _ = image_or_steps(word.word, shape)
    size = tuple(length - sum(around) for length, around in zip(image, sides, strict=False))
    inside = _inside((*size, image[2]), sides)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        images = x.reshape(-1, *image)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_x = np.zeros(images.shape, d_y.dtype)
            d_x[inside] = d_y.reshape(-1, *size, image[2])
            return d_x.reshape(x.shape), {}

        return images[inside].reshape(-1, *output), backward

    return forward


def _inside(image: tuple[int, ...], sides: Sides) -> tuple[slice, ...]:
    """Return the place of an image (height, width, channels) in its frame, for arrays with a batch in front."""
    return (slice(None), *(slice(around[0], around[0] + n) for n, around in zip(image, sides, strict=False)))
