"""Occlusion by its definition: the probability of an image's label with a part of the image covered.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2. incremental.py computes the
same maps with less work; this module knows only a function from images to probabilities.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.errors import RuntimeFault

SCALES = ("probability", "log_odds", "drop")
"""What a map may show of the class: see `incremental.occlude`."""

Probabilities = Callable[[NDArray[Any]], NDArray[Any]]


class OcclusionError(RuntimeFault, ValueError):
    """Images, labels or windows that occlusion cannot use; the message says what to pass instead."""

    def __init__(self, message: str):
        super().__init__(message, exit_code=2)


def reference_occlusion(
    probabilities: Probabilities,
    images: ArrayLike,
    labels: ArrayLike,
    window: int | tuple[int, int] = (3, 3),
    stride: int | tuple[int, int] = (1, 1),
    baseline: ArrayLike = 0.0,
    batch_size: int = 256,
) -> NDArray[np.float32]:
    """Return the probability of each image's label with a window set to the baseline, for every position of the window.

    The value at (image, row, column) belongs to the window whose upper left pixel is (row · stride, column · stride).
    Only windows that are wholly inside the image count, so a map has ⌊(height − window) / stride⌋ + 1 rows, and columns
    likewise. A low value marks a place that the network needs for this label (Zeiler & Fergus 2014).

    Arguments:
        probabilities: from raw samples (batch, height, width, channels) to (batch, classes). images: (image, height,
        width, channels), or (image, height, width) for one channel. labels: (image,), the index of a class. window:
        rows and columns in pixels, or one number for both. stride: rows and columns in pixels from one position to the
        next, or one number for both. baseline: in the units of the images: a number, or an array that broadcasts to
        (height, width, channels), such as
            the mean image; (height, width) is enough for a single channel.
        batch_size: occluded images that are made and passed to `probabilities` at once. They have the dtype of the
            images, float32 at least, so that a fractional baseline fits among integer pixels.

    Returns (image, row, column) float32. Raises OcclusionError where the window is larger than the image, a label is
    not a class of the network, or an argument has another shape or type than listed here.
    """
    request = OcclusionRequest.of(images, labels, window, stride, baseline)
    (batch_size,) = _positive((batch_size,), "batch_size")
    rows, columns = request.map_shape
    positions = rows * columns
    maps = np.empty(len(request.images) * positions, np.float32)
    for start in range(0, maps.size, batch_size):
        which, position = np.divmod(np.arange(start, min(start + batch_size, maps.size)), positions)  # (batch,) each
        top, left = position // columns * request.stride[0], position % columns * request.stride[1]
        # The occluded images are not bound to a name, so each batch is freed before the next one is made.
        output = np.asarray(probabilities(_cover(request.images[which], top, left, request.window, request.fill)))
        _check_output(output, which.size)  # (batch, classes)
        request.check_labels(output.shape[1])
        maps[start : start + which.size] = output[np.arange(which.size), request.labels[which]]
    return maps.reshape(len(request.images), rows, columns)


@dataclass(frozen=True)
class OcclusionRequest:
    """The arguments of an occlusion, checked and in one form each."""

    images: NDArray[Any]  # (image, height, width, channels), float32 at least
    labels: NDArray[np.intp]  # (image,)
    window: tuple[int, int]
    stride: tuple[int, int]
    fill: NDArray[Any]  # (height, width, channels), of the images' type
    map_shape: tuple[int, int]

    @classmethod
    def of(
        cls,
        images: ArrayLike,
        labels: ArrayLike,
        window: int | tuple[int, int],
        stride: int | tuple[int, int],
        baseline: ArrayLike,
    ) -> "OcclusionRequest":
        """Check and complete the arguments of `reference_occlusion`. Raises OcclusionError as it does."""
        pixels = _as_images(images)
        classes = _as_labels(labels, len(pixels))
        size, steps = as_pair(window, "window"), as_pair(stride, "stride")
        rows, columns = map_shape((pixels.shape[1], pixels.shape[2]), size, steps)
        return cls(pixels, classes, size, steps, _as_baseline(baseline, pixels), (rows, columns))

    def check_labels(self, classes: int) -> None:
        """Raise OcclusionError where a label is not one of this number of classes."""
        if self.labels.size and self.labels.max() >= classes:
            raise OcclusionError(
                f"label {self.labels.max()} is out of range: the network has {classes} classes, 0 to {classes - 1}"
            )


def class_average(maps: ArrayLike, labels: ArrayLike) -> dict[int, NDArray[np.float32]]:
    """Return the average map of each class that occurs: {label: (row, column) float32}, in the order of the labels.

    What is particular to one image averages out; what stays is what the network needs for the class.

    Arguments:
        maps: (image, row, column), as `reference_occlusion` returns them.
        labels: (image,).

    Raises OcclusionError for other shapes.
    """
    stack = np.asarray(maps)  # (image, row, column)
    if stack.ndim != 3:
        raise OcclusionError(f"maps must be (image, row, column), and these are {stack.shape}")
    classes = _as_labels(labels, len(stack))
    return {
        int(label): stack[classes == label].mean(axis=0, dtype=np.float64).astype(np.float32)
        for label in np.unique(classes)
    }


def map_shape(image: tuple[int, int], window: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns of a map: the number of windows wholly inside an image of (height, width).

    Raises OcclusionError where the window is larger than the image.
    """
    if window[0] > image[0] or window[1] > image[1]:
        raise OcclusionError(
            f"a window of {_by(window)} does not fit into an image of {_by(image)}; "
            f"use one of {_by((min(window[0], image[0]), min(window[1], image[1])))} or less"
        )
    return (image[0] - window[0]) // stride[0] + 1, (image[1] - window[1]) // stride[1] + 1


