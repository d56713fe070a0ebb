"""The augmentations that change the numbers of an image where they are."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation import Images, changes_pixels
from nnspec.spec_lang.vocabulary.augment import Cutout, Noise


@changes_pixels(Cutout)
def cutout(word: Cutout, images: Images, batch: Array, random: "np.random.Generator", room: Array) -> None:
    """Set a square to what the network sees as 0. Its centre is a pixel of the image, so its border may be outside."""
    sizes = np.array([images.height, images.width])
    corners = np.floor(random.random((len(batch), 2)) * sizes) - word.side // 2
    rows, columns = (_within(size, corners[:, axis], word.side) for axis, size in enumerate(sizes))
    erased = rows[:, :, None, None] & columns[:, None, :, None]
    np.subtract(images.zero, batch, out=room)
    np.multiply(room, erased, out=room)
    np.add(batch, room, out=batch)


@changes_pixels(Noise)
def noise(word: Noise, images: Images, batch: Array, random: "np.random.Generator", room: Array) -> None:
    """Add a normal number of `deviation` times the range of the data to each number."""
    random.standard_normal(out=room, dtype=room.dtype.type)
    np.multiply(room, room.dtype.type(word.deviation * images.span), out=room)
    np.add(batch, room, out=batch)


def _within(size: int, start: Array, length: int) -> Array:
    """Return for each sample which places of an axis are in a stretch, (samples, size)."""
    places = np.arange(size)
    inside: Array = (places >= start[:, None]) & (places < start[:, None] + length)
    return inside
