"""Targets that are images, moved as their samples are: what a pixel shows stays under what it is said to be."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation.warp import Warp


class TargetWarp:
    """Moves images of targets by the maps of their samples.

    Classes (samples, height, width) are moved one class at a time, and each pixel is then of the class that has the
    most of it. Numbers (samples, height, width, channels) are interpolated; with `labels` they are 0 or 1 again, 1 from
    a half on. Outside the image they are what `fill` says of the samples; zeros are the first class.
    """

    def __init__(self, most: int, targets: Array, fill: str, labels: bool):
        self._classes = int(targets.max()) + 1 if targets.ndim == 3 else None
        self._labels = labels
        height, width = targets.shape[1:3]
        self._size = (height, width, self._classes if self._classes is not None else targets.shape[3])
        self._warp = Warp(most, self._size, np.dtype(np.float32), fill)

    def __call__(self, targets: Array, matrices: Array) -> None:
        """Move the targets of some samples, in place."""
        moved = np.empty((len(targets), *self._size), np.float32)
        if self._classes is not None:
            parts = np.equal(targets[..., None], np.arange(self._classes)).astype(np.float32)
            self._warp(parts, matrices, moved)
            np.copyto(targets, moved.argmax(axis=-1), casting="unsafe")
            return
        self._warp(targets.astype(np.float32), matrices, moved)
        np.copyto(targets, moved >= 0.5 if self._labels else moved, casting="unsafe")