def as_pair(size: int | tuple[int, int], name: str) -> tuple[int, int]:
    """Return a window or stride as (rows, columns); one number means both. Raises OcclusionError unless 1 or more."""
    values = (size, size) if np.ndim(size) == 0 else tuple(np.asarray(size).tolist())
    if len(values) != 2:
        raise OcclusionError(f"{name} must be one whole number, or two (rows, columns), not {size!r}")
    rows, columns = _positive(values, name)
    return rows, columns


def _cover(
    copies: NDArray[Any], top: NDArray[Any], left: NDArray[Any], window: tuple[int, int], fill: NDArray[Any]
) -> NDArray[Any]:  # (batch, height, width, channels)
    """Set the window of each copy to the baseline, in place, all copies at once."""
    down = np.arange(copies.shape[1]) - top[:, None]  # (batch, height), rows below the window's upper edge
    right = np.arange(copies.shape[2]) - left[:, None]  # (batch, width)
    in_rows, in_columns = (down >= 0) & (down < window[0]), (right >= 0) & (right < window[1])
    covered = in_rows[:, :, None] & in_columns[:, None, :]  # (batch, height, width)
    np.copyto(copies, fill, where=covered[..., None])
    return copies


def _as_images(images: ArrayLike) -> NDArray[Any]:
    pixels = np.asarray(images)
    if pixels.ndim not in (3, 4) or pixels.dtype.kind not in "buif":
        raise OcclusionError(
            "images must be numbers of shape (image, height, width, channels), or (image, height, width), "
            f"and these are {pixels.dtype} {pixels.shape}"
        )
    if pixels.ndim == 3:
        pixels = pixels[..., None]
    return pixels.astype(np.result_type(pixels.dtype, np.float32), copy=False)


def _as_labels(labels: ArrayLike, count: int) -> NDArray[np.intp]:
    classes = np.asarray(labels)
    if classes.shape != (count,):
        raise OcclusionError(f"{count} images need labels of shape ({count},), and these are of shape {classes.shape}")
    if classes.size and classes.dtype.kind not in "ui":
        raise OcclusionError(f"labels must be whole numbers, the index of a class, and these are {classes.dtype}")
    if classes.size and classes.min() < 0:
        raise OcclusionError(f"label {classes.min()} is out of range: classes count from 0")
    return classes.astype(np.intp, copy=False)


def _as_baseline(baseline: ArrayLike, pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the baseline as an image (height, width, channels) of the dtype of the images."""
    shape = pixels.shape[1:]
    try:
        fill = np.asarray(baseline, pixels.dtype)
        if fill.shape == shape[:2] and shape[2] == 1:
            fill = fill[..., None]
        fill = np.broadcast_to(fill, shape)
    except (TypeError, ValueError):
        raise OcclusionError(
            f"the baseline must be a number, or numbers that broadcast to an image of {_by(shape)}"
        ) from None
    if not np.isfinite(fill).all():
        raise OcclusionError("the baseline must be finite, and this one has NaN or infinity")
    return fill


def _check_output(output: NDArray[Any], batch: int) -> None:
    if output.ndim != 2 or len(output) != batch:
        raise OcclusionError(
            f"the network must return (batch, classes) for {batch} images, and returned {output.shape}: "
            "occlusion needs a classifier"
        )


def _positive(values: tuple[Any, ...], name: str) -> tuple[int, ...]:
    try:
        whole = tuple(operator.index(value) for value in values)
    except TypeError:
        raise OcclusionError(f"{name} must be a whole number, not {' x '.join(map(str, values))}") from None
    if min(whole) < 1:
        raise OcclusionError(f"{name} must be 1 or more, not {_by(whole)}")
    return whole


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in sizes)
