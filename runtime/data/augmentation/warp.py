"""Affine maps of a batch of images by bilinear interpolation, one map for each image."""

import numpy as np

from nnspec.runtime.arrays import Array, empty

AT_ONCE = 50_000
"""Pixels that are interpolated at once: their buffers stay in the cache of a core."""

PLACES = 7
"""Buffers of a number for each pixel: for its place in the old image, and for what is read there."""

EXACT = 2**24
"""Whole numbers below this are exact in float32."""

MARGIN = 1
"""Pixels around the source image: interpolation one step outside reads them."""


class Warp:
    """Maps images (samples, height, width, channels), `most` at a time, with buffers that are made once.

    `fill` says what is outside the image: `edge`, the nearest pixel of it; `reflect`, the image mirrored about the
    centre of its outermost pixels, as `np.pad` does; `zeros`.
    """

    def __init__(self, most: int, size: tuple[int, int, int], dtype: np.dtype, fill: str = "edge"):
        height, width, channels = size
        self.fill = fill
        self.samples = samples = samples_at_once(most, height, width)
        self._height, self._width = height, width
        self._stride = width + 2 * MARGIN + 1
        rows = height + 2 * MARGIN + 1
        # the last row and column are only read with weight 0
        self._source = np.zeros((channels, samples, rows, self._stride), dtype)
        dtype = place_type(rows * self._stride, dtype)
        self._places = [empty((samples, height, width), dtype) for _ in range(PLACES)]
        self._index = empty((samples, height, width), np.intp)
        self._first = (np.arange(samples) * rows * self._stride)[:, None, None]
        self._rows = np.arange(height, dtype=dtype)[:, None] - dtype.type((height - 1) / 2)
        self._columns = np.arange(width, dtype=dtype) - dtype.type((width - 1) / 2)

    def __call__(self, images: Array, matrices: Array, out: Array) -> None:
        """Write the mapped images into `out`.

        `matrices` (samples, 3, 3) map a place in the new image to one in the old, both (row, column, 1) counted from
        the centre of the image.
        """
        for start in range(0, len(images), self.samples):
            part = slice(start, start + self.samples)
            self._part(images[part], matrices[part], out[part])

    def _part(self, images: Array, matrices: Array, out: Array) -> None:
        """Map as many images as the buffers have room for."""
        self._read(images)
        top, left, down, right, upper, lower, other = (array[: len(images)] for array in self._places)
        index = self._index[: len(images)]
        for axis, size, floor, share in ((0, self._height, top, down), (1, self._width, left, right)):
            self._place(matrices, axis, share)
            self._inside(share, size, floor)
            np.floor(share, out=floor)
            np.subtract(share, floor, out=share)
        np.multiply(top, self._stride, out=top)
        np.add(top, left, out=top)
        np.copyto(index, top, casting="unsafe")
        np.add(index, self._first[: len(images)], out=index)
        for channel, source in enumerate(self._source):
            flat = source.reshape(-1)
            below = flat[self._stride :]
            for row, mixed in ((flat, upper), (below, lower)):
                row.take(index, out=mixed, mode="clip")
                row[1:].take(index, out=other, mode="clip")
                np.subtract(other, mixed, out=other)
                np.multiply(other, right, out=other)
                np.add(mixed, other, out=mixed)
            np.subtract(lower, upper, out=lower)
            np.multiply(lower, down, out=lower)
            np.add(upper, lower, out=out[..., channel], casting="same_kind")

    def _read(self, images: Array) -> None:
        """Copy images into the source, and what is around them."""
        source = self._source[:, : len(images)]
        inner = slice(MARGIN, MARGIN + self._height), slice(MARGIN, MARGIN + self._width)
        np.copyto(source[..., *inner], images.transpose(3, 0, 1, 2), casting="same_kind")
        if self.fill != "zeros":  # read with weight 0, and must be finite
            source[:, :, MARGIN + self._height] = source[:, :, MARGIN + self._height - 1]
            source[..., MARGIN + self._width] = source[..., MARGIN + self._width - 1]

    def _place(self, matrices: Array, axis: int, out: Array) -> None:
        """Write the row or the column in the old image that each pixel of the new one is from, 0 its first."""
        size = (self._height, self._width)[axis]
        factors = matrices[:, axis, :, None, None].astype(out.dtype)
        origin = out.dtype.type((size - 1) / 2)
        np.add(factors[:, 0] * self._rows + (factors[:, 2] + origin), factors[:, 1] * self._columns, out=out)

    def _inside(self, places: Array, size: int, room: Array) -> None:
        """Move places outside the image to where their number is: its edge, its mirror image, or the zeros around it.

        Then count from the first row or column of the source.
        """
        low, high = (-1, size) if self.fill == "zeros" else (0, size - 1)
        if self.fill == "reflect" and size > 1:
            period = 2 * (size - 1)
            np.divide(places, period, out=room)
            np.floor(room, out=room)
            np.multiply(room, period, out=room)
            np.subtract(places, room, out=places)  # from 0 to the period
            np.subtract(places, size - 1, out=places)
            np.abs(places, out=places)
            np.subtract(size - 1, places, out=places)
        np.maximum(places, low, out=places)
        np.minimum(places, high, out=places)
        np.add(places, MARGIN, out=places)


def warp_bytes(most: int, size: tuple[int, int, int], dtype: np.dtype) -> int:
    """Return the memory of the buffers of a `Warp`."""
    height, width, channels = size
    samples, around = samples_at_once(most, height, width), 2 * MARGIN + 1
    pixels = (height + around) * (width + around)
    places = PLACES * place_type(pixels, dtype).itemsize + np.dtype(np.intp).itemsize
    return samples * (pixels * channels * dtype.itemsize + height * width * places)


def place_type(pixels: int, dtype: np.dtype) -> np.dtype:
    """Return the type of places in an image of this many pixels: one that counts them."""
    return dtype if pixels < EXACT else np.dtype(np.float64)


def samples_at_once(most: int, height: int, width: int) -> int:
    """Return how many images are interpolated at once."""
    return max(1, min(most, AT_ONCE // (height * width)))
