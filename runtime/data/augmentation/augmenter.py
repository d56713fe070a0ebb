"""The augmentation of a training batch: raw samples in, changed ones out, by the generators of a run."""

from collections.abc import Mapping
from math import prod
from typing import TypeVar

import numpy as np

from nnspec.runtime.arrays import Array, empty
from nnspec.runtime.data.augmentation import PIXELS, PLACES, Images
from nnspec.runtime.data.augmentation.streams import augmentation_streams
from nnspec.runtime.data.augmentation.targets import TargetWarp
from nnspec.runtime.data.augmentation.warp import Warp, warp_bytes
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.spec_lang.vocabulary.augment import Augment, Augmentation, Geometric, Pixelwise

Size = tuple[int, int, int]

A = TypeVar("A", bound=Augmentation)

LEAST = 32
"""Samples that are changed at once at least: steps of single samples may come in blocks."""


def augmented_type(sample_type: np.dtype) -> np.dtype:
    """Return the type of augmented samples: float32 if it holds every number of the samples' type, else float64."""
    exact = sample_type.itemsize <= (4 if sample_type.kind == "f" else 2)
    return np.dtype(np.float32 if exact else np.float64)


def augmentation_bytes(augment: Augment, size: Size, sample_type: np.dtype, batch: int) -> int:
    """Return the memory of the buffers of an `Augmenter` and of a batch of raw samples."""
    dtype, most = augmented_type(sample_type), at_once(batch)
    kinds = {Geometric: warp_bytes(most, size, dtype), Pixelwise: most * prod(size) * dtype.itemsize}
    raw = batch * prod(size) * sample_type.itemsize
    return raw + sum(taken for kind, taken in kinds.items() if active(augment, kind))


def active(augment: Augment, kind: type[A]) -> list[A]:
    """Return the augmentations of a kind that change something."""
    return [change for change in augment.changes if isinstance(change, kind) and change.amount]


def at_once(batch: int) -> int:
    """Return how many samples are changed at once: a batch, or of small batches several."""
    return max(batch, LEAST)


class Augmenter:
    """Changes raw samples as a statement says. Its buffers are made once.

    Arguments:
        augment: the statement.
        randoms: the generator of each augmentation by its word. They are part of the state of a run.
        preprocessing: that of the training data.
        size: height, width and channels of an image.
        sample_type: the type of the raw samples.
        batch: how many samples are usually changed together. The result does not depend on it.
        targets: those of all training samples where they are images, which move with the samples.
        labels: whether these are 0 or 1, for each channel.

    Changed samples have the type `dtype`.
    """

    def __init__(
        self,
        augment: Augment,
        randoms: Mapping[str, "np.random.Generator"],
        preprocessing: Preprocessing,
        size: Size,
        sample_type: np.dtype,
        batch: int,
        targets: Array | None = None,
        labels: bool = False,
    ):
        self.dtype = dtype = augmented_type(sample_type)
        self._most = most = at_once(batch)
        low, high = preprocessing.limits
        self.images = Images(*size, zero_of(preprocessing, size, dtype), high - low)
        self._randoms = randoms
        self._places = active(augment, Geometric)
        self._pixels = active(augment, Pixelwise)
        self._raw = np.empty((0, *size), sample_type)
        self._warp = Warp(most, size, dtype, augment.fill) if self._places else None
        moves = self._places and targets is not None
        self._target_warp = TargetWarp(most, targets, augment.fill, labels) if moves and targets is not None else None
        self._room = empty((most, *size), dtype) if self._pixels else None

    def raw(self, samples: int) -> Array:
        """Return an array for raw samples, the same one at each call."""
        if len(self._raw) < samples:
            self._raw = empty((samples, *self._raw.shape[1:]), self._raw.dtype)
        return self._raw

    def __call__(self, raw: Array, out: Array, targets: Array | None = None) -> None:
        """Write raw samples, changed, into `out`, both (samples, height, width, channels).

        `targets` of these samples that are images are moved alike, in place.
        """
        for start in range(0, len(raw), self._most):
            part = slice(start, start + self._most)
            self._change(raw[part], out[part], targets[part] if targets is not None else None)

    def _change(self, raw: Array, out: Array, targets: Array | None) -> None:
        if self._warp is not None:
            matrices = self._matrices(len(raw))
            self._warp(raw, matrices, out)
            if self._target_warp is not None and targets is not None:
                self._target_warp(targets, matrices)
        else:
            np.copyto(out, raw)
        for word in self._pixels:
            assert self._room is not None
            PIXELS[type(word)](word, self.images, out, self._randoms[word.word], self._room[: len(raw)])

    def _matrices(self, samples: int) -> Array:
        """Return the composed maps of a batch, (samples, 3, 3): the augmentation declared last acts first."""
        composed: Array | None = None
        for word in self._places:
            drawn = self._randoms[word.word].random((samples, word.numbers)) * 2 - 1
            matrices = PLACES[type(word)](word, self.images, drawn)
            composed = matrices if composed is None else matrices @ composed
        assert composed is not None
        return composed


def zero_of(preprocessing: Preprocessing, size: Size, dtype: np.dtype) -> Array:
    """Return the raw image that the network sees as zeros, (height, width, channels)."""
    shift = preprocessing.shift if preprocessing.normalize != "none" else np.zeros(1)
    return np.broadcast_to(shift, preprocessing.input_shape).reshape(size).astype(dtype)


def variations(
    augment: Augment,
    preprocessing: Preprocessing,
    images: Array,
    count: int,
    seed: int,
    targets: Array | None = None,
    labels: bool = False,
) -> tuple[Array, Array | None]:
    """Return `count` variations of each raw image, (images, count, height, width, channels), for a picture of them.

    The second are those of `targets` that are images, (images, count, height, width[, channels]), else None. `labels`
    is as for Augmenter.
    """
    size, kind, most = images.shape[1:], images.dtype, len(images)
    random = augmentation_streams(augment, seed)
    augmenter = Augmenter(augment, random, preprocessing, size, kind, most, targets, labels)
    changed = np.empty((len(images), count, *size), augmenter.dtype)
    moved = None if targets is None else np.stack([targets] * count, axis=1)
    for number in range(count):
        augmenter(images, changed[:, number], None if moved is None else moved[:, number])
    return changed, moved
