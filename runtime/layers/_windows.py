"""Windows over images, or over the steps of a sequence, an image one pixel wide: which cell of a window is at which
pixel. Convolutions and pools use them."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import Extent, Windowed


@dataclass(frozen=True)
class Windows:
    """The windows of a layer over images of one shape.

    Cell (u, v) of window (i, j) is at the padded pixel (i·s + u·d, j·t + v·e), strides (s, t), dilations (d, e).
    `unfold` reads the pixels of every window, `fold` sums the gradients of the cells at each pixel: each is the other's
    transpose.
    """

    image: tuple[int, int, int]  # height, width, channels
    size: tuple[int, int]  # of a window
    rows: Extent
    columns: Extent
    strides: tuple[int, int]
    dilations: tuple[int, int]

    @classmethod
    def of(cls, word: Windowed, shape: Shape) -> "Windows":
        """Return the windows of this word over inputs of this shape. Raises Misfit where they do not fit."""
        rows, columns = word.extents(shape)
        return cls(*word.plane(shape), rows, columns, word.strides(), word.dilations())

    def unfold(self, x: Array, fill: float = 0.0) -> Array:
        """Return every window of the images, with `fill` outside the image.

        (batch, height, width, channels) → (batch, height', width', window height, window width, channels), a view.
        """
        reach = tuple(d * (cells - 1) + 1 for d, cells in zip(self.dilations, self.size, strict=True))
        views = sliding_window_view(self._pad(x, fill), reach, axis=(1, 2))  # (…, channels, reach, reach)
        down, right = (self._under(0, axis) for axis in (0, 1))
        views = views[:, down, right, :, :: self.dilations[0], :: self.dilations[1]]
        return np.moveaxis(views, 3, 5)

    def fold(self, d_windows: Array) -> Array:
        """Return the gradient of each pixel: the sum over all cells at it.

        (batch, height', width', window height, window width, channels) → (batch, height, width, channels).
        """
        height, width, channels = self.image
        bottom, right = self.rows.before + height, self.columns.before + width
        d_padded = np.zeros(
            (len(d_windows), bottom + self.rows.after, right + self.columns.after, channels), d_windows.dtype
        )
        for u, v in np.ndindex(self.size):
            d_padded[:, self._under(u, 0), self._under(v, 1)] += d_windows[:, :, :, u, v]
        return d_padded[:, self.rows.before : bottom, self.columns.before : right]

    def _pad(self, x: Array, fill: float) -> Array:
        images = x.reshape(-1, *self.image)
        around = ((0, 0), self.rows[1:], self.columns[1:], (0, 0))
        return np.pad(images, around, constant_values=fill) if any(map(any, around)) else images

    def _under(self, cell: int, axis: int) -> slice:
        """Return the padded pixels, along one axis, at which this cell of every window is."""
        first, stride = cell * self.dilations[axis], self.strides[axis]
        return slice(first, first + ((self.rows, self.columns)[axis].places - 1) * stride + 1, stride)
