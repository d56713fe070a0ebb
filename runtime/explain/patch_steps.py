"""Steps on the patches that an occluder changes: adding and subtracting images, elementwise functions, pools.

Between steps a patch is a difference (what the occluder changed) or a value (the difference added to what the whole
image has there). Convolutions and means are linear, so they take differences, and what did not change contributes
nothing. Pools and activations take values. `AddImages` and `SubtractImages` convert one into the other.

Every step first computes the whole images in the same way, with biases, and may keep them; then it computes patches.
Both are arrays (patch rows, patch columns, channels, rows, columns, images) as PatchBatch says; whole images are
patches of one position. patch_convolution.py and patch_ends.py have the larger steps, patch_rules.py says which layer
is which step.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.patches import AxisGroups, PatchBatch, PhasedImages
from nnspec.runtime.layers import Forward, Mode


class PatchStep(Protocol):
    """One step of the computation on patches."""

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Compute the step on whole images, and keep what `patch` needs of them."""

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Compute the step on patches. May write over `x`."""


@dataclass
class AddImages:
    """Difference → value: add what the whole images have there."""

    depth: int
    groups: AxisGroups

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Keep the images."""
        self._phased = PhasedImages(x, image, self.depth, *self.groups)
        return x

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return x + the values of the whole images."""
        for columns, values in self._phased.patches(batch):
            np.add(x[:, columns], values, out=x[:, columns])
        return x


@dataclass
class SubtractImages:
    """Value → difference: subtract what the whole images have there. Beyond the image the difference is zero."""

    depth: int
    groups: AxisGroups

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Keep the images."""
        image.set_outside(x, self.depth, 0)
        self._phased = PhasedImages(x, image, self.depth, *self.groups)
        return x

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return x − the values of the whole images."""
        for columns, values in self._phased.patches(batch):
            np.subtract(x[:, columns], values, out=x[:, columns])
        batch.set_outside(x, self.depth, 0)
        return x


@dataclass
class FillOutside:
    """Fill the cells beyond the image with the value that the next step needs: 0 for a sum, −∞ for a maximum."""

    depth: int
    value: float

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Compute the same as on patches."""
        image.set_outside(x, self.depth, self.value)
        return x

    patch = whole


@dataclass
class ElementwiseStep:
    """Apply the reference form of an elementwise layer."""

    forward: Forward

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Compute the same as on patches."""
        return self.forward(x, Mode())[0]

    patch = whole


@dataclass
class ScaleStep:
    """Scale and shift each channel, as batchnorm does at inference; a difference is not shifted."""

    factor: Array  # (channels,)
    shift: Array
    difference: bool

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Return x · factor + shift."""
        return x * per_channel(self.factor) + per_channel(self.shift)

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return x · factor for a difference, else x · factor + shift."""
        return x * per_channel(self.factor) if self.difference else self.whole(x, batch)


@dataclass
class PoolStep:
    """Take the maximum or the mean of each window, along the columns and then along the rows."""

    depth: int  # of the output
    window: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    counted: int | None  # cells of a mean, None for a maximum

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Compute the same as on patches."""
        return self._pooled(x, image, over=False)

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return the maxima or means."""
        apart = self.window[1] <= self.strides[1] and self.dilations[1] == 1  # windows along the columns
        return self._pooled(x, batch, over=apart)

    def _pooled(self, x: Array, batch: PatchBatch, over: bool) -> Array:
        rows, columns = batch.sizes(self.depth)
        x = self._along(1, x.swapaxes(0, 1), columns, over).swapaxes(0, 1)
        x = self._along(0, x, rows)
        if self.counted is not None:
            x *= 1 / self.counted
        return x

    def _along(self, axis: int, x: Array, outputs: int, over: bool = False) -> Array:
        """Return the maximum or sum over windows of this axis along the first axis of x.

        It is a new array, or written `over` the first cell of each window, which the cache holds then.
        """
        cells, stride, dilation = self.window[axis], self.strides[axis], self.dilations[axis]
        combine = np.maximum if self.counted is None else np.add
        starts = range(0, cells * dilation, dilation)
        taps = [x[start : start + (outputs - 1) * stride + 1 : stride] for start in starts]
        if cells == 1:
            return taps[0].copy()
        y: Array = combine(taps[0], taps[1], out=taps[0] if over else None)
        for tap in taps[2:]:
            combine(y, tap, out=y)
        return y


def per_channel(numbers: Array) -> Array:
    """Return (channels,) numbers in a shape that broadcasts over patches."""
    return numbers.reshape(-1, 1, 1, 1)
