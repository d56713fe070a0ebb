"""The augmentation of a training batch: raw samples in, changed ones out, by the generators of a run."""

from collections.abc import Mapping
from math import prod

import numpy as np

from nnspec.runtime.arrays import Array, empty
from nnspec.runtime.data.augmentation import PIXELS, PLACES, Images
from nnspec.runtime.data.augmentation.warp import Warp
from nnspec.runtime.data.preprocessing import Preprocessing
from nnspec.runtime.randomness import stream
from nnspec.spec_lang.vocabulary.augment import Augment, Geometric, Pixelwise

Size = tuple[int, int, int]


def augmentation_streams(augment: Augment | None, seed: int) -> dict[str, np.random.Generator]:
    """Return a generator for each augmentation by its word; none without augmentation."""
    words = [change.word for change in augment.changes] if augment is not None else []
    return {word: stream(seed, f"augment/{word}") for word in words}


def augmented_type(sample_type: np.dtype) -> np.dtype:
    """Return the type of augmented samples: float32 if it holds every number of the samples' type, else float64."""
    exact = sample_type.itemsize <= (4 if sample_type.kind == "f" else 2)
    return np.dtype(np.float32 if exact else np.float64)


class Augmenter:
    """Changes batches of at most `most` raw samples as a statement says. Its buffers are made once.

    Arguments:
        augment: the statement.
        randoms: the generator of each augmentation by its word. They are part of the state of a run.
        preprocessing: that of the training data.
        size: height, width and channels of an image.
        sample_type: the type of the raw samples. Changed samples have that of `augmented_type`.
    """

    def __init__(
        self,
        augment: Augment,
        randoms: Mapping[str, np.random.Generator],
        preprocessing: Preprocessing,
        size: Size,
        sample_type: np.dtype,
        most: int,
    ):
        dtype = augmented_type(sample_type)
        low, high = preprocessing.limits
        self.images = Images(*size, zero_of(preprocessing, size[-1], dtype), high - low)
        self._randoms = randoms
        self._places = [c for c in augment.changes if isinstance(c, Geometric) and c.amount]
        self._pixels = [c for c in augment.changes if isinstance(c, Pixelwise) and c.amount]
        self._raw = empty((most, *size), sample_type) if self._places else None
        self._warp = Warp(most, size, dtype, augment.fill) if self._places else None
        self._room = empty((most, *size), dtype) if self._pixels else None

    def __call__(self, inputs: Array, chosen: Array, out: Array) -> None:
        """Write the chosen samples, changed, into `out`, (samples, height, width, channels)."""
        if self._warp is not None and self._raw is not None:
            raw = self._raw[: len(chosen)]
            np.take(inputs, chosen, axis=0, out=raw, mode="clip")
            self._warp(raw, self._matrices(len(chosen)), out)
        else:
            out[...] = inputs[chosen]
        for word in self._pixels:
            assert self._room is not None
            PIXELS[type(word)](word, self.images, out, self._randoms[word.word], self._room[: len(chosen)])

    def _matrices(self, samples: int) -> Array:
        """Return the composed maps of a batch, (samples, 3, 3): the augmentation declared last acts first."""
        composed: Array | None = None
        for word in self._places:
            drawn = self._randoms[word.word].random((samples, word.numbers)) * 2 - 1
            matrices = PLACES[type(word)](word, self.images, drawn)
            composed = matrices if composed is None else matrices @ composed
        assert composed is not None
        return composed


def zero_of(preprocessing: Preprocessing, channels: int, dtype: np.dtype) -> Array:
    """Return the raw number of each channel that the network sees as 0, (channels,)."""
    shift = preprocessing.shift
    if preprocessing.normalize == "none":
        return np.zeros(channels, dtype)
    return shift.astype(dtype) if shift.size == channels else np.full(channels, shift.mean(), dtype)
